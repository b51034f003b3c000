/**
 * The one-element reference of max_pool2d (spec/10-ops.md).
 * @module
 */
import { folded, type Reference } from '../define.ts';
import { forEachTap, tapCount, type WindowAttrs } from '../window.ts';

/** What a part without valid taps gives: the least i16. */
const NOTHING = -32768;

/** The one-element reference of max_pool2d. */
export const maxPool2dSteps: Reference<WindowAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      ...folded({
        combine: 'max',
        terms: tapCount,
        part(c, from, to) {
          let max = NOTHING;
          forEachTap(c, from, to, (i) => {
            max = Math.max(max, c.in[0].data[i]!);
          });
          return max;
        },
        finish: (_, max) => max,
      }),
    },
  ],
};
