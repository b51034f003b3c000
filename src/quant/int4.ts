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
/** Rows share one multiplier where no scale of a row is below the greatest over this. */
const SHARED = 8;
/** Least that the greatest block scale of a row may be: below it scales are too coarse. */
const COARSEST = 16;
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

/** Scale of each row: what makes its greatest block scale 255, and no smaller than keeps the bias near 2^28. */
function firstScales(spec: LayerSpec, scales: Float64Array): Float64Array {
  const rows = spec.bias.length;
  const blocks = scales.length / rows;
  const tops = Float64Array.from({ length: rows }, (_, o) =>
    scales.subarray(o * blocks, (o + 1) * blocks).reduce((a, b) => Math.max(a, b), 0),
  );
  return tops.map((t, o) => Math.max(t / TOP, Math.abs(spec.bias[o]!) / (spec.inputScale * 268435456)));
}

/** A covariance where element i is counted in steps[i]. */
function inSteps(c: Float64Array, steps: Float64Array): Float64Array {
  const k = steps.length;
  const out = new Float64Array(c.length);
  for (let i = 0, at = 0; i < k; i++) for (let j = 0; j < k; j++, at++) out[at] = c[at]! * steps[i]! * steps[j]!;
  return out;
}

/**
 * Quantizes a dense layer to i4 weights in blocks. A row whose proof fails gets twice its scale, and so smaller block scales, until it
 * passes. Undefined where its block scales would be too coarse.
 */
export function quantizeInt4(spec: LayerSpec, block: number = INT4_BLOCK): Int4Integers | undefined {
  const rows = spec.bias.length;
  const k = spec.weight.length / rows;
  const blocks = Math.ceil(k / block);
  const c = spec.rounder?.covariance;
  const wanted = blockScales(spec, c, block);
  const start = firstScales(spec, wanted);
  const most = start.reduce((a, v) => Math.max(a, v), 0);
  for (let shared = start.every((s) => s * SHARED >= most); ; shared = false) {
    const snapped = snap(spec, shared ? start.map(() => most) : start);
    if (!snapped) return undefined;
    const { m, l } = snapped;
    const u = new Uint8Array(rows * blocks);
    const [w, b] = [new Int8Array(rows * k), new Int32Array(rows)];
    const failed: number[] = [];
    for (let o = 0; o < rows; o++) {
      const s = (ldexp(m[o]!, l - 32) * spec.outputScale) / spec.inputScale;
      let top = 0;
      for (let j = o * blocks; j < (o + 1) * blocks; j++) {
        u[j] = clampReal(round(wanted[j]! / s), 1, TOP);
        top = Math.max(top, wanted[j]! > 0 ? u[j]! : TOP);
      }
      if (top < COARSEST) return undefined;
      const steps = Float64Array.from({ length: k }, (_, i) => u[o * blocks + Math.floor(i / block)]!);
      const v = steps.map((d, i) => spec.weight[o * k + i]! / (s * d));
      const row = c
        ? roundRow(v, inSteps(c, steps), LOWEST, HIGHEST)
        : Int8Array.from(v, (x) => clampReal(round(x), LOWEST, HIGHEST));
      const products = Int32Array.from(row, (q, i) => q * steps[i]!);
      const exact = spec.weight.slice(o * k, (o + 1) * k).map((x) => x / s);
      const error = spec.rounder?.meanError(exact, products, o) ?? 0;
      const bias = round((spec.bias[o]! / s + error) / spec.inputScale);
      w.set(row, o * k);
      b[o] = clampReal(bias, -LIMIT, LIMIT - 1);
      if (!proved(products, 0, k, bias, spec.centred, l)) failed.push(o);
    }
    if (failed.length === 0) return { w, u, b, m, l };
    if (!shared) for (const o of failed) start[o]! *= 2;
  }
}

/** Integers of −8…7, two a byte, low nibble first. */
export function packInt4(w: Int8Array): Int8Array {
  const out = new Int8Array((w.length + 1) >> 1);
  w.forEach((v, i) => {
    out[i >> 1]! |= (v & 15) << (4 * (i & 1));
  });
  return out;
}
