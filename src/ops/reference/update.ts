/**
 * The one-element reference of update (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { elementAt, offsetAt } from '../elementwise.ts';
import type { In, UpdateAttrs } from '../update.ts';

/** The one-element reference of update. */
export const updateSteps: Reference<UpdateAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x, rows, position], a: { axis }, at }) {
        const k = at[axis]! - position.data[0]!;
        if (k < 0 || k >= rows.shape[axis]!) return elementAt(x, at);
        return rows.data[offsetAt(rows, at) + (k - at[axis]!) * rows.strides[axis]!]!;
      },
    },
  ],
};
