/**
 * The one-element reference of reduce_max and reduce_min (spec/10-ops.md).
 * @module
 */
import { folded, type Reference } from '../define.ts';
import { type AxesAttrs, forEachReduced, reducedCount } from '../reduce.ts';

/* @__NO_SIDE_EFFECTS__ */
function extremumSteps(combine: 'max' | 'min'): Reference<AxesAttrs, readonly [x: 1]> {
  const choose = Math[combine];
  return {
    steps: [
      {
        name: 'y',
        output: 0,
        ...folded({
          combine,
          terms: reducedCount,
          part(c, from, to) {
            let best: number | undefined;
            forEachReduced(c, from, to, (v) => {
              best = best === undefined ? v : choose(best, v);
            });
            return best!;
          },
          finish: (_, best) => best,
        }),
      },
    ],
  };
}

/** The one-element reference of reduce_max. */
export const reduceMaxSteps: Reference<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ extremumSteps('max');

/** The one-element reference of reduce_min. */
export const reduceMinSteps: Reference<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ extremumSteps('min');
