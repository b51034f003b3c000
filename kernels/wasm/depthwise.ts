/**
 * Depthwise convolution, eight channels at a time. Two taps are interleaved in i16 and multiplied by a pair of weights in
 * one pair dot, on raw x: the zero point is folded into the bias, b' = b − zx·Σw (mod 2^32), and a tap outside the image
 * reads `zrow`, a row of C zero points (spec/10-ops.md §10, fact 2). Right for every i8 weight, −128 included.
 *
 * Record: N, OH, OW, H, W, C, KH, KW, sh, sw, dh, dw, pt, pl, element bytes, zrow, weights [C/8][pairs][8][2] i16, bias, m,
 * l, zp, lo, hi, output bytes.
 */
import { load16 } from './elementwise';
import { limit4, load8, mulhr4, scratch, store8 } from './simd';

// @ts-ignore: decorator
@inline
export function low(v: v128, u: v128): v128 {
  return v128.shuffle<i16>(v, u, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
export function high(v: v128, u: v128): v128 {
  return v128.shuffle<i16>(v, u, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore: decorator
@inline
export function dot(c: v128, x: v128, w: usize): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, v128.load(w)));
}

// @ts-ignore: decorator
@inline
export function finish(r: usize, p: usize, a0: v128, a1: v128, m: usize, n: i32): void {
  const size = load<i32>(r, 92);
  const l = load<i32>(r, 76);
  if (size < 4) {
    if (l) {
      a0 = i32x4.shl(a0, l), a1 = i32x4.shl(a1, l);
    }
    a0 = mulhr4(a0, v128.load(m)), a1 = mulhr4(a1, v128.load(m, 16));
    if (size == 1 && n >= 8) {
      const s = i16x8.add_sat_s(i16x8.narrow_i32x4_s(a0, a1), v128.load_splat<i16>(r + 80));
      v128.store_lane<i64>(p, i8x16.max_s(i8x16.min_s(i8x16.narrow_i16x8_s(s, s), v128.load_splat<i8>(r + 88)), v128.load_splat<i8>(r + 84)), 0);
      return;
    }
    const zp = v128.load_splat<i32>(r + 80), lo = v128.load_splat<i32>(r + 84), hi = v128.load_splat<i32>(r + 88);
    a0 = limit4(a0, zp, lo, hi), a1 = limit4(a1, zp, lo, hi);
  }
  store8(p, a0, a1, n, size);
}

/** One pixel from a list of tap addresses. */
function pixel(r: usize, taps: usize, end: usize, out: usize): void {
  const C = load<i32>(r, 20), tx = load<i32>(r, 56);
  const size = load<u32>(r, 92);
  let w = load<u32>(r, 64), b = load<u32>(r, 68), m = load<u32>(r, 72);
  for (let c = 0; c < C; c += 8) {
    const o = <usize>c * tx;
    let a0 = v128.load(b), a1 = v128.load(b, 16);
    for (let t = taps; t < end; t += 8) {
      const p = load<u32>(t) + o, q = load<u32>(t, 4) + o;
      const v = load16(p, tx, 1), u = load16(q, tx, 1);
      a0 = dot(a0, low(v, u), w);
      a1 = dot(a1, high(v, u), w + 16);
      w += 32;
    }
    finish(r, out, a0, a1, m, C - c);
    b += 32, m += 32, out += size << 3;
  }
}

/** The same for 3×3 over i8 with the taps in locals. */
function pixel9(r: usize, t: usize, out: usize): void {
  const C = load<i32>(r, 20);
  const size = load<u32>(r, 92);
  let w = load<u32>(r, 64), b = load<u32>(r, 68), m = load<u32>(r, 72);
  let p0: usize = load<u32>(t), p1: usize = load<u32>(t, 4), p2: usize = load<u32>(t, 8);
  let p3: usize = load<u32>(t, 12), p4: usize = load<u32>(t, 16), p5: usize = load<u32>(t, 20);
  let p6: usize = load<u32>(t, 24), p7: usize = load<u32>(t, 28), p8: usize = load<u32>(t, 32);
  const zero = i16x8.splat(0);
  let o: usize = 0;
  for (let c = 0; c < C; c += 8) {
    let a0 = v128.load(b), a1 = v128.load(b, 16);
    let v = load8<i8>(p0 + o), u = load8<i8>(p1 + o);
    a0 = dot(a0, low(v, u), w), a1 = dot(a1, high(v, u), w + 16);
    v = load8<i8>(p2 + o), u = load8<i8>(p3 + o);
    a0 = dot(a0, low(v, u), w + 32), a1 = dot(a1, high(v, u), w + 48);
    v = load8<i8>(p4 + o), u = load8<i8>(p5 + o);
    a0 = dot(a0, low(v, u), w + 64), a1 = dot(a1, high(v, u), w + 80);
    v = load8<i8>(p6 + o), u = load8<i8>(p7 + o);
    a0 = dot(a0, low(v, u), w + 96), a1 = dot(a1, high(v, u), w + 112);
    v = load8<i8>(p8 + o);
    a0 = dot(a0, low(v, zero), w + 128), a1 = dot(a1, high(v, zero), w + 144);
    finish(r, out, a0, a1, m, C - c);
    o += 8, w += 160, b += 32, m += 32, out += size << 3;
  }
}

/** Lists the tap addresses of a pixel, an even number of them. Returns the end of the list. */
export function list(r: usize, taps: usize, image: usize, y0: i32, x0: i32): usize {
  const H = load<u32>(r, 12), W = load<u32>(r, 16), KH = load<i32>(r, 24), KW = load<i32>(r, 28);
  const dh = load<i32>(r, 40), dw = load<i32>(r, 44), zrow = load<u32>(r, 60);
  const bytes = load<u32>(r, 20) * load<u32>(r, 56);
  for (let ky = 0; ky < KH; ky++) {
    const y = y0 + ky * dh;
    const inside = <u32>y < H;
    const row = image + <usize>y * W * bytes;
    for (let kx = 0, x = x0; kx < KW; kx++, x += dw) {
      store<u32>(taps, inside && <u32>x < W ? row + <usize>x * bytes : zrow);
      taps += 4;
    }
  }
  store<u32>(taps, zrow);
  return taps;
}

/** depthwise conv2d; units are pixels. */
export function depthwise(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), C = load<u32>(r, 20);
  const sh = load<i32>(r, 32), sw = load<i32>(r, 36), pt = load<i32>(r, 48), pl = load<i32>(r, 52);
  const size = load<i32>(r, 56);
  const nine = size == 1 && load<i32>(r, 24) == 3 && load<i32>(r, 28) == 3;
  const image = load<u32>(r, 12) * load<u32>(r, 16) * C * size;
  const step = C * load<u32>(r, 92);
  const taps = scratch();
  const row = from / OW;
  let ox = from % OW, y = row % OH;
  x += <usize>(row / OH) * image;
  out += <usize>from * step;
  for (; from < to; from++) {
    const end = list(r, taps, x, y * sh - pt, ox * sw - pl);
    if (nine) pixel9(r, taps, out);
    else pixel(r, taps, end, out);
    out += step;
    if (++ox == OW) {
      ox = 0;
      if (++y == OH) {
        y = 0;
        x += image;
      }
    }
  }
}
