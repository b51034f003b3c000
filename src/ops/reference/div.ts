/**
 * The one-element reference of div (spec/10-ops.md).
 * @module
 */
import { clamp, roundDiv } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import type { DivAttrs } from '../div.ts';
import { broadcastAt } from '../elementwise.ts';

/** The one-element reference of div. */
export const divSteps: Reference<DivAttrs, readonly [a: 1, b: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [a, b], a: { p, q, output: o }, at }) {
        const n = (broadcastAt(a, at) - a.zp) * p;
        const d = (broadcastAt(b, at) - b.zp) * q;
        if (d === 0 && n !== 0) return n > 0 ? o.hi : o.lo;
        const quotient = d === 0 ? 0 : d < 0 ? roundDiv(-n, -d) : roundDiv(n, d);
        return clamp(o.zp + quotient, o.lo, o.hi);
      },
    },
  ],
};
