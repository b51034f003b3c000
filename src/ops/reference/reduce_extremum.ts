/**
 * The one-element reference of reduce_max and reduce_min (spec/10-ops.md).
 * @module
 */
import type { Reference } from '../define.ts';
import { type AxesAttrs, forEachReduced } from '../reduce.ts';

/* @__NO_SIDE_EFFECTS__ */
function extremumSteps(choose: (p: number, q: number) => number): Reference<AxesAttrs, readonly [x: 1]> {
  return {
    steps: [
      {
        name: 'y',
        output: 0,
        element(c) {
          let best: number | undefined;
          forEachReduced(c, (v) => {
            best = best === undefined ? v : choose(best, v);
          });
          return best!;
        },
      },
    ],
  };
}

/** The one-element reference of reduce_max. */
export const reduceMaxSteps: Reference<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ extremumSteps(Math.max);

/** The one-element reference of reduce_min. */
export const reduceMinSteps: Reference<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ extremumSteps(Math.min);
