/**
 * The one-element reference of mul (spec/10-ops.md).
 * @module
 */
import { stage as outputStage } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { MulAttrs } from '../mul.ts';

/** The one-element reference of mul. */
export const mulSteps: Reference<MulAttrs, readonly [a: 1, b: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [a, b], a: { stage: s }, at }) {
        const acc = (broadcastAt(a, at) - a.zp) * (broadcastAt(b, at) - b.zp) + 0;
        return s === undefined ? acc : outputStage(acc, s.m[0]!, s.l, s.zp, s.lo, s.hi);
      },
    },
  ],
};
