/**
 * Floats in and out of a model, by the scales it stores. Outside consensus: the signed input of a run is the integers.
 * @module
 */

import { allocate, DTYPE_RANGE, type Tensor } from '../core/tensor.ts';
import type { InputDecl, OutputDecl } from '../graph/ir.ts';
import { fromScale } from './scales.ts';

function concreteShape(input: InputDecl, shape: readonly number[] | undefined): readonly number[] {
  if (shape) return shape;
  return input.shape.map((d) => {
    if (typeof d !== 'number') throw new TypeError(`input "${input.name}" has symbolic dimensions: pass its shape`);
    return d;
  });
}

/**
 * The integers of a model input for real values: clamp(⌊x/scale + ½⌋ + zp, lo, hi), as u8 where the input is u8. `values`
 * are row-major in the model's layout (images NHWC) and in the units of its scale: after normalisation for u8 inputs, the
 * caller's own for others; an input without a scale takes whole numbers. `shape` is needed for symbolic dimensions only.
 * Throws RangeError on another number of values and on NaN.
 */
export function quantizeInput(input: InputDecl, values: ArrayLike<number>, shape?: readonly number[]): Tensor {
  const dims = concreteShape(input, shape);
  const count = dims.reduce((n, d) => n * d, 1);
  if (values.length !== count)
    throw new RangeError(`input "${input.name}" takes ${count} values, not ${values.length}`);
  const scale = input.scale ? fromScale(input.scale) : 1;
  const [min, max] = DTYPE_RANGE[input.dtype];
  const lo = typeof input.lo === 'number' ? input.lo : min;
  const hi = typeof input.hi === 'number' ? input.hi : max;
  const data = input.u8 ? new Uint8Array(count) : allocate(input.dtype, count);
  const shift = input.u8 ? 128 : 0;
  for (let i = 0; i < count; i++) {
    const q = Math.floor(values[i]! / scale + 0.5) + input.zp;
    if (Number.isNaN(q)) throw new RangeError(`value ${i} of input "${input.name}" is not a number`);
    data[i] = Math.min(Math.max(q, lo), hi) + shift;
  }
  return { dtype: input.u8 ? 'u8' : input.dtype, shape: dims, data };
}

/** The real values of a model output: (q − zp)·scale, row-major in the model's layout. `zp` is that of the output's tensor type. */
export function dequantizeOutput(output: OutputDecl, tensor: Tensor, zp: number): Float64Array {
  const scale = output.scale ? fromScale(output.scale) : 1;
  const offset = tensor.dtype === 'u8' ? 128 + zp : zp;
  return Float64Array.from(tensor.data, (q) => (q - offset) * scale);
}
