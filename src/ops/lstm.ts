/**
 * lstm: a recurrent cell over time (spec/10-ops.md, "lstm").
 * @module
 */
import { charged } from '../core/cost.ts';
import { clamp, lut16, mulhr, rsh } from '../core/int.ts';
import { product, times } from '../core/poly.ts';
import { type Cell, defineOp, type OpDef, type Reference, type RuleContext, type Stage, type View } from './define.ts';
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

type In = readonly [x: 1, wx: 1, wh: 1, b: 1, h0: 1, c0: 1, sigmoid: 1, tanh: 1, tanh_c: 1];

const I16: readonly [number, number] = [-32768, 32767];

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

/** Σ over a row of weights times a vector at `start`. */
function dot(w: View, r: number, v: View, start: number): number {
  const n = w.shape[1]!;
  let acc = 0;
  for (let j = 0; j < n; j++) acc += w.data[r * n + j]! * (v.data[start + j]! - v.zp);
  return acc;
}

/** The tensor and offset that hold row n of the state before time t: the last step’s, or the initial state. */
function before(
  c: Cell<LstmAttrs, In>,
  sequence: View,
  initial: View,
  t: number,
  n: number,
): { v: View; start: number } {
  const [steps, batch, h] = [c.in[0].shape[0]!, c.in[4].shape[0]!, c.in[4].shape[1]!];
  const s = c.a.reverse ? t + 1 : t - 1;
  return s < 0 || s >= steps ? { v: initial, start: n * h } : { v: sequence, start: (s * batch + n) * h };
}

/** Row n of the state after the last step. */
function final(c: Cell<LstmAttrs, In>, sequence: View, initial: View): number {
  const [n, u] = c.at as [number, number];
  const steps = c.in[0].shape[0]!;
  const { v, start } = before(c, sequence, initial, c.a.reverse ? -1 : steps, n);
  return v.data[start + u]!;
}

function table(x: number, t: View): number {
  return lut16(x, t.data, 7, 0, I16[0], I16[1]);
}

function gate(c: Cell<LstmAttrs, In>, g: number): number {
  const [t, n, u] = c.at as [number, number, number];
  const [batch, h] = [c.in[4].shape[0]!, c.in[4].shape[1]!];
  return c.step['p']!.data[(t * batch + n) * 4 * h + g * h + u]!;
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

/** The one-element reference of lstm. */
export const lstmSteps: Reference<LstmAttrs, In> = {
  reversed: (a) => a.reverse,
  steps: [
    {
      name: 'p',
      scan: true,
      shape: (c) => [c.in[0].shape[0]!, c.in[0].shape[1]!, c.in[1].shape[0]!],
      element(c) {
        const [t, n, r] = c.at as [number, number, number];
        const [x, wx, wh, b, h0] = c.in;
        const { mx, lx, mh, lh } = c.a;
        const ax = b.data[r]! + dot(wx, r, x, (t * x.shape[1]! + n) * x.shape[2]!);
        const prev = before(c, c.out[0]!, h0, t, n);
        const ah = dot(wh, r, prev.v, prev.start);
        const pick = (m: Int32Array): number => (m.length === 1 ? m[0]! : m[r]!);
        return clamp(mulhr(ax << lx, pick(mx)) + mulhr(ah << lh, pick(mh)), I16[0], I16[1]);
      },
    },
    {
      name: 'c',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const [, , , , , c0, sigmoid, tanh] = c.in;
        const [i, f, g] = [table(gate(c, 0), sigmoid), table(gate(c, 1), sigmoid), table(gate(c, 2), tanh)];
        const prev = before(c, c.step['c']!, c0, t, n);
        return clamp(rsh(f * prev.v.data[prev.start + u]! + rsh(i * g, c.a.kc), 15), I16[0], I16[1]);
      },
    },
    {
      name: 'h',
      output: 0,
      scan: true,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const state = c.step['c']!;
        const [batch, h] = [c.in[4].shape[0]!, c.in[4].shape[1]!];
        const o = table(gate(c, 3), c.in[6]);
        const squashed = table(state.data[(t * batch + n) * h + u]!, c.in[8]);
        return clamp(rsh(o * squashed, 30 - c.a.qh), c.a.lo, c.a.hi);
      },
    },
    { name: 'last_h', output: 1, element: (c) => final(c, c.out[0]!, c.in[4]) },
    { name: 'last_c', output: 2, element: (c) => final(c, c.step['c']!, c.in[5]) },
  ],
};
