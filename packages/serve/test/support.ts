/** The built server with models in a folder of its own, and clients of it. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';
import type { Tensor, TypedArray } from '../../../src/index.ts';
import type { Serving } from '../src/index.ts';
import type { ServeOptions } from '../src/options.ts';

/** The repository. */
export const ROOT: string = join(import.meta.dirname, '../../..');
/** The built package and the built library. */
export const built = (await import(join(ROOT, 'packages/serve/dist/index.js'))) as typeof import('../src/index.ts');
export const samebit = (await import(join(ROOT, 'dist/index.js'))) as typeof import('../../../src/index.ts');
export const consensus = (await import(join(ROOT, 'dist/consensus.js'))) as typeof import('../../../src/consensus.ts');
export const format = (await import(join(ROOT, 'dist/format.js'))) as typeof import('../../../src/format.ts');

/** Workers that are up, in order of their start. */
export const workers: Worker[] = [];
process.on('worker', (w) => {
  workers.push(w);
  w.once('exit', () => workers.splice(workers.indexOf(w), 1));
});

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** A new folder that goes away with the tests. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'samebit-serve-'));
  ends.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Bytes of a model of the examples. */
export function example(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(ROOT, 'examples', path)));
}

/** A folder with models of the examples. */
export function models(...paths: readonly string[]): string {
  const into = folder();
  for (const path of paths) copyFileSync(join(ROOT, 'examples', path), join(into, path.replaceAll('/', '-')));
  return into;
}

/** A server on any port, without a log, that ends with the tests. */
export async function start(options: ServeOptions): Promise<Serving> {
  const server = await built.serve({ port: 0, workers: 1, log: 'silent', ...options });
  ends.push(() => server.close());
  return server;
}

/** A run of a model in every form. */
export interface Sample {
  readonly id: string;
  readonly inputs: Readonly<Record<string, TypedArray | Uint8Array>>;
  /** Canonical bytes of all inputs. */
  readonly body: Uint8Array;
  readonly json: Readonly<Record<string, number[]>>;
  readonly digest: string;
  readonly gas: number;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Canonical bytes of all outputs. */
  readonly output: Uint8Array;
}

/** Inputs of a model that differ by `seed`, and what a session makes of them. */
export async function sample(file: Uint8Array, seed: number): Promise<Sample> {
  const model = samebit.loadModel(file);
  const inputs = Object.fromEntries(
    model.inputs.map((d) => {
      const count = (d.shape as number[]).reduce((n, e) => n * e, 1);
      const kinds = { u8: Uint8Array, i8: Int8Array, i16: Int16Array, i32: Int32Array, bool: Int8Array, i4: Int8Array };
      const [lo, hi] = [d.lo as number, d.hi as number].map((v) => v + (d.u8 ? 128 : 0)) as [number, number];
      const data = new kinds[d.u8 ? 'u8' : d.dtype](count);
      for (let i = 0; i < count; i++) data[i] = lo + ((i * 7919 + seed * 104729) % (hi - lo + 1));
      return [d.name, data];
    }),
  );
  const session = await samebit.createSession(model);
  const { digest, outputs, gasUsed } = await session.run(inputs);
  session.dispose();
  const join = (list: readonly { readonly data: TypedArray | Uint8Array }[]): Buffer =>
    Buffer.concat(list.map((t) => format.toBytes(t.data)));
  return {
    id: samebit.hex(model.id),
    inputs,
    body: join(Object.values(inputs).map((data) => ({ data }))),
    json: Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, Array.from(v)])),
    digest,
    gas: Number(gasUsed),
    outputs,
    output: join(model.outputs.map((o) => outputs[o.name]!)),
  };
}

/** POST of a run. */
export function post(server: Serving, id: string, body: unknown, query = ''): Promise<Response> {
  const bytes = body instanceof Uint8Array;
  return fetch(`${server.url}/v1/models/${id}/run${query}`, {
    method: 'POST',
    headers: { 'content-type': bytes ? 'application/octet-stream' : 'application/json' },
    body: bytes ? new Uint8Array(body) : typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Status and code of a problem. */
export async function problem(r: Response): Promise<string> {
  const { status, code, hint, requestId } = (await r.json()) as Record<string, string>;
  const whole =
    r.headers.get('content-type') === 'application/problem+json' &&
    hint !== '' &&
    requestId === r.headers.get('x-request-id');
  return `${r.status === Number(status) && whole ? r.status : 'malformed'} ${code}`;
}

/** What a server answers to bytes on a connection, until it ends it. */
export function raw(server: Serving, text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let said = '';
    socket.on('data', (d) => (said += d));
    socket.on('error', fail);
    socket.on('close', () => done(said));
  });
}
