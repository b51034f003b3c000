/**
 * ONNX normalisations.
 * @module
 */
import { pow } from '../../quant/trig.ts';
import { arrayOf, broadcastTo, sizeOf, zeros } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { mapRows } from './reduce.ts';

function sum(v: Float64Array): number {
  let s = 0;
  for (let i = 0; i < v.length; i++) s += v[i]!;
  return s;
}

/** Mean and variance (over n) of a row. */
export function moments(row: Float64Array): { mean: number; variance: number } {
  const mean = sum(row) / row.length;
  let s = 0;
  for (let i = 0; i < row.length; i++) s += (row[i]! - mean) * (row[i]! - mean);
  return { mean, variance: s / row.length };
}

/** (x − mean)/√(variance + eps) in place. */
function standardise(row: Float64Array, eps: number): void {
  const { mean, variance } = moments(row);
  const scale = 1 / Math.sqrt(variance + eps);
  for (let i = 0; i < row.length; i++) row[i] = (row[i]! - mean) * scale;
}

/** x·scale[c] + shift[c], c the index on axis 1. */
function perChannel(x: OnnxArray, scale: ArrayLike<number>, shift: ArrayLike<number>): OnnxArray {
  const inner = sizeOf(x.shape.slice(2));
  const channels = x.shape[1] ?? 1;
  return arrayOf(
    x.dtype,
    x.shape,
    x.data.map((v, i) => {
      const ch = Math.floor(i / inner) % channels;
      return v * scale[ch]! + shift[ch]!;
    }),
  );
}

const BatchNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => c.get(i)) as [
    OnnxArray,
    OnnxArray,
    OnnxArray,
    OnnxArray,
  ];
  const eps = c.float('epsilon', Math.fround(1e-5));
  const training = c.opset >= 14 && c.int('training_mode', 0) !== 0;
  if (c.opset < 9 && c.int('spatial', 1) !== 1) c.fail('UnsupportedForm', 'spatial = 0 is not supported');
  const inner = sizeOf(x.shape.slice(2));
  const channels = x.shape[1]!;
  const own = Array.from({ length: channels }, (_, ch) =>
    moments(x.data.filter((_, i) => Math.floor(i / inner) % channels === ch)),
  );
  const used = training ? own : own.map((_, ch) => ({ mean: mean.data[ch]!, variance: variance.data[ch]! }));
  const scale = used.map((m, ch) => gamma.data[ch]! / Math.sqrt(m.variance + eps));
  const y = perChannel(
    x,
    scale,
    used.map((m, ch) => beta.data[ch]! - m.mean * scale[ch]!),
  );
  if (!training) return y;
  const momentum = c.float('momentum', Math.fround(0.9));
  const running = (old: OnnxArray, of: (m: { mean: number; variance: number }) => number): OnnxArray =>
    arrayOf(
      old.dtype,
      old.shape,
      old.data.map((v, ch) => v * momentum + of(own[ch]!) * (1 - momentum)),
    );
  return [y, running(mean, (m) => m.mean), running(variance, (m) => m.variance)];
};

const spatial = (x: OnnxArray): number[] => x.shape.map((_, i) => i).slice(2);

const InstanceNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const eps = c.float('epsilon', Math.fround(1e-5));
  return perChannel(
    mapRows(x, spatial(x), (row) => standardise(row, eps)),
    c.get(1).data,
    c.get(2).data,
  );
};

const GroupNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const groups = c.int('num_groups', 1);
  const [n, channels] = x.shape as [number, number];
  const eps = c.float('epsilon', Math.fround(1e-5));
  const rows = { ...x, shape: [n, groups, x.data.length / (n * groups)] };
  const y = { ...mapRows(rows, [2], (row) => standardise(row, eps)), shape: x.shape };
  const perGroup = c.opset < 21;
  const at = (v: Float64Array): Float64Array =>
    Float64Array.from({ length: channels }, (_, ch) => v[perGroup ? Math.floor((ch * groups) / channels) : ch]!);
  return perChannel(y, at(c.get(1).data), at(c.get(2).data));
};

/** Axes from `axis` on, as the normalised ones. */
function trailing(c: EvalContext, x: OnnxArray): { axis: number; axes: number[] } {
  const rank = x.shape.length;
  const axis = c.axisIn(c.int('axis', -1), rank);
  return { axis, axes: Array.from({ length: rank - axis }, (_, i) => axis + i) };
}

/** Mean and 1/√(variance+eps) of each row are the second and third outputs. */
const LayerNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const { axis, axes } = trailing(c, x);
  const eps = c.float('epsilon', Math.fround(1e-5));
  const shape = x.shape.map((d, i) => (i < axis ? d : 1));
  const [means, inverses] = [zeros('float32', shape), zeros('float32', shape)];
  let r = 0;
  const y = mapRows(x, axes, (row) => {
    const { mean, variance } = moments(row);
    means.data[r] = mean;
    inverses.data[r++] = 1 / Math.sqrt(variance + eps);
    standardise(row, eps);
  });
  const [gamma, beta] = [1, 2].map((i) => c.inputs[i] && broadcastTo(c.get(i), x.shape).data);
  return [
    arrayOf(
      x.dtype,
      x.shape,
      y.data.map((v, i) => v * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0)),
    ),
    means,
    inverses,
  ];
};

const RMSNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const { axes } = trailing(c, x);
  const eps = c.float('epsilon', Math.fround(1e-5));
  const gamma = broadcastTo(c.get(1), x.shape).data;
  const y = mapRows(x, axes, (row) => {
    const scale = 1 / Math.sqrt(sum(row.map((v) => v * v)) / row.length + eps);
    for (let i = 0; i < row.length; i++) row[i]! *= scale;
  });
  return arrayOf(
    x.dtype,
    x.shape,
    y.data.map((v, i) => v * gamma[i]!),
  );
};

/** x over a power of the squares summed across neighbouring channels. */
const LRN: EvalOp = (c) => {
  const x = c.get(0);
  const size = c.int('size', 1);
  const [alpha, beta, bias] = [c.float('alpha', Math.fround(1e-4)), c.float('beta', 0.75), c.float('bias', 1)];
  const y = mapRows(x, [1], (row) => {
    const squares = row.map((v) => v * v);
    for (let ch = 0; ch < row.length; ch++) {
      const window = squares.subarray(Math.max(0, ch - Math.floor((size - 1) / 2)), ch + Math.ceil((size - 1) / 2) + 1);
      row[ch]! /= pow(bias + (alpha / size) * sum(window), beta);
    }
  });
  return y;
};

const LpNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const p = c.int('p', 2);
  return mapRows(x, [c.axisIn(c.int('axis', -1), x.shape.length)], (row) => {
    const norm = p === 1 ? sum(row.map(Math.abs)) : Math.sqrt(sum(row.map((v) => v * v)));
    for (let i = 0; i < row.length; i++) row[i] = norm === 0 ? 0 : row[i]! / norm;
  });
};

const MeanVarianceNormalization: EvalOp = (c) => {
  const x = c.get(0);
  const axes = c.axesIn(c.list('axes') ?? [0, 2, 3], x.shape.length);
  return mapRows(x, axes, (row) => {
    const { mean, variance } = moments(row);
    for (let i = 0; i < row.length; i++) row[i] = (row[i]! - mean) / (Math.sqrt(variance) + 1e-9);
  });
};

/** Normalisations. */
export const NORM: Readonly<Record<string, EvalOp>> = {
  BatchNormalization,
  GroupNormalization,
  InstanceNormalization,
  LRN,
  LayerNormalization,
  LpNormalization,
  MeanVarianceNormalization,
  RMSNormalization,
};
