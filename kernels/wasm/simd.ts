/**
 * Shared pieces: the private area of an instance, rounding, loads that widen, stores that narrow. Every kernel is exact integer
 * arithmetic; sums wrap mod 2^32 where the final value is proved to be an int32 (spec/10-ops.md §10, fact 1).
 */

/** Address of the private area, which no other instance on the memory touches: small fixed cells, then scratch. */
export let base: usize = 0;

/** 128 bytes where a partial block of outputs is written before its valid bytes are copied. */
// @ts-ignore: decorator
@inline
export function tail(): usize {
  return base;
}

/** Four {pointer, y, x} records of 12 bytes: the rows that a convolution packs. */
// @ts-ignore: decorator
@inline
export function rows(): usize {
  return base + 128;
}

/** 48 bytes: a record that a kernel makes as it goes. */
// @ts-ignore: decorator
@inline
export function own(): usize {
  return base + 176;
}

/** A counter for each of up to 16 outer dims of a strided walk. */
// @ts-ignore: decorator
@inline
export function counters(): usize {
  return base + 224;
}

/** Behind the fixed cells. */
// @ts-ignore: decorator
@inline
export function scratch(): usize {
  return base + 288;
}

/** mulhr on four lanes: the high words of x·m + 2^31, gathered by one shuffle. */
// @ts-ignore: decorator
@inline
export function mulhr4(x: v128, m: v128): v128 {
  const r = i64x2.splat(0x80000000);
  return v128.shuffle<i32>(
    i64x2.add(i64x2.extmul_low_i32x4_s(x, m), r),
    i64x2.add(i64x2.extmul_high_i32x4_s(x, m), r),
    1, 3, 5, 7,
  );
}

/** floor((x·m + 2^31) / 2^32). */
// @ts-ignore: decorator
@inline
export function mulhr(x: i32, m: i32): i32 {
  return <i32>((<i64>x * <i64>m + 0x80000000) >> 32);
}

/** Rounding shift, 0 ≤ s ≤ 31. */
// @ts-ignore: decorator
@inline
export function rsh(x: i32, s: i32): i32 {
  return s == 0 ? x : (x + (1 << (s - 1))) >> s;
}

// @ts-ignore: decorator
@inline
export function clamp(v: i32, lo: i32, hi: i32): i32 {
  return v < lo ? lo : v > hi ? hi : v;
}

/** floor(a / n), n > 0. */
// @ts-ignore: decorator
@inline
export function floorDiv(a: i64, n: i64): i64 {
  const q = a / n;
  return q - i64(a - q * n < 0);
}

/** lut16 of spec/00-numerics.md §2.3 over a table of 513 i16 at `t`. */
export function interpolate(x: i32, t: usize, s: i32, zp: i32, lo: i32, hi: i32): i32 {
  const v = x + 32768;
  const p = t + (<usize>(v >> 7) << 1);
  const a = <i32>load<i16>(p);
  return clamp(zp + rsh(128 * a + (<i32>load<i16>(p, 2) - a) * (v & 127), s), lo, hi);
}

/** One element of 1, 2 or 4 bytes. */
// @ts-ignore: decorator
@inline
export function read(p: usize, size: i32): i32 {
  return size == 1 ? <i32>load<i8>(p) : size == 2 ? <i32>load<i16>(p) : load<i32>(p);
}

// @ts-ignore: decorator
@inline
export function write(p: usize, v: i32, size: i32): void {
  if (size == 1) store<i8>(p, <i8>v);
  else if (size == 2) store<i16>(p, <i16>v);
  else store<i32>(p, v);
}

/** Eight i8 or i16 as i16 lanes. */
// @ts-ignore: decorator
@inline
export function load8<T>(p: usize): v128 {
  return sizeof<T>() == 1 ? v128.load_ext<i8>(p) : v128.load(p);
}

/** Copies 16 bytes. */
// @ts-ignore: decorator
@inline
function copy16(to: usize, from: usize): void {
  if (ASC_FEATURE_SIMD) v128.store(to, v128.load(from));
  else {
    const a = load<u64>(from), b = load<u64>(from, 8);
    store<u64>(to, a);
    store<u64>(to, b, 8);
  }
}

/** Copies a short run of n ≥ 0 bytes between areas that share none: both ends, which may overlap, and the steps between. */
export function copyRun(to: usize, from: usize, n: usize): void {
  if (n >= 16) {
    const last = n - 16;
    for (let i: usize = 0; i < last; i += 16) copy16(to + i, from + i);
    copy16(to + last, from + last);
  } else if (n >= 4) {
    const half = (n >> 3) << 2, end = n - 4;
    const a = load<u32>(from), b = load<u32>(from + half), c = load<u32>(from + end - half), d = load<u32>(from + end);
    store<u32>(to, a);
    store<u32>(to + half, b);
    store<u32>(to + end - half, c);
    store<u32>(to + end, d);
  } else {
    for (; n > 0; n--) store<u8>(to++, load<u8>(from++));
  }
}

/** Copies the first `n` bytes of the tail. */
export function fromTail(p: usize, n: i32): void {
  copyRun(p, tail(), n);
}

/**
 * Writes the first n ≤ 8 of eight int32 lanes as elements of `size` bytes. The values lie in the type, so that the
 * saturating narrow is exact.
 */
export function store8(p: usize, a: v128, b: v128, n: i32, size: i32): void {
  if (n >= 8) put8(p, a, b, size);
  else {
    put8(tail(), a, b, size);
    fromTail(p, n * size);
  }
}

// @ts-ignore: decorator
@inline
function put8(p: usize, a: v128, b: v128, size: i32): void {
  if (size == 4) {
    v128.store(p, a);
    v128.store(p, b, 16);
  } else {
    const r = i16x8.narrow_i32x4_s(a, b);
    if (size == 2) v128.store(p, r);
    else v128.store_lane<i64>(p, i8x16.narrow_i16x8_s(r, r), 0);
  }
}

/** clamp(zp + v, lo, hi) on four lanes. */
// @ts-ignore: decorator
@inline
export function limit4(v: v128, zp: v128, lo: v128, hi: v128): v128 {
  return i32x4.min_s(i32x4.max_s(i32x4.add(v, zp), lo), hi);
}

/**
 * Writes the first n ≤ 8 of eight accumulators behind the stage at r, or as they are where its m is −1. Stage: m, l, zp, lo, hi, bytes
 * of y.
 */
export function stage8(y: usize, u: v128, v: v128, n: i32, r: usize): void {
  const m = v128.load_splat<i32>(r), l = load<i32>(r, 4), zp = v128.load_splat<i32>(r + 8);
  const lo = v128.load_splat<i32>(r + 12), hi = v128.load_splat<i32>(r + 16);
  if (load<i32>(r) >= 0) {
    u = limit4(mulhr4(i32x4.shl(u, l), m), zp, lo, hi);
    v = limit4(mulhr4(i32x4.shl(v, l), m), zp, lo, hi);
  }
  store8(y, u, v, n, load<i32>(r, 20));
}
