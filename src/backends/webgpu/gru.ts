/**
 * gru: the input side as one product over all steps, then three dispatches a step (spec/10-ops.md §7).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { cast } from './elementwise.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { matrix, type Product, product } from './linear.ts';

/** ax, h and the intermediates lie in i32 words. */
const FIELDS =
  'ax: u32, h: u32, gates: u32, terms: u32, weights: u32, bias: u32, after: u32, width: Divisor, units: u32, mx: u32, mx_step: u32, lx: u32, mh: u32, mh_step: u32, lh: u32, sigmoid: u32, tanh: u32, qh: u32, lo: i32, hi: i32';
const SHARED = `
// Σ of weight row r times row n of the words at v
fn recurrent(r: u32, v: u32, n: u32) -> u32 {
  var acc: u32 = 0u;
  for (var k: u32 = 0u; k < p.units; k++) {
    let at: u32 = r * p.units + k;
    acc += bitcast<u32>(part(constants[p.weights + (at >> 2u)], 0u, at)) * arena[v + n * p.units + k];
  }
  return acc;
}
fn left(n: u32, r: u32) -> i32 {
  return mulhr(bitcast<i32>(arena[p.ax + n * 3u * p.units + r] << p.lx), bitcast<i32>(constants[p.mx + r * p.mx_step]));
}
fn right(acc: u32, r: u32) -> i32 {
  return mulhr(bitcast<i32>(acc << p.lh), bitcast<i32>(constants[p.mh + r * p.mh_step]));
}
fn clamp16(v: i32) -> i32 { return clamp(v, -32768, 32767); }
fn gate(n: u32, r: u32) -> i32 {
  return lut16(bitcast<i32>(arena[p.gates + n * 2u * p.units + r]), p.sigmoid, 7u, 0, -32768, 32767);
}`;

/** Pre-activations of z and r [N,2H]. */
const GATES = /* @__PURE__ */ elementKernel(
  'gru_gates',
  FIELDS,
  `${SHARED}
fn element(i: u32) -> i32 {
  let n: u32 = quotient(i, p.width);
  let r: u32 = i - n * p.width.n;
  return clamp16(left(n, r) + right(recurrent(r, p.h, n), r));
}`,
);

/** What the reset meets [N,H]: the recurrent term of n, or h. */
const TERMS = /* @__PURE__ */ elementKernel(
  'gru_terms',
  FIELDS,
  `${SHARED}
fn element(i: u32) -> i32 {
  let n: u32 = quotient(i, p.width);
  let u: u32 = i - n * p.width.n;
  if (p.after == 0u) { return rsh(gate(n, p.units + u) * bitcast<i32>(arena[p.h + i]), 15u); }
  let r: u32 = 2u * p.units + u;
  return clamp16(right(recurrent(r, p.h, n) + constants[p.bias + u], r));
}`,
);

/** h [N,H]. */
const HIDDEN = /* @__PURE__ */ elementKernel(
  'gru_hidden',
  FIELDS,
  `${SHARED}
fn element(i: u32) -> i32 {
  let n: u32 = quotient(i, p.width);
  let u: u32 = i - n * p.width.n;
  let r: u32 = 2u * p.units + u;
  var reset: i32 = 0;
  if (p.after == 1u) { reset = rsh(gate(n, p.units + u) * bitcast<i32>(arena[p.terms + i]), 15u); }
  else { reset = right(recurrent(r, p.terms, n), r); }
  let fresh: i32 = lut16(clamp16(left(n, r) + reset), p.tanh, 7u, 0, -32768, 32767);
  let z: i32 = gate(n, u);
  let kept: i32 = z * bitcast<i32>(arena[p.h + i] << (15u - p.qh));
  return clamp(rsh((32768 - z) * fresh + kept, 30u - p.qh), p.lo, p.hi);
}`,
);

/** States as i32 words in scratch, so that a step's part of a sequence begins at a word; packed at the end. */
export function gruBy(product: Product, s: Site<'gru'>, b: Builder): string {
  const [x, wx, wh, bias, h0, sigmoid, tanh, bh] = s.in as readonly Arg[] as readonly [
    Arg,
    Arg,
    Arg,
    Arg,
    Arg,
    Arg,
    Arg,
    Arg?,
  ];
  const [y, lastH] = s.out as readonly [Arg, Arg];
  const { mx, lx, mh, lh, qh, lo, hi, reverse } = s.attrs;
  const [steps, batch, d] = x.shape as readonly [number, number, number];
  const units = wh.shape[1]!;
  const [rows, state] = [3 * units, batch * units];
  const words = (count: number) => ({ at: b.scratch(count), size: 2, count });
  const [ax, gates, terms, h, first] = [
    words(steps * batch * rows),
    words(2 * state),
    words(state),
    words(steps * state),
    words(state),
  ];
  if (state > 0) cast(b, { at: b.at(h0), size: h0.size }, first);
  if (ax.count > 0) {
    const at = (_: number, column: number, __: number, i: number): number => wx.data![column * d + i]!;
    const left = matrix({ at: b.at(x), size: x.size, zp: x.zp }, steps * batch, d);
    const end = { y: ax, ld: rows, bias: bias.data as Int32Array, stage: undefined };
    product(b, left, { count: rows, at, narrow: true }, [{ x: 0, b: 0, y: 0 }], end);
  }
  const own = {
    ...{ gates: gates.at, terms: terms.at, weights: b.constant(wh.data!), units },
    ...{ bias: bh === undefined ? 0 : b.constant(bh.data!), after: bh !== undefined },
    ...{ mx: b.constant(mx), mx_step: mx.length > 1, lx, mh: b.constant(mh), mh_step: mh.length > 1, lh },
    ...{ sigmoid: b.table(sigmoid.data!), tanh: b.table(tanh.data!), qh, lo, hi },
  };
  let last = first.at;
  for (let k = 0; k < steps && state > 0; k++) {
    const t = reverse ? steps - 1 - k : k;
    const step = { ...own, ax: ax.at.plus(t * batch * rows), h: last };
    b.elements(GATES, gates, { ...step, width: divisor(2 * units) }, units);
    b.elements(TERMS, terms, { ...step, width: divisor(units) }, units);
    last = h.at.plus(t * state);
    b.elements(HIDDEN, { at: last, size: 2, count: state }, { ...step, width: divisor(units) }, units);
  }
  cast(b, h, b.target(y));
  cast(b, { at: last, size: 2 }, b.target(lastH));
  return `gru_i${8 << x.size}_${floorDiv(qh, 8) === 0 ? 'i8' : 'i16'}`;
}

/** gru, its input side by tiles. */
export const gru = (s: Site<'gru'>, b: Builder): string => gruBy(product, s, b);
