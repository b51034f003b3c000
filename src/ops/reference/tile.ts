import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';
import type { TileAttrs } from '../tile.ts';

/** The one-element reference of tile. */
export const tileSteps: Reference<TileAttrs, readonly [x: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element: ({ in: [x], at }) =>
        elementAt(
          x,
          at.map((i, d) => i % x.shape[d]!),
        ),
    },
  ],
};
