/**
 * Known answers that a device must give before the backend trusts it: a staged tile, a depthwise convolution.
 * The expected values are those of a BigInt oracle (test/backends/wasm-selftest.test.ts recomputes them).
 * @module
 */
import type { Kernels } from './module.ts';

/** Outputs of the probes. */
export const KNOWN_ANSWERS = {
  matrix: [-100, 74, 127, 7],
  depthwise: [-16, -17],
} as const;

/** Private area of the probes’ instance, in its single page. */
export const BASE = 49152;
/** Further addresses. */
const [RECORD, X, W, BIAS, M, ZERO, OUT] = [1024, 8192, 16384, 20480, 24576, 28672, 32768];

/** Runs the probes in a fresh one-page instance. Returns the name of the first that is wrong. */
export function selfTest(kernels: Kernels, memory: WebAssembly.Memory): string | undefined {
  const i8 = new Int8Array(memory.buffer);
  const i16 = new Int16Array(memory.buffer);
  const i32 = new Int32Array(memory.buffer);
  const words = (at: number, values: ArrayLike<number>): void => i32.set(values, at >> 2);
  const equal = (actual: Int8Array, expected: readonly number[]): boolean => expected.every((v, i) => v === actual[i]);
  words(BIAS, [1000, -7]);
  words(M, [2147483647, 536870912]);

  // x' = x + 3 of [[−128, 127], [5, −6]] times [[127, −128], [−1, 3]]
  i8.set([-128, 127, 5, -6], X);
  i16.set([127, -128, -1, 3], W >> 1);
  words(RECORD, [2, 2, 1, -3, 4, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, W, BIAS, M, 0, 10, -100, 127, 1, 2]);
  kernels.matrix(0, 1, RECORD, X, OUT);
  if (!equal(i8.subarray(OUT), KNOWN_ANSWERS.matrix)) return 'matrix';

  // 3×3 weights 31t − 128 over one row of two pixels, zero point −2, padded by 1; b' = b + 2·Σw
  i8.fill(-2, ZERO, ZERO + 32);
  i8.set([100, -100], X);
  i16.fill(0, W >> 1, (W >> 1) + 80);
  for (let t = 0; t < 9; t++) i16[(W >> 1) + (t >> 1) * 16 + (t & 1)] = 31 * t - 128;
  words(BIAS, [1000 + 2 * (9 * -128 + 31 * 36)]);
  words(RECORD, [1, 1, 2, 1, 2, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, ZERO, W, BIAS, M, 0, 3, -128, 127, 1]);
  words(M, [40000000]);
  kernels.depthwise(0, 2, RECORD, X, OUT);
  return equal(i8.subarray(OUT), KNOWN_ANSWERS.depthwise) ? undefined : 'depthwise';
}
