import type { ArgAttrs } from '../arg.ts';
import type { Cell, Reference } from '../define.ts';
import { type Line, ranked } from './line.ts';

type ArgCell = Cell<ArgAttrs, readonly [x: 1]>;

/** The cell's line, in which the element that comes first is the one that is looked for. */
function lineOf({ in: [x], a: { axis, select_last }, at }: ArgCell, beats: (p: number, q: number) => boolean): Line {
  let first = 0;
  for (let d = 0; d < x.shape.length; d++) if (d !== axis) first += at[d < axis ? d : d - 1]! * x.strides[d]!;
  const value = (i: number): number => x.data[first + i * x.strides[axis]!]!;
  const precedes = (i: number, j: number): boolean => {
    const [p, q] = [value(i), value(j)];
    return p === q ? i < j !== select_last : beats(p, q);
  };
  return { n: x.shape[axis]!, rank: 0, precedes };
}

/* @__NO_SIDE_EFFECTS__ */
function argSteps(beats: (p: number, q: number) => boolean): Reference<ArgAttrs, readonly [x: 1]> {
  return {
    steps: [
      {
        name: 'y',
        output: 0,
        element(c) {
          const { n, precedes } = lineOf(c, beats);
          let best = 0;
          for (let k = 1; k < n; k++) if (precedes(k, best)) best = k;
          return best;
        },
        check: ranked((c) => lineOf(c, beats)),
      },
    ],
  };
}

/** The one-element reference of argmax. */
export const argmaxSteps: Reference<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ argSteps((p, q) => p > q);

/** The one-element reference of argmin. */
export const argminSteps: Reference<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ argSteps((p, q) => p < q);
