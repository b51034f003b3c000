/**
 * Values between ONNX Runtime's tensors and those of a model. A float becomes ⌊x/scale + ½⌋ + zp, cut to the input's interval, and an
 * integer q of an output (q − zp)·scale, rounded to float32; integers of the model's own type pass as they are.
 * @module
 */
import { InputError, printable } from '../core/errors.ts';
import { allocate, type Tensor as ModelTensor, type TypedArray } from '../core/tensor.ts';
import type { InputDecl, OutputDecl } from '../graph/ir.ts';
import { dequantizeOutput, quantizeInput } from '../quant/float-io.ts';
import { OrtError } from './errors.ts';
import { Tensor, type TensorData, type TensorLike, type TensorType } from './tensor.ts';

/** Axes of [N,C,H,W] in the order of [N,H,W,C], and back. */
const TO_LAST: readonly number[] = [0, 2, 3, 1];
const TO_FIRST: readonly number[] = [0, 3, 1, 2];

/** Integer type of ONNX Runtime for a dtype of a model. */
export function rawType({ dtype, u8 }: { readonly dtype: string; readonly u8?: boolean | undefined }): TensorType {
  if (u8) return 'uint8';
  return ({ i8: 'int8', i16: 'int16', i32: 'int32', bool: 'bool' } as const)[dtype as 'i8'];
}

/** Dims in another order. */
export function reordered<T>(dims: readonly T[], nchw: boolean, to: 'model' | 'caller'): readonly T[] {
  return nchw ? (to === 'model' ? TO_LAST : TO_FIRST).map((axis) => dims[axis]!) : dims;
}

/** Elements with their axes in another order; `make` gives an array of as many. */
function transposed<A extends { [i: number]: unknown; readonly length: number }>(
  data: A,
  dims: readonly number[],
  axes: readonly number[],
  make: (n: number) => A,
): A {
  const out = make(data.length);
  const steps = dims.map((_, i) => dims.slice(i + 1).reduce((n, d) => n * d, 1));
  const [a, b, c, d] = axes.map((axis) => [dims[axis]!, steps[axis]!] as const) as [Axis, Axis, Axis, Axis];
  let at = 0;
  for (let i = 0; i < a[0]; i++)
    for (let j = 0; j < b[0]; j++)
      for (let k = 0; k < c[0]; k++)
        for (let l = 0; l < d[0]; l++) out[at++] = data[i * a[1] + j * b[1] + k * c[1] + l * d[1]];
  return out;
}

/** Extent and step of an axis. */
type Axis = readonly [extent: number, step: number];

function like<A extends TensorData>(data: A): (n: number) => A {
  return (n) => new (data.constructor as new (n: number) => A)(n);
}

/** What an input may be fed with, in words. */
function feedable(d: InputDecl): string {
  const whole = d.dtype === 'i32' ? ', int64' : '';
  return `float32, float64, ${rawType(d)}${whole}`;
}

function wholeNumbers(d: InputDecl, data: BigInt64Array): TypedArray {
  const out = allocate(d.dtype, data.length);
  for (let i = 0; i < data.length; i++) {
    out[i] = Number(data[i]);
    if (BigInt(out[i]!) !== data[i])
      throw new InputError('OutOfRange', `input ${printable(d.name)}: value ${i} does not fit ${d.dtype}`);
  }
  return out;
}

/** Whether dims are those of the input, where every symbol fits any extent. */
function fits(shape: InputDecl['shape'], dims: readonly number[]): boolean {
  return dims.length === shape.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i]);
}

/**
 * What a model takes for a fed tensor.
 * @param nchw whether it is an image with its channels first
 * @throws OrtError TensorType; InputError wrong dims, or a whole number that does not fit; RangeError NaN
 */
export function fed(d: InputDecl, t: TensorLike, nchw: boolean): ModelTensor {
  const name = printable(d.name);
  if (typeof t !== 'object' || t === null || !Array.isArray(t.dims) || !ArrayBuffer.isView(t.data))
    throw new OrtError('TensorType', `input ${name} is fed with no tensor in main memory`);
  const shape = nchw && t.dims.length === 4 ? reordered(t.dims as readonly number[], true, 'model') : t.dims;
  const data = t.data as TensorData;
  if (!fits(d.shape, shape) || shape.reduce((n, e) => n * e, 1) !== data.length) {
    const first = !nchw && t.dims.length === 4 && fits(d.shape, reordered(t.dims, true, 'model'));
    const why = first ? 'wrong shape: channels last is meant, or extra.samebit.nchw' : 'wrong shape';
    throw new InputError('WrongShape', `input ${name}: ${why}`, {
      expected: `[${d.shape.map((e) => (typeof e === 'number' ? e : '?'))}]`,
      actual: `[${t.dims}]`,
    });
  }
  const values = nchw ? transposed<TensorData>(data, t.dims, TO_LAST, like(data)) : data;
  if (t.type === 'float32' || t.type === 'float64') return quantizeInput(d, values as Float32Array, shape);
  const dtype = d.u8 ? 'u8' : d.dtype;
  if (t.type === 'int64' && d.dtype === 'i32') return { dtype, shape, data: wholeNumbers(d, values as BigInt64Array) };
  if (t.type !== rawType(d))
    throw new OrtError('TensorType', `input ${name}: wrong type`, { expected: feedable(d), actual: String(t.type) });
  return { dtype, shape, data: values as TypedArray };
}

/** Types that an output can be fetched as, the usual one first: floats where it has a scale, else its integers. */
export function fetchable(o: OutputDecl, dtype: string): readonly TensorType[] {
  const raw = rawType({ dtype, u8: o.u8 });
  if (o.scale !== undefined) return ['float32', raw];
  return dtype === 'bool' ? [raw] : [raw, 'int64', 'float32'];
}

/** An output as a tensor of ONNX Runtime in one of the types of `fetchable`. `zp` is that of the model's tensor. */
export function fetched(o: OutputDecl, t: ModelTensor, zp: number, type: TensorType, nchw: boolean): Tensor {
  let data: TensorData = t.dtype === 'bool' ? Uint8Array.from(t.data) : t.data;
  if (type === 'float32') data = Float32Array.from(dequantizeOutput(o, t, zp));
  else if (type === 'int64') data = BigInt64Array.from(t.data as TypedArray, BigInt);
  if (nchw) data = transposed<TensorData>(data, t.shape, TO_FIRST, like(data));
  return new Tensor(type, data, reordered(t.shape, nchw, 'caller'));
}
