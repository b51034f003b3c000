/**
 * The one-element reference of reduce_mean (spec/10-ops.md).
 * @module
 */
import { stage as outputStage, roundDiv } from '../../core/int.ts';
import { folded, type Reference } from '../define.ts';
import { partialSum, reducedCount } from '../reduce.ts';
import type { ReduceMeanAttrs } from '../reduce_mean.ts';

/** The one-element reference of reduce_mean. */
export const reduceMeanSteps: Reference<ReduceMeanAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded<ReduceMeanAttrs, readonly [x: 1]>({
        combine: 'sum',
        terms: reducedCount,
        part: partialSum,
        finish(c, sum) {
          const { m1, l, output: o } = c.a;
          return outputStage(sum, roundDiv(m1, reducedCount(c)), l, o.zp, o.lo, o.hi);
        },
      }),
    },
  ],
};
