/**
 * Operands and stages from the loose JSON of the element vectors.
 * @module
 */
import type { DType } from '../../src/core/tensor.ts';
import type { Tensor } from './node.ts';

/** Nested lists of integers. */
export type Nested = number | readonly Nested[];
/** JSON of any shape. */
// biome-ignore lint/suspicious/noExplicitAny: vectors are JSON of many shapes; a wrong one fails its comparison
export type Json = any;
/** A tensor of a vector. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The integers in order. */
export function flat(v: Nested): number[] {
  return typeof v === 'number' ? [v] : v.flatMap(flat);
}

/** The lengths of nested lists. */
export function shapeOf(v: Nested): number[] {
  return typeof v === 'number' ? [] : [v.length, ...(v.length === 0 ? [] : shapeOf(v[0]!))];
}

function within(v: readonly number[], bits: number): boolean {
  return v.every((q) => q >= -(2 ** (bits - 1)) && q < 2 ** (bits - 1));
}

/** An operand: the least dtype that holds its values, i8 if it has a zero point; i32 gets the interval of its values. */
export function operand(shape: readonly number[], data: readonly number[], zp = 0, dtype?: DType): Tensor {
  const type = dtype ?? (zp !== 0 || within(data, 8) ? 'i8' : within(data, 16) ? 'i16' : 'i32');
  return type === 'i32' && data.length > 0
    ? { dtype: type, shape, data, zp, lo: Math.min(...data), hi: Math.max(...data) }
    : { dtype: type, shape, data, zp };
}

/** An operand whose interval is that of its values. */
export function ranged(t: Shaped): Tensor {
  return {
    ...operand(t.shape, t.data),
    ...(t.data.length > 0 ? { lo: Math.min(...t.data), hi: Math.max(...t.data) } : {}),
  };
}

/** An operand of nested lists. */
export function nested(v: Nested, zp = 0, dtype?: DType): Tensor {
  return operand(shapeOf(v), flat(v), zp, dtype);
}

/** A constant operand. */
export function constant(dtype: DType, shape: readonly number[], data: readonly number[], zp = 0): Tensor {
  return { dtype, shape, data, zp, const: true };
}

/** zp, lo and hi of flat attributes with the dtype that they fit. */
export function output(a: Json): { dtype: DType; zp: number; lo: number; hi: number } {
  const { zp, lo, hi } = a;
  return { dtype: lo >= -128 && hi <= 127 ? 'i8' : 'i16', zp, lo, hi };
}

/** A stage of flat attributes. */
export function stage(a: Json): { m: readonly number[]; l: number; dtype: DType; zp: number; lo: number; hi: number } {
  return { m: a.m, l: a.l, ...output(a) };
}

export function image(v: Nested, zx: number): Tensor {
  const t = nested(v, zx);
  return { ...t, shape: [1, ...t.shape] };
}
