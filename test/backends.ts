/**
 * The backends that every suite over backends runs.
 * @module
 */
import type { Backend } from '../src/backends/backend.ts';
import { reference } from '../src/backends/reference/index.ts';
import { wasm } from '../src/backends/wasm/index.ts';
import { prepareThreaded } from '../src/backends/wasm/threaded.ts';

/** Every backend that this machine has. */
export const BACKENDS: readonly Backend[] = [reference, wasm];

/** wasm on n threads that shares every node that it can, however small. */
export function threaded(n: number): Backend {
  const prepare: Backend['prepare'] = async (plan, { mode, threads }) =>
    (threads === 1 ? undefined : await prepareThreaded(plan, mode, n, 1)) ?? wasm.prepare(plan, { mode });
  return { name: `wasm:${n}`, prepare };
}

/** The backends, and wasm on threads. */
export const LANES: readonly (readonly [string, Backend])[] = [...BACKENDS, threaded(2)].map((b) => [b.name, b]);
