/**
 * The one-element reference of topk (spec/10-ops.md).
 * @module
 */
import { assert } from '../../core/errors.ts';
import type { Cell, Reference } from '../define.ts';
import type { TopkAttrs } from '../topk.ts';
import { ranked } from './line.ts';

type TopkCell = Cell<TopkAttrs, readonly [x: 1]>;

/** Flat index of the first element of the cell's line. */
function start({ in: [x], a: { axis }, at }: TopkCell): number {
  return x.strides.reduce((sum, stride, d) => (d === axis ? sum : sum + at[d]! * stride), 0);
}

/** True if element i of a line comes before element j. */
function precedes(c: TopkCell, first: number, i: number, j: number): boolean {
  const { data, strides } = c.in[0];
  const [p, q] = [data[first + i * strides[c.a.axis]!]!, data[first + j * strides[c.a.axis]!]!];
  return p === q ? i < j : c.a.smallest ? p < q : p > q;
}

/** The one-element reference of topk: an index follows from the one before it. */
export const topkSteps: Reference<TopkAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'indices',
      output: 1,
      element(c) {
        const {
          out,
          in: [x],
          a: { axis },
          at,
        } = c;
        const first = start(c);
        const y = out[1]!;
        const here = at.reduce((sum, v, d) => sum + v * y.strides[d]!, 0);
        const before = at[axis] === 0 ? -1 : y.data[here - y.strides[axis]!]!;
        let best = -1;
        for (let i = 0; i < x.shape[axis]!; i++) {
          if (before >= 0 && !precedes(c, first, before, i)) continue;
          if (best < 0 || precedes(c, first, i, best)) best = i;
        }
        assert(best >= 0, 'k exceeds a line');
        return best;
      },
      check: ranked((c) => {
        const { axis } = c.a;
        const first = start(c);
        return { n: c.in[0].shape[axis]!, rank: c.at[axis]!, precedes: (i, j) => precedes(c, first, i, j) };
      }),
    },
    {
      name: 'values',
      output: 0,
      element(c) {
        const {
          out,
          in: [x],
          a: { axis },
          at,
        } = c;
        const here = at.reduce((sum, v, d) => sum + v * out[1]!.strides[d]!, 0);
        return x.data[start(c) + out[1]!.data[here]! * x.strides[axis]!]!;
      },
    },
  ],
};
