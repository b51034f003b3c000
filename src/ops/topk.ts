/**
 * topk: the first k of a line in order (spec/10-ops.md, "topk").
 * @module
 */

import { addDim, least } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { checkAxis, counts, orderCost, rows } from './rules.ts';

/** Attributes of topk. Greater values come first, or with `smallest` lesser ones; of equal ones that of the lesser index. */
export interface TopkAttrs {
  readonly axis: number;
  readonly k: number;
  readonly smallest: boolean;
}

/** Definition of topk: x → the first k values along the axis, and their i32 indices. */
export const topk: OpDef<TopkAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<TopkAttrs, readonly [x: 1]>({
  code: 24,
  since: 1,
  // output j is the i with j elements before it: greater (smallest: lesser) ones, and equal ones of a lesser index
  operands: [{ name: 'x', dtypes: ['i8', 'i16', 'i32'] }],
  attrs: {
    axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 },
    k: { kind: 'int', tag: 2, min: 1, max: 1073741824 },
    smallest: { kind: 'bool', tag: 3 },
  },
  type(c) {
    const { dtype, shape, zp } = c.in[0];
    const { axis, k } = c.a;
    checkAxis(c, axis, shape.length);
    if (least(shape[axis]!, c.symbols) < k)
      c.fail('BadShape', 'the axis has at least k elements', `≥ ${k}`, least(shape[axis]!, c.symbols));
    const out = shape.map((d, i) => (i === axis ? k : d));
    return [
      { dtype, shape: out, zp },
      { dtype: 'i32', shape: out, zp: 0 },
    ];
  },
  bounds: (c) => ({
    y: [c.in[0], { lo: 0, hi: addDim(c.in[0].shape[c.a.axis]!, -1) }].map(({ lo, hi }) => ({ lo, hi })),
  }),
  cost(c) {
    const lines = c.in[0].shape.filter((_, i) => i !== c.a.axis);
    return { counts: counts(orderCost(c, lines, c.in[0].shape[c.a.axis]!, c.a.k), rows(c, lines, 1)) };
  },
});
