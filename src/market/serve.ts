/**
 * What the two servers share: the HTTP framework, which the user installs beside samebit, and limits on who asks how much.
 * @module
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hono, MiddlewareHandler } from 'hono';
import { MarketError } from './errors.ts';
import type { Listening, ServerLimits } from './server.ts';

/** The modules of the framework. @throws MarketError NoServer */
export async function loadServer(): Promise<{ hono: typeof import('hono'); node: typeof import('@hono/node-server') }> {
  try {
    return { hono: await import('hono'), node: await import('@hono/node-server') };
  } catch {
    throw new MarketError('NoServer', 'serving needs the packages hono and @hono/node-server, which are not installed');
  }
}

/** Addresses whose requests are counted at the same time. */
const ADDRESSES = 10_000;

/** Counts of requests by address: each has `burst`, and gets `rate` back every second. */
class Buckets {
  readonly #rate: number;
  readonly #burst: number;
  readonly #level: Map<string, { tokens: number; at: number }> = new Map();

  constructor(rate: number, burst: number) {
    this.#rate = rate;
    this.#burst = burst;
  }

  /** True if the address may ask once more. */
  take(address: string, now: number): boolean {
    const { tokens, at } = this.#level.get(address) ?? { tokens: this.#burst, at: now };
    const left = Math.min(this.#burst, tokens + ((now - at) / 1000) * this.#rate);
    this.#level.delete(address); // to the end: the first of the map is who asked least lately
    this.#level.set(address, { tokens: Math.max(0, left - 1), at: now });
    if (this.#level.size > ADDRESSES) this.#level.delete(this.#level.keys().next().value!);
    return left >= 1;
  }
}

/** Refuses who asks too often, and everybody while too much is being answered. */
export function limited(
  limits: ServerLimits,
  addressOf: (c: Parameters<MiddlewareHandler>[0]) => string,
): MiddlewareHandler {
  const { rate = 500, burst = 2 * rate, inFlight = 64 } = limits;
  const buckets = new Buckets(rate, burst);
  let open = 0;
  return async (c, next) => {
    if (!buckets.take(addressOf(c), performance.now())) return c.text('too many requests', 429, { 'retry-after': '1' });
    if (open >= inFlight) return c.text('busy', 503, { 'retry-after': '1' });
    open++;
    try {
      await next();
    } finally {
      open--;
    }
  };
}

/** The address that a request came from. */
export function remoteAddress(c: Parameters<MiddlewareHandler>[0]): string {
  const { incoming } = c.env as { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress ?? '';
}

/** Listens on a host and a port; port 0 is any that is free. */
export async function listen(app: Hono, host: string, port: number, limits: ServerLimits): Promise<Listening> {
  const { node } = await loadServer();
  const { connections = 256, timeout = 30_000 } = limits;
  const serverOptions = {
    requestTimeout: timeout,
    headersTimeout: timeout,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16_384,
  };
  const server = node.createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server;
  server.maxConnections = connections;
  server.setTimeout(timeout);
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, done);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
