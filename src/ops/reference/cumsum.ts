/**
 * The one-element reference of cumsum (spec/10-ops.md).
 * @module
 */
import type { CumsumAttrs } from '../cumsum.ts';
import type { Reference } from '../define.ts';
import { offsetAt } from '../elementwise.ts';

/** The one-element reference of cumsum. */
export const cumsumSteps: Reference<CumsumAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      // The sum before and one x'; the first of the sums from the end reads the row.
      element({ in: [x], out, a: { axis, exclusive, reverse }, at }) {
        const [i, step] = [at[axis]!, x.strides[axis]!];
        const here = offsetAt(x, at);
        const value = (k: number): number => x.data[here + k * step]! - x.zp;
        if (i > 0) {
          const before = out[0]!.data[here - step]!;
          return reverse ? before - value(exclusive ? 0 : -1) : before + value(exclusive ? -1 : 0);
        }
        if (!reverse) return exclusive ? 0 : value(0);
        let sum = 0;
        for (let k = exclusive ? 1 : 0; k < x.shape[axis]!; k++) sum += value(k);
        return sum;
      },
    },
  ],
};
