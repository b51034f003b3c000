/** Elementwise ops of two broadcast operands: mul, compare, and selections of 16 bytes at once (spec/10-ops.md §3). */
import { load16, wide } from './elementwise';
import { length, ndNext, ndStart, p0, p1, p2 } from './nd';
import { fromTail, stage8, tail } from './simd';

/** (a − za)·ma < (b − zb)·mb, or = with op 2, of four elements as lanes of 0 and 1, reversed where flip is −1. */
function compare4(a: usize, b: usize, sa: usize, sb: usize, r: usize): v128 {
  const x = i32x4.sub(wide(a, load<i32>(r), sa), v128.load_splat<i32>(r + 8));
  const z = i32x4.sub(wide(b, load<i32>(r, 4), sb), v128.load_splat<i32>(r + 12));
  const u = i32x4.mul(x, v128.load_splat<i32>(r + 16)), v = i32x4.mul(z, v128.load_splat<i32>(r + 20));
  return truth(u, v, load<i32>(r, 24), v128.load_splat<i32>(r + 28));
}

/** u < v, or u = v with op 2, as lanes of 0 and 1. */
// @ts-ignore: decorator
@inline
function truth(u: v128, v: v128, op: i32, flip: v128): v128 {
  const t = op == 1 ? i32x4.lt_s(u, v) : i32x4.eq(u, v);
  return v128.and(v128.xor(t, flip), i32x4.splat(1));
}

/**
 * mul (op 0): stage((a − za)·(b − zb)); compare (op 1: <, op 2: =), of two i8 or i16 by the sign of (a − za)·ma − (b − zb)·mb, which
 * fits an i32. Record: bytes of a, of b, za, zb, ma, mb, op, flip, stage.
 */
export function binary(from: u32, to: u32, nd: usize, r: usize): void {
  const sa = load<u32>(nd, 20), sb = load<u32>(nd, 24);
  const ta = load<i32>(r), tb = load<i32>(r, 4), op = load<i32>(r, 24), ty = load<i32>(r, 52);
  const za = v128.load_splat<i16>(r + 8), zb = v128.load_splat<i16>(r + 12), none = i32x4.splat(0), flip = v128.load_splat<i32>(r + 28);
  const pair = i32x4.splat((load<i32>(r, 16) & 0xffff) | (-load<i32>(r, 20) << 16));
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (let i = length; i > 0; i -= 8) {
      let u: v128, v: v128;
      if (op && (ta | tb) > 3) {
        u = compare4(a, b, sa, sb, r);
        v = compare4(a + (sa << 2), b + (sb << 2), sa, sb, r);
      } else {
        const x = i16x8.sub(load16(a, ta, sa), za), z = i16x8.sub(load16(b, tb, sb), zb);
        if (op) {
          u = truth(i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 0, 8, 1, 9, 2, 10, 3, 11), pair), none, op, flip);
          v = truth(i32x4.dot_i16x8_s(v128.shuffle<i16>(x, z, 4, 12, 5, 13, 6, 14, 7, 15), pair), none, op, flip);
        } else {
          u = i32x4.extmul_low_i16x8_s(x, z);
          v = i32x4.extmul_high_i16x8_s(x, z);
        }
      }
      stage8(y, u, v, i, r + 32);
      a += sa << 3;
      b += sb << 3;
      y += ty << 3;
    }
  }
}

/** The lesser (op 0) or greater (1) lanes, or bits: and (2), or (3), xor (4). */
// @ts-ignore: decorator
@inline
function choose(x: v128, z: v128, op: i32, size: i32): v128 {
  if (op == 0) return size == 1 ? i8x16.min_s(x, z) : size == 2 ? i16x8.min_s(x, z) : i32x4.min_s(x, z);
  if (op == 1) return size == 1 ? i8x16.max_s(x, z) : size == 2 ? i16x8.max_s(x, z) : i32x4.max_s(x, z);
  return op == 2 ? v128.and(x, z) : op == 3 ? v128.or(x, z) : v128.xor(x, z);
}

/** 16 bytes of elements of `size` bytes; stride 0 repeats one element. */
// @ts-ignore: decorator
@inline
function load128(p: usize, size: i32, stride: usize): v128 {
  if (stride) return v128.load(p);
  return size == 1 ? v128.load_splat<i8>(p) : size == 2 ? v128.load_splat<i16>(p) : v128.load_splat<i32>(p);
}

/** y = a op b on elements of `size` bytes; with op 5, y = b where the condition a, of one byte, is 1, and else as it is. */
export function select(from: u32, to: u32, nd: usize, op: i32, size: i32): void {
  const sa = load<u32>(nd, 20) << 4, sb = load<u32>(nd, 24) << 4;
  const stepA = op == 5 ? sa >> (size >> 1) : sa ? 16 : 0, stepB: usize = sb ? 16 : 0;
  ndStart(nd, from, to);
  while (ndNext()) {
    let a = p0, b = p1, y = p2;
    for (let i = length * size; i > 0; i -= 16) {
      let v = load128(b, size, sb);
      if (op == 5) {
        let m = i8x16.neg(load128(a, 1, sa));
        if (size > 1) m = i16x8.extend_low_i8x16_s(m);
        if (size > 2) m = i32x4.extend_low_i16x8_s(m);
        v = v128.bitselect(v, v128.load(y), m);
      } else v = choose(load128(a, size, sa), v, op, size);
      if (i >= 16) v128.store(y, v);
      else {
        v128.store(tail(), v);
        fromTail(y, i);
      }
      a += stepA;
      b += stepB;
      y += 16;
    }
  }
}
