import type { Reference } from '../define.ts';
import type { GatherAttrs, In } from '../gather.ts';

/** The one-element reference of gather. */
export const gatherSteps: Reference<GatherAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x, indices], a: { axis }, at }) {
        const rank = indices.shape.length;
        let k = 0;
        for (let d = 0; d < rank; d++) k += at[axis + d]! * indices.strides[d]!;
        let i = indices.data[k]! * x.strides[axis]!;
        for (let d = 0; d < x.shape.length; d++) if (d !== axis) i += at[d < axis ? d : d - 1 + rank]! * x.strides[d]!;
        return x.data[i]!;
      },
    },
  ],
};
