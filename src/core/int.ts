/**
 * THE arithmetic: every rounding and saturation of samebit (spec/00-numerics.md §2). Each function is defined over
 * mathematical integers; the bodies are exact in IEEE doubles and int32, as each derivation shows. Backends' twins carry
 * the same names.
 * @module
 */

const TWO16 = 65536;
const TWO31 = 2147483648;

/** `v` cut to `lo…hi`. Requires lo ≤ hi. */
export function clamp(v: number, lo: number, hi: number): number {
  return v < lo ? lo : v > hi ? hi : v;
}

/**
 * floor(a / n), n > 0, |a| < 2^53. The quotient of doubles is the exact one rounded to nearest; it can only be wrong by
 * reaching the next integer from below, so one exact remainder mends it.
 */
export function floorDiv(a: number, n: number): number {
  const r = a % n; // exact: the sign is that of a
  const q = (a - r) / n; // exact: a − r is a multiple of n
  return (r < 0 ? q - 1 : q) + 0; // + 0 turns −0 into 0
}

/** floor((2a + n) / (2n)): the nearest integer of a / n, ties up. n > 0, |a| and n < 2^51. */
export function roundDiv(a: number, n: number): number {
  return floorDiv(2 * a + n, 2 * n);
}

/** Rounding shift floor((x + ⌊2^(s−1)⌋) / 2^s), 0 ≤ s ≤ 31; x and x + 2^(s−1) int32. */
export function rsh(x: number, s: number): number {
  return s === 0 ? x : (x + 2 ** (s - 1)) >> s;
}

/**
 * mulhr(x, m) = floor((x·m + 2^31) / 2^32), x and m int32; the result lies in ±2^30.
 *
 * With m = h·2^16 + d, 0 ≤ d < 2^16: x·m + 2^31 = x·h·2^16 + (x·d + 2^31). floor((A·2^16 + B) / 2^32) equals
 * floor((A + floor(B / 2^16)) / 2^16), since A is an integer. |x·d + 2^31| < 2^48 and |x·h| ≤ 2^46: every double is exact,
 * and a division by 2^16 is exact before its floor.
 */
export function mulhr(x: number, m: number): number {
  const h = m >> 16;
  const d = m & 0xffff;
  return Math.floor((x * h + Math.floor((x * d + TWO31) / TWO16)) / TWO16) + 0;
}

/** floor(a·b / 2^32) of two u32, by the 16-bit limbs of b: every product is below 2^48, every sum below 2^49. */
export function mulhi(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / TWO16)) / TWO16);
}

/**
 * Output stage clamp(zp + mulhr(acc·2^l, m), lo, hi): 0 ≤ l ≤ 24, 0 ≤ m < 2^31, |acc|·2^l < 2^31 (proved at load).
 * The real multiplier is m·2^(l−32).
 */
export function stage(acc: number, m: number, l: number, zp: number, lo: number, hi: number): number {
  return clamp(zp + mulhr(acc << l, m), lo, hi);
}

/** floor(√v) of a u32, by its bits: after step b, r is the greatest multiple of 2^b with r² ≤ v. */
export function isqrt(v: number): number {
  let r = 0;
  for (let b = 32768; b >= 1; b >>= 1) {
    const t = r + b;
    if (t * t <= v) r = t;
  }
  return r;
}

/**
 * floor((e·2^o + ⌊s/2⌋) / s), 0 ≤ e ≤ s, 1 ≤ s < 2^31, 0 ≤ o ≤ 30. Restoring division: q = ⌊e·2^i/s⌋ and r = the
 * remainder after i steps, r < s, so 2r < 2^32; the last rounding adds 1 iff r ≥ s − ⌊s/2⌋, which is the formula’s.
 */
export function divq(e: number, s: number, o: number): number {
  let q = e >= s ? 1 : 0;
  let r = e >= s ? e - s : e;
  for (let i = 0; i < o; i++) {
    r *= 2;
    q *= 2;
    if (r >= s) {
      r -= s;
      q += 1;
    }
  }
  return r >= s - (s >>> 1) ? q + 1 : q;
}

/** Number of bits of v: ⌊log2 v⌋ + 1, bitlen(0) = 0; 0 ≤ v < 2^53. */
export function bitlen(v: number): number {
  return v < 4294967296 ? 32 - Math.clz32(v) : 64 - Math.clz32(Math.floor(v / 4294967296));
}

/** lut16: clamp(zp + rsh(128·T[i] + (T[i+1] − T[i])·f, s), lo, hi), v = x + 32768, i = v >> 7, f = v & 127; |inner| < 2^23. */
export function lut16(x: number, table: ArrayLike<number>, s: number, zp: number, lo: number, hi: number): number {
  const v = x + 32768;
  const i = v >> 7;
  const t = table[i]!;
  return clamp(zp + rsh(128 * t + (table[i + 1]! - t) * (v & 127), s), lo, hi);
}

/** Greatest common divisor of two integers ≥ 0; gcd(0, n) = n. */
export function gcd(a: number, b: number): number {
  let [p, q] = [a, b];
  while (q !== 0) [p, q] = [q, p % q];
  return p;
}
