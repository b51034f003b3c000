/**
 * Arrays of ONNX values in f64 and the arithmetic of their element types: integers wrap, floats round to their type.
 * @module
 */
import { frexp, ldexp } from '../quant/math.ts';
import { ImportError } from './errors.ts';
import type { OnnxArray, OnnxDType } from './tensor.ts';

/** Bits of an integer type, negative where it is signed; 0 for bool and floats. */
const BITS: Readonly<Record<OnnxDType, number>> = {
  int8: -8,
  uint8: 8,
  int16: -16,
  uint16: 16,
  int32: -32,
  uint32: 32,
  int64: -64,
  uint64: 64,
  bool: 0,
  float16: 0,
  bfloat16: 0,
  float32: 0,
  float64: 0,
};

/** Bits of an integer type and whether it is signed; undefined for bool and floats. */
export function integerBits(dtype: OnnxDType): { readonly bits: number; readonly signed: boolean } | undefined {
  const b = BITS[dtype];
  return b === 0 ? undefined : { bits: Math.abs(b), signed: b < 0 };
}

/** True for the float types. */
export function isFloat(dtype: OnnxDType): boolean {
  return BITS[dtype] === 0 && dtype !== 'bool';
}

/** Least and greatest value of an integer type; those of the 64-bit types are the nearest doubles. */
export function integerRange(dtype: OnnxDType): readonly [number, number] {
  const { bits, signed } = integerBits(dtype) ?? { bits: 1, signed: false };
  const top = 2 ** bits;
  return signed ? [-top / 2, bits === 64 ? top / 2 : top / 2 - 1] : [0, bits === 64 ? top : top - 1];
}

/** v to `digits` significant bits, nearest, ties to even, with least exponent `emin` (subnormals) and ∞ from `limit`. */
function roundTo(v: number, digits: number, emin: number, limit: number): number {
  if (v === 0 || !Number.isFinite(v)) return v;
  const [, e] = frexp(v);
  const unit = Math.max(e - digits, emin);
  const q = ldexp(v, -unit);
  const floor = Math.floor(q);
  const rest = q - floor;
  const even = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  const y = ldexp(even, unit);
  return Math.abs(y) >= limit ? (y < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY) : y;
}

function wrap(v: number, bits: number, signed: boolean): number {
  const modulus = 2 ** bits;
  const r = v - Math.floor(v / modulus) * modulus;
  return signed && r >= modulus / 2 ? r - modulus : r;
}

/**
 * The element of type `dtype` that a computed value v becomes: floats are rounded, integers wrap. 64-bit integers beyond
 * ±2^53 are refused, since a double does not hold them.
 */
export function settle(dtype: OnnxDType, v: number): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(v);
    case 'float64':
      return v;
    case 'float16':
      return roundTo(v, 11, -24, 65520);
    case 'bfloat16':
      return roundTo(v, 8, -133, 3.4e38);
    case 'bool':
      return v === 0 ? 0 : 1;
    default: {
      const { bits, signed } = integerBits(dtype)!;
      if (!Number.isSafeInteger(v))
        throw new ImportError('BadTensor', 'an integer is beyond 2^53 or undefined', {
          expected: 'at most 2^53',
          actual: String(v),
        });
      return bits === 64 ? v + 0 : wrap(v, bits, signed) + 0;
    }
  }
}

/** v of type `from` as an element of type `to`: towards zero for float → integer, saturating beyond the type. */
export function castValue(v: number, from: OnnxDType, to: OnnxDType): number {
  if (to === 'bool') return v === 0 ? 0 : 1;
  if (isFloat(to)) return settle(to, v);
  if (!isFloat(from)) return Math.abs(v) >= 2 ** 62 ? v : settle(to, v);
  const [lo, hi] = integerRange(to);
  return Number.isNaN(v) ? 0 : Math.min(Math.max(Math.trunc(v), lo), hi) + 0;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]!) out[i] = n;
  return out;
}

/** An array of zeros. */
export function zeros(dtype: OnnxDType, shape: readonly number[]): OnnxArray {
  return { dtype, shape, data: new Float64Array(sizeOf(shape)) };
}

/** An array of computed values; each becomes an element of `dtype`. */
export function arrayOf(dtype: OnnxDType, shape: readonly number[], values: ArrayLike<number>): OnnxArray {
  const data = new Float64Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = settle(dtype, values[i]!);
  return { dtype, shape, data };
}

/** A one-axis int64 array. */
export function int64s(values: readonly number[]): OnnxArray {
  return { dtype: 'int64', shape: [values.length], data: Float64Array.from(values) };
}

/** NumPy broadcast of shapes; undefined where they do not fit. */
export function broadcastShapes(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = shapes.reduce((r, s) => Math.max(r, s.length), 0);
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const d = shape[i]!;
      if (d === 1) continue;
      if (out[at] !== 1 && out[at] !== d) return undefined;
      out[at] = d;
    }
  return out;
}

/** Strides of an operand broadcast to `to`: 0 along axes that it repeats. */
export function broadcastStrides(shape: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(shape);
  const skip = to.length - shape.length;
  return to.map((_, axis) => (axis < skip || shape[axis - skip] === 1 ? 0 : own[axis - skip]!));
}

/** Offsets start + Σ index·strides of all elements of `shape` in order. */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const total = sizeOf(shape);
  const out = new Int32Array(total);
  const index = new Int32Array(shape.length);
  let at = start;
  for (let i = 0; i < total; i++) {
    out[i] = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** `x` as an array of `shape` whose element i is x's element at from[i]. */
export function pick(x: OnnxArray, shape: readonly number[], from: ArrayLike<number>): OnnxArray {
  const data = new Float64Array(from.length);
  for (let i = 0; i < data.length; i++) data[i] = x.data[from[i]!]!;
  return { dtype: x.dtype, shape, data };
}

/** x broadcast to `shape`; the caller knows that it fits. */
export function broadcastTo(x: OnnxArray, shape: readonly number[]): OnnxArray {
  return pick(x, shape, offsets(shape, broadcastStrides(x.shape, shape)));
}

/** Axes of x permuted. */
export function permute(x: OnnxArray, perm: readonly number[]): OnnxArray {
  const from = stridesOf(x.shape);
  const shape = perm.map((p) => x.shape[p]!);
  const strides = perm.map((p) => from[p]!);
  return pick(x, shape, offsets(shape, strides));
}
