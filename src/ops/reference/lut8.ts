import type { Reference } from '../define.ts';
import { elementAt } from '../elementwise.ts';
import type { Lut8Attrs } from '../lut8.ts';

/** The one-element reference of lut8. */
export const lut8Steps: Reference<Lut8Attrs, readonly [x: 1, table: 1]> = {
  steps: [{ name: 'y', output: 0, element: ({ in: [x, table], at }) => table.data[elementAt(x, at) + 128]! }],
};
