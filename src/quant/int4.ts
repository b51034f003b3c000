/**
 * Dense layers of i4 weights: blocks of a row share a scale of 1…255 times the row's (spec/10-ops.md, "dense"), and the weights of a row
 * are rounded together by the covariance of the layer's inputs (rounding.ts).
 * @module
 */
import { ldexp } from './math.ts';
import { roundRow } from './rounding.ts';
import { clampReal, type LayerSpec, LIMIT, proved, round, snap } from './scales.ts';

/** Weights that share a scale. */
export const INT4_BLOCK = 32;
const [LOWEST, HIGHEST] = [-8, 7];
/** Greatest block scale. */
const TOP = 255;
/** Rows share one multiplier where the greatest block scale of each is at least that of a row of its own over this. */
const SHARED = 8;
/** Scales that are tried for a block: the one that reaches its ends, and these shares of it. */
const TRIED: readonly number[] = Array.from({ length: 24 }, (_, i) => 1 - i / 48);

/** Integers of a layer: weights w [O,K] in −8…7, block scales u [O,⌈K/block⌉] in 1…255, biases, multipliers and their l. */
export interface Int4Integers {
  readonly w: Int8Array;
  readonly u: Uint8Array;
  readonly b: Int32Array;
  readonly m: Int32Array;
  readonly l: number;
}

/** The scale of a block with the least error of nearest integers, each weight's error times its power. */
function blockScale(w: Float64Array, power: Float64Array): number {
  const ends = w.reduce((t, v) => Math.max(t, v / HIGHEST, v / LOWEST), 0);
  let [best, least] = [ends, Number.POSITIVE_INFINITY];
  for (const share of TRIED) {
    const t = ends * share;
    let error = 0;
    for (let i = 0; i < w.length && t > 0; i++) {
      const r = w[i]! - t * clampReal(round(w[i]! / t), LOWEST, HIGHEST);
      error += power[i]! * r * r;
    }
    if (error < least) [best, least] = [t, error];
  }
  return best;
}

/** Scale of every block of every row, [O,blocks]. */
function blockScales({ weight, bias }: LayerSpec, c: Float64Array | undefined, block: number): Float64Array {
  const rows = bias.length;
  const k = weight.length / rows;
  const power = Float64Array.from({ length: k }, (_, i) => c?.[i * k + i] ?? 1);
  const blocks = Math.ceil(k / block);
  return Float64Array.from({ length: rows * blocks }, (_, at) => {
    const [from, o] = [(at % blocks) * block, Math.floor(at / blocks)];
    const to = Math.min(k, from + block);
    return blockScale(weight.subarray(o * k + from, o * k + to), power.subarray(from, to));
  });
}

/** Scale of each row: what makes its greatest block scale 255, or of all rows; no smaller than keeps the bias near 2^28. */
function firstScales(spec: LayerSpec, scales: Float64Array): Float64Array {
  const rows = spec.bias.length;
  const blocks = scales.length / rows;
  const tops = Float64Array.from({ length: rows }, (_, o) =>
    scales.subarray(o * blocks, (o + 1) * blocks).reduce((a, b) => Math.max(a, b), 0),
  );
  const own = tops.map((t, o) => Math.max(t / TOP, Math.abs(spec.bias[o]!) / (spec.inputScale * 268435456)));
  const most = own.reduce((a, b) => Math.max(a, b), 0);
  return tops.every((t) => t * SHARED >= most * TOP) ? own.fill(most) : own;
}

/**
 * Quantizes a dense layer to i4 weights in blocks. A row whose proof fails gets twice its scale, and so smaller block scales, until it
 * passes. Undefined where a row cannot pass.
 */
export function quantizeInt4(spec: LayerSpec, block: number = INT4_BLOCK): Int4Integers | undefined {
  const rows = spec.bias.length;
  const k = spec.weight.length / rows;
  const blocks = Math.ceil(k / block);
  const c = spec.rounder?.covariance;
  const wanted = blockScales(spec, c, block);
  const start = firstScales(spec, wanted);
  const shared = start.every((s) => s === start[0]);
  for (let attempt = 0; attempt < 64; attempt++) {
    const snapped = snap(spec, start);
    if (!snapped) return undefined;
    const { m, l } = snapped;
    const u = new Uint8Array(rows * blocks);
    const [w, b] = [new Int8Array(rows * k), new Int32Array(rows)];
    const failed: number[] = [];
    for (let o = 0; o < rows; o++) {
      const s = (ldexp(m[o]!, l - 32) * spec.outputScale) / spec.inputScale;
      for (let j = o * blocks; j < (o + 1) * blocks; j++) u[j] = clampReal(round(wanted[j]! / s), 1, TOP);
      const steps = Float64Array.from({ length: k }, (_, i) => u[o * blocks + Math.floor(i / block)]!);
      const v = steps.map((d, i) => spec.weight[o * k + i]! / (s * d));
      const row = c
        ? roundRow(
            v,
            c.map((x, i) => x * steps[Math.floor(i / k)]! * steps[i % k]!),
            LOWEST,
            HIGHEST,
          )
        : Int8Array.from(v, (x) => clampReal(round(x), LOWEST, HIGHEST));
      const products = Int32Array.from(row, (q, i) => q * steps[i]!);
      const error =
        spec.rounder?.meanError(
          v.map((x, i) => x * steps[i]!),
          products,
          o,
        ) ?? 0;
      const bias = round((spec.bias[o]! / s + error) / spec.inputScale);
      w.set(row, o * k);
      b[o] = clampReal(bias, -LIMIT, LIMIT - 1);
      if (!proved(products, 0, k, bias, spec.centred, l)) failed.push(o);
    }
    if (failed.length === 0) return { w, u, b, m, l };
    for (const o of shared ? start.keys() : failed) start[o]! *= 2;
  }
  return undefined;
}

/** Integers of −8…7, two a byte, low nibble first. */
export function packInt4(w: Int8Array): Int8Array {
  const out = new Int8Array((w.length + 1) >> 1);
  w.forEach((v, i) => {
    out[i >> 1]! |= (v & 15) << (4 * (i & 1));
  });
  return out;
}
