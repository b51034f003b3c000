/**
 * argmax and argmin: the index of the extremum along an axis (spec/10-ops.md, "Reduce").
 * @module
 */
import { addDim, least } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { checkAxis, counts, elements, rows } from './rules.ts';

/** Attributes of argmax and argmin. The first of equal values wins, or with `select_last` the last. */
export interface ArgAttrs {
  readonly axis: number;
  readonly select_last: boolean;
}

/* @__NO_SIDE_EFFECTS__ */
function arg(code: number): OpDef<ArgAttrs, readonly [x: 1]> {
  return defineOp<ArgAttrs, readonly [x: 1]>({
    code,
    since: 1,
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
        c.fail('BadShape', 'the axis is not empty', '≥ 1', least(shape[axis]!, c.symbols));
      return [{ dtype: 'i32', shape: shape.filter((_, i) => i !== axis), zp: 0 }];
    },
    bounds: (c) => ({ y: [{ lo: 0, hi: addDim(c.in[0].shape[c.a.axis]!, -1) }] }),
    cost: (c) => ({ counts: counts(['arg', elements(c, c.in[0])], rows(c, c.out[0]!.shape, 1)) }),
  });
}

/** Definition of argmax: x → i32 indices of the greatest value, the axis removed. */
export const argmax: OpDef<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ arg(22);
/** Definition of argmin: x → i32 indices of the least value, the axis removed. */
export const argmin: OpDef<ArgAttrs, readonly [x: 1]> = /* @__PURE__ */ arg(23);
