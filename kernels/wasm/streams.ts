/**
 * One row of i8 against constant i8 weights beyond the caches: four panels at once, since several streams are read faster than one. Where
 * fewer are left the last is read again. Record of `matrix` in gemm.ts; units are panels.
 */
import { finish, panelsOf, widen } from './gemm';
import { own, scratch } from './simd';

// @ts-ignore: decorator
@inline
function mac(c: v128, x: v128, w: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/** Writes up to eight columns of the own record. */
function put(y: usize, a: v128, b: v128, m: usize, left: i32): void {
  finish(own(), y, a, b, m, left);
}

/** The panels from…to−1. */
export function streams(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const a = scratch(), g = own(), K = load<usize>(r, 48);
  widen(a, x, K, 1, load<i32>(r, 12));
  out += panelsOf(r + 48, load<usize>(r, 60), K << 3, from, to);
  const cols = load<i32>(g, 8), size = load<i32>(g, 40);
  const end = a + (K << 1), last = load<usize>(g, 12) + (<usize>((cols - 1) >> 3) * K << 3);
  let b = load<usize>(g, 12), bias = load<usize>(g, 16), m = load<usize>(g, 20);
  for (let n = 0; n < cols; n += 32) {
    let c = min(b + (K << 3), last), d = min(b + (K << 4), last), e = min(b + 24 * K, last);
    let a0 = v128.load(bias), a1 = v128.load(bias, 16), c0 = v128.load(bias, 32), c1 = v128.load(bias, 48);
    let d0 = v128.load(bias, 64), d1 = v128.load(bias, 80), e0 = v128.load(bias, 96), e1 = v128.load(bias, 112);
    let p = a;
    do {
      const t = v128.load_splat<i32>(p);
      let w = v128.load(b);
      a0 = mac(a0, t, i16x8.extend_low_i8x16_s(w));
      a1 = mac(a1, t, i16x8.extend_high_i8x16_s(w));
      w = v128.load(c);
      c0 = mac(c0, t, i16x8.extend_low_i8x16_s(w));
      c1 = mac(c1, t, i16x8.extend_high_i8x16_s(w));
      w = v128.load(d);
      d0 = mac(d0, t, i16x8.extend_low_i8x16_s(w));
      d1 = mac(d1, t, i16x8.extend_high_i8x16_s(w));
      w = v128.load(e);
      e0 = mac(e0, t, i16x8.extend_low_i8x16_s(w));
      e1 = mac(e1, t, i16x8.extend_high_i8x16_s(w));
      p += 4, b += 16, c += 16, d += 16, e += 16;
    } while (p < end);
    b = e;
    const left = cols - n, y = out + n * size, step: usize = size << 3;
    put(y, a0, a1, m, left);
    if (left > 8) put(y + step, c0, c1, m + 32, left - 8);
    if (left > 16) put(y + 2 * step, d0, d1, m + 64, left - 16);
    if (left > 24) put(y + 3 * step, e0, e1, m + 96, left - 24);
    bias += 128;
    m += 128;
  }
}
