/**
 * The one-element reference of reduce_mean (spec/10-ops.md).
 * @module
 */
import { stage as outputStage, roundDiv } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { forEachReduced } from '../reduce.ts';
import type { ReduceMeanAttrs } from '../reduce_mean.ts';

/** The one-element reference of reduce_mean. */
export const reduceMeanSteps: Reference<ReduceMeanAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element(c) {
        let acc = 0;
        const n = forEachReduced(c, (v) => {
          acc += v - c.in[0].zp;
        });
        const { m1, l, output: o } = c.a;
        return outputStage(acc, roundDiv(m1, n), l, o.zp, o.lo, o.hi);
      },
    },
  ],
};
