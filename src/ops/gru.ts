/**
 * gru: a gated recurrent unit over time (spec/10-ops.md, "gru").
 * @module
 */
import {
  CELL_FIELDS,
  CELL_OPERANDS,
  type CellAttrs,
  cellBounds,
  cellCost,
  cellType,
  hiddenFields,
  tableOperand,
} from './cell.ts';
import { defineOp, type OpDef } from './define.ts';
import { checkBias, constantData } from './linear.ts';

/** Operand slots. */
export type In = readonly [x: 1, wx: 1, wh: 1, b: 1, h0: 1, sigmoid: 1, tanh: 1, bh?: 1];

/**
 * Definition of gru: x [T,N,D], wx [3H,D], wh [3H,H], b [3H], h0 [N,H], two tables, bh [H]? → h [T,N,H], last h. Gate order z,
 * r, n; with bh the reset comes behind the recurrent product of n, without before it.
 */
export const gru: OpDef<CellAttrs, In> = /* @__PURE__ */ defineOp<CellAttrs, In>({
  code: 43,
  since: 1,
  // z, r = σ(p); n = τ(pn); h = clamp(rsh((32768 − z)·n + z·h·2^(15 − qh), 30 − qh), lo, hi)
  operands: [
    ...CELL_OPERANDS,
    tableOperand('sigmoid'),
    tableOperand('tanh'),
    { name: 'bh', dtypes: ['i32'], constant: true, optional: true },
  ],
  attrs: { ...CELL_FIELDS, ...hiddenFields(5) },
  type(c) {
    const [x, wx, wh, b, h0, sigmoid, tanh, bh] = c.in;
    const { sequence, state } = cellType(c, { x, wx, wh, b, h0 }, 3, [], [sigmoid, tanh]);
    if (bh !== undefined) {
      if (bh.shape.length !== 1 || bh.shape[0] !== wh.shape[1])
        c.fail('BadShape', 'bh has shape [H]', `[${wh.shape[1]}]`, JSON.stringify(bh.shape));
      checkBias(c, bh);
    }
    return [sequence, state];
  },
  bounds(c) {
    const [x, wx, wh, b, h0, , , bh] = c.in;
    const rows = wx.shape[0] as number;
    const own = new Int32Array(rows);
    if (bh !== undefined) own.set(constantData(bh) as Int32Array, rows - (wh.shape[1] as number));
    const { h, last, bound } = cellBounds(c, { x, wx, wh, b, h0 }, own);
    return { y: [h, last], facts: { bound } };
  },
  cost(c) {
    const [x, wx, wh, b, h0] = c.in;
    return cellCost(c, { x, wx, wh, b, h0 });
  },
});
