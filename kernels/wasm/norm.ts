/** layer_norm, rms_norm and group_norm (spec/10-ops.md §5): exact row facts in 64-bit integers, elements in SIMD. */
import { floorDiv, limit4, mulhr4, read, scratch, store8 } from './simd';

/** roundDiv(S1·2^k, N). */
// @ts-ignore: decorator
@inline
export function mean(s1: i64, n: i64, k: i32): i32 {
  return <i32>floorDiv(2 * (s1 << k) + n, 2 * n);
}

/** floor(√v) of a u32 by its bits. */
function isqrt(v: u64): u64 {
  let r: u64 = 0;
  for (let b: u64 = 32768; b > 0; b >>= 1) if ((r + b) * (r + b) <= v) r += b;
  return r;
}

/** R = divq(2^30, s, 30), s = √vn in Q15 of vn = ⌊V·2^k⌋. */
export function inverseRoot(vn: u64): i32 {
  const r = isqrt(vn);
  const s = (r << 15) + min(((vn - r * r) << 14) / r, 32767);
  return <i32>(((<u64>1 << 60) + (s >> 1)) / s);
}

/** What follows from V and S1 of a row: the two shifts, the mean between them, and R. */
let F: i32 = 0;
let J: i32 = 0;
let mu: i32 = 0;
let R: i32 = 0;

/** Sets the facts of a row of n elements. */
function facts(V: u64, s1: i64, n: i64, f: i32): void {
  const k = (<i32>clz<u64>(V) - 32) & ~1;
  R = inverseRoot(k >= 0 ? V << k : V >> -k);
  const T = f + (k >> 1) + 13;
  F = min(14, T);
  J = T - F;
  mu = mean(s1, n, F);
}

/** Four elements of 1 or 2 bytes minus zp. */
// @ts-ignore: decorator
@inline
function load4(p: usize, size: i32, zp: v128): v128 {
  const v = size == 1 ? i16x8.extend_low_i8x16_s(v128.load32_zero(p)) : v128.load64_zero(p);
  return i32x4.sub(i32x4.extend_low_i16x8_s(v), zp);
}

/** Σx of n neighbours. A lane sums at most 2^14 values of 16 bits. */
function sum(x: usize, n: i32, size: i32): i64 {
  let v = i32x4.splat(0);
  const end = n & ~3;
  for (let i = 0; i < end; i += 4) v = i32x4.add(v, load4(x + i * size, size, i32x4.splat(0)));
  let s = <i64>i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
  for (let i = end; i < n; i++) s += read(x + i * size, size);
  return s;
}

/** Σc² of n neighbours, c = (x − zx)·2^f − m. */
function squares(x: usize, n: i32, size: i32, zx: i32, f: i32, centre: i32): u64 {
  const z = i32x4.splat(zx), m = i32x4.splat(centre), end = n & ~3;
  let u = i64x2.splat(0), v = u;
  for (let i = 0; i < end; i += 4) {
    const c = i32x4.sub(i32x4.shl(load4(x + i * size, size, z), f), m);
    u = i64x2.add(u, i64x2.extmul_low_i32x4_s(c, c));
    v = i64x2.add(v, i64x2.extmul_high_i32x4_s(c, c));
  }
  u = i64x2.add(u, v);
  let total = <u64>i64x2.extract_lane(u, 0) + <u64>i64x2.extract_lane(u, 1);
  for (let i = end; i < n; i++) {
    const c = <i64>(((read(x + i * size, size) - zx) << f) - centre);
    total += <u64>(c * c);
  }
  return total;
}

/** V from Σc²: less ⌊ρ²/N⌋, ρ = S1·2^f − N·mean_f, plus eps. */
// @ts-ignore: decorator
@inline
function variance(total: u64, s1: i64, n: i64, f: i32, centre: i32, eps: u64): u64 {
  const rho = (s1 << f) - n * centre;
  return total - <u64>(rho * rho) / <u64>n + eps;
}

/**
 * Units are rows: `lines` lines of `width` neighbours, `step` elements apart; G of them a block of lines. Record: G, width, bytes of x, zx,
 * f, eps (low, high), gamma, beta (both followed by 32 readable bytes), g, zp, lo, hi, bytes of y, lines, step, rms.
 */
export function norm(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const G = load<i32>(r), width = load<i32>(r, 4), tx = load<i32>(r, 8), zx = load<i32>(r, 12), f = load<i32>(r, 16);
  const eps = load<u64>(r, 20), g = load<i32>(r, 36), ty = load<i32>(r, 52), lines = load<i32>(r, 56), step = load<i32>(r, 60), rms = load<i32>(r, 64);
  const z = i32x4.splat(zx), zp = v128.load_splat<i32>(r + 40), lo = v128.load_splat<i32>(r + 44), hi = v128.load_splat<i32>(r + 48);
  const half = i32x4.splat(g ? 1 << (g - 1) : 0), n = <i64>lines * width;
  for (; from < to; from++) {
    const group = from % G, start = <usize>(from / G) * lines * step + <usize>group * width;
    const own = x + start * tx, end = own + <usize>lines * step * tx;
    let s1: i64 = 0, total: u64 = 0;
    if (!rms) {
      for (let p = own; p < end; p += <usize>step * tx) s1 += sum(p, width, tx);
      s1 -= n * zx;
    }
    const centre = mean(s1, n, f);
    for (let p = own; p < end; p += <usize>step * tx) total += squares(p, width, tx, zx, f, centre);
    facts(rms ? total + eps : variance(total, s1, n, f, centre, eps), s1, n, f);
    const scale = i32x4.splat(R), middle = i32x4.splat(mu), first = F, rest = J;
    let q = y + start * ty;
    for (let p = own; p < end; p += <usize>step * tx, q += <usize>step * ty) {
      let gamma = load<u32>(r, 28) + (<usize>group * width << 2), beta = load<u32>(r, 32) + (<usize>group * width << 2);
      for (let j = 0; j < width; j += 8, gamma += 32, beta += 32) {
        const at = p + j * tx;
        let a = i32x4.shl(i32x4.sub(i32x4.shl(load4(at, tx, z), first), middle), rest);
        let b = i32x4.shl(i32x4.sub(i32x4.shl(load4(at + (tx << 2), tx, z), first), middle), rest);
        a = i32x4.add(mulhr4(mulhr4(a, scale), v128.load(gamma)), v128.load(beta));
        b = i32x4.add(mulhr4(mulhr4(b, scale), v128.load(gamma, 16)), v128.load(beta, 16));
        a = limit4(i32x4.shr_s(i32x4.add(a, half), g), zp, lo, hi);
        b = limit4(i32x4.shr_s(i32x4.add(b, half), g), zp, lo, hi);
        store8(q + j * ty, a, b, width - j, ty);
      }
    }
  }
}

/** Adds Σc² of a line of 8 channels to four pairs of i64 at `to`. */
// @ts-ignore: decorator
@inline
function square4(to: usize, c: v128): void {
  v128.store(to, i64x2.add(v128.load(to), i64x2.extmul_low_i32x4_s(c, c)));
  v128.store(to, i64x2.add(v128.load(to, 16), i64x2.extmul_high_i32x4_s(c, c)), 16);
}

/** (x − zx)·2^F − mean, all of them lanes of their own. */
// @ts-ignore: decorator
@inline
function centred4(p: usize, size: i32, z: v128, power: v128, middle: v128): v128 {
  return i32x4.sub(i32x4.mul(load4(p, size, z), power), middle);
}

/**
 * Groups of fewer than 8 channels, as in instance norm: units are blocks of eight groups of an image, whose facts are lanes. The
 * record is that of `norm`; scratch holds, of each channel of a block, 64 of them at most: a sum of two words, 2^F, mean, 2^J, R.
 */
export function normBlocks(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const G = load<i32>(r), width = load<i32>(r, 4), tx = load<i32>(r, 8), zx = load<i32>(r, 12), f = load<i32>(r, 16);
  const eps = load<u64>(r, 20), g = load<i32>(r, 36), ty = load<i32>(r, 52), lines = load<i32>(r, 56), step = load<i32>(r, 60);
  const z = i32x4.splat(zx), zp = v128.load_splat<i32>(r + 40), lo = v128.load_splat<i32>(r + 44), hi = v128.load_splat<i32>(r + 48);
  const half = i32x4.splat(g ? 1 << (g - 1) : 0), n = <i64>lines * width, blocks = (G + 7) >> 3, jump = <usize>step * tx;
  const sums = scratch(), powers = sums + 512, means = powers + 256, lifts = means + 256, roots = lifts + 256;
  for (; from < to; from++) {
    const block = (from % blocks) << 3, groups = min(8, G - block), channels = groups * width;
    const start = <usize>(from / blocks) * lines * step + <usize>block * width;
    const own = x + start * tx, end = own + <usize>lines * jump;
    for (let j = 0; j < channels; j += 8) {
      let u = i32x4.splat(0), v = u; // at most 2^16 lines of 16 bits: −2^31 wraps into place
      for (let p = own + j * tx; p < end + j * tx; p += jump) {
        u = i32x4.add(u, load4(p, tx, z));
        v = i32x4.add(v, load4(p + (tx << 2), tx, z));
      }
      v128.store(means + (j << 2), u);
      v128.store(means + (j << 2), v, 16);
    }
    for (let k = 0; k < groups; k++) {
      const at = <usize>(k * width) << 2;
      let s1: i64 = 0;
      for (let c: usize = 0; c < <usize>width << 2; c += 4) s1 += load<i32>(means + at + c);
      const centre = mean(s1, n, f);
      for (let c: usize = 0; c < <usize>width << 2; c += 4) {
        store<i32>(powers + at + c, centre);
        store<i32>(means + at + c, c == 0 ? <i32>s1 : 0);
      }
    }
    memory.fill(sums, 0, 512);
    for (let j = 0; j < channels; j += 8) {
      const power = i32x4.splat(1 << f), to = sums + (j << 3);
      const left = v128.load(powers + (j << 2)), right = v128.load(powers + (j << 2), 16);
      for (let p = own + j * tx; p < end + j * tx; p += jump) {
        square4(to, centred4(p, tx, z, power, left));
        square4(to + 32, centred4(p + (tx << 2), tx, z, power, right));
      }
    }
    for (let k = 0; k < groups; k++) {
      const at = <usize>(k * width) << 2, s1 = <i64>load<i32>(means + at);
      let total: u64 = 0;
      for (let c: usize = 0; c < <usize>width << 3; c += 8) total += load<u64>(sums + (at << 1) + c);
      facts(variance(total, s1, n, f, load<i32>(powers + at), eps), s1, n, f);
      for (let c = at; c < at + (<usize>width << 2); c += 4) {
        store<i32>(powers + c, 1 << F);
        store<i32>(means + c, mu);
        store<i32>(lifts + c, 1 << J);
        store<i32>(roots + c, R);
      }
    }
    for (let j = 0; j < channels; j += 8) {
      const c = <usize>j << 2, gamma = load<u32>(r, 28) + (<usize>block * width << 2) + c, beta = load<u32>(r, 32) + (<usize>block * width << 2) + c;
      let q = y + (start + j) * ty;
      for (let p = own + j * tx; p < end + j * tx; p += jump, q += <usize>step * ty) {
        let a = i32x4.mul(centred4(p, tx, z, v128.load(powers + c), v128.load(means + c)), v128.load(lifts + c));
        let b = i32x4.mul(centred4(p + (tx << 2), tx, z, v128.load(powers + c, 16), v128.load(means + c, 16)), v128.load(lifts + c, 16));
        a = i32x4.add(mulhr4(mulhr4(a, v128.load(roots + c)), v128.load(gamma)), v128.load(beta));
        b = i32x4.add(mulhr4(mulhr4(b, v128.load(roots + c, 16)), v128.load(gamma, 16)), v128.load(beta, 16));
        a = limit4(i32x4.shr_s(i32x4.add(a, half), g), zp, lo, hi);
        b = limit4(i32x4.shr_s(i32x4.add(b, half), g), zp, lo, hi);
        store8(q, a, b, channels - j, ty);
      }
    }
  }
}
