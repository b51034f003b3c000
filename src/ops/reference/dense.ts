/**
 * The one-element reference of dense (spec/10-ops.md).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Cell, Reference } from '../define.ts';
import type { DenseAttrs, In } from '../dense.ts';
import { staged } from '../rules.ts';

function accumulate({ in: [x, w, b, u], a, at }: Cell<DenseAttrs, In>): number {
  const k = w.shape[1]!;
  const o = at[at.length - 1]!;
  let xi = 0;
  for (let i = 0; i < at.length - 1; i++) xi += at[i]! * x.strides[i]!;
  let acc = b.data[o]!;
  for (let j = 0; j < k; j++) {
    const scale = u === undefined ? 1 : u.data[o * u.strides[0]! + floorDiv(j, a.block)]! - u.zp;
    acc += scale * w.data[o * k + j]! * (x.data[xi + j]! - x.zp);
  }
  return acc;
}

/** The one-element reference of dense. */
export const denseSteps: Reference<DenseAttrs, In> = {
  steps: [{ name: 'y', output: 0, element: (c) => staged(accumulate(c), c.a.stage, c.at[c.at.length - 1]!) }],
};
