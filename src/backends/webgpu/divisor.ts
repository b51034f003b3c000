/**
 * Division of an index by a number that the plan knows, as a multiplication and a shift.
 * @module
 */

/** ⌊i/n⌋ = mulhi(2i, mul) >> shift for 0 ≤ i < 2^31. */
export interface Divisor {
  readonly n: number;
  readonly mul: number;
  readonly shift: number;
}

/**
 * The divisor of 1 ≤ n ≤ 2^30: shift = ⌈log2 n⌉, mul = ⌊2^(31+shift)/n⌋ + 1. With mul·n = 2^(31+shift) + e, 0 < e ≤ n ≤
 * 2^shift, the error i·e / (n·2^(31+shift)) of i·mul / 2^(31+shift) is below 1/n, so the floor is right; and mul < 2^32, since
 * 2^(31+shift)/n < 2^32 by 2^shift < 2n.
 */
export function divisor(n: number): Divisor {
  const shift = 32 - Math.clz32(n - 1);
  let [q, r] = [0, 1];
  if (n === 1) [q, r] = [1, 0];
  for (let i = 0; i < 31 + shift; i++) {
    r *= 2;
    q *= 2;
    if (r >= n) {
      r -= n;
      q += 1;
    }
  }
  return { n, mul: q + 1, shift };
}
