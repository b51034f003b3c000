/**
 * The exponent weight of the softmax family (spec/00-numerics.md §2.2).
 * @module
 */
import { mulhr, rsh } from './int.ts';

/** floor(√v) of a BigInt by Newton’s iteration from above. */
export function sqrtBig(v: bigint): bigint {
  let r = 1n << BigInt((v.toString(2).length + 2) >> 1);
  for (let next = (r + v / r) >> 1n; next < r; next = (r + v / r) >> 1n) r = next;
  return r;
}

/**
 * EXP2[i] = round(2^23 · 2^(−i/256)), i = 0…256. 2^(−1/256) is eight square roots of ½ in Q128, each low by less than
 * 2^−127; a product of 256 of them is off by less than 2^−117, far from any tie of the 257 entries (its SHA-256 is tested).
 */
function buildExp2(): Uint32Array {
  const one = 1n << 128n;
  let root = one >> 1n;
  for (let k = 0; k < 8; k++) root = sqrtBig(root << 128n);
  const table = new Uint32Array(257);
  for (let i = 0, v = one; i <= 256; i++, v = (v * root) >> 128n) table[i] = Number((v + (1n << 104n)) >> 105n);
  return table;
}

/** 2^(−i/256) in Q23, i = 0…256: a constant of the specification. */
export const EXP2: Uint32Array = /* @__PURE__ */ buildExp2();

/**
 * Exponent t(d) = mulhr(min(d, ⌊(2^31−1)/2^l⌋)·2^l, m) in Q16 of a distance d ≥ 0 from the maximum; d < 2^32, 0 ≤ l ≤ 24.
 */
export function exponent(d: number, l: number, m: number): number {
  const cap = 2147483647 >> l;
  return mulhr((d < cap ? d : cap) << l, m);
}

/**
 * E(t) = 2^e · 2^(−t/65536): n = t >> 16, i and r the high and low byte of the fraction;
 * v = EXP2[i] − rsh((EXP2[i] − EXP2[i+1])·r, 8), E = rsh(v, min(n + 23 − e, 25)). t ≥ 0, 0 ≤ e ≤ 22, 0 ≤ E ≤ 2^e.
 */
export function expweight(t: number, e: number): number {
  const i = (t >> 8) & 255;
  const a = EXP2[i]!;
  const v = a - rsh((a - EXP2[i + 1]!) * (t & 255), 8);
  const s = (t >> 16) + 23 - e;
  return rsh(v, s < 25 ? s : 25);
}
