/**
 * gather: slices of x picked by index along an axis (spec/10-ops.md, "Move").
 * @module
 */
import { addDim, least } from '../core/dim.ts';
import { add, times } from '../core/poly.ts';
import { byteLength } from '../core/tensor.ts';
import { defineOp, type OpDef } from './define.ts';
import { MOVABLE, moveCost } from './move.ts';
import { checkAxis, elements, rows } from './rules.ts';

/** Attributes of gather. */
export interface GatherAttrs {
  readonly axis: number;
}

/** Operand slots. */
export type In = readonly [x: 1, indices: 1];

/** Definition of gather: x, indices i32 proved inside the axis → x.shape[:axis] ++ indices.shape ++ x.shape[axis+1:]. */
export const gather: OpDef<GatherAttrs, In> = /* @__PURE__ */ defineOp<GatherAttrs, In>({
  code: 35,
  since: 1,
  // x[…, indices, …] along axis; the interval of the indices is proved within 0…n−1
  operands: [
    { name: 'x', dtypes: MOVABLE },
    { name: 'indices', dtypes: ['i32'] },
  ],
  attrs: { axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 } },
  type(c) {
    const [x, indices] = c.in;
    const { axis } = c.a;
    checkAxis(c, axis, x.shape.length);
    const room = addDim(addDim(x.shape[axis]!, indices.hi, -1), -1);
    if (least(indices.lo, c.symbols) < 0)
      c.fail('IndexRange', 'an index may lie below 0', '≥ 0', least(indices.lo, c.symbols));
    if (least(room, c.symbols) < 0)
      c.fail('IndexRange', 'an index may lie behind the axis', '≥ 0 left', least(room, c.symbols));
    return [
      { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], zp: x.zp },
    ];
  },
  bounds(c) {
    const [x] = c.in;
    return { y: [{ lo: x.lo, hi: x.hi, rowSum: c.a.axis === x.shape.length - 1 ? undefined : x.rowSum }] };
  },
  cost(c) {
    const [x, indices] = c.in;
    const axis = c.a.axis + indices.shape.length - 1;
    const bytes = add(times(elements(c, c.out[0]!), 2 * byteLength(x.dtype, 1)), times(elements(c, indices), 4));
    return { ...moveCost(c, c.out[0]!, { axis, share: 1 }, rows(c, c.out[0]!.shape.slice(0, axis + 1), 2)), bytes };
  },
});
