/**
 * Packing of left operands: four rows at a time, widened to x' = x − zp in i16 and interleaved by pairs. Loads may read up
 * to 15 bytes past a row; what they bring meets zero weights or is written over.
 */
import { load8 } from './simd';

/** Interleaves n (rounded up to 8) elements of four rows into 64 bytes per eight. */
// @ts-ignore: decorator
@inline
function interleave<T>(d: usize, p0: usize, p1: usize, p2: usize, p3: usize, n: i32, zp: v128): void {
  for (let i = 0; i < n; i += 8) {
    let r0 = load8<T>(p0), r1 = load8<T>(p1), r2 = load8<T>(p2), r3 = load8<T>(p3);
    if (sizeof<T>() == 1) {
      r0 = i16x8.sub(r0, zp), r1 = i16x8.sub(r1, zp), r2 = i16x8.sub(r2, zp), r3 = i16x8.sub(r3, zp);
    }
    const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
    const c = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), e = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
    v128.store(d, v128.shuffle<i64>(a, c, 0, 2));
    v128.store(d, v128.shuffle<i64>(a, c, 1, 3), 16);
    v128.store(d, v128.shuffle<i64>(b, e, 0, 2), 32);
    v128.store(d, v128.shuffle<i64>(b, e, 1, 3), 48);
    d += 64;
    p0 += 8 * sizeof<T>(), p1 += 8 * sizeof<T>(), p2 += 8 * sizeof<T>(), p3 += 8 * sizeof<T>();
  }
}

/** Four rows of n elements of `size` bytes (1: zp subtracted; 2). */
export function pack4(d: usize, p0: usize, p1: usize, p2: usize, p3: usize, n: i32, size: i32, zp: i32): void {
  if (size == 1) interleave<i8>(d, p0, p1, p2, p3, n, i16x8.splat(<i16>zp));
  else interleave<i16>(d, p0, p1, p2, p3, n, i16x8.splat(0));
}

/** Contiguous rows at x, `lda` bytes apart, into panels of K (even); rows past the last repeat it. */
export function packRows(d: usize, x: usize, lda: usize, rows: i32, K: i32, size: i32, zp: i32): void {
  for (let i = 0; i < rows; i += 4) {
    const last = rows - 1;
    const p = x + <usize>i * lda;
    pack4(d, p, x + <usize>min(i + 1, last) * lda, x + <usize>min(i + 2, last) * lda, x + <usize>min(i + 3, last) * lda, K, size, zp);
    d += <usize>K << 3;
  }
}
