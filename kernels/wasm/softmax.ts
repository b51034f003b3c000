/** softmax, argmax and argmin (spec/10-ops.md §4, §5). */
import { ndNext, ndStart, p0, p1, p2 } from './nd';
import { load32 } from './elementwise';
import { limit4, mulhr4, read, scratch, store8, tail } from './simd';

/** The word at `t` + 4·i of each of four lanes i. */
// @ts-ignore: decorator
@inline
export function gather(t: usize, i: v128): v128 {
  const a = v128.load32_zero(t + (i32x4.extract_lane(i, 0) << 2));
  const b = v128.load_lane<i32>(t + (i32x4.extract_lane(i, 1) << 2), a, 1);
  const c = v128.load_lane<i32>(t + (i32x4.extract_lane(i, 2) << 2), b, 2);
  return v128.load_lane<i32>(t + (i32x4.extract_lane(i, 3) << 2), c, 3);
}

/** t(d) of four distances. */
// @ts-ignore: decorator
@inline
export function exponents(d: v128, l: i32, m: v128): v128 {
  return mulhr4(i32x4.shl(i32x4.min_s(d, i32x4.splat(0x7fffffff >> l)), l), m);
}

/**
 * E(t(d)) of four distances by the tables of the specification: EXP2 at `exp2`, shift 23 − e + ⌊t/2^16⌋. The last rounding
 * shift is taken in f32, which is exact for v ≤ 2^23 (spec/10-ops.md §10, fact 10).
 */
// @ts-ignore: decorator
@inline
export function weights(d: v128, l: i32, m: v128, shift: i32, exp2: usize): v128 {
  const t = exponents(d, l, m);
  const i = v128.and(i32x4.shr_u(t, 8), i32x4.splat(255));
  const a = gather(exp2, i), b = gather(exp2 + 4, i);
  const part = i32x4.mul(i32x4.sub(a, b), v128.and(t, i32x4.splat(255)));
  const v = i32x4.sub(a, i32x4.shr_s(i32x4.add(part, i32x4.splat(128)), 8));
  const s = i32x4.min_s(i32x4.add(i32x4.shr_u(t, 16), i32x4.splat(shift)), i32x4.splat(25));
  const power = i32x4.shl(i32x4.sub(i32x4.splat(127), s), 23); // 2^−s
  return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v), power), f32x4.splat(0.5)));
}

/** Which of the elements j…j+3 are kept: those below `kept` whose mask, `stride` bytes apart, is set. */
// @ts-ignore: decorator
@inline
function keep(j: i32, kept: v128, masked: i32, mask: usize, stride: usize): v128 {
  const below = i32x4.lt_s(i32x4.add(i32x4.splat(j), i32x4(0, 1, 2, 3)), kept);
  if (!masked) return below;
  return v128.and(below, i32x4.ne(load32(mask + j * stride, 1, stride), i32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
export function across(v: v128, sum: bool): i32 {
  const a = i32x4.extract_lane(v, 0), b = i32x4.extract_lane(v, 1), c = i32x4.extract_lane(v, 2), d = i32x4.extract_lane(v, 3);
  return sum ? a + b + c + d : max(max(a, b), max(c, d));
}

/** What a double is shifted by so that its low word is the nearest integer. */
export const WHOLE: f64 = 6755399441055744; // 1.5 · 2^52

/** 2^−33 − 1/2. */
export const NEAREST: f64 = 1.1641532182693481e-10 - 0.5;

/** ⌊(E·2^o + ⌊S/2⌋) / S⌋ of four weights, from a = 2^o/S and b = ⌊S/2⌋/S + 2^−33 − 1/2. */
// @ts-ignore: decorator
@inline
function quotients(e: v128, a: v128, b: v128): v128 {
  const magic = f64x2.splat(WHOLE);
  const u = f64x2.add(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(e), a), b), magic);
  const f = v128.shuffle<i64>(e, e, 1, 0);
  const v = f64x2.add(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(f), a), b), magic);
  return v128.shuffle<i32>(u, v, 0, 2, 4, 6);
}

/**
 * Units are rows: p0 → p2, mask row p1 (inner stride 0 or 1). Record: bytes of x, l, m, e, EXP2, table of weights (0: none), o, zp, lo,
 * hi, bytes of y, masked, causal, offset, address of the offset (0: the attribute), rows of axis −2.
 *
 * The quotient divq(E, S, o) = ⌊(E·2^o + ⌊S/2⌋) / S⌋ is taken in f64 as the nearest integer to it less 1/2 − 2^−33. It is below 2^16 and
 * an integer or at least 2^−31 below the next one, and its terms err by less than 2^−35, so that is exact (spec/10-ops.md §10,
 * fact 9). An element that is not kept has E = 0, and so y = zp; a row without kept ones divides by 1.
 */
export function softmax(from: u32, to: u32, nd: usize, r: usize): void {
  const K = load<i32>(nd), stride = load<u32>(nd, 24);
  const tx = load<i32>(r), l = load<i32>(r, 4), m = load<i32>(r, 8), e = load<i32>(r, 12), exp2 = load<u32>(r, 16);
  const table = load<u32>(r, 20), scale = <f64>(1 << load<i32>(r, 24));
  const zp = v128.load_splat<i32>(r + 28), lo = v128.load_splat<i32>(r + 32), hi = v128.load_splat<i32>(r + 36);
  const ty = load<i32>(r, 40), masked = load<i32>(r, 44), causal = load<i32>(r, 48), R = load<i32>(r, 60);
  const f = load<u32>(r, 56) ? load<i32>(load<u32>(r, 56)) : load<i32>(r, 52);
  const E = scratch(), factor = i32x4.splat(m), least = i32x4.splat(i32.MIN_VALUE);
  let i = <i32>(from % <u32>R);
  ndStart(nd, from, to);
  while (ndNext()) {
    const kept = causal ? <i32>max<i64>(0, min<i64>(<i64>K, <i64>i + f + 1)) : K, bound = i32x4.splat(kept);
    if (++i == R) i = 0;
    let most = least;
    for (let j = 0; j < kept; j += 4)
      most = i32x4.max_s(most, v128.bitselect(load32(p0 + j * tx, tx, 1), least, keep(j, bound, masked, p1, stride)));
    const mx = i32x4.splat(across(most, false));
    let total = i32x4.splat(0);
    for (let j = 0; j < kept; j += 4) {
      const k = keep(j, bound, masked, p1, stride), d = v128.and(i32x4.sub(mx, load32(p0 + j * tx, tx, 1)), k);
      const w = v128.and(table ? gather(table, d) : weights(d, l, factor, 23 - e, exp2), k);
      v128.store(E + (j << 2), w);
      total = i32x4.add(total, w);
    }
    const S = across(total, true), whole = (kept + 3) & ~3;
    if (whole < K) memory.fill(E + (whole << 2), 0, <usize>(K - whole) << 2);
    const sum = <f64>(S ? S : 1);
    // By way of memory: an engine may take a division into a loop, but no load
    store<f64>(tail(), scale / sum);
    store<f64>(tail(), <f64>(S >>> 1) / sum + NEAREST, 8);
    const a = v128.load_splat<i64>(tail()), b = v128.load_splat<i64>(tail(), 8);
    for (let j = 0; j < K; j += 8) {
      const p = E + (j << 2);
      const u = limit4(quotients(v128.load(p), a, b), zp, lo, hi);
      store8(p2 + j * ty, u, limit4(quotients(v128.load(p, 16), a, b), zp, lo, hi), K - j, ty);
    }
  }
}

/** argmax over the middle axis of [outer, K, inner]; y i32 [outer, inner], a unit each. `flip` −1 reverses the order: argmin. */
export function argmax(from: u32, to: u32, x: usize, y: usize, K: i32, inner: u32, size: i32, last: i32, flip: i32): void {
  const step = <usize>inner * size;
  for (; from < to; from++) {
    let p = x + <usize>(from / inner) * K * step + <usize>(from % inner) * size;
    let best = 0, top = read(p, size) ^ flip;
    for (let k = 1; k < K; k++) {
      p += step;
      const v = read(p, size) ^ flip;
      if (v > top || (last && v == top)) {
        best = k;
        top = v;
      }
    }
    store<i32>(y + (<usize>from << 2), best);
  }
}
