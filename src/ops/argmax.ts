/**
 * argmax: the index of the greatest value along an axis (spec/10-ops.md, "argmax").
 * @module
 */
import { addDim, least } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { checkAxis, counts, elements } from './rules.ts';

/** Attributes of argmax. The first of equal values wins, or with `select_last` the last. */
export interface ArgmaxAttrs {
  readonly axis: number;
  readonly select_last: boolean;
}

/** Definition of argmax: x → i32 indices, the axis removed. */
export const argmax: OpDef<ArgmaxAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<ArgmaxAttrs, readonly [x: 1]>({
  code: 22,
  since: 1,
  summary: 'first (select_last: last) index of the greatest value along axis',
  operands: [{ name: 'x', dtypes: ['i8', 'i16', 'i32'] }],
  attrs: {
    axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 },
    select_last: { kind: 'bool', tag: 2 },
  },
  type(c) {
    const { shape } = c.in[0];
    const { axis } = c.a;
    checkAxis(c, axis, shape.length);
    if (least(shape[axis]!, c.symbols) < 1)
      c.fail('BadShape', 'the axis of argmax is not empty', '≥ 1', least(shape[axis]!, c.symbols));
    return [{ dtype: 'i32', shape: shape.filter((_, i) => i !== axis), zp: 0 }];
  },
  bounds: (c) => ({ y: [{ lo: 0, hi: addDim(c.in[0].shape[c.a.axis]!, -1) }] }),
  cost: (c) => ({ counts: counts(['arg', elements(c, c.in[0])]) }),
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
          if (v > top || (select_last && v === top)) best = k;
        }
        return best;
      },
    },
  ],
});
