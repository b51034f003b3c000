/**
 * The one-element reference of logical (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { In, LogicalAttrs } from '../logical.ts';

const RESULT: Readonly<Record<string, (p: number, q: number) => number>> = {
  and: (p, q) => p & q,
  or: (p, q) => p | q,
  xor: (p, q) => p ^ q,
  not: (p) => 1 - p,
};

/** The one-element reference of logical. */
export const logicalSteps: Reference<LogicalAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [a, b], a: { op }, at }) =>
        RESULT[op]!(broadcastAt(a, at), b === undefined ? 0 : broadcastAt(b, at)),
    },
  ],
};
