import type { Reference } from '../define.ts';
import type { In, SliceAttrs } from '../slice.ts';

/** The one-element reference of slice. */
export const sliceSteps: Reference<SliceAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [x], a: { start, step }, at }) =>
        x.data[at.reduce((sum, i, axis) => sum + (start[axis]! + step[axis]! * i) * x.strides[axis]!, 0)]!,
    },
  ],
};
