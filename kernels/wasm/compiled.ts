/**
 * A module for compiled models: weights become what the kernels take before a node runs; and, compiled with ONLY_I8, products whose outputs
 * and weights are i8.
 */
export { conv } from './conv';
export { matrix } from './gemm';
export { base } from './simd';

/** i8 at x as i16 at y; units are 1024 of n, a multiple of 16. */
export function widen(from: u32, to: u32, x: usize, y: usize, n: u32): void {
  y += <usize>from << 11;
  const end = x + min<u32>(n, to << 10);
  for (x += <usize>from << 10; x < end; x += 16, y += 32) {
    v128.store(y, v128.load_ext<i8>(x));
    v128.store(y, v128.load_ext<i8>(x, 8), 16);
  }
}

/** i8 weights [C/8][taps][8] as pairs of i16 [C/8][pairs][8][2], the last with a zero where taps are odd; units are blocks of 8 channels. */
export function pairs(from: u32, to: u32, x: usize, y: usize, taps: u32): void {
  x += <usize>from * (taps << 3);
  y += <usize>from * (((taps + 1) >> 1) << 5);
  for (; from < to; from++) {
    for (let t: u32 = 0; t < taps; t += 2, y += 32) {
      const a = v128.load_ext<i8>(x), b = t + 1 < taps ? v128.load_ext<i8>(x, 8) : i16x8.splat(0);
      v128.store(y, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(y, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      x += t + 1 < taps ? 16 : 8;
    }
  }
}
