/**
 * The one-element reference of linear2 (spec/10-ops.md).
 * @module
 */
import { clamp, rsh } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { In, Linear2Attrs } from '../linear2.ts';

/** The one-element reference of linear2. */
export const linear2Steps: Reference<Linear2Attrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [a, b], a: { ma, mb, s, output }, at }) {
        const p = (broadcastAt(a, at) - a.zp) * ma;
        const q = b === undefined ? 0 : (broadcastAt(b, at) - b.zp) * mb;
        return clamp(output.zp + rsh(p + q, s), output.lo, output.hi);
      },
    },
  ],
};
