/**
 * The HTTP server: limits, validation, errors, logs and the life of the process.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { Catalog, type Change } from './catalog.ts';
import { asServed, problemOf, ServeError } from './faults.ts';
import { Metrics } from './metrics.ts';
import { checked, type ServeOptions, type Settings } from './options.ts';
import { Pool } from './pool.ts';
import { Signer } from './receipts.ts';
import { addRoutes } from './routes.ts';
import { addSessions, type Sessions } from './session.ts';

/** Pause between looks at connections that take too long, in milliseconds. */
const LOOK = 500;

/** A server that runs. */
export interface Serving {
  readonly url: string;
  /** Ids of the models that are served. */
  readonly models: readonly string[];
  /** Reads the directory of models again. Requests under way keep their models. @throws SamebitError BadDirectory */
  reload(): Promise<Change>;
  /** Takes no more requests, answers those under way within `grace`, and ends. */
  close(): Promise<void>;
}

/**
 * Parts of a server that routes use.
 * @internal
 */
export interface Parts {
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly metrics: Metrics;
  readonly signer: Signer | undefined;
  /** True from the first reload until the server closes. */
  readonly ready: () => boolean;
}

/** Answers what is no HTTP, or comes too slowly, and ends the connection. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
  const names: Readonly<Record<number, string>> = {
    400: 'Bad Request',
    408: 'Request Timeout',
    431: 'Header Too Large',
  };
  const detail = status === 408 ? 'the request takes too long to arrive' : 'the request is no HTTP that is taken here';
  const body = JSON.stringify({ ...problemOf(new ServeError('BadRequest', detail)), status });
  if (!socket.writable) return void socket.destroy();
  socket.end(
    `HTTP/1.1 ${status} ${names[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function framework(settings: Settings): FastifyInstance {
  const { timeout, requestTimeout, connections } = settings;
  return Fastify({
    bodyLimit: settings.bodyLimit,
    logger: settings.log === 'silent' ? false : { level: settings.log, stream: process.stderr },
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 64 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    serverFactory: (handler) => {
      const limits = {
        requestTimeout,
        headersTimeout: requestTimeout,
        keepAliveTimeout: 5_000,
        connectionsCheckingInterval: LOOK,
        maxHeaderSize: 16_384,
      };
      const server: Server = createServer(limits, handler);
      server.maxConnections = connections;
      server.setTimeout(timeout + requestTimeout); // a reader that stands still; longer than any answer takes
      server.on('clientError', refuse);
      return server;
    },
  });
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** Headers, logs and metrics of every request; every error as a problem document. */
function dress(app: FastifyInstance, metrics: Metrics, draining: () => boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (draining()) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.request(route, reply.statusCode, reply.elapsedTime / 1000);
    const line = {
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
    };
    request.log.info({ ...line, ...request.facts }, 'answered');
  });
  app.decorateRequest('facts');
  app.setErrorHandler((error, request, reply) => {
    const served = asServed(error);
    if (served === undefined) request.log.error({ err: error }, 'a request failed');
    const problem = problemOf(error, request.id);
    request.facts = { ...request.facts, code: problem.code };
    if (problem.status === 503) reply.header('retry-after', '1');
    // A body that was not read to its end leaves the connection in no state to go on.
    if (problem.status === 413) reply.header('connection', 'close');
    return reply
      .code(problem.status)
      .type('application/problem+json')
      .send(Buffer.from(JSON.stringify(problem)));
  });
  app.setNotFoundHandler((request: FastifyRequest) => {
    throw new ServeError('NotFound', `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
}

/**
 * What the log says of a request beside its time.
 * @internal
 */
declare module 'fastify' {
  interface FastifyRequest {
    facts?: Readonly<Record<string, unknown>>;
  }
}

async function until<T>(work: Promise<T>, ms: number, late: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((done) => {
    timer = setTimeout(() => {
      late();
      done();
    }, ms);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/**
 * Starts a server.
 * @throws SamebitError BadDirectory, BadKey; TypeError, RangeError for an option that is none
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const settings = checked(options);
  const app = framework(settings);
  let signer: Signer | undefined;
  try {
    signer = settings.key === undefined ? undefined : new Signer(settings.key);
  } catch (e) {
    throw new ServeError('BadKey', (e as Error).message);
  }
  let state: 'starting' | 'ready' | 'closing' = 'starting';
  let sessions: Sessions | undefined;
  const metrics: Metrics = new Metrics({
    waiting: () => pool.facts.waiting,
    running: () => pool.facts.running,
    workers: () => pool.facts.workers,
    restarts: () => pool.facts.restarts,
    models: () => catalog.entries.length,
    refused: () => catalog.refused.length,
    sessions: () => sessions?.open ?? 0,
  });
  const pool = new Pool({
    workers: settings.workers,
    queue: settings.queue,
    batch: settings.batch,
    loaded: settings.loaded,
    timeout: settings.timeout,
    start: { key: settings.key, receiptGas: BigInt(settings.receiptGas) },
    onTrouble: (message, detail) => app.log.error({ detail }, message),
    onBatch: (size) => metrics.batch(size),
  });
  const catalog = new Catalog(settings.models, pool, settings.modelLimit);
  const parts: Parts = { settings, catalog, pool, metrics, signer, ready: () => state === 'ready' };

  const reload = async (): Promise<Change> => {
    const change = await catalog.reload();
    for (const id of change.removed) metrics.forget(id);
    for (const r of change.refused) app.log.warn(r, 'a file of the directory is refused');
    app.log.info({ added: change.added, removed: change.removed, models: catalog.entries.length }, 'models were read');
    return change;
  };

  try {
    dress(app, metrics, () => state === 'closing');
    const description = 'Runs samebit models. The digest of an answer is the same on every replica.';
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'samebit-serve',
          version: version(),
          description,
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        },
        servers: [{ url: '/' }],
      },
    });
    await app.register(websocket, { options: { maxPayload: settings.bodyLimit } });
    await app.register(async (scope) => {
      addRoutes(scope, parts);
      sessions = addSessions(scope, parts);
    });
    await reload();
    await app.listen({ host: settings.host, port: settings.port });
  } catch (e) {
    await pool.end();
    await app.close();
    throw e;
  }
  state = 'ready';
  const { port } = app.server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;

  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    state = 'closing';
    sessions?.close();
    const drained = app.close().then(() => pool.close());
    await until(drained, settings.grace, () => app.server.closeAllConnections());
    await pool.end();
    await drained;
  };
  return {
    url: `http://${host}:${port}`,
    get models() {
      return catalog.entries.map((e) => e.id);
    },
    reload,
    close: () => (closing ??= end()),
  };
}
