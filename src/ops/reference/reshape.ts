import type { Reference } from '../define.ts';
import type { ReshapeAttrs } from '../reshape.ts';
import { stridesOf } from '../rules.ts';

/** The one-element reference of reshape. */
export const reshapeSteps: Reference<ReshapeAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x], out, at }) {
        const strides = stridesOf(out[0]!.shape);
        return x.data[at.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
      },
    },
  ],
};
