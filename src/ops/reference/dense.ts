/**
 * The one-element reference of dense (spec/10-ops.md).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import type { DenseAttrs, In } from '../dense.ts';
import { staged } from '../rules.ts';

/** Terms from … to − 1 of the row's sum without the bias. */
function part({ in: [x, w, , u], a, at }: Cell<DenseAttrs, In>, from: number, to: number): number {
  const k = w.shape[1]!;
  const o = at[at.length - 1]!;
  let xi = 0;
  for (let i = 0; i < at.length - 1; i++) xi += at[i]! * x.strides[i]!;
  let acc = 0;
  for (let j = from; j < to; j++) {
    const scale = u === undefined ? 1 : u.data[o * u.strides[0]! + floorDiv(j, a.block)]! - u.zp;
    acc += scale * w.data[o * k + j]! * (x.data[xi + j]! - x.zp);
  }
  return acc;
}

/** The one-element reference of dense. */
export const denseSteps: Reference<DenseAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded({
        combine: 'sum',
        terms: (c) => c.in[1].shape[1]!,
        part,
        finish(c, sum) {
          const o = c.at[c.at.length - 1]!;
          return staged(sum + c.in[2].data[o]!, c.a.stage, o);
        },
      }),
    },
  ],
};
