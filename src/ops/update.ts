/**
 * update: rows of a tensor replaced at a position (spec/10-ops.md, "update").
 * @module
 */

import { addDim, least, sameDim } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { MOVABLE, moveCost } from './move.ts';
import { checkAxis, elements, hull, worst } from './rules.ts';

/** Attributes of update. */
export interface UpdateAttrs {
  readonly axis: number;
}

/** Operand slots. */
export type In = readonly [x: 1, rows: 1, position: 1];

/** Definition of update: x with its rows from `position` on along the axis replaced by `rows`. */
export const update: OpDef<UpdateAttrs, In> = /* @__PURE__ */ defineOp<UpdateAttrs, In>({
  code: 47,
  since: 1,
  // rows[k − position] for position ≤ k < position + n, else x[k], k the index on the axis; position proved in range
  operands: [
    { name: 'x', dtypes: MOVABLE },
    { name: 'rows', dtypes: MOVABLE },
    { name: 'position', dtypes: ['i32'] },
  ],
  attrs: { axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 } },
  type(c) {
    const [x, rows, position] = c.in;
    const { axis } = c.a;
    checkAxis(c, axis, x.shape.length);
    if (x.dtype !== rows.dtype || x.zp !== rows.zp)
      c.fail('BadType', 'x and rows have one type', `${x.dtype} zp ${x.zp}`, `${rows.dtype} zp ${rows.zp}`);
    if (rows.shape.length !== x.shape.length || !x.shape.every((d, i) => i === axis || sameDim(d, rows.shape[i]!)))
      c.fail('BadShape', 'x and rows differ on the axis only', JSON.stringify(x.shape), JSON.stringify(rows.shape));
    if (position.shape.length !== 1 || position.shape[0] !== 1)
      c.fail('BadShape', 'position has shape [1]', '[1]', JSON.stringify(position.shape));
    const low = least(position.lo, c.symbols);
    if (low < 0) c.fail('IndexRange', 'a position can be negative', '≥ 0', low);
    const room = least(addDim(addDim(x.shape[axis]!, rows.shape[axis]!, -1), position.hi, -1), c.symbols);
    if (room < 0) c.fail('IndexRange', 'rows can reach behind the end', '≥ 0 left', room);
    return [{ dtype: x.dtype, shape: x.shape, zp: x.zp }];
  },
  bounds: (c) => ({ y: [hull(worst(c, c.in[0]), worst(c, c.in[1]))] }),
  cost(c) {
    const [x, rows] = c.in;
    const changed = { axis: c.a.axis, share: least(rows.shape[c.a.axis]!, c.symbols) };
    return moveCost(c, rows, changed, ['move', elements(c, x)]);
  },
});
