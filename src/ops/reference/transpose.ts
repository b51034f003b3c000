/**
 * The one-element reference of transpose (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import type { TransposeAttrs } from '../transpose.ts';

/** The one-element reference of transpose. */
export const transposeSteps: Reference<TransposeAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [x], a: { perm }, at }) => x.data[perm.reduce((sum, p, i) => sum + at[i]! * x.strides[p]!, 0)]!,
    },
  ],
};
