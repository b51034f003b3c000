/**
 * lstm: the input side as one product over all steps, then two dispatches a step (spec/10-ops.md §7).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { cast } from './elementwise.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { matrix, type Product, product } from './linear.ts';

/** p[n, r] of one step; ax and h in i32 words. */
const GATES = /* @__PURE__ */ elementKernel(
  'lstm_gates',
  'ax: u32, h: u32, weights: u32, hidden: u32, rows: Divisor, mx: u32, mx_step: u32, lx: u32, mh: u32, mh_step: u32, lh: u32',
  `
fn element(i: u32) -> i32 {
  let n: u32 = quotient(i, p.rows);
  let r: u32 = i - n * p.rows.n;
  var acc: i32 = 0;
  for (var k: u32 = 0u; k < p.hidden; k++) {
    let at: u32 = r * p.hidden + k;
    acc += part(constants[p.weights + (at >> 2u)], 0u, at) * bitcast<i32>(arena[p.h + n * p.hidden + k]);
  }
  let left: i32 = mulhr(bitcast<i32>(arena[p.ax + i] << p.lx), bitcast<i32>(constants[p.mx + r * p.mx_step]));
  let right: i32 = mulhr(bitcast<i32>(bitcast<u32>(acc) << p.lh), bitcast<i32>(constants[p.mh + r * p.mh_step]));
  return clamp(left + right, -32768, 32767);
}`,
);

const CELL_FIELDS =
  'gates: u32, c: u32, units: Divisor, sigmoid: u32, tanh: u32, tanh_c: u32, kc: u32, qh: u32, lo: i32, hi: i32';
/** c[n, u] of one step from the gates and c before. */
const CELL = /* @__PURE__ */ elementKernel(
  'lstm_cell',
  CELL_FIELDS,
  `
fn gate(i: u32, g: u32, table: u32) -> i32 {
  let at: u32 = i + 3u * quotient(i, p.units) * p.units.n + g * p.units.n;
  return lut16(bitcast<i32>(arena[p.gates + at]), table, 7u, 0, -32768, 32767);
}
fn element(i: u32) -> i32 {
  let kept: i32 = gate(i, 1u, p.sigmoid) * bitcast<i32>(arena[p.c + i]);
  return clamp(rsh(kept + rsh(gate(i, 0u, p.sigmoid) * gate(i, 2u, p.tanh), p.kc), 15u), -32768, 32767);
}`,
);

/** h[n, u] of one step from its gates and c. */
const HIDDEN = /* @__PURE__ */ elementKernel(
  'lstm_hidden',
  CELL_FIELDS,
  `
fn element(i: u32) -> i32 {
  let at: u32 = i + 3u * quotient(i, p.units) * p.units.n + 3u * p.units.n;
  let o: i32 = lut16(bitcast<i32>(arena[p.gates + at]), p.sigmoid, 7u, 0, -32768, 32767);
  let c: i32 = lut16(bitcast<i32>(arena[p.c + i]), p.tanh_c, 7u, 0, -32768, 32767);
  return clamp(rsh(o * c, 30u - p.qh), p.lo, p.hi);
}`,
);

/** States as i32 words in scratch, so that a step's part of a sequence begins at a word; packed at the end. */
export function lstmBy(product: Product, s: Site<'lstm'>, b: Builder): string {
  const [x, wx, wh, bias, h0, c0] = s.in as readonly Arg[] as readonly [Arg, Arg, Arg, Arg, Arg, Arg];
  const [y, lastH, lastC] = s.out as readonly [Arg, Arg, Arg];
  const { mx, lx, mh, lh, kc, qh, lo, hi, reverse } = s.attrs;
  const [steps, batch, d] = x.shape as readonly [number, number, number];
  const units = wh.shape[1]!;
  const [rows, state] = [4 * units, batch * units];
  const words = (count: number) => ({ at: b.scratch(count), size: 2, count });
  const [ax, gates, cells, h, first, before] = [
    words(steps * batch * rows),
    words(batch * rows),
    words(state),
    words(steps * state),
    words(state),
    words(state),
  ];
  if (state > 0) {
    cast(b, { at: b.at(h0), size: h0.size }, first);
    cast(b, { at: b.at(c0), size: c0.size }, cells);
  }
  if (ax.count > 0) {
    const at = (_: number, column: number, __: number, i: number): number => wx.data![column * d + i]!;
    const left = matrix({ at: b.at(x), size: x.size, zp: x.zp }, steps * batch, d);
    const end = { y: ax, ld: rows, bias: bias.data as Int32Array, stage: undefined };
    product(b, left, { count: rows, at, narrow: true }, [{ x: 0, b: 0, y: 0 }], end);
  }
  const scale = { mx: b.constant(mx), mx_step: mx.length > 1, lx, mh: b.constant(mh), mh_step: mh.length > 1, lh };
  const gateFields = { weights: b.constant(wh.data!), hidden: units, rows: divisor(rows), ...scale };
  const [sigmoid, tanh, tanh_c] = s.in.slice(6).map((t) => b.table(t!.data!)) as [number, number, number];
  const cellFields = { gates: gates.at, units: divisor(units), sigmoid, tanh, tanh_c, kc, qh, lo, hi };
  let [last, own, other] = [first.at, cells, before];
  for (let k = 0; k < steps && state > 0; k++) {
    const t = reverse ? steps - 1 - k : k;
    b.elements(GATES, gates, { ...gateFields, ax: ax.at.plus(t * batch * rows), h: last }, units);
    b.elements(CELL, other, { ...cellFields, c: own.at });
    last = h.at.plus(t * state);
    b.elements(HIDDEN, { at: last, size: 2, count: state }, { ...cellFields, c: other.at });
    [own, other] = [other, own];
  }
  cast(b, h, b.target(y));
  cast(b, { at: last, size: 2 }, b.target(lastH));
  cast(b, own, b.target(lastC));
  return `lstm_i${8 << x.size}_${floorDiv(qh, 8) === 0 ? 'i8' : 'i16'}`;
}

/** lstm, its input side by tiles. */
export const lstm = (s: Site<'lstm'>, b: Builder): string => lstmBy(product, s, b);
