/**
 * The one-element reference of reduce_sum (spec/10-ops.md).
 * @module
 */
import { stage as outputStage } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { forEachReduced } from '../reduce.ts';
import type { ReduceSumAttrs } from '../reduce_sum.ts';

/** The one-element reference of reduce_sum. */
export const reduceSumSteps: Reference<ReduceSumAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element(c) {
        let acc = 0;
        forEachReduced(c, (v) => {
          acc += v - c.in[0].zp;
        });
        const s = c.a.stage;
        return s === undefined ? acc : outputStage(acc, s.m[0]!, s.l, s.zp, s.lo, s.hi);
      },
    },
  ],
};
