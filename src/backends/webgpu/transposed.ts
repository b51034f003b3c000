/**
 * conv_transpose2d: one product a phase of the outputs, and a pass that puts them in their places (spec/10-ops.md §2).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type Phase, phasesOf, weightsAt } from '../phases.ts';
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { multipliers } from './elementwise.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { type Product, product, type Rows, source } from './linear.ts';

/** Most phases that are products of their own. */
const PHASES = 64;

const END = 'bias: u32, raw: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32';
const FINISH = `
fn finish(acc: u32, o: u32) -> i32 {
  if (p.raw == 1u) { return bitcast<i32>(acc); }
  return stage(acc, constants[p.m + o * p.m_step], p.l, p.zp, p.lo, p.hi);
}`;

/**
 * Outputs from the sums of their phases. `rows` and `columns` hold, of each remainder, one more than the number of its phase (0: none)
 * and its extent; `sums` where the sums of a phase are.
 */
const SPREAD = /* @__PURE__ */ elementKernel(
  'conv_transpose',
  `o: Divisor, ow: Divisor, oh: Divisor, sh: Divisor, sw: Divisor, rows: u32, columns: u32, wide: u32, sums: u32, area: u32, ${END}`,
  `${FINISH}
fn element(i: u32) -> i32 {
  let pixel: u32 = quotient(i, p.o);
  let o: u32 = i - pixel * p.o.n;
  let line: u32 = quotient(pixel, p.ow);
  let ox: u32 = pixel - line * p.ow.n;
  let image: u32 = quotient(line, p.oh);
  let oy: u32 = line - image * p.oh.n;
  let y: u32 = quotient(oy, p.sh);
  let x: u32 = quotient(ox, p.sw);
  let row: u32 = p.rows + 2u * (oy - y * p.sh.n);
  let column: u32 = p.columns + 2u * (ox - x * p.sw.n);
  if (constants[row] == 0u || constants[column] == 0u) { return finish(constants[p.bias + o], o); }
  let sums: u32 = p.area + constants[p.sums + (constants[row] - 1u) * p.wide + constants[column] - 1u];
  let at: u32 = ((image * constants[row + 1u] + y) * constants[column + 1u] + x) * p.o.n + o;
  return finish(arena[sums + at], o);
}`,
);

const DIRECT = /* @__PURE__ */ elementKernel(
  'conv_transpose_direct',
  `x: u32, x_size: u32, zx: i32, o: Divisor, ow: Divisor, oh: Divisor, og: Divisor, sh: Divisor, sw: Divisor, h: u32, w: u32, c: u32, cg: u32, kh: u32, kw: u32, dh: u32, dw: u32, pt: u32, pl: u32, weights: u32, ${END}`,
  `${FINISH}
fn element(i: u32) -> i32 {
  let pixel: u32 = quotient(i, p.o);
  let o: u32 = i - pixel * p.o.n;
  let line: u32 = quotient(pixel, p.ow);
  let image: u32 = quotient(line, p.oh);
  let top: u32 = line - image * p.oh.n + p.pt;
  let left: u32 = pixel - line * p.ow.n + p.pl;
  var acc: u32 = constants[p.bias + o];
  for (var ky: u32 = 0u; ky < p.kh; ky++) {
    if (ky * p.dh > top) { break; }
    let y: u32 = quotient(top - ky * p.dh, p.sh);
    if (y * p.sh.n != top - ky * p.dh || y >= p.h) { continue; }
    for (var kx: u32 = 0u; kx < p.kw; kx++) {
      if (kx * p.dw > left) { break; }
      let x: u32 = quotient(left - kx * p.dw, p.sw);
      if (x * p.sw.n != left - kx * p.dw || x >= p.w) { continue; }
      let pixel_at: u32 = ((image * p.h + y) * p.w + x) * p.c + quotient(o, p.og) * p.cg;
      let at: u32 = ((o * p.kh + ky) * p.kw + kx) * p.cg;
      for (var j: u32 = 0u; j < p.cg; j++) {
        let w: i32 = part(constants[p.weights + ((at + j) >> 2u)], 0u, at + j);
        acc += bitcast<u32>((load(p.x, p.x_size, pixel_at + j) - p.zx) * w);
      }
    }
  }
  return finish(acc, o);
}`,
);

/** Of each remainder by the stride: one more than the number of its phase, 0 without one, and its extent. */
function places(phases: readonly Phase[], stride: number, out: number): Int32Array {
  const table = new Int32Array(2 * Math.min(stride, out));
  phases.forEach((p, i) => {
    table.set([i + 1, p.count], 2 * p.first);
  });
  return table;
}

/** A node with its operands by name, its phases, and what its two kernels share. */
function parts(s: Site<'conv_transpose2d'>, b: Builder) {
  const [x, w, bias] = s.in as readonly Arg[] as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { strides, dilations, pads, stage } = s.attrs;
  const [, oh, ow, o] = y.shape as readonly [number, number, number, number];
  const [, kh, kw] = w.shape as readonly [number, number, number];
  const [sh, sw] = strides as readonly [number, number];
  const { l, zp, lo, hi } = stage ?? { l: 0, zp: 0, lo: 0, hi: 0 };
  const scale = stage === undefined ? { m: 0, m_step: 0 } : multipliers(b, stage.m);
  return {
    ...{ x, w, bias, y },
    rows: phasesOf(kh, sh, dilations[0]!, pads[0]!, oh),
    columns: phasesOf(kw, sw, dilations[1]!, pads[1]!, ow),
    fields: {
      ...{ o: divisor(o), ow: divisor(ow), oh: divisor(oh), sh: divisor(sh), sw: divisor(sw) },
      ...{ bias: b.constant(bias.data!), raw: stage === undefined, ...scale, l, zp, lo, hi },
    },
  };
}

/** Every output by itself. */
function direct(s: Site<'conv_transpose2d'>, b: Builder, { x, w, y, fields }: ReturnType<typeof parts>): string {
  const { strides, dilations, pads, groups } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const [, h, width, c] = x.shape as readonly [number, number, number, number];
  const window = { kh, kw, dh: dilations[0]!, dw: dilations[1]!, pt: pads[0]!, pl: pads[1]! };
  const own = { x: b.at(x), x_size: x.size, zx: x.zp, h, w: width, c, cg, og: divisor(floorDiv(o, groups)) };
  const met = kh + kw + floorDiv(kh * kw * cg, strides[0]! * strides[1]!);
  b.elements(DIRECT, b.target(y), { ...fields, ...window, ...own, weights: b.constant(w.data!) }, met);
  return DIRECT.name;
}

/** conv_transpose2d: products of phases; depthwise, or with very many phases, every output by itself. */
export function convTransposeBy(product: Product, s: Site<'conv_transpose2d'>, b: Builder): string {
  const own = parts(s, b);
  const { x, w, bias, y, rows, columns, fields } = own;
  const { strides, groups } = s.attrs;
  const [n, oh, ow, o] = y.shape as readonly [number, number, number, number];
  const [, h, width, channels] = x.shape as readonly [number, number, number, number];
  const cg = w.shape[3]!;
  const og = floorDiv(o, groups);
  if (rows.length * columns.length > PHASES || (cg === 1 && og === 1)) return direct(s, b, own);
  const [tall, wide] = [rows, columns].map((list) => list.reduce((sum, p) => sum + p.count, 0)) as [number, number];
  const area = b.scratch(n * tall * wide * o);
  const sums: number[] = [];
  let at = 0;
  for (const r of rows) {
    for (const c of columns) {
      const weights = weightsAt(w, r.taps, c.taps);
      const taps = r.taps.length * c.taps.length;
      const left: Rows = {
        ...{ x: source(b, x), count: n * r.count * c.count, channels, own: cg },
        ...{ image: [h, width], out: [r.count, c.count], kernel: [r.taps.length, c.taps.length] },
        ...{ strides: [1, 1], dilations: [r.dilation, c.dilation], pads: [r.pad, c.pad, 0, 0] },
      };
      const weight = (g: number, column: number, tap: number, i: number): number =>
        weights[((g * og + column) * taps + tap) * cg + i]!;
      const groupsAt = Array.from({ length: groups }, (_, g) => ({ x: g * cg, b: 0, y: g * og }));
      const to = { at: area.plus(at), size: 2, count: left.count * o };
      const end = { y: to, ld: o, bias: bias.data as Int32Array, stage: undefined };
      product(b, left, { count: og, at: weight, narrow: true }, groupsAt, end);
      sums.push(at);
      at += to.count;
    }
  }
  const tables = {
    rows: b.table(places(rows, strides[0]!, oh)),
    columns: b.table(places(columns, strides[1]!, ow)),
    sums: b.table(sums),
  };
  b.elements(SPREAD, b.target(y), { ...fields, ...tables, wide: columns.length, area }, 4);
  return SPREAD.name;
}

/** conv_transpose2d: products of phases by tiles. */
export const conv_transpose2d = (s: Site<'conv_transpose2d'>, b: Builder): string => convTransposeBy(product, s, b);
