/** softmax and layer_norm over dense rows of i8 (spec/10-ops.md §4, §5): the ops of softmax.ts and norm.ts where a table or short sums do. */
import { inverseRoot, mean } from './norm';
import { NEAREST, WHOLE } from './softmax';
import { copyRun, load8, mulhr4, scratch, tail } from './simd';

/** Greatest of n ≥ 16 values. The last vector may overlap the one before. */
function greatest(x: usize, n: i32): i32 {
  let v = v128.load(x + n - 16);
  for (let i = 0; i < n - 16; i += 16) v = i8x16.max_s(v, v128.load(x + i));
  v = i8x16.max_s(v, v128.shuffle<i64>(v, v, 1, 0));
  v = i8x16.max_s(v, i64x2.shr_u(v, 32));
  v = i8x16.max_s(v, i64x2.shr_u(v, 16));
  return max(i8x16.extract_lane_s(v, 0), i8x16.extract_lane_s(v, 1));
}

/** The weight of the value at p. */
// @ts-ignore: decorator
@inline
function weight(t: usize, p: usize): f64 {
  return load<f64>(t + (<usize>(<i32>load<i8>(p)) << 3));
}

/** The quotients of two weights at p, less 1/2, in the low words of the lanes. */
// @ts-ignore: decorator
@inline
function pair(p: usize, a: v128, b: v128, magic: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.mul(v128.load(p), a), b), magic);
}

/** Eight i16 as n ≤ 8 elements of `size` bytes. */
// @ts-ignore: decorator
@inline
function put(y: usize, v: v128, n: i32, size: i32): void {
  const d = n >= 8 ? y : tail();
  if (size == 2) v128.store(d, v);
  else v128.store_lane<i64>(d, i8x16.narrow_i16x8_s(v, v), 0);
  if (n < 8) copyRun(y, d, n * size);
}

/**
 * softmax of all elements of rows of K ≥ 16. Record: K, o, zp, lo, hi, bytes of y, table: E(t(d)) by 255 − d, which is widened to
 * binary64 first. The quotients are those of softmax.ts.
 */
export function softmax8(from: u32, to: u32, r: usize, x: usize, y: usize): void {
  const K = load<i32>(r), scale = <f64>(1 << load<i32>(r, 4)), size = load<i32>(r, 20), table = scratch(), E = table + 2048;
  const zp = v128.load_splat<i32>(r + 8), lo = v128.load_splat<i16>(r + 12), hi = v128.load_splat<i16>(r + 16);
  const magic = f64x2.splat(WHOLE);
  for (let i: usize = 0; i < 2048; i += 16)
    v128.store(table + i, f64x2.convert_low_i32x4_s(v128.load64_zero(load<usize>(r, 24) + (i >> 1))));
  x += from * K;
  y += from * K * size;
  for (; from < to; from++) {
    const t = table + ((255 - greatest(x, K)) << 3);
    let s = 0.0, u = 0.0, p = E, i = 0;
    for (; i + 3 < K; i += 4) {
      const q = x + i, a = weight(t, q), b = weight(t, q + 1), c = weight(t, q + 2), d = weight(t, q + 3);
      store<f64>(p, a);
      store<f64>(p, b, 8);
      store<f64>(p, c, 16);
      store<f64>(p, d, 24);
      s += a + b;
      u += c + d;
      p += 32;
    }
    for (; i < K; i++) {
      const a = weight(t, x + i);
      store<f64>(p, a);
      s += a;
      p += 8;
    }
    s += u;
    // By way of memory: an engine may take a division into a loop, but no load
    store<f64>(tail(), scale / s);
    store<f64>(tail(), <f64>(<i32>s >>> 1) / s + NEAREST, 8);
    const a = v128.load_splat<i64>(tail()), b = v128.load_splat<i64>(tail(), 8);
    p = E;
    for (i = K; i > 0; i -= 8) {
      const v = v128.shuffle<i32>(pair(p, a, b, magic), pair(p + 16, a, b, magic), 0, 2, 4, 6);
      const w = v128.shuffle<i32>(pair(p + 32, a, b, magic), pair(p + 48, a, b, magic), 0, 2, 4, 6);
      put(y, i16x8.max_s(i16x8.min_s(i16x8.narrow_i32x4_s(i32x4.add(v, zp), i32x4.add(w, zp)), hi), lo), i, size);
      p += 64;
      y += min(i, 8) * size;
    }
    x += K;
  }
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
function across(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/**
 * layer_norm from i8; record and units of norm.ts. The sums of x and of its squares fit an i32 (N ≤ 2^16), and those of the centred
 * values follow: Σc² = 4^f·Σ(x − zx)² − 2·2^f·mean·Σ(x − zx) + N·mean². Differences and shifts of elements are one product and one
 * sum, equal mod 2^32.
 */
export function layerNorm8(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const n = load<i32>(r, 4), zx = load<i32>(r, 12), f = load<i32>(r, 16);
  const eps = load<u64>(r, 20), g = load<i32>(r, 36), ty = load<i32>(r, 52);
  const zp = v128.load_splat<i16>(r + 40), lo = v128.load_splat<i16>(r + 44), hi = v128.load_splat<i16>(r + 48);
  const half = i32x4.splat(g ? 1 << (g - 1) : 0), ones = i16x8.splat(1), whole = n & ~7;
  x += <usize>from * n;
  y += <usize>from * n * ty;
  for (; from < to; from++) {
    let u = i32x4.splat(0), v = u;
    for (let i = 0; i < whole; i += 8) {
      const a = load8<i8>(x + i);
      u = i32x4.add(u, i32x4.dot_i16x8_s(a, ones));
      v = i32x4.add(v, i32x4.dot_i16x8_s(a, a));
    }
    let sum = across(u), squares = across(v);
    for (let i = whole; i < n; i++) {
      const a = <i32>load<i8>(x + i);
      sum += a;
      squares += a * a;
    }
    const N = <i64>n, s1 = <i64>sum - N * zx, mu = <i64>mean(s1, N, f), rho = (s1 << f) - N * mu;
    const s2 = <i64>squares - 2 * <i64>zx * sum + N * zx * zx;
    const V = <u64>((s2 << (2 * f)) - (2 * mu * s1 << f) + N * mu * mu) - <u64>(rho * rho) / <u64>n + eps;
    const k = (<i32>clz<u64>(V) - 32) & ~1;
    const T = f + (k >> 1) + 13, F = min(14, T);
    store<i32>(tail(), inverseRoot(k >= 0 ? V << k : V >> -k));
    store<i32>(tail(), (1 << F) << (T - F), 4);
    store<i32>(tail(), ((-zx << F) - mean(s1, N, F)) << (T - F), 8);
    const R = v128.load_splat<i32>(tail()), factor = v128.load_splat<i32>(tail(), 4), offset = v128.load_splat<i32>(tail(), 8);
    let gamma = load<usize>(r, 28), beta = load<usize>(r, 32);
    for (let i = n; i > 0; i -= 8) {
      const e = load8<i8>(x);
      let a = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(e), factor), offset);
      let b = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(e), factor), offset);
      a = i32x4.add(mulhr4(mulhr4(a, R), v128.load(gamma)), v128.load(beta));
      b = i32x4.add(mulhr4(mulhr4(b, R), v128.load(gamma, 16)), v128.load(beta, 16));
      const s = i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(a, half), g), i32x4.shr_s(i32x4.add(b, half), g)), zp);
      put(y, i16x8.max_s(i16x8.min_s(s, hi), lo), i, ty);
      const c = min(8, i);
      x += c, y += c * ty, gamma += 32, beta += 32;
    }
  }
}
