/**
 * Backends of a browser by name, and one run on them. It works in a page and in a worker.
 * @module
 */
import { createSession, type Inputs, loadModel, type RunResult, type Session } from 'samebit';
import { type Subject, webgl, webgpu } from '../../../test/engines/devices.ts';

/** Backends of pages in the order of the tables; behind a colon the threads. */
export const BACKENDS = ['reference', 'wasm', 'wasm:2', 'webgpu', 'webgl'] as const;

/** One of them. */
export type Name = (typeof BACKENDS)[number];

/** Why a page need not try a backend; undefined where it may. */
export function missing(name: Name): string | undefined {
  if (name === 'webgpu' && navigator.gpu === undefined) return 'this browser has no WebGPU';
  if (name === 'wasm:2' && !crossOriginIsolated) return 'the page is not cross-origin isolated: no shared memory';
  return undefined;
}

/** Devices of this thread by backend: probed once. */
const devices = new Map<string, Promise<Subject>>();

/** A session of a model on a backend, and the device below it. @throws Error where it cannot be had, with the reason */
export async function sessionOn(bytes: Uint8Array, name: Name): Promise<{ session: Session; device: string }> {
  const [kind = 'wasm', count = '1'] = name.split(':');
  const threads = Number(count);
  const make = { webgpu, webgl }[kind] ?? (async (): Promise<Subject> => ({ backend: kind as 'wasm', device: 'cpu' }));
  if (!devices.has(kind)) devices.set(kind, make());
  const { backend, device } = await devices.get(kind)!;
  const session = await createSession(loadModel(bytes), { backend, threads });
  return { session, device };
}

/** What a run gave. `ready`: milliseconds from the bytes to the first result; `ms`: of the shortest run. */
export interface Ran {
  readonly digest: string;
  readonly gas: bigint;
  readonly ms: number;
  readonly ready: number;
  readonly device: string;
  /** Threads that the run took. */
  readonly threads: number;
}

/** Runs a model, and where that is quick three times more. @throws Error where two runs differ */
export async function ran(bytes: Uint8Array, inputs: Inputs, name: Name): Promise<Ran> {
  const start = performance.now();
  const { session, device } = await sessionOn(bytes, name);
  try {
    const begun = performance.now();
    const first: RunResult = await session.run(inputs);
    const { digest, gasUsed: gas } = first;
    const ready = performance.now() - start;
    let ms = performance.now() - begun;
    for (let i = 0; i < 3 && ms < 1000; i++) {
      const from = performance.now();
      const again = await session.run(inputs);
      ms = Math.min(ms, performance.now() - from);
      if (again.digest !== digest) throw new Error(`two runs on ${name} differ`);
    }
    return { digest, gas, ms, ready, device, threads: session.explain().threads };
  } finally {
    session.dispose();
  }
}
