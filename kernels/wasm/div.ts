/** div (spec/10-ops.md §3). */
import { wide } from './elementwise';
import { length, ndNext, ndStart, p0, p1, p2 } from './nd';
import { limit4, store8 } from './simd';

/** More than any output: where quotients are cut before they become integers. */
const FAR: f64 = 1048576;

/**
 * floor((2n + d) / (2d)) of two lanes of i32, both negated where d < 0: exact in f64 (spec/10-ops.md §10, fact 11). ±2^20 and farther
 * quotients, those by 0 among them, come as ±2^20; 0/0 is not a number, which is truncated to 0.
 */
// @ts-ignore: decorator
@inline
function quotient2(a: v128, b: v128): v128 {
  const d = f64x2.convert_low_i32x4_s(b), sign = v128.and(d, f64x2.splat(-0.0));
  const n = v128.xor(f64x2.convert_low_i32x4_s(a), sign), positive = v128.xor(d, sign);
  const q = f64x2.floor(f64x2.div(f64x2.add(f64x2.add(n, n), positive), f64x2.add(positive, positive)));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.min(f64x2.max(q, f64x2.splat(-FAR)), f64x2.splat(FAR)));
}

// @ts-ignore: decorator
@inline
function quotient4(n: v128, d: v128): v128 {
  return v128.shuffle<i64>(quotient2(n, d), quotient2(v128.shuffle<i64>(n, n, 1, 0), v128.shuffle<i64>(d, d, 1, 0)), 0, 2);
}

/** clamp(zp + roundDiv((a − za)·p, (b − zb)·q)). Record: bytes of a, of b, za, zb, p, q, zp, lo, hi, bytes of y. */
export function div(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24), ta = load<i32>(r), tb = load<i32>(r, 4), ty = load<i32>(r, 36);
  const za = v128.load_splat<i32>(r + 8), zb = v128.load_splat<i32>(r + 12), m = v128.load_splat<i32>(r + 16), q = v128.load_splat<i32>(r + 20);
  const zp = v128.load_splat<i32>(r + 24), lo = v128.load_splat<i32>(r + 28), hi = v128.load_splat<i32>(r + 32);
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (let i = length; i > 0; i -= 8) {
      const u = quotient4(i32x4.mul(i32x4.sub(wide(a, ta, sa), za), m), i32x4.mul(i32x4.sub(wide(b, tb, sb), zb), q));
      const v = quotient4(
        i32x4.mul(i32x4.sub(wide(a + (sa << 2), ta, sa), za), m),
        i32x4.mul(i32x4.sub(wide(b + (sb << 2), tb, sb), zb), q),
      );
      store8(y, limit4(u, zp, lo, hi), limit4(v, zp, lo, hi), i, ty);
      a += sa << 3;
      b += sb << 3;
      y += ty << 3;
    }
  }
}
