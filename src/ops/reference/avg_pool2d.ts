/**
 * The one-element reference of avg_pool2d (spec/10-ops.md).
 * @module
 */
import { stage as outputStage, roundDiv } from '../../core/int.ts';
import type { AvgPoolAttrs } from '../avg_pool2d.ts';
import type { Reference } from '../define.ts';
import { forEachTap } from '../window.ts';

/** The one-element reference of avg_pool2d. */
export const avgPool2dSteps: Reference<AvgPoolAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element(c) {
        const [x] = c.in;
        let [acc, valid] = [0, 0];
        const declared = forEachTap(c, (i) => {
          acc += x.data[i]! - x.zp;
          valid++;
        });
        const { m1, l, output: o } = c.a;
        return outputStage(acc, roundDiv(m1, c.a.include_pad ? declared : valid), l, o.zp, o.lo, o.hi);
      },
    },
  ],
};
