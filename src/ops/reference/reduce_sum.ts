/**
 * The one-element reference of reduce_sum (spec/10-ops.md).
 * @module
 */
import { stage as outputStage } from '../../core/int.ts';
import { folded, type Reference } from '../define.ts';
import { partialSum, reducedCount } from '../reduce.ts';
import type { ReduceSumAttrs } from '../reduce_sum.ts';

/** The one-element reference of reduce_sum. */
export const reduceSumSteps: Reference<ReduceSumAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded<ReduceSumAttrs, readonly [x: 1]>({
        combine: 'sum',
        terms: reducedCount,
        part: partialSum,
        finish({ a: { stage: s } }, sum) {
          return s === undefined ? sum : outputStage(sum, s.m[0]!, s.l, s.zp, s.lo, s.hi);
        },
      }),
    },
  ],
};
