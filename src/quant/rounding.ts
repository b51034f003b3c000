/**
 * Rounds the weights of a row so that the layer's output changes least on the calibration inputs, not each weight: with C
 * the covariance of the inputs and r = v − q the rounding errors in steps, it lowers rᵀCr by moves of one step, and what
 * mean error is left goes into the bias (spec/10-ops.md §12 leaves the rounding of source floats free).
 * @module
 */
import type { LayerStats, Moments } from './layer-stats.ts';

/** Share of the mean variance added to every variance, so that inputs never seen together keep small errors. */
const RIDGE = 0.02;
const SWEEPS = 12;
/** Covariance with a ridge; undefined where no second moments were kept. */
export function covariance({ mean, second }: Moments): Float64Array | undefined {
  const k = mean.length;
  if (second.length !== k * k) return undefined;
  const out = second.map((v, i) => v - mean[Math.floor(i / k)]! * mean[i % k]!);
  let trace = 0;
  for (let i = 0; i < k; i++) trace += out[i * k + i]!;
  for (let i = 0; i < k; i++) out[i * k + i]! += (RIDGE * trace) / k;
  return out;
}

/** Rounds v (weights in steps) to integers of lo…hi with little rᵀCr, by descent from the nearest integers. */
export function roundRow(v: Float64Array, c: Float64Array, lo = -127, hi = 127): Int8Array {
  const k = v.length;
  const q = Int8Array.from(v, (x) => Math.min(Math.max(Math.floor(x + 0.5), lo), hi));
  const r = v.map((x, i) => x - q[i]!);
  const g = new Float64Array(k); // C·r
  for (let j = 0; j < k; j++) {
    const e = r[j]!;
    if (e !== 0) for (let i = 0; i < k; i++) g[i]! += e * c[j * k + i]!;
  }
  for (let sweep = 0, moved = true; moved && sweep < SWEEPS; sweep++) {
    moved = false;
    for (let j = 0; j < k; j++) {
      const d = g[j]! > 0 ? 1 : -1;
      const next = q[j]! + d;
      if (2 * d * g[j]! <= c[j * k + j]! * (1 + 1e-9) || next < lo || next > hi) continue;
      q[j] = next;
      for (let i = 0; i < k; i++) g[i]! -= d * c[j * k + i]!;
      moved = true;
    }
  }
  return q;
}

/** How a layer's rows are rounded, and what mean output error is left for the bias. */
export interface Rounder {
  /** Integers of row o for its weights in steps. */
  row(v: Float64Array, o: number): Int8Array;
  /** Σ (v − q)·E[x] of row o, in steps times input. */
  meanError(v: Float64Array, q: ArrayLike<number>, o: number): number;
  /** Covariance of the first group's inputs, by which weights are rounded together; undefined where they are not. */
  readonly covariance: Float64Array | undefined;
  /** Share of the layer's output power by which the rounded weights change it; 1 where that is not known. */
  lost(weight: Float64Array, q: { readonly w: Int8Array; readonly scales: Float64Array }): number;
}

/** xᵀCx. */
function power(x: Float64Array, c: Float64Array): number {
  const k = x.length;
  let sum = 0;
  for (let i = 0; i < k; i++) {
    if (x[i] === 0) continue;
    let acc = 0;
    for (let j = 0; j < k; j++) acc += c[i * k + j]! * x[j]!;
    sum += x[i]! * acc;
  }
  return sum;
}

/** Element type of weights. */
export type WeightType = 'i8' | 'i4';

/** What a rounder may do. */
export interface Rounding {
  /** Weights are rounded together, by the covariance of their inputs; each to its nearest integer where false. */
  readonly fit: boolean;
  /** The mean error that rounding leaves goes into the bias. */
  readonly correct: boolean;
  /** Share of a layer's output power that may be lost to one multiplier for all its rows. */
  readonly fine: number;
}

/** The rounder of a layer of `rows` rows by its statistics. */
export function createRounder(stats: LayerStats, rows: number, { fit, correct }: Rounding): Rounder {
  const perGroup = rows / stats.groups.length;
  const covariances = stats.groups.map(covariance);
  const nearest = (v: Float64Array): Int8Array =>
    Int8Array.from(v, (x) => Math.min(Math.max(Math.floor(x + 0.5), -127), 127));
  return {
    covariance: fit ? covariances[0] : undefined,
    row(v, o) {
      const c = covariances[Math.floor(o / perGroup)];
      return fit && c ? roundRow(v, c) : nearest(v);
    },
    meanError(v, q, o) {
      if (!correct) return 0;
      const { mean } = stats.groups[Math.floor(o / perGroup)]!;
      let sum = 0;
      for (let i = 0; i < v.length; i++) sum += (v[i]! - q[i]!) * mean[i]!;
      return sum;
    },
    lost(weight, { w, scales }) {
      const k = weight.length / rows;
      let [error, signal] = [0, 0];
      for (let o = 0; o < rows; o++) {
        const c = covariances[Math.floor(o / perGroup)];
        if (!c) return 1;
        const row = weight.slice(o * k, (o + 1) * k);
        signal += power(row, c);
        error += power(
          row.map((v, i) => v - w[o * k + i]! * scales[o]!),
          c,
        );
      }
      return signal > 0 ? error / signal : error > 0 ? 1 : 0;
    },
  };
}
