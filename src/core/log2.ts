/**
 * The binary logarithm of log_softmax (spec/00-numerics.md §2.2).
 * @module
 */
import { bitlen, rsh } from './int.ts';

/**
 * LOG2[i] = round(2^16 · log2(1 + i/256)), i = 0…256: bit by bit, each the carry of a square of the mantissa in Q126. 40 bits
 * behind the binary point decide every rounding (its SHA-256 is tested).
 */
function buildLog2(): Uint32Array {
  const one = 1n << 126n;
  return Uint32Array.from({ length: 257 }, (_, i) => {
    let v = (one >> 8n) * BigInt(256 + i);
    let log = 0n;
    if (v >= 2n * one) [v, log] = [v >> 1n, 1n];
    for (let bit = 0; bit < 40; bit++) {
      v = (v * v) >> 126n;
      log <<= 1n;
      if (v >= 2n * one) [v, log] = [v >> 1n, log + 1n];
    }
    return Number((log + (1n << 23n)) >> 24n);
  });
}

/** log2(1 + i/256) in Q16, i = 0…256: a constant of the specification. */
export const LOG2: Uint32Array = /* @__PURE__ */ buildLog2();

/** log2 of 1 ≤ s < 2^31 in Q16: b = bitlen(s) − 1; between the nodes of LOG2 linear. */
export function log2q(s: number): number {
  const b = bitlen(s) - 1;
  const t = (s << (31 - b)) & 0x7fffffff;
  const i = t >> 23;
  return b * 65536 + LOG2[i]! + rsh((LOG2[i + 1]! - LOG2[i]!) * ((t >> 7) & 65535), 16);
}
