/** Elementwise ops (spec/10-ops.md §3). */
import { length, ndNext, ndStart, p0, p1, p2 } from './nd';
import { limit4, load8, mulhr4, store8 } from './simd';

/** Eight i8 or i16 as i16 lanes; stride 0 repeats one element. */
// @ts-ignore: decorator
@inline
export function load16(p: usize, size: i32, stride: usize): v128 {
  if (stride == 0) return i16x8.splat(size == 1 ? <i16>load<i8>(p) : load<i16>(p));
  return size == 1 ? load8<i8>(p) : load8<i16>(p);
}

/** Four elements as i32 lanes. */
// @ts-ignore: decorator
@inline
export function load32(p: usize, size: i32, stride: usize): v128 {
  if (stride == 0) return i32x4.splat(size == 1 ? <i32>load<i8>(p) : size == 2 ? <i32>load<i16>(p) : load<i32>(p));
  if (size == 4) return v128.load(p);
  if (size == 2) return v128.load_ext<i16>(p);
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(p)));
}

/** The same behind a call, for where speed is not all. */
// @ts-ignore: decorator
@inline
export function wide(p: usize, size: i32, stride: usize): v128 {
  return load32(p, size, stride);
}

/**
 * linear2: (a·Ma + b·Mb + C) >> s, clamped, C folded with the zero points and the rounding; wraps until the shift. Record:
 * bytes of a, of b, Ma, Mb, C, s, lo, hi, bytes of y. Two i8 or i16 operands take one pair dot for four outputs. Where all three are
 * dense i8, values saturate to i16 before the clamp, which is monotone.
 */
export function linear2(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24);
  const ta = load<i32>(r), tb = load<i32>(r, 4), s = load<i32>(r, 20), ty = load<i32>(r, 32);
  const ma = v128.load_splat<i32>(r + 8), mb = v128.load_splat<i32>(r + 12), C = v128.load_splat<i32>(r + 16);
  const lo = v128.load_splat<i32>(r + 24), hi = v128.load_splat<i32>(r + 28);
  const pair = v128.or(v128.and(ma, i32x4.splat(0xffff)), i32x4.shl(mb, 16));
  const short = ta < 4 && tb < 4, bytes = ta == 1 && tb == 1 && ty == 1 && (sa & sb) == 1;
  const low = i16x8.splat(<i16>load<i32>(r, 24)), high = i16x8.splat(<i16>load<i32>(r, 28));
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2, i = length;
    for (; bytes && i >= 8; i -= 8) {
      const x = v128.load_ext<i8>(a), z = v128.load_ext<i8>(b);
      const u = i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 0, 8, 1, 9, 2, 10, 3, 11), pair);
      const v = i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 4, 12, 5, 13, 6, 14, 7, 15), pair);
      const w = i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(u, C), s), i32x4.shr_s(i32x4.add(v, C), s));
      const q = i16x8.min_s(i16x8.max_s(w, low), high);
      v128.store_lane<i64>(y, i8x16.narrow_i16x8_s(q, q), 0);
      a += 8;
      b += 8;
      y += 8;
    }
    for (; i > 0; i -= 8) {
      let u: v128, v: v128;
      if (short) {
        const x = load16(a, ta, sa), z = load16(b, tb, sb);
        u = i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 0, 8, 1, 9, 2, 10, 3, 11), pair);
        v = i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 4, 12, 5, 13, 6, 14, 7, 15), pair);
      } else {
        u = i32x4.add(i32x4.mul(wide(a, ta, sa), ma), i32x4.mul(wide(b, tb, sb), mb));
        v = i32x4.add(i32x4.mul(wide(a + (sa << 2), ta, sa), ma), i32x4.mul(wide(b + (sb << 2), tb, sb), mb));
      }
      u = i32x4.min_s(i32x4.max_s(i32x4.shr_s(i32x4.add(u, C), s), lo), hi);
      v = i32x4.min_s(i32x4.max_s(i32x4.shr_s(i32x4.add(v, C), s), lo), hi);
      store8(y, u, v, i, ty);
      a += sa << 3;
      b += sb << 3;
      y += ty << 3;
    }
  }
}

/** rescale: stage(x − zx, m), m operand 1. Record: bytes of x, zx, l, zp, lo, hi, bytes of y. */
export function rescale(from: u32, to: u32, nd: usize, r: usize): void {
  const tx = load<i32>(r), l = load<i32>(r, 8), ty = load<i32>(r, 24), step: usize = load<u32>(nd, 24) << 2;
  const zx = v128.load_splat<i32>(r + 4), zp = v128.load_splat<i32>(r + 12);
  const lo = v128.load_splat<i32>(r + 16), hi = v128.load_splat<i32>(r + 20);
  ndStart(nd, from, to);
  while (ndNext()) {
    let x = p0, m = p1, y = p2;
    for (let i = length; i > 0; i -= 8) {
      const u = i32x4.sub(load32(x, tx, 1), zx), v = i32x4.sub(load32(x + (tx << 2), tx, 1), zx);
      store8(y, limit4(mulhr4(i32x4.shl(u, l), v128.load(m)), zp, lo, hi), limit4(mulhr4(i32x4.shl(v, l), v128.load(m + step)), zp, lo, hi), i, ty);
      x += tx << 3;
      m += step << 1;
      y += ty << 3;
    }
  }
}

/** lut8: T[x + 128], entries of `size` bytes, for n elements in units of 64. */
export function lut8(from: i32, to: i32, x: usize, y: usize, n: i32, table: usize, size: i32): void {
  const end = x + min(n, to << 6);
  x += from << 6;
  y += (from << 6) * size;
  if (size == 1) {
    const t = table + 128;
    for (; x + 4 <= end; x += 4, y += 4) {
      store<u8>(y, load<u8>(t + <isize>load<i8>(x)));
      store<u8>(y, load<u8>(t + <isize>load<i8>(x, 1)), 1);
      store<u8>(y, load<u8>(t + <isize>load<i8>(x, 2)), 2);
      store<u8>(y, load<u8>(t + <isize>load<i8>(x, 3)), 3);
    }
    for (; x < end; x++, y++) store<u8>(y, load<u8>(t + <isize>load<i8>(x)));
  } else {
    const t = table + 256;
    for (; x < end; x++, y += 2) store<u16>(y, load<u16>(t + (<isize>load<i8>(x) << 1)));
  }
}

/** The nodes p and p + 1 of each of four intervals p, in the first lanes of i, as pairs. */
// @ts-ignore: decorator
@inline
function nodes(t: usize, i: v128): v128 {
  const a = v128.load32_zero(t + (i16x8.extract_lane_u(i, 0) << 1));
  const b = v128.load_lane<i32>(t + (i16x8.extract_lane_u(i, 1) << 1), a, 1);
  const c = v128.load_lane<i32>(t + (i16x8.extract_lane_u(i, 2) << 1), b, 2);
  return v128.load_lane<i32>(t + (i16x8.extract_lane_u(i, 3) << 1), c, 3);
}

/** lut16: interpolation over 513 nodes, 128·a + (b − a)·f = a·(128 − f) + b·f, for n elements in units of 64; y of `size` bytes. */
export function lut16(from: i32, to: i32, x: usize, y: usize, n: i32, table: usize, s: i32, zp: i32, lo: i32, hi: i32, size: i32): void {
  const half = i32x4.splat(s ? 1 << (s - 1) : 0), z = i32x4.splat(zp), l = i32x4.splat(lo), h = i32x4.splat(hi);
  x += from << 7;
  y += (from << 6) * size;
  for (let k = min(n, to << 6) - (from << 6); k > 0; k -= 8) {
    const v = v128.xor(v128.load(x), i16x8.splat(-32768));
    const i = i16x8.shr_u(v, 7), g = v128.and(v, i16x8.splat(127)), f = i16x8.sub(i16x8.splat(128), g);
    const a = i32x4.dot_i16x8_s(nodes(table, i), v128.shuffle<i16>(f, g, 0, 8, 1, 9, 2, 10, 3, 11));
    const b = i32x4.dot_i16x8_s(nodes(table, v128.shuffle<i64>(i, i, 1, 1)), v128.shuffle<i16>(f, g, 4, 12, 5, 13, 6, 14, 7, 15));
    const u = limit4(i32x4.shr_s(i32x4.add(a, half), s), z, l, h);
    store8(y, u, limit4(i32x4.shr_s(i32x4.add(b, half), s), z, l, h), k, size);
    x += 16;
    y += size << 3;
  }
}
