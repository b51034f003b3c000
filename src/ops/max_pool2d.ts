/**
 * max_pool2d: the greatest raw value of each window (spec/10-ops.md §4).
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import { poolCost, poolShape, WINDOW_FIELDS, type WindowAttrs } from './window.ts';

/** Definition of max_pool2d: x [N,H,W,C] → [N,OH,OW,C]; type and interval of x. */
export const max_pool2d: OpDef<WindowAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<WindowAttrs, readonly [x: 1]>({
  code: 16,
  since: 1,
  // max of the raw taps inside the image
  operands: [{ name: 'x', dtypes: ['i8', 'i16'] }],
  attrs: WINDOW_FIELDS,
  type: (c) => [{ dtype: c.in[0].dtype, shape: poolShape(c, c.in[0], c.a), zp: c.in[0].zp }],
  bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi }] }),
  cost: poolCost,
});
