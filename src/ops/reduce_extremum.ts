/**
 * reduce_max and reduce_min: the extremum of raw integers over axes (spec/10-ops.md, "Reduce").
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import { MOVABLE } from './move.ts';
import { AXES, type AxesAttrs, reduceCost, reducedShape } from './reduce.ts';

/* @__NO_SIDE_EFFECTS__ */
function reduceExtremum(code: number): OpDef<AxesAttrs, readonly [x: 1]> {
  return defineOp<AxesAttrs, readonly [x: 1]>({
    code,
    since: 1,
    operands: [{ name: 'x', dtypes: MOVABLE }],
    attrs: { axes: AXES },
    type: (c) => [{ dtype: c.in[0].dtype, shape: reducedShape(c, true), zp: c.in[0].zp }],
    bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi }] }),
    cost: reduceCost,
  });
}

/** Definition of reduce_max: x → the greatest raw integer over the axes, which are removed. */
export const reduce_max: OpDef<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ reduceExtremum(20);
/** Definition of reduce_min: x → the least raw integer over the axes, which are removed. */
export const reduce_min: OpDef<AxesAttrs, readonly [x: 1]> = /* @__PURE__ */ reduceExtremum(21);
