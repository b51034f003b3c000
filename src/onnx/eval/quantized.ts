/**
 * ONNX quantization ops: ties to even, saturation at the ends of the type.
 * @module
 */
import { roundEven } from '../../quant/unary.ts';
import { arrayOf, integerRange, sizeOf } from '../array.ts';
import type { OnnxArray, OnnxDType } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { centre, convolve } from './conv.ts';
import { product } from './linear.ts';
import { dtypeAttribute } from './unary.ts';

/** A parameter at every element of x: one value, one a slice along `axis`, or one a block of `block` along it. */
function parameter(c: EvalContext, x: OnnxArray, p: OnnxArray): (i: number) => number {
  if (p.data.length === 1) return () => p.data[0]!;
  const axis = c.axisIn(c.int('axis', 1), x.shape.length);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const n = x.shape[axis]!;
  if (p.shape.length === 1) return (i) => p.data[Math.floor(i / inner) % n]!;
  const block = c.int('block_size', 0) || Math.ceil(n / p.shape[axis]!);
  const blocks = p.shape[axis]!;
  return (i) =>
    p.data[
      (Math.floor(i / (inner * n)) * blocks + Math.floor((Math.floor(i / inner) % n) / block)) * inner + (i % inner)
    ]!;
}

function saturate(v: number, dtype: OnnxDType): number {
  const [lo, hi] = integerRange(dtype);
  return Math.min(Math.max(v, lo), hi);
}

const QuantizeLinear: EvalOp = (c) => {
  const [x, s] = [c.get(0), c.get(1)];
  const z = c.inputs[2];
  const dtype = z?.dtype ?? dtypeAttribute(c, 'output_dtype', 'uint8');
  const [scale, zero] = [parameter(c, x, s), z ? parameter(c, x, z) : () => 0];
  return arrayOf(
    dtype,
    x.shape,
    x.data.map((v, i) => saturate(roundEven(Math.fround(v / scale(i))) + zero(i), dtype)),
  );
};

const DequantizeLinear: EvalOp = (c) => {
  const [x, s] = [c.get(0), c.get(1)];
  const [scale, zero] = [parameter(c, x, s), c.inputs[2] ? parameter(c, x, c.get(2)) : () => 0];
  return arrayOf(
    s.dtype,
    x.shape,
    x.data.map((v, i) => (v - zero(i)) * scale(i)),
  );
};

const DynamicQuantizeLinear: EvalOp = (c) => {
  const x = c.get(0);
  const [lo, hi] = [x.data.reduce((a, v) => Math.min(a, v), 0), x.data.reduce((a, v) => Math.max(a, v), 0)];
  const scale = Math.fround((hi - lo) / 255);
  const zero = saturate(roundEven(-lo / scale), 'uint8');
  return [
    arrayOf(
      'uint8',
      x.shape,
      x.data.map((v) => saturate(roundEven(Math.fround(v / scale)) + zero, 'uint8')),
    ),
    arrayOf('float32', [], [scale]),
    arrayOf('uint8', [], [zero]),
  ];
};

/** Accumulators times the scale (one, or one a channel on `axis`) as the output's type. */
function requantize(
  acc: { shape: number[]; data: Float64Array },
  y: { scale: number; zero: OnnxArray },
  scales: Float64Array,
  axis: number,
): OnnxArray {
  const inner = sizeOf(acc.shape.slice(axis + 1));
  const { dtype } = y.zero;
  return arrayOf(
    dtype,
    acc.shape,
    acc.data.map((v, i) => {
      const s = scales[scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length]!;
      return saturate(roundEven((v * s) / y.scale) + y.zero.data[0]!, dtype);
    }),
  );
}

const QLinearConv: EvalOp = (c) => {
  const bias = c.inputs[8]?.data;
  const acc = convolve(c, centre(c.get(0), c.get(2), 1), centre(c.get(3), c.get(5), 0), bias);
  const scales = c.get(4).data.map((s) => s * c.scalar(1));
  return requantize(acc, { scale: c.scalar(6), zero: c.get(7) }, scales, 1);
};

const QLinearMatMul: EvalOp = (c) => {
  const [a, b] = [c.get(0), c.get(3)];
  const acc = product(c, centre(a, c.get(2), a.shape.length - 2), centre(b, c.get(5), b.shape.length - 1));
  const scales = c.get(4).data.map((s) => s * c.scalar(1));
  return requantize(acc, { scale: c.scalar(6), zero: c.get(7) }, scales, acc.shape.length - 1);
};

/** Quantization ops. */
export const QUANTIZED: Readonly<Record<string, EvalOp>> = {
  DequantizeLinear,
  DynamicQuantizeLinear,
  QLinearConv,
  QLinearMatMul,
  QuantizeLinear,
};
