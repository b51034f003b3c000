import { clamp } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';
import type { PadAttrs } from '../pad.ts';

/** The one-element reference of pad. */
export const padSteps: Reference<PadAttrs, readonly [x: 1, value?: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x, value], a: { before, mode }, at }) {
        const inside = at.map((v, i) => v - before[i]!);
        if (mode === 'constant' && inside.some((k, i) => k < 0 || k >= x.shape[i]!)) {
          return value!.shape.length === 0 ? value!.data[0]! : value!.data[at[at.length - 1]!]!;
        }
        const nearest = inside.map((k, i) => {
          const last = x.shape[i]! - 1;
          return mode === 'reflect' ? (k < 0 ? -k : k > last ? 2 * last - k : k) : clamp(k, 0, last);
        });
        return elementAt(x, nearest);
      },
    },
  ],
};
