/**
 * The arithmetic of the normalisations (spec/10-ops.md, "Normalise"): exact mean and variance, and 1/√V to 30 bits.
 * @module
 */
import { assert } from '../core/errors.ts';
import { bitlen, clamp, divq, floorDiv, isqrt, mulhr, roundDiv, rsh } from '../core/int.ts';
import type { Output } from './define.ts';

/** roundDiv(S1·2^k, N), 0 ≤ k ≤ 14, 1 ≤ N ≤ 65536, S1 int32. */
export function meanQ(s1: number, n: number, k: number): number {
  return roundDiv(s1 * 2 ** k, n);
}

/**
 * V = Σc² − ⌊ρ²/N⌋ + eps of a row a with the sum s1, c = a·2^f − mean_f, ρ = Σc = s1·2^f − N·mean_f. The ρ term removes what
 * the rounding of the mean left, so V is the exact variance sum; rms: mean and ρ are 0. Every c² < 2^32, N ≤ 2^16 and
 * eps < 2^48: all sums are exact doubles < 2^49.
 * @param squares Σc²
 */
export function finishVariance(squares: number, n: number, s1: number, f: number, eps: number, rms = false): number {
  const rho = rms ? 0 : s1 * 2 ** f - n * meanQ(s1, n, f);
  return squares - floorDiv(rho * rho, n) + eps;
}

/** (k, R) of 1 ≤ V < 2^49 with 1/√V = R·2^(k/2−45), 2^29 ≤ R ≤ 2^30, k even, −18 ≤ k ≤ 30. */
export function normScale(v: number): { readonly k: number; readonly r: number } {
  const room = 32 - bitlen(v);
  const k = room - (((room % 2) + 2) % 2);
  const vn = Math.floor(v * 2 ** k); // exact: a power of two
  const root = isqrt(vn);
  const more = Math.min(floorDiv((vn - root * root) * 16384, root), 32767);
  return { k, r: divq(1073741824, root * 32768 + more, 30) };
}

/** y of one centred element: f, s1, n and V are the row's, gamma and beta the channel's. */
export function normElement(
  a: number,
  row: { readonly s1: number; readonly n: number; readonly v: number; readonly f: number; readonly rms: boolean },
  gamma: number,
  beta: number,
  g: number,
  o: Output,
): number {
  const { k, r } = normScale(row.v);
  const total = row.f + floorDiv(k, 2) + 13;
  const shift = Math.min(14, total);
  const rest = total - shift;
  assert(shift >= 4 && rest >= 0 && rest <= 20, 'norm shifts');
  const mean = row.rms ? 0 : meanQ(row.s1, row.n, shift);
  const norm = mulhr((a * 2 ** shift - mean) * 2 ** rest, r);
  return clamp(o.zp + rsh(mulhr(norm, gamma) + beta, g), o.lo, o.hi);
}
