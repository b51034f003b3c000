/**
 * argmin (spec/10-ops.md §4).
 * @module
 */
import type { Builder } from '../builder.ts';
import type { Prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { arg } from '../rows.ts';

/** argmin: the index of the least value. */
export const argmin: (s: Site<'argmin'>, b: Builder) => Prepared = /* @__PURE__ */ arg('argmin', -1);
