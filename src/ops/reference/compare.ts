import type { CompareAttrs, In } from '../compare.ts';
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';

const RESULT: Readonly<Record<string, (p: number, q: number) => boolean>> = {
  lt: (p, q) => p < q,
  le: (p, q) => p <= q,
  gt: (p, q) => p > q,
  ge: (p, q) => p >= q,
  eq: (p, q) => p === q,
  ne: (p, q) => p !== q,
};

/** The one-element reference of compare. */
export const compareSteps: Reference<CompareAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [a, b], a: { op, ma, mb }, at }) {
        return Number(RESULT[op]!((broadcastAt(a, at) - a.zp) * ma, (broadcastAt(b, at) - b.zp) * mb));
      },
    },
  ],
};
