/**
 * A known answer of the second module: a softmax. The expected values are those of a BigInt oracle
 * (test/backends/wasm-selftest.test.ts recomputes them).
 * @module
 */
import { EXP2 } from '../../../core/exp2.ts';
import type { Kernels } from '../module.ts';

/** Output of the probe. */
export const SOFTMAX: readonly number[] = [11889, 7180, 13699];

/** Addresses. */
const [ND, X, TABLE, RECORD, OUT] = [1024, 8192, 16384, 20480, 32768];

/** Runs the probe in a fresh one-page instance. Returns its name if it is wrong. */
export function selfTestMore(kernels: Pick<Kernels, 'softmax'>, memory: WebAssembly.Memory): string | undefined {
  const i16 = new Int16Array(memory.buffer);
  const words = (at: number, values: ArrayLike<number>): void => new Int32Array(memory.buffer).set(values, at >> 2);
  // one row of three i16 values, l = 7
  i16.set([0, -1000, 281], X >> 1);
  words(TABLE, new Int32Array(EXP2.buffer));
  words(ND, [3, 1, X, 0, OUT, 2, 0, 2, 0, 3]);
  words(RECORD, [2, 7, 1600000000, 22, TABLE, 0, 15, 0, 0, 32767, 2, 0, 0, 0, 0, 1]);
  kernels.softmax(0, 1, ND, RECORD);
  return SOFTMAX.every((v, i) => v === i16[(OUT >> 1) + i]) ? undefined : 'softmax';
}
