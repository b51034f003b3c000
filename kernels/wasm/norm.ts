/** layer_norm (spec/10-ops.md §5): exact row facts in 64-bit integers, elements in SIMD. */
import { floorDiv, limit4, mulhr4, read, store8 } from './simd';

/** roundDiv(S1·2^k, N). */
// @ts-ignore: decorator
@inline
function mean(s1: i64, n: i64, k: i32): i32 {
  return <i32>floorDiv(2 * (s1 << k) + n, 2 * n);
}

/** floor(√v) of a u32 by its bits. */
function isqrt(v: u64): u64 {
  let r: u64 = 0;
  for (let b: u64 = 32768; b > 0; b >>= 1) if ((r + b) * (r + b) <= v) r += b;
  return r;
}

/** R = divq(2^30, s, 30), s = √vn in Q15 of vn = ⌊V·2^k⌋. */
function inverseRoot(vn: u64): i32 {
  const r = isqrt(vn);
  const s = (r << 15) + min(((vn - r * r) << 14) / r, 32767);
  return <i32>(((<u64>1 << 60) + (s >> 1)) / s);
}

/** Four elements of 1 or 2 bytes minus zp. */
// @ts-ignore: decorator
@inline
function load4(p: usize, size: i32, zp: v128): v128 {
  const v = size == 1 ? i16x8.extend_low_i8x16_s(v128.load32_zero(p)) : v128.load64_zero(p);
  return i32x4.sub(i32x4.extend_low_i16x8_s(v), zp);
}

/** Σ(x − zx) of a row. A lane sums at most 2^14 values of 16 bits. */
function sum(x: usize, n: i32, size: i32, zx: i32): i64 {
  let v = i32x4.splat(0);
  const end = n & ~3;
  for (let i = 0; i < end; i += 4) v = i32x4.add(v, load4(x + i * size, size, i32x4.splat(0)));
  let s = <i64>i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
  for (let i = end; i < n; i++) s += read(x + i * size, size);
  return s - <i64>n * zx;
}

/** V of a row: Σc² − ⌊ρ²/N⌋ + eps, c = a·2^f − mean, ρ = Σc. */
function variance(x: usize, n: i32, size: i32, zx: i32, f: i32, mu: i32, s1: i64, eps: u64): u64 {
  const z = i32x4.splat(zx), m = i32x4.splat(mu), end = n & ~3;
  let u = i64x2.splat(0), v = u;
  for (let i = 0; i < end; i += 4) {
    const c = i32x4.sub(i32x4.shl(load4(x + i * size, size, z), f), m);
    u = i64x2.add(u, i64x2.extmul_low_i32x4_s(c, c));
    v = i64x2.add(v, i64x2.extmul_high_i32x4_s(c, c));
  }
  u = i64x2.add(u, v);
  let squares = <u64>i64x2.extract_lane(u, 0) + <u64>i64x2.extract_lane(u, 1);
  for (let i = end; i < n; i++) {
    const c = <i64>(((read(x + i * size, size) - zx) << f) - mu);
    squares += <u64>(c * c);
  }
  const rho = (s1 << f) - <i64>n * mu;
  return squares - <u64>(rho * rho) / <u64>n + eps;
}

/** Units are rows. Record: rows, N, bytes of x, zx, f, eps (low, high), gamma, beta (both followed by 32 readable bytes), g, zp, lo, hi, bytes of y. */
export function layerNorm(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const n = load<i32>(r, 4), tx = load<i32>(r, 8), zx = load<i32>(r, 12), f = load<i32>(r, 16);
  const eps = load<u64>(r, 20), g = load<i32>(r, 36), ty = load<i32>(r, 52);
  const z = i32x4.splat(zx), zp = v128.load_splat<i32>(r + 40), lo = v128.load_splat<i32>(r + 44), hi = v128.load_splat<i32>(r + 48);
  const half = i32x4.splat(g ? 1 << (g - 1) : 0);
  x += <usize>from * n * tx;
  y += <usize>from * n * ty;
  for (; from < to; from++) {
    const s1 = sum(x, n, tx, zx);
    const V = variance(x, n, tx, zx, f, mean(s1, n, f), s1, eps);
    const k = (<i32>clz<u64>(V) - 32) & ~1;
    const R = i32x4.splat(inverseRoot(k >= 0 ? V << k : V >> -k));
    const T = f + (k >> 1) + 13;
    const F = min(14, T);
    const mu = i32x4.splat(mean(s1, n, F));
    let gamma = load<u32>(r, 28), beta = load<u32>(r, 32);
    for (let j = 0; j < n; j += 8) {
      const left = n - j;
      let a = i32x4.shl(i32x4.sub(i32x4.shl(load4(x, tx, z), F), mu), T - F);
      let b = i32x4.shl(i32x4.sub(i32x4.shl(load4(x + (tx << 2), tx, z), F), mu), T - F);
      a = i32x4.add(mulhr4(mulhr4(a, R), v128.load(gamma)), v128.load(beta));
      b = i32x4.add(mulhr4(mulhr4(b, R), v128.load(gamma, 16)), v128.load(beta, 16));
      a = limit4(i32x4.shr_s(i32x4.add(a, half), g), zp, lo, hi);
      b = limit4(i32x4.shr_s(i32x4.add(b, half), g), zp, lo, hi);
      store8(y, a, b, left, ty);
      const c = min(8, left);
      x += c * tx, y += c * ty, gamma += 32, beta += 32;
    }
  }
}
