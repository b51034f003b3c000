/**
 * 3×3 convolution with strides 1 as Winograd F(2×2, 3×3) in integers (spec/10-ops.md §10, fact 5): four outputs take 16
 * products a channel and weight instead of 36. Weights come transformed with a doubled G, so a sum is 4·Σ; it may wrap on the
 * way, and the shift by 2 is exact where 4·Σ is proved to be an int32. A tap outside the image reads `zrow`, a row of C zero points.
 *
 * A tile is 4×4 pixels in, 2×2 out; four tiles make a group, the rows of the 4×8 kernel. A block of groups is transformed to
 * V [16][group][C/2][4][2] i16; per panel of eight columns its 16 products go to M [group][16][4][8] i32 and back to outputs.
 *
 * Record (96 bytes): tiles, tiles a row, tiles an image, OH, OW, H, W, C, pt, pl, zp, zrow, groups a block, panels, U
 * [O/8][16][C/2][8][2] i16, bias, m, l, output zp, lo, hi, bytes, scratch offset of V, of M. C and O are multiples of 8.
 */
import { mulhr4, scratch } from './simd';
import { product } from './tile';

/** Bytes of M a group of tiles. */
const GROUP: usize = 2048;

/** The 16 tap addresses of a tile. Tiles past the last repeat it. */
function taps(r: usize, p: usize, x: usize, tile: u32): void {
  const t = min(tile, load<u32>(r) - 1);
  const H = load<u32>(r, 20), W = load<u32>(r, 24), C = load<u32>(r, 28), zrow = load<u32>(r, 44);
  const across = load<u32>(r, 4), area = load<u32>(r, 8);
  const image = x + <usize>(t / area) * H * W * C;
  const inside = t % area;
  const y0 = <i32>(inside / across) * 2 - load<i32>(r, 32), x0 = <i32>(inside % across) * 2 - load<i32>(r, 36);
  for (let i = 0; i < 4; i++) {
    const y = y0 + i;
    for (let j = 0; j < 4; j++) {
      const at = x0 + j;
      store<u32>(p, <u32>y < H && <u32>at < W ? image + (<usize>y * W + at) * C : zrow);
      p += 4;
    }
  }
}

// @ts-ignore: decorator
@inline
function tap(p: usize, c: usize, zp: v128): v128 {
  return i16x8.sub(v128.load_ext<i8>(load<u32>(p) + c), zp);
}

/** Eight channels of one position: four lanes of pairs, 16 bytes apart. */
// @ts-ignore: decorator
@inline
function spread(d: usize, v: v128): void {
  v128.store_lane<i32>(d, v, 0);
  v128.store_lane<i32>(d, v, 1, 16);
  v128.store_lane<i32>(d, v, 2, 32);
  v128.store_lane<i32>(d, v, 3, 48);
}

/** BᵀdB of one tile, whose 16 positions are `step` bytes apart in V. `t` holds its tap addresses and 256 bytes behind them. */
function input(t: usize, d: usize, step: usize, C: usize, zp: v128): void {
  const w = t + 64;
  for (let c: usize = 0; c < C; c += 8) {
    for (let j: usize = 0; j < 16; j += 4) {
      const a = tap(t + j, c, zp), b = tap(t + j + 16, c, zp), e = tap(t + j + 32, c, zp), f = tap(t + j + 48, c, zp);
      const o = w + (j << 2);
      v128.store(o, i16x8.sub(a, e));
      v128.store(o, i16x8.add(b, e), 64);
      v128.store(o, i16x8.sub(e, b), 128);
      v128.store(o, i16x8.sub(b, f), 192);
    }
    let q = d;
    for (let i: usize = 0; i < 256; i += 64) {
      const a = v128.load(w + i), b = v128.load(w + i, 16), e = v128.load(w + i, 32), f = v128.load(w + i, 48);
      spread(q, i16x8.sub(a, e));
      spread(q + step, i16x8.add(b, e));
      spread(q + 2 * step, i16x8.sub(e, b));
      spread(q + 3 * step, i16x8.sub(b, f));
      q += step << 2;
    }
    d += 64;
  }
}

// @ts-ignore: decorator
@inline
function staged(s: v128, bias: v128, m: v128, l: i32): v128 {
  return mulhr4(i32x4.shl(i32x4.add(i32x4.shr_s(s, 2), bias), l), m);
}

/** AᵀMA of four channels of a tile: its four outputs as staged i32, 32 bytes apart at d. */
function output(d: usize, p: usize, bias: v128, m: v128, l: i32): void {
  let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00;
  for (let i = 0; i < 4; i++) {
    const a = v128.load(p), b = v128.load(p, 128), e = v128.load(p, 256), f = v128.load(p, 384);
    const r0 = i32x4.add(i32x4.add(a, b), e), r1 = i32x4.sub(i32x4.sub(b, e), f);
    if (i < 3) s00 = i32x4.add(s00, r0), s01 = i32x4.add(s01, r1);
    if (i == 1) s10 = r0, s11 = r1;
    else if (i > 1) s10 = i32x4.sub(s10, r0), s11 = i32x4.sub(s11, r1);
    p += 512;
  }
  v128.store(d, staged(s00, bias, m, l));
  v128.store(d, staged(s01, bias, m, l), 32);
  v128.store(d, staged(s10, bias, m, l), 64);
  v128.store(d, staged(s11, bias, m, l), 96);
}

/** Eight columns of one output as i8 or i16; saturation on the way is exact, for clamps are monotone. */
// @ts-ignore: decorator
@inline
function put(o: usize, p: usize, size: usize, zp: v128, lo: v128, hi: v128): void {
  const s = i16x8.add_sat_s(i16x8.narrow_i32x4_s(v128.load(p), v128.load(p, 16)), zp);
  const t = i16x8.max_s(i16x8.min_s(s, hi), lo);
  if (size == 1) v128.store_lane<i64>(o, i8x16.narrow_i16x8_s(t, t), 0);
  else v128.store(o, t);
}

/** One panel of the tiles first…end−1, whose products are at p; `n` is the panel, t the area for staged outputs. */
function outputs(r: usize, p: usize, out: usize, n: u32, first: u32, end: u32, t: usize): void {
  const across = load<u32>(r, 4), area = load<u32>(r, 8), OH = load<u32>(r, 12), OW = load<u32>(r, 16);
  const size = load<u32>(r, 84), pixel = (load<u32>(r, 52) << 3) * size;
  const bias = load<u32>(r, 60) + (n << 5), m = load<u32>(r, 64) + (n << 5), l = load<i32>(r, 68);
  const b0 = v128.load(bias), b1 = v128.load(bias, 16), m0 = v128.load(m), m1 = v128.load(m, 16);
  const zp = v128.load_splat<i16>(r + 72), lo = v128.load_splat<i16>(r + 76), hi = v128.load_splat<i16>(r + 80);
  for (let i = first; i < end; i++) {
    const q = p + <usize>((i - first) >> 2) * GROUP + <usize>(((i - first) & 3) << 5);
    output(t, q, b0, m0, l);
    output(t + 16, q + 16, b1, m1, l);
    const inside = i % area;
    const y = (inside / across) << 1, x = (inside % across) << 1;
    let o = out + ((<usize>(i / area) * OH + y) * OW + x) * pixel + ((n << 3) * size);
    const right = x + 1 < OW;
    put(o, t, size, zp, lo, hi);
    if (right) put(o + pixel, t + 32, size, zp, lo, hi);
    if (y + 1 < OH) {
      o += <usize>OW * pixel;
      put(o, t + 64, size, zp, lo, hi);
      if (right) put(o + pixel, t + 96, size, zp, lo, hi);
    }
  }
}

/** The groups from…to−1 of four tiles each. */
export function winograd(from: u32, to: u32, r: usize, x: usize, out: usize): void {
  const C = load<u32>(r, 28), panels = load<u32>(r, 52), block = load<u32>(r, 48), tiles = load<u32>(r);
  const V = scratch() + load<u32>(r, 88), M = scratch() + load<u32>(r, 92);
  const zp = v128.load_splat<i16>(r + 40);
  const group = <usize>C << 3;
  const step = group * block;
  for (let g = from; g < to; g += block) {
    const n = min(block, to - g);
    for (let i: u32 = 0; i < n << 2; i++) {
      taps(r, M, x, (g << 2) + i);
      input(M, V + <usize>(i >> 2) * group + ((i & 3) << 2), step, C, zp);
    }
    let U = load<u32>(r, 56);
    for (let k: u32 = 0; k < panels; k++) {
      let v = V, m = M;
      for (let i = 0; i < 16; i++) {
        for (let j: u32 = 0; j < n; j++) product(v + j * group, U, group, m + j * GROUP);
        U += C << 4;
        v += step;
        m += 128;
      }
      outputs(r, M, out, k, g << 2, min((g + n) << 2, tiles), M + block * GROUP);
    }
  }
}
