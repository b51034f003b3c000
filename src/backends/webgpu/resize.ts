/**
 * resize_nearest and resize_bilinear: source positions as tables of the output coordinates (spec/10-ops.md §6).
 * @module
 */
import { source } from '../../ops/reference/resize.ts';
import type { Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

const IMAGE = 'x: u32, x_size: u32, h: u32, w: u32, c: Divisor, ow: Divisor, oh: Divisor, rows: u32, columns: u32';
const POSITION = `
  let pixel: u32 = quotient(i, p.c);
  let channel: u32 = i - pixel * p.c.n;
  let line: u32 = quotient(pixel, p.ow);
  let image: u32 = quotient(line, p.oh);
  let oy: u32 = line - image * p.oh.n;
  let ox: u32 = pixel - line * p.ow.n;`;

const NEAREST = /* @__PURE__ */ elementKernel(
  'resize_nearest',
  IMAGE,
  `
fn element(i: u32) -> i32 {${POSITION}
  let at: u32 = (image * p.h + constants[p.rows + oy]) * p.w + constants[p.columns + ox];
  return load(p.x, p.x_size, at * p.c.n + channel);
}`,
);

/** A table row: both source indices, and the weight of the second in Q(q). */
const BILINEAR = /* @__PURE__ */ elementKernel(
  'resize_bilinear',
  `${IMAGE}, zx: i32, one: i32, s1: u32, m: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${POSITION}
  let y: u32 = p.rows + 3u * oy;
  let x: u32 = p.columns + 3u * ox;
  let wy: i32 = bitcast<i32>(constants[y + 2u]);
  let wx: i32 = bitcast<i32>(constants[x + 2u]);
  var column: array<i32, 2>;
  for (var k: u32 = 0u; k < 2u; k++) {
    let ix: u32 = constants[x + k];
    let top: i32 = load(p.x, p.x_size, ((image * p.h + constants[y]) * p.w + ix) * p.c.n + channel) - p.zx;
    let low: i32 = load(p.x, p.x_size, ((image * p.h + constants[y + 1u]) * p.w + ix) * p.c.n + channel) - p.zx;
    column[k] = rsh(top * (p.one - wy) + low * wy, p.s1);
  }
  return stage(bitcast<u32>(column[0] * (p.one - wx) + column[1] * wx), p.m, p.l, p.zp, p.lo, p.hi);
}`,
);

/** Fields of an image of another size; `row` gives the table row of an output coordinate. */
function imageOf(
  s: Pick<Site<'resize_nearest'>, 'in' | 'out' | 'attrs'>,
  b: Builder,
  row: (axis: readonly number[], o: number, extent: number) => readonly number[],
) {
  const x = s.in[0]!;
  const [, h, w, c] = x.shape as readonly [number, number, number, number];
  const [oh, ow] = s.attrs.out as readonly [number, number];
  const table = (axis: readonly number[], count: number, extent: number): number =>
    b.table(Array.from({ length: count }, (_, o) => row(axis, o, extent)).flat());
  const tables = { rows: table(s.attrs.axis_y, oh, h), columns: table(s.attrs.axis_x, ow, w) };
  return { x: b.at(x), x_size: x.size, h, w, c: divisor(c), ow: divisor(ow), oh: divisor(oh), ...tables };
}

/** resize_nearest: the position floored and clamped. */
export function resize_nearest(s: Site<'resize_nearest'>, b: Builder): string {
  const row = (axis: readonly number[], o: number, extent: number): readonly number[] => [
    source(axis, o, extent, 0).i0,
  ];
  b.elements(NEAREST, b.target(s.out[0]!), imageOf(s, b, row));
  return NEAREST.name;
}

/** resize_bilinear: rows, then columns. */
export function resize_bilinear(s: Site<'resize_bilinear'>, b: Builder): string {
  const { q, s1 } = s.facts as { readonly q: number; readonly s1: number };
  const { l, m, zp, lo, hi } = s.attrs.stage;
  const row = (axis: readonly number[], o: number, extent: number): readonly number[] => {
    const { i0, i1, w } = source(axis, o, extent, q);
    return [i0, i1, w];
  };
  const own = { zx: s.in[0]!.zp, one: 2 ** q, s1, m: m[0]!, l, zp, lo, hi };
  b.elements(BILINEAR, b.target(s.out[0]!), { ...imageOf(s, b, row), ...own }, 4);
  return BILINEAR.name;
}
