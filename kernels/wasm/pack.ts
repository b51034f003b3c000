/**
 * Packing of left operands: four rows at a time, widened to x' = x − zp in i16 and interleaved by pairs. Loads may read up
 * to 15 bytes past a row; what they bring meets zero weights or is written over.
 */
import { load8 } from './simd';

/** Four rows of n elements (rounded up to 8) of `size` bytes, minus zp, interleaved into 16 bytes a pair, `pair` bytes apart. */
export function pack4(d: usize, p0: usize, p1: usize, p2: usize, p3: usize, n: i32, size: i32, zp: i32, pair: usize): void {
  const z = i16x8.splat(<i16>zp), step = size << 3;
  for (let i = 0; i < n; i += 8) {
    let r0: v128, r1: v128, r2: v128, r3: v128;
    if (size == 1) {
      r0 = i16x8.sub(load8<i8>(p0), z), r1 = i16x8.sub(load8<i8>(p1), z), r2 = i16x8.sub(load8<i8>(p2), z), r3 = i16x8.sub(load8<i8>(p3), z);
    } else {
      r0 = v128.load(p0), r1 = v128.load(p1), r2 = v128.load(p2), r3 = v128.load(p3);
    }
    const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
    const c = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), e = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
    v128.store(d, v128.shuffle<i64>(a, c, 0, 2));
    v128.store(d + pair, v128.shuffle<i64>(a, c, 1, 3));
    v128.store(d + 2 * pair, v128.shuffle<i64>(b, e, 0, 2));
    v128.store(d + 3 * pair, v128.shuffle<i64>(b, e, 1, 3));
    d += pair << 2;
    p0 += step, p1 += step, p2 += step, p3 += step;
  }
}

/** Contiguous rows at x, `lda` bytes apart, into panels of K (even); rows past the last repeat it. */
export function packRows(d: usize, x: usize, lda: usize, rows: i32, K: i32, size: i32, zp: i32): void {
  for (let i = 0; i < rows; i += 4) {
    const last = rows - 1;
    const p = x + <usize>i * lda;
    pack4(d, p, x + <usize>min(i + 1, last) * lda, x + <usize>min(i + 2, last) * lda, x + <usize>min(i + 3, last) * lda, K, size, zp, 16);
    d += <usize>K << 3;
  }
}
