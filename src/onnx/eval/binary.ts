/**
 * ONNX functions of two or more operands, element by element with NumPy broadcasting.
 * @module
 */
import { pow } from '../../quant/trig.ts';
import { arrayOf, broadcastStrides, integerBits, isFloat, offsets } from '../array.ts';
import type { OnnxArray, OnnxDType } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';

/** f over a and b broadcast; `dtype` of the result. */
function zip(
  c: EvalContext,
  a: OnnxArray,
  b: OnnxArray,
  dtype: OnnxDType,
  f: (x: number, y: number) => number,
): OnnxArray {
  const shape = c.broadcast(a.shape, b.shape);
  const [p, q] = [a, b].map((x) => offsets(shape, broadcastStrides(x.shape, shape))) as [Int32Array, Int32Array];
  return arrayOf(
    dtype,
    shape,
    Float64Array.from(p, (at, i) => f(a.data[at]!, b.data[q[i]!]!)),
  );
}

function binary(f: (dtype: OnnxDType, c: EvalContext) => (x: number, y: number) => number): EvalOp {
  return (c) => {
    const [a, b] = [c.get(0), c.get(1)];
    return zip(c, a, b, a.dtype, f(a.dtype, c));
  };
}

function predicate(f: (x: number, y: number) => boolean): EvalOp {
  return (c) => zip(c, c.get(0), c.get(1), 'bool', (x, y) => (f(x, y) ? 1 : 0));
}

/** Left fold over all operands, in order. */
function variadic(f: (x: number, y: number) => number): EvalOp {
  return (c) => {
    const all = c.all();
    return all.slice(1).reduce((acc, x) => zip(c, acc, x, acc.dtype, f), all[0]!);
  };
}

/** Product of two integers of at most 32 bits modulo 2^32; exact otherwise while below 2^53. */
function multiply(dtype: OnnxDType): (x: number, y: number) => number {
  const bits = integerBits(dtype)?.bits ?? 0;
  return bits === 32 ? Math.imul : (x, y) => x * y;
}

function divide(dtype: OnnxDType, c: EvalContext): (x: number, y: number) => number {
  if (isFloat(dtype)) return (x, y) => x / y;
  return (x, y) => (y === 0 ? c.fail('NotFinite', 'an integer is divided by 0') : Math.trunc(x / y));
}

/** Mod: the sign of the divisor, or of the dividend with fmod = 1. */
function modulo(dtype: OnnxDType, c: EvalContext): (x: number, y: number) => number {
  const fmod = c.int('fmod', 0) !== 0;
  if (isFloat(dtype) && !fmod) c.fail('BadGraph', 'Mod of floats needs fmod = 1');
  return (x, y) => {
    if (!isFloat(dtype) && y === 0) c.fail('NotFinite', 'an integer is divided by 0');
    const r = x % y;
    return !fmod && r !== 0 && r < 0 !== y < 0 ? r + y : r;
  };
}

function shift(_: OnnxDType, c: EvalContext): (x: number, y: number) => number {
  const direction = c.string('direction', '');
  if (direction === 'LEFT') {
    const bits = integerBits(c.get(0).dtype)?.bits ?? 0;
    return (x, y) => (x % 2 ** (bits - y)) * 2 ** y;
  }
  return (x, y) => Math.floor(x / 2 ** y);
}

/** A bitwise function, 32 bits at a time. */
function bitwise(f: (x: number, y: number) => number): () => (x: number, y: number) => number {
  const half = 4294967296;
  return () => (x, y) => {
    const [xh, yh] = [Math.floor(x / half), Math.floor(y / half)];
    return (f(xh, yh) | 0) * half + (f(x - xh * half, y - yh * half) >>> 0);
  };
}

/** x^y; whole powers of integers are exact while below 2^53. */
const Pow: EvalOp = (c) => {
  const [a, b] = [c.get(0), c.get(1)];
  return zip(c, a, b, a.dtype, (x, y) => (isFloat(a.dtype) ? pow(x, y) : Math.trunc(pow(x, y))));
};

const Mean: EvalOp = (c) => {
  const sum = variadic((x, y) => x + y)(c) as OnnxArray;
  return arrayOf(
    sum.dtype,
    sum.shape,
    sum.data.map((v) => v / c.inputs.length),
  );
};

const Where: EvalOp = (c) => {
  const [k, a, b] = [c.get(0), c.get(1), c.get(2)];
  const shape = c.broadcast(k.shape, a.shape, b.shape);
  const [p, q, r] = [k, a, b].map((x) => offsets(shape, broadcastStrides(x.shape, shape))) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return {
    dtype: a.dtype,
    shape,
    data: Float64Array.from(p, (at, i) => (k.data[at] !== 0 ? a.data[q[i]!]! : b.data[r[i]!]!)),
  };
};

const nanMax = (x: number, y: number): number => Math.max(x, y);
const nanMin = (x: number, y: number): number => Math.min(x, y);

/** Ops of two or more operands, element by element. */
export const BINARY: Readonly<Record<string, EvalOp>> = {
  Add: binary(() => (x, y) => x + y),
  Sub: binary(() => (x, y) => x - y),
  Mul: binary(multiply),
  Div: binary(divide),
  Mod: binary(modulo),
  PRelu: binary(() => (x, y) => (x < 0 ? x * y : x)),
  BitShift: binary(shift),
  BitwiseAnd: binary(bitwise((x, y) => x & y)),
  BitwiseOr: binary(bitwise((x, y) => x | y)),
  BitwiseXor: binary(bitwise((x, y) => x ^ y)),
  And: predicate((x, y) => x !== 0 && y !== 0),
  Or: predicate((x, y) => x !== 0 || y !== 0),
  Xor: predicate((x, y) => (x !== 0) !== (y !== 0)),
  Equal: predicate((x, y) => x === y),
  Greater: predicate((x, y) => x > y),
  GreaterOrEqual: predicate((x, y) => x >= y),
  Less: predicate((x, y) => x < y),
  LessOrEqual: predicate((x, y) => x <= y),
  Max: variadic(nanMax),
  Min: variadic(nanMin),
  Sum: variadic((x, y) => x + y),
  Mean,
  Pow,
  Where,
};
