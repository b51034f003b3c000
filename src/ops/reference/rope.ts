/**
 * The one-element reference of rope (spec/10-ops.md).
 * @module
 */
import { cosq, sinq } from '../../core/sin.ts';
import type { Reference } from '../define.ts';
import { offsetAt } from '../elementwise.ts';
import type { In, RopeAttrs } from '../rope.ts';
import { staged } from '../rules.ts';

/** The one-element reference of rope. */
export const ropeSteps: Reference<RopeAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x, position], a: { step, interleaved, stage, ...a }, at }) {
        const [s, column] = [at[at.length - 2]!, at[at.length - 1]!];
        const here = offsetAt(x, at);
        const pairs = step.length;
        if (column >= 2 * pairs) return staged(x.data[here]! * 16384, stage, 0);
        const pair = interleaved ? column >> 1 : column % pairs;
        const second = interleaved ? (column & 1) === 1 : column >= pairs;
        const apart = interleaved ? 1 : pairs;
        const first = position === undefined ? a.position : position.data[0]!;
        const phase = Math.imul(first + s, step[pair]!) >>> 0;
        const [x1, x2] = second ? [x.data[here - apart]!, x.data[here]!] : [x.data[here]!, x.data[here + apart]!];
        const acc = second ? x1 * sinq(phase) + x2 * cosq(phase) : x1 * cosq(phase) - x2 * sinq(phase);
        return staged(acc, stage, 0);
      },
    },
  ],
};
