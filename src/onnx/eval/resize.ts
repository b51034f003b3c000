/**
 * ONNX Resize and Upsample, one axis after the other.
 * @module
 */
import { arrayOf, sizeOf } from '../array.ts';
import {
  nearestIndex,
  type ResizeAxis,
  type ResizeInputs,
  type ResolvedResize,
  resolveResize,
  sourceCoordinate,
} from '../resize.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';

interface Taps {
  readonly at: readonly number[];
  readonly weight: readonly number[];
}

/** Cubic convolution weight at distance d. */
function cubicWeight(d: number, a: number): number {
  const x = Math.abs(d);
  if (x <= 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

/** Taps of one output coordinate; with antialias the kernel widens by 1/scale. */
function tapsAt(c: EvalContext, r: ResolvedResize, a: ResizeAxis, o: number): Taps | undefined {
  const x = sourceCoordinate(r.transform, a, o);
  if (r.transform === 'tf_crop_and_resize' && (x < 0 || x > a.from - 1)) return undefined;
  const cut = (i: number): number => Math.min(Math.max(i, 0), a.from - 1);
  if (r.mode === 'nearest') return { at: [cut(nearestIndex(r.nearest, x))], weight: [1] };
  const stretch = c.int('antialias', 0) !== 0 && a.scale < 1 ? a.scale : 1;
  const reach = (r.mode === 'linear' ? 1 : 2) / stretch;
  const exclude = c.int('exclude_outside', 0) !== 0;
  const slope = c.float('cubic_coeff_a', -0.75);
  const [at, weight]: [number[], number[]] = [[], []];
  for (let i = Math.ceil(x - reach); i <= Math.floor(x + reach); i++) {
    const d = (x - i) * stretch;
    const w = r.mode === 'linear' ? Math.max(0, 1 - Math.abs(d)) : cubicWeight(d, slope);
    if (w === 0 || (exclude && i !== cut(i))) continue;
    at.push(cut(i));
    weight.push(w);
  }
  const total = weight.reduce((s, w) => s + w, 0);
  return { at, weight: exclude || stretch < 1 ? weight.map((w) => w / total) : weight };
}

/** Axis `axis` of x resampled; undefined taps give the extrapolation value. */
function resample(x: OnnxArray, axis: number, taps: readonly (Taps | undefined)[], outside: number): OnnxArray {
  const inner = sizeOf(x.shape.slice(axis + 1));
  const n = x.shape[axis]!;
  const outer = sizeOf(x.shape.slice(0, axis));
  const data = new Float64Array(outer * taps.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++)
    for (const t of taps)
      for (let k = 0; k < inner; k++) {
        let acc = t ? 0 : outside;
        if (t) for (let j = 0; j < t.at.length; j++) acc += t.weight[j]! * x.data[(o * n + t.at[j]!) * inner + k]!;
        data[to++] = acc;
      }
  return { dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? taps.length : d)), data };
}

/** Inputs of the node by opset. */
function inputsOf(c: EvalContext): ResizeInputs {
  const { shape } = c.get(0);
  const at = (i: number): number[] | undefined =>
    c.inputs[i] && c.inputs[i]!.data.length > 0 ? c.numbers(i) : undefined;
  if (c.node.op === 'Upsample') return { shape, scales: c.opset < 9 ? c.floats('scales') : at(1) };
  return c.opset < 11 ? { shape, scales: at(1) } : { shape, roi: at(1), scales: at(2), sizes: at(3) };
}

const Resize: EvalOp = (c) => {
  const r = resolveResize(c, inputsOf(c));
  const outside = c.float('extrapolation_value', 0);
  let x = c.get(0);
  r.axes.forEach((a, axis) => {
    if (a.from === a.to && a.scale === 1 && r.transform !== 'tf_crop_and_resize') return;
    const taps = Array.from({ length: a.to }, (_, o) => tapsAt(c, r, a, o));
    x = resample(x, axis, taps, outside);
  });
  return arrayOf(x.dtype, x.shape, x.data);
};

/** Resize and Upsample. */
export const RESIZE: Readonly<Record<string, EvalOp>> = { Resize, Upsample: Resize };
