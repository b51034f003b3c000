import type { Reference } from '../define.ts';
import { broadcastAt } from '../elementwise.ts';
import type { ExpandAttrs } from '../expand.ts';

/** The one-element reference of expand. */
export const expandSteps: Reference<ExpandAttrs, readonly [x: 1]> = {
  steps: [{ name: 'y', output: 0, element: ({ in: [x], at }) => broadcastAt(x, at) }],
};
