/**
 * lstm: a recurrent cell over time (spec/10-ops.md, "lstm").
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
  I16,
  tableOperand,
} from './cell.ts';
import { defineOp, type OpDef } from './define.ts';

/** Attributes of lstm. Gate order i, f, g, o; kc is the shift of i·g. */
export interface LstmAttrs extends CellAttrs {
  readonly kc: number;
}

/** Operand slots. */
export type In = readonly [x: 1, wx: 1, wh: 1, b: 1, h0: 1, c0: 1, sigmoid: 1, tanh: 1, tanh_c: 1];

/** Definition of lstm: x [T,N,D], wx [4H,D], wh [4H,H], b [4H], h0 and c0 [N,H], three tables → h [T,N,H], last h, last c. */
export const lstm: OpDef<LstmAttrs, In> = /* @__PURE__ */ defineOp<LstmAttrs, In>({
  code: 42,
  since: 1,
  // gates p = clamp16(mulhr(ax·2^lx, mx) + mulhr(ah·2^lh, mh)); c = clamp16(rsh(f·c + rsh(i·g, kc), 15)); h = clamp(rsh(o·τc(c), 30 − qh), lo, hi)
  operands: [
    ...CELL_OPERANDS,
    { name: 'c0', dtypes: ['i16'] },
    tableOperand('sigmoid'),
    tableOperand('tanh'),
    tableOperand('tanh_c'),
  ],
  attrs: { ...CELL_FIELDS, kc: { kind: 'int', tag: 5, min: 0, max: 8, default: 0 }, ...hiddenFields(6) },
  type(c) {
    const [x, wx, wh, b, h0, c0, ...tables] = c.in;
    const { sequence, state } = cellType(c, { x, wx, wh, b, h0 }, 4, [c0], tables);
    return [sequence, state, { ...state, dtype: 'i16' }];
  },
  bounds(c) {
    const [x, wx, wh, b, h0] = c.in;
    const { h, last, bound } = cellBounds(c, { x, wx, wh, b, h0 });
    return { y: [h, last, { lo: I16[0], hi: I16[1] }], facts: { bound } };
  },
  cost(c) {
    const [x, wx, wh, b, h0] = c.in;
    return cellCost(c, { x, wx, wh, b, h0 });
  },
});
