import type { ArgAttrs } from '../arg.ts';
import type { Reference } from '../define.ts';

/* @__NO_SIDE_EFFECTS__ */
function argSteps(beats: (v: number, best: number) => boolean): Reference<ArgAttrs, readonly [x: 1]> {
  return {
    steps: [
      {
        name: 'y',
        output: 0,
        element({ in: [x], a: { axis, select_last }, at }) {
          let i = 0;
          for (let d = 0; d < x.shape.length; d++) if (d !== axis) i += at[d < axis ? d : d - 1]! * x.strides[d]!;
          let best = 0;
          for (let k = 1; k < x.shape[axis]!; k++) {
            const [v, top] = [x.data[i + k * x.strides[axis]!]!, x.data[i + best * x.strides[axis]!]!];
            if (beats(v, top) || (select_last && v === top)) best = k;
          }
          return best;
        },
      },
    ],
  };
}

/** The one-element reference of argmax. */
export const argmaxSteps: Reference<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ argSteps((v, best) => v > best);

/** The one-element reference of argmin. */
export const argminSteps: Reference<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ argSteps((v, best) => v < best);
