/**
 * lstm: a recurrent cell over time (spec/10-ops.md, "lstm").
 * @module
 */
import { charged } from '../core/cost.ts';
import { lut16 } from '../core/int.ts';
import { product, times } from '../core/poly.ts';
import { defineOp, type OpDef, type RuleContext, type Stage, type View } from './define.ts';
import { checkBias, constantData, macClass, proveRows, rowSums } from './linear.ts';
import { centred, checkMultipliers, checkOutput, counts, hull, staticDim, worst } from './rules.ts';

/** Attributes of lstm. Gate order i, f, g, o. `qh`: 7 for i8 hidden values, 15 for i16. */
export interface LstmAttrs {
  readonly mx: Int32Array;
  readonly lx: number;
  readonly mh: Int32Array;
  readonly lh: number;
  readonly kc: number;
  readonly qh: number;
  readonly lo: number;
  readonly hi: number;
  readonly reverse: boolean;
}

/** Operand slots. */
export type In = readonly [x: 1, wx: 1, wh: 1, b: 1, h0: 1, c0: 1, sigmoid: 1, tanh: 1, tanh_c: 1];

/** Operand slots. */
export const I16: readonly [number, number] = [-32768, 32767];

function checkShapes(c: RuleContext<LstmAttrs, In>): number {
  const [x, wx, wh, b, h0, c0, ...tables] = c.in;
  if (x.shape.length !== 3 || wx.shape.length !== 2 || wh.shape.length !== 2)
    c.fail(
      'BadShape',
      'x has rank 3, wx and wh rank 2',
      '3, 2, 2',
      `${x.shape.length}, ${wx.shape.length}, ${wh.shape.length}`,
    );
  const h = wh.shape[1] as number;
  if (h < 1 || h > 16777216 || wh.shape[0] !== 4 * h || wx.shape[0] !== 4 * h)
    c.fail('BadShape', 'wx is [4H,D] and wh [4H,H]', `[${4 * h},·]`, `${wx.shape[0]}, ${wh.shape[0]}`);
  const d = staticDim(c, x.shape[2]!, 'D');
  if (d !== wx.shape[1] || d > 16777216) c.fail('BadShape', 'the last axis of x is D', String(wx.shape[1]), d);
  if (b.shape.length !== 1 || b.shape[0] !== 4 * h)
    c.fail('BadShape', 'b has shape [4H]', `[${4 * h}]`, JSON.stringify(b.shape));
  for (const t of [h0, c0]) {
    const same = t.shape.length === 2 && JSON.stringify(t.shape[0]) === JSON.stringify(x.shape[1]) && t.shape[1] === h;
    if (!same)
      c.fail('BadShape', 'h0 and c0 have shape [N,H]', JSON.stringify([x.shape[1], h]), JSON.stringify(t.shape));
  }
  for (const t of tables)
    if (t.shape.length !== 1 || t.shape[0] !== 513)
      c.fail('BadShape', 'tables have 513 nodes', '[513]', JSON.stringify(t.shape));
  const sigmoid = constantData(tables[0]!);
  for (let i = 0; i < 513; i++)
    if (sigmoid[i]! < 0) c.fail('BadConstant', 'the sigmoid table is not negative', '≥ 0', sigmoid[i]!);
  return h;
}

/** Operand slots. */
export function table(x: number, t: View): number {
  return lut16(x, t.data, 7, 0, I16[0], I16[1]);
}

/** Definition of lstm: x [T,N,D], wx [4H,D], wh [4H,H], b [4H], h0 and c0 [N,H], three tables → h [T,N,H], last h, last c. */
export const lstm: OpDef<LstmAttrs, In> = /* @__PURE__ */ defineOp<LstmAttrs, In>({
  code: 42,
  since: 1,
  // gates p = clamp16(mulhr(ax·2^lx, mx) + mulhr(ah·2^lh, mh)); c = clamp16(rsh(f·c + rsh(i·g, kc), 15)); h = clamp(rsh(o·τc(c), 30 − qh), lo, hi)
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'] },
    { name: 'wx', dtypes: ['i8'], constant: true, symmetric: true },
    { name: 'wh', dtypes: ['i8'], constant: true, symmetric: true },
    { name: 'b', dtypes: ['i32'], constant: true },
    { name: 'h0', dtypes: ['i8', 'i16'] },
    { name: 'c0', dtypes: ['i16'] },
    { name: 'sigmoid', dtypes: ['i16'], constant: true },
    { name: 'tanh', dtypes: ['i16'], constant: true },
    { name: 'tanh_c', dtypes: ['i16'], constant: true },
  ],
  attrs: {
    mx: { kind: 'words', tag: 1, min: 0, max: 2147483647, maxLength: 16777216 },
    lx: { kind: 'int', tag: 2, min: 0, max: 24, default: 0 },
    mh: { kind: 'words', tag: 3, min: 0, max: 2147483647, maxLength: 16777216 },
    lh: { kind: 'int', tag: 4, min: 0, max: 24, default: 0 },
    kc: { kind: 'int', tag: 5, min: 0, max: 8, default: 0 },
    qh: { kind: 'int', tag: 6, min: 7, max: 15, default: 7 },
    lo: { kind: 'int', tag: 7, min: -32768, max: 32767 },
    hi: { kind: 'int', tag: 8, min: -32768, max: 32767 },
    reverse: { kind: 'bool', tag: 9 },
  },
  type(c) {
    const [x, , , b, h0] = c.in;
    const { mx, lx, mh, lh, qh, lo, hi } = c.a;
    const h = checkShapes(c);
    checkBias(c, b);
    checkMultipliers(c, mx, lx, 4 * h, 'mx');
    checkMultipliers(c, mh, lh, 4 * h, 'mh');
    if (qh !== 7 && qh !== 15) c.fail('BadAttribute', 'qh is 7 (h is i8) or 15 (h is i16)', '7 or 15', qh);
    const dtype = qh === 7 ? 'i8' : 'i16';
    checkOutput(c, { dtype, zp: 0, lo, hi });
    if (h0.dtype !== dtype || h0.zp !== 0)
      c.fail('BadType', 'h0 has the dtype of h and zero point 0', `${dtype} zp 0`, `${h0.dtype} zp ${h0.zp}`);
    const [t, n] = x.shape as [(typeof x.shape)[0] & {}, (typeof x.shape)[0] & {}];
    return [
      { dtype, shape: [t, n, h], zp: 0 },
      { dtype, shape: [n, h], zp: 0 },
      { dtype: 'i16', shape: [n, h], zp: 0 },
    ];
  },
  bounds(c) {
    const [x, wx, wh, b, h0] = c.in;
    const { mx, lx, mh, lh, lo, hi } = c.a;
    const rows = wx.shape[0] as number;
    const asStage = (m: Int32Array, l: number): Stage => ({ m, l, dtype: 'i16', zp: 0, lo: I16[0], hi: I16[1] });
    const ax = proveRows(c, rowSums(wx, rows), constantData(b), centred(c, x), asStage(mx, lx));
    const hidden = hull(hull(worst(c, h0), { lo, hi }), { lo: 0, hi: 0 });
    const ah = proveRows(c, rowSums(wh, rows), undefined, hidden, asStage(mh, lh));
    const bound = Math.max(ax.facts['bound']!, ah.facts['bound']!);
    return { y: [{ lo, hi }, hull({ lo, hi }, worst(c, h0)), { lo: I16[0], hi: I16[1] }], facts: { bound } };
  },
  cost(c) {
    const [x, wx, wh, , h0] = c.in;
    const [t, n] = [x.shape[0]!, x.shape[1]!];
    const steps = product([t, n], c.symbols);
    const rows = wx.shape[0] as number;
    const macs = (k: number) => times(steps, charged(rows, 8) * charged(k, 4));
    return {
      counts: counts(
        [macClass(x.dtype, 'i8'), macs(wx.shape[1] as number)],
        [macClass(h0.dtype, 'i8'), macs(wh.shape[1] as number)],
        ['cell', times(steps, rows)],
      ),
    };
  },
});
