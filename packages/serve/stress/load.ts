/**
 * Requests of a stress run, and what each has to be answered with.
 * @module
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

/** A response as it came. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What is sent. */
export interface Sent {
  readonly path: string;
  readonly type?: string;
  readonly body?: Uint8Array | string;
}

/** One connection that is kept, as a client has it. */
export class Client {
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a request. @throws Error where the connection breaks */
  send({ path, type = 'application/octet-stream', body }: Sent): Promise<Reply> {
    return new Promise((done, fail) => {
      const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const method = body === undefined ? 'GET' : 'POST';
      const r = request(this.#url + path, { agent: this.#agent, method, headers }, (res) => {
        const parts: Buffer[] = [];
        res.on('data', (d: Buffer) => parts.push(d));
        res.on('end', () => done({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(parts) }));
        res.on('error', fail);
      });
      r.on('error', fail);
      r.end(body);
    });
  }

  /** Ends the connection. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Sends a request byte by byte until the server ends the connection: the milliseconds that it took. */
export function loris(url: string, text: string, every: number, most: number): Promise<number> {
  const start = performance.now();
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), hostname);
    let at = 0;
    const timer = setInterval(() => {
      if (performance.now() - start > most) socket.destroy(new Error('the server let a slow request live'));
      else socket.write(text[at++ % text.length]!, () => undefined);
    }, every);
    let error: Error | undefined;
    socket.on('error', (e: NodeJS.ErrnoException) => {
      if (e.code === undefined) error = e;
    });
    socket.resume();
    socket.on('close', () => {
      clearInterval(timer);
      if (error) fail(error);
      else done(performance.now() - start);
    });
  });
}

/** A seeded generator of whole numbers below n (mulberry32). */
export function random(seed: number): (n: number) => number {
  let a = seed | 0;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** The value below which a share of a sorted list lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
