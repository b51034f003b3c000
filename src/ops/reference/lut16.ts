/**
 * The one-element reference of lut16 (spec/10-ops.md).
 * @module
 */
import { lut16 as interpolate } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';
import type { Lut16Attrs } from '../lut16.ts';

/** The one-element reference of lut16. */
export const lut16Steps: Reference<Lut16Attrs, readonly [x: 1, table: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [x, table], a: { s, output: o }, at }) =>
        interpolate(elementAt(x, at), table.data, s, o.zp, o.lo, o.hi),
    },
  ],
};
