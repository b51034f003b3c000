/**
 * The one-element reference of rescale (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';
import type { RescaleAttrs } from '../rescale.ts';
import { staged } from '../rules.ts';

/** The one-element reference of rescale. */
export const rescaleSteps: Reference<RescaleAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [x], a, at }) => staged(elementAt(x, at) - x.zp, a.stage, at[at.length - 1] ?? 0),
    },
  ],
};
