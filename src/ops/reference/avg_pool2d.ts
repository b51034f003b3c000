/**
 * The one-element reference of avg_pool2d (spec/10-ops.md).
 * @module
 */
import { stage as outputStage, roundDiv } from '../../core/int.ts';
import type { AvgPoolAttrs } from '../avg_pool2d.ts';
import { folded, type Reference } from '../define.ts';
import { forEachTap, tapCount } from '../window.ts';

/** The one-element reference of avg_pool2d. */
export const avgPool2dSteps: Reference<AvgPoolAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded<AvgPoolAttrs, readonly [x: 1]>({
        combine: 'sum',
        terms: tapCount,
        part(c, from, to) {
          let sum = 0;
          forEachTap(c, from, to, (i) => {
            sum += c.in[0].data[i]! - c.in[0].zp;
          });
          return sum;
        },
        finish(c, sum) {
          let valid = 0;
          const declared = forEachTap(c, 0, tapCount(c), () => valid++);
          const { m1, l, output: o } = c.a;
          return outputStage(sum, roundDiv(m1, c.a.include_pad ? declared : valid), l, o.zp, o.lo, o.hi);
        },
      }),
    },
  ],
};
