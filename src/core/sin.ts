/**
 * The sine of rotary embeddings (spec/00-numerics.md §2.4).
 * @module
 */
import { sqrtBig } from './exp2.ts';
import { rsh } from './int.ts';

/**
 * SIN[i] = round(2^14 · sin(πi/512)), i = 0…256. The cosine of π/512 is that of π/2 halved eight times in Q126; 256 rotations
 * by it are off by less than 2^−110, far from any tie of the entries (their SHA-256 is tested).
 */
function buildSin(): Uint16Array {
  const one = 1n << 126n;
  let cos = 0n;
  for (let k = 0; k < 8; k++) cos = sqrtBig(((one + cos) << 126n) >> 1n);
  const sin = sqrtBig((one << 126n) - cos * cos);
  const table = new Uint16Array(257);
  for (let i = 0, s = 0n, c = one; i <= 256; i++) {
    table[i] = Number((s + (1n << 111n)) >> 112n);
    [s, c] = [(s * cos + c * sin) >> 126n, (c * cos - s * sin) >> 126n];
  }
  return table;
}

/** sin(πi/512) in Q14, i = 0…256: a constant of the specification. */
export const SIN: Uint16Array = /* @__PURE__ */ buildSin();

/** Sine in Q14 of a phase, of which a full turn is 2^32. */
export function sinq(phase: number): number {
  const folded = (phase >>> 14) & 65535;
  const x = ((phase >>> 30) & 1) === 1 ? 65536 - folded : folded;
  const i = Math.min(x >> 8, 255);
  const v = SIN[i]! + rsh((SIN[i + 1]! - SIN[i]!) * (x - 256 * i), 8);
  return phase >>> 31 === 1 ? 0 - v : v;
}

/** Cosine in Q14 of a phase. */
export function cosq(phase: number): number {
  return sinq((phase + 1073741824) >>> 0);
}
