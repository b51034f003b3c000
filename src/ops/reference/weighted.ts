/**
 * The steps of the convolutions' one-element references (spec/10-ops.md).
 * @module
 */
import type { In } from '../conv2d.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import { staged } from '../rules.ts';

/** One step: the sum that `part` gives in pieces, a tap of the filter a term, with the bias and through the output stage. */
/* @__NO_SIDE_EFFECTS__ */
export function weighted<A>(
  part: (c: Cell<A, In>, from: number, to: number) => number,
  stage: (c: Cell<A, In>) => Parameters<typeof staged>[1],
): Reference<A, In> {
  return {
    steps: [
      {
        name: 'y',
        output: 0,
        ...folded({
          combine: 'sum',
          terms: (c) => c.in[1].strides[0]!,
          part,
          finish: (c, sum) => staged(sum + c.in[2].data[c.at[3]!]!, stage(c), c.at[3]!),
        }),
      },
    ],
  };
}
