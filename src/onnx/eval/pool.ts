/**
 * ONNX pools over any number of spatial axes.
 * @module
 */
import { pow } from '../../quant/trig.ts';
import { arrayOf, sizeOf, stridesOf, zeros } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import { resolveSpatial } from '../window.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { windowTaps } from './conv.ts';

/** Result of one window from its values (valid taps) and the number of its declared taps. */
type Window = (values: Float64Array, declared: number) => number;

function pooled(c: EvalContext, f: Window): OnnxArray {
  const x = c.get(0);
  const size = x.shape.slice(2);
  const win = resolveSpatial(c, size, c.ints('kernel_shape', size));
  const positions = windowTaps(win, size);
  const area = sizeOf(size);
  const planes = x.shape[0]! * x.shape[1]!;
  const data = new Float64Array(planes * positions.length);
  for (let p = 0; p < planes; p++)
    positions.forEach(({ at, declared }, i) => {
      data[p * positions.length + i] = f(
        Float64Array.from(at, (a) => x.data[p * area + a]!),
        declared,
      );
    });
  return arrayOf(x.dtype, [...x.shape.slice(0, 2), ...win.out], data);
}

function sum(v: Float64Array): number {
  let s = 0;
  for (let i = 0; i < v.length; i++) s += v[i]!;
  return s;
}

const AveragePool: EvalOp = (c) => {
  const all = c.int('count_include_pad', 0) !== 0;
  return pooled(c, (v, declared) => sum(v) / (all ? declared : v.length));
};

const LpPool: EvalOp = (c) => {
  const p = c.int('p', 2);
  return pooled(c, (v) => pow(sum(v.map((x) => pow(Math.abs(x), p))), 1 / p));
};

/** Maximum of each window and where it stood: the linear index over the whole tensor, spatial axes in row or column order. */
const MaxPool: EvalOp = (c) => {
  const x = c.get(0);
  const size = x.shape.slice(2);
  const win = resolveSpatial(c, size, c.ints('kernel_shape', size));
  const positions = windowTaps(win, size);
  const area = sizeOf(size);
  const planes = x.shape[0]! * x.shape[1]!;
  const shape = [...x.shape.slice(0, 2), ...win.out];
  const [values, indices] = [zeros(x.dtype, shape), zeros('int64', shape)];
  const columns = c.int('storage_order', 0) !== 0;
  const column = stridesOf([...size].reverse()).reverse();
  const stored = (at: number): number => {
    if (!columns) return at;
    return stridesOf(size).reduce((n, s, i) => n + (Math.floor(at / s) % size[i]!) * column[i]!, 0);
  };
  for (let p = 0; p < planes; p++)
    positions.forEach(({ at }, i) => {
      let best = at[0] ?? c.fail('BadGraph', 'a window lies wholly in the padding');
      for (const a of at) if (x.data[p * area + a]! > x.data[p * area + best]!) best = a;
      values.data[p * positions.length + i] = x.data[p * area + best]!;
      indices.data[p * positions.length + i] = p * area + stored(best);
    });
  return [values, indices];
};

const MaxUnpool: EvalOp = (c) => {
  const [x, index] = [c.get(0), c.get(1)];
  const kernel = c.list('kernel_shape') ?? [];
  const strides = c.ints(
    'strides',
    kernel.map(() => 1),
  );
  const pads = c.ints(
    'pads',
    [...kernel, ...kernel].map(() => 0),
  );
  const size = x.shape.slice(2).map((d, i) => (d - 1) * strides[i]! - pads[i]! - pads[i + kernel.length]! + kernel[i]!);
  const least = [...x.shape.slice(0, 2), ...size];
  const out = zeros(x.dtype, c.inputs[2] ? c.numbers(2) : least);
  const [from, to] = [stridesOf(least), stridesOf(out.shape)];
  index.data.forEach((at, i) => {
    const place = from.reduce((n, s, axis) => n + (Math.floor(at / s) % least[axis]!) * to[axis]!, 0);
    out.data[place] = x.data[i]!;
  });
  return out;
};

/** One value for each channel of each image. */
function global(f: (v: Float64Array, c: EvalContext) => number): EvalOp {
  return (c) => {
    const x = c.get(0);
    const area = sizeOf(x.shape.slice(2));
    const data = Float64Array.from({ length: x.data.length / area }, (_, p) =>
      f(x.data.subarray(p * area, (p + 1) * area), c),
    );
    return arrayOf(
      x.dtype,
      x.shape.map((d, i) => (i < 2 ? d : 1)),
      data,
    );
  };
}

/** Pools. */
export const POOL: Readonly<Record<string, EvalOp>> = {
  AveragePool,
  GlobalAveragePool: global((v) => sum(v) / v.length),
  GlobalLpPool: global((v, c) => {
    const p = c.int('p', 2);
    return pow(sum(v.map((x) => pow(Math.abs(x), p))), 1 / p);
  }),
  GlobalMaxPool: global((v) => v.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  LpPool,
  MaxPool,
  MaxUnpool,
};
