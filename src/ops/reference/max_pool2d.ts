/**
 * The one-element reference of max_pool2d (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { forEachTap, type WindowAttrs } from '../window.ts';

/** The one-element reference of max_pool2d. */
export const maxPool2dSteps: Reference<WindowAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element(c) {
        let max = -32768;
        forEachTap(c, (i) => {
          max = Math.max(max, c.in[0].data[i]!);
        });
        return max;
      },
    },
  ],
};
