/**
 * The one-element reference of where (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { NoAttrs } from '../extremum.ts';
import type { In } from '../where.ts';

/** The one-element reference of where. */
export const whereSteps: Reference<NoAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [condition, a, b], at }) => broadcastAt(broadcastAt(condition, at) === 1 ? a : b, at),
    },
  ],
};
