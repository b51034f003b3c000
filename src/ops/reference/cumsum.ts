/**
 * The one-element reference of cumsum (spec/10-ops.md).
 * @module
 */
import type { CumsumAttrs } from '../cumsum.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import { offsetAt } from '../elementwise.ts';

type CumsumCell = Cell<CumsumAttrs, readonly [x: 1]>;

/** x' at `k` places behind the cell on the axis. */
function value({ in: [x], a: { axis }, at }: CumsumCell, k: number): number {
  return x.data[offsetAt(x, at) + k * x.strides[axis]!]! - x.zp;
}

/** The one-element reference of cumsum. */
export const cumsumSteps: Reference<CumsumAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      // The sum before and one x'; only the first of the sums from the end adds up a row.
      ...folded({
        combine: 'sum',
        terms({ in: [x], a: { axis, exclusive, reverse }, at }) {
          return reverse && at[axis] === 0 ? x.shape[axis]! - (exclusive ? 1 : 0) : 0;
        },
        part(c, from, to) {
          const skip = c.a.exclusive ? 1 : 0;
          let sum = 0;
          for (let k = from; k < to; k++) sum += value(c, k + skip);
          return sum;
        },
        finish(c, total) {
          const { axis, exclusive, reverse } = c.a;
          if (c.at[axis] === 0) return reverse ? total : exclusive ? 0 : value(c, 0);
          const [y] = c.out as readonly [CumsumCell['out'][number]];
          const before = y.data[offsetAt(y, c.at) - y.strides[axis]!]!;
          return reverse ? before - value(c, exclusive ? 0 : -1) : before + value(c, exclusive ? -1 : 0);
        },
      }),
    },
  ],
};
