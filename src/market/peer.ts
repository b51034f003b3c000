/**
 * A peer: serves the records and cards of a store over HTTP, and nothing else (spec/50-market.md, Blobs).
 * @module
 */
import type { Context } from 'hono';
import { limited, listen, loadServer, remoteAddress } from './serve.ts';
import type { Listening, ServerLimits } from './server.ts';
import type { BlobStore } from './store.ts';

/** Where a peer listens. */
export interface PeerOptions {
  /** Default 127.0.0.1: this machine alone. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly limits?: ServerLimits;
}

/** Named by their contents, so that they never change; open to pages of any origin. */
const HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'access-control-allow-origin': '*',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Serves a store.
 * @throws MarketError NoServer
 */
export async function servePeer(store: BlobStore, options: PeerOptions = {}): Promise<Listening> {
  const { hono } = await loadServer();
  const { host = '127.0.0.1', port = 0, limits = {} } = options;
  const app = new hono.Hono();
  const missing = (c: Context): Response => c.text('not here', 404);
  app.use(limited(limits, remoteAddress));
  app.get('/blobs/:root{0x[0-9a-f]{64}}/:index{0|[1-9][0-9]{0,4}}', async (c) => {
    const record = await store.record(c.req.param('root'), Number(c.req.param('index')));
    if (record === undefined) return missing(c);
    const length = String(record.length);
    return c.body(record, 200, { ...HEADERS, 'content-type': 'application/octet-stream', 'content-length': length });
  });
  app.get('/cards/:file{0x[0-9a-f]{64}\\.json}', async (c) => {
    const text = await store.cardText(c.req.param('file').slice(0, -'.json'.length));
    return text === undefined ? missing(c) : c.body(text, 200, { ...HEADERS, 'content-type': 'application/json' });
  });
  app.notFound(missing);
  app.onError((_, c) => c.text('failed', 500));
  return listen(app, host, port, limits);
}
