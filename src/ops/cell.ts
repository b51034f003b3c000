/**
 * What the recurrent cells share (spec/10-ops.md, "Sequence").
 * @module
 */
import { charged } from '../core/cost.ts';
import { sameDim } from '../core/dim.ts';
import { lut16 } from '../core/int.ts';
import { product, times } from '../core/poly.ts';
import type {
  AttrSchema,
  NodeCost,
  Operand,
  OutType,
  RuleContext,
  Slots,
  Stage,
  TensorType,
  TypedContext,
  View,
} from './define.ts';
import { checkBias, constantData, type LinearProof, macClass, proveRows, rowSums } from './linear.ts';
import { centred, checkMultipliers, checkOutput, counts, hull, type Range, staticDim, worst } from './rules.ts';

/** Attributes of a cell: multipliers of both accumulators, and the hidden values; `qh` is 7 for i8, 15 for i16. */
export interface CellAttrs {
  readonly mx: Int32Array;
  readonly lx: number;
  readonly mh: Int32Array;
  readonly lh: number;
  readonly qh: number;
  readonly lo: number;
  readonly hi: number;
  readonly reverse: boolean;
}

/** Operands of a cell by name. */
interface CellTypes {
  readonly x: TensorType;
  readonly wx: TensorType;
  readonly wh: TensorType;
  readonly b: TensorType;
  readonly h0: TensorType;
}

type Context = Pick<RuleContext<CellAttrs, Slots>, 'a' | 'symbols' | 'fail'>;

/** Limits of 16 bits. */
export const I16: readonly [number, number] = [-32768, 32767];

/** The operands that every cell begins with: x, weights and bias, and the first hidden values. */
export const CELL_OPERANDS: readonly Operand[] = [
  { name: 'x', dtypes: ['i8', 'i16'] },
  { name: 'wx', dtypes: ['i8'], constant: true, symmetric: true },
  { name: 'wh', dtypes: ['i8'], constant: true, symmetric: true },
  { name: 'b', dtypes: ['i32'], constant: true },
  { name: 'h0', dtypes: ['i8', 'i16'] },
];

/** A table of 513 nodes. */
export function tableOperand(name: string): Operand {
  return { name, dtypes: ['i16'], constant: true };
}

/** The attribute fields mx, lx, mh and lh on tags 1 to 4. */
export const CELL_FIELDS: Pick<AttrSchema<CellAttrs>, 'mx' | 'lx' | 'mh' | 'lh'> = {
  mx: { kind: 'words', tag: 1, min: 0, max: 2147483647, maxLength: 16777216 },
  lx: { kind: 'int', tag: 2, min: 0, max: 24, default: 0 },
  mh: { kind: 'words', tag: 3, min: 0, max: 2147483647, maxLength: 16777216 },
  lh: { kind: 'int', tag: 4, min: 0, max: 24, default: 0 },
};

/** The attribute fields qh, lo, hi and reverse from tag `tag` on. */
/* @__NO_SIDE_EFFECTS__ */
export function hiddenFields(tag: number): Pick<AttrSchema<CellAttrs>, 'qh' | 'lo' | 'hi' | 'reverse'> {
  return {
    qh: { kind: 'int', tag, min: 7, max: 15, default: 7 },
    lo: { kind: 'int', tag: tag + 1, min: -32768, max: 32767 },
    hi: { kind: 'int', tag: tag + 2, min: -32768, max: 32767 },
    reverse: { kind: 'bool', tag: tag + 3 },
  };
}

/** Checks a state of shape [N,H]. */
function checkState(c: Context, x: TensorType, t: TensorType, h: number): void {
  if (t.shape.length !== 2 || !sameDim(t.shape[0]!, x.shape[1]!) || t.shape[1] !== h)
    c.fail('BadShape', 'a state has shape [N,H]', JSON.stringify([x.shape[1], h]), JSON.stringify(t.shape));
}

/** Type of the cell’s sequence and states: checks operands of `gates`·H rows, the states [N,H], and the tables, sigmoid first. */
export function cellType(
  c: Context,
  { x, wx, wh, b, h0 }: CellTypes,
  gates: number,
  states: readonly TensorType[],
  tables: readonly TensorType[],
): { readonly sequence: OutType; readonly state: OutType } {
  const { mx, lx, mh, lh, qh, lo, hi } = c.a;
  if (x.shape.length !== 3 || wx.shape.length !== 2 || wh.shape.length !== 2)
    c.fail(
      'BadShape',
      'x has rank 3, wx and wh rank 2',
      '3, 2, 2',
      `${x.shape.length}, ${wx.shape.length}, ${wh.shape.length}`,
    );
  const h = wh.shape[1] as number;
  const rows = gates * h;
  if (h < 1 || h > 16777216 || wh.shape[0] !== rows || wx.shape[0] !== rows)
    c.fail('BadShape', `wx is [${gates}H,D] and wh [${gates}H,H]`, `[${rows},·]`, `${wx.shape[0]}, ${wh.shape[0]}`);
  const d = staticDim(c as never, x.shape[2]!, 'D');
  if (d !== wx.shape[1] || d > 16777216) c.fail('BadShape', 'the last axis of x is D', String(wx.shape[1]), d);
  if (b.shape.length !== 1 || b.shape[0] !== rows)
    c.fail('BadShape', `b has shape [${gates}H]`, `[${rows}]`, JSON.stringify(b.shape));
  for (const t of [h0, ...states]) checkState(c, x, t, h);
  for (const t of tables)
    if (t.shape.length !== 1 || t.shape[0] !== 513)
      c.fail('BadShape', 'tables have 513 nodes', '[513]', JSON.stringify(t.shape));
  const sigmoid = constantData(tables[0]!);
  for (let i = 0; i < 513; i++)
    if (sigmoid[i]! < 0) c.fail('BadConstant', 'the sigmoid table is not negative', '≥ 0', sigmoid[i]!);
  checkBias(c, b);
  checkMultipliers(c, mx, lx, rows, 'mx');
  checkMultipliers(c, mh, lh, rows, 'mh');
  if (qh !== 7 && qh !== 15) c.fail('BadAttribute', 'qh is 7 (h is i8) or 15 (h is i16)', '7 or 15', qh);
  const dtype = qh === 7 ? 'i8' : 'i16';
  checkOutput(c, { dtype, zp: 0, lo, hi });
  if (h0.dtype !== dtype || h0.zp !== 0)
    c.fail('BadType', 'h0 has the dtype of h and zero point 0', `${dtype} zp 0`, `${h0.dtype} zp ${h0.zp}`);
  const n = x.shape[1]!;
  return { sequence: { dtype, shape: [x.shape[0]!, n, h], zp: 0 }, state: { dtype, shape: [n, h], zp: 0 } };
}

/** Proves both accumulators, the recurrent one with a bias where it has one. Intervals of h and of the last h; the greater bound. */
export function cellBounds(
  c: Context,
  { x, wx, wh, b, h0 }: CellTypes,
  recurrentBias?: ArrayLike<number>,
): { readonly h: Range; readonly last: Range; readonly bound: number } {
  const { mx, lx, mh, lh, lo, hi } = c.a;
  const rows = wx.shape[0] as number;
  const asStage = (m: Int32Array, l: number): Stage => ({ m, l, dtype: 'i16', zp: 0, lo: I16[0], hi: I16[1] });
  const prove = (w: TensorType, bias: ArrayLike<number> | undefined, tap: Range, stage: Stage): LinearProof =>
    proveRows(c, rowSums(w, rows), bias, tap, stage);
  const ax = prove(wx, constantData(b), centred(c, x), asStage(mx, lx));
  const last = hull({ lo, hi }, worst(c, h0));
  const ah = prove(wh, recurrentBias, hull(last, { lo: 0, hi: 0 }), asStage(mh, lh));
  return { h: { lo, hi }, last, bound: Math.max(ax.facts['bound']!, ah.facts['bound']!) };
}

/** Cost of a cell: both products of each step, and `cell` for every row. */
export function cellCost(c: Pick<TypedContext<CellAttrs, Slots>, 'symbols'>, { x, wx, wh, h0 }: CellTypes): NodeCost {
  const steps = product([x.shape[0]!, x.shape[1]!], c.symbols);
  const rows = wx.shape[0] as number;
  const macs = (k: number) => times(steps, charged(rows, 8) * charged(k, 4));
  return {
    counts: counts(
      [macClass(x.dtype, 'i8'), macs(wx.shape[1] as number)],
      [macClass(h0.dtype, 'i8'), macs(wh.shape[1] as number)],
      ['cell', times(steps, rows)],
      ['row', product([x.shape[0]!, 14], c.symbols)],
    ),
  };
}

/** A table read at x. */
export function table(x: number, t: View): number {
  return lut16(x, t.data, 7, 0, I16[0], I16[1]);
}
