/** The document of the API: valid, and what the server does. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import { models, start } from './support.ts';

const server = await start({ models: models('face-api/recogniser.sbm') });

it('is a valid document of OpenAPI 3.1 that names every route', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect([valid, errors]).toEqual([true, undefined]);
  expect(document.openapi).toBe('3.1.0');
  const names = Object.entries(document.paths).flatMap(([path, o]) =>
    Object.entries(o).map(([m, { operationId }]) => `${m} ${path} ${operationId}`),
  );
  expect(names.sort()).toEqual([
    'get /healthz getHealth',
    'get /metrics getMetrics',
    'get /readyz getReadiness',
    'get /v1/key getKey',
    'get /v1/models listModels',
    'get /v1/models/{id} getModel',
    'get /v1/models/{id}/session openSession',
    'post /v1/models/{id}/run runModel',
  ]);
});

it('health, readiness and metrics', async () => {
  for (const path of ['/healthz', '/readyz']) expect((await fetch(server.url + path)).status).toBe(200);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).toMatch(/^samebit_models 1$/m);
  expect(text).toMatch(/^samebit_workers 1$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});
