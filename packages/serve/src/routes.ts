/**
 * Routes that answer a request at once.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { decodeInputs } from './decode.ts';
import { ServeError } from './faults.ts';
import type { RunAnswer, RunTask } from './messages.ts';
import { ROUTES, type RunBody, type RunQuery } from './schemas.ts';
import type { Parts } from './server.ts';

type RunRequest = FastifyRequest<{ Params: { id: string }; Body: RunBody | Buffer; Querystring: RunQuery }>;

/** What a request asks of a worker. */
function taskOf(request: RunRequest, maxGas: number): RunTask {
  const { body, query } = request;
  const base = { kind: 'run', dims: [] } as const;
  const limit = (asked: number | undefined): bigint => BigInt(Math.min(asked ?? maxGas, maxGas));
  if (Buffer.isBuffer(body)) {
    const asked = query.gasLimit === undefined ? undefined : Number(query.gasLimit);
    const dims = query.dims?.split(',').map(Number) ?? [];
    const receipt = query.receipt === 'true';
    return { ...base, inputs: body, dims, gasLimit: limit(asked), receipt, form: 'bytes' };
  }
  const strange = Object.keys(query)[0];
  if (strange !== undefined) throw new ServeError('BadRequest', `${strange} is in the body of a JSON request`);
  const { inputs, gasLimit, receipt = false, encoding = 'array' } = body;
  return { ...base, inputs: decodeInputs(inputs), gasLimit: limit(gasLimit), receipt, form: encoding };
}

/** Aborts when the caller goes away before the answer. */
function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}

async function run(
  request: RunRequest,
  reply: FastifyReply,
  { catalog, pool, metrics, settings }: Parts,
): Promise<unknown> {
  const entry = catalog.get(request.params.id);
  const task = taskOf(request, settings.maxGas);
  const answer = (await pool.run(entry, task, gone(reply))) as RunAnswer;
  metrics.run(entry.id, answer.ms / 1000, answer.gas);
  request.facts = {
    model: entry.id,
    gas: answer.gas,
    digest: answer.digest,
    runMs: Math.round(answer.ms * 1000) / 1000,
  };
  if (task.form !== 'bytes') return reply.type('application/json').send(answer.body);
  reply.headers({ 'samebit-digest': answer.digest, 'samebit-gas': answer.gas });
  if (answer.receipt !== undefined)
    for (const [name, text] of Object.entries(answer.receipt))
      reply.header(`samebit-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, text);
  return reply.type('application/octet-stream').send(answer.body);
}

/** Adds the routes. */
export function addRoutes(app: FastifyInstance, parts: Parts): void {
  const { catalog, pool, metrics, signer, ready } = parts;
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.removeContentTypeParser('text/plain');
  const shown = (e: (typeof catalog.entries)[number]): object => ({ ...e.facts, name: e.name });

  app.get('/v1/models', { schema: ROUTES['models']! }, async () => ({
    models: catalog.entries.map(shown),
    refused: catalog.refused.map(({ file, code, reason }) => ({ file, code, reason })),
  }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', { schema: ROUTES['model']! }, async (request) =>
    shown(catalog.get(request.params.id)),
  );
  app.post<{ Params: { id: string }; Body: RunBody | Buffer; Querystring: RunQuery }>(
    '/v1/models/:id/run',
    {
      schema: ROUTES['run']!,
      // Who asks for a model that is not here, or while there is no room, is told so before the body is read.
      onRequest: async (request) => {
        catalog.get(request.params.id);
        if (pool.facts.waiting >= parts.settings.queue)
          throw new ServeError('Busy', `${pool.facts.waiting} requests are waiting`);
      },
    },
    (request, reply) => run(request, reply, parts),
  );
  app.get('/v1/key', { schema: ROUTES['key']! }, async () => {
    if (signer === undefined) throw new ServeError('NoKey', 'this server signs no receipts');
    return { algorithm: 'ed25519', publicKey: signer.publicKey, domain: 'samebit/receipt/1' };
  });
  app.get('/healthz', { schema: ROUTES['healthz']! }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: ROUTES['readyz']! }, async () => {
    if (!ready()) throw new ServeError('Closing', 'the server is not ready for requests');
    if (pool.facts.workers === 0) throw new ServeError('Unavailable', 'no worker is up');
    return { status: 'ok' };
  });
  app.get('/metrics', { schema: ROUTES['metrics']! }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
