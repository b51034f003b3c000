/**
 * The one-element reference of min and max (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { In, NoAttrs } from '../extremum.ts';

/* @__NO_SIDE_EFFECTS__ */
function extremumSteps(choose: (p: number, q: number) => number): Reference<NoAttrs, In> {
  return {
    steps: [{ name: 'y', output: 0, element: ({ in: [a, b], at }) => choose(broadcastAt(a, at), broadcastAt(b, at)) }],
  };
}

/** The one-element reference of min. */
export const minSteps: Reference<NoAttrs, In> = /* @__PURE__ */ extremumSteps(Math.min);

/** The one-element reference of max. */
export const maxSteps: Reference<NoAttrs, In> = /* @__PURE__ */ extremumSteps(Math.max);
