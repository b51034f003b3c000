/**
 * Reading broadcast operands (spec/10-ops.md, "Elementwise").
 * @module
 */
import type { View } from './define.ts';

/** Flat index of a row-major view at `at`. */
export function offsetAt(v: View, at: readonly number[]): number {
  let i = 0;
  for (let axis = 0; axis < v.strides.length; axis++) i += at[axis]! * v.strides[axis]!;
  return i;
}

/** The element of a view at `at`. */
export function elementAt(v: View, at: readonly number[]): number {
  return v.data[offsetAt(v, at)]!;
}

/** The element that a broadcast operand contributes at an output index; the view's axes align with the last ones of `at`. */
export function broadcastAt(v: View, at: readonly number[]): number {
  const skip = at.length - v.shape.length;
  let i = 0;
  for (let axis = 0; axis < v.shape.length; axis++) if (v.shape[axis] !== 1) i += at[skip + axis]! * v.strides[axis]!;
  return v.data[i]!;
}
