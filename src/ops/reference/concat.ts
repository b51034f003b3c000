import type { ConcatAttrs } from '../concat.ts';
import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';

/** The one-element reference of concat. */
export const concatSteps: Reference<ConcatAttrs, readonly 1[]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: inputs, a: { axis }, at }) {
        let k = at[axis]!;
        let i = 0;
        for (; k >= inputs[i]!.shape[axis]!; i++) k -= inputs[i]!.shape[axis]!;
        return elementAt(
          inputs[i]!,
          at.map((v, d) => (d === axis ? k : v)),
        );
      },
    },
  ],
};
