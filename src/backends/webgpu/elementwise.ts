/**
 * rescale, lut8, lut16, reshape (spec/10-ops.md §3, §6), and casts of scratch tensors.
 * @module
 */
import type { Stage } from '../../ops/define.ts';
import type { Builder, Place, Target } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

const RESCALE = /* @__PURE__ */ elementKernel(
  'rescale',
  'x: u32, x_size: u32, zx: i32, channels: Divisor, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32',
  `
fn element(i: u32) -> i32 {
  let channel: u32 = i - quotient(i, p.channels) * p.channels.n;
  let acc: u32 = bitcast<u32>(load(p.x, p.x_size, i) - p.zx);
  return stage(acc, constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi);
}`,
);

const CAST = /* @__PURE__ */ elementKernel(
  'cast',
  'x: u32, x_size: u32',
  'fn element(i: u32) -> i32 { return load(p.x, p.x_size, i); }',
);

const LUT8 = /* @__PURE__ */ elementKernel(
  'lut8',
  'x: u32, table: u32',
  'fn element(i: u32) -> i32 { return bitcast<i32>(constants[p.table + bitcast<u32>(load(p.x, 0u, i) + 128)]); }',
);

const LUT16 = /* @__PURE__ */ elementKernel(
  'lut16',
  'x: u32, table: u32, s: u32, zp: i32, lo: i32, hi: i32',
  'fn element(i: u32) -> i32 { return lut16(load(p.x, 1u, i), p.table, p.s, p.zp, p.lo, p.hi); }',
);

/** Where the multipliers of a stage are, and the step from one channel to the next. */
export function multipliers(b: Builder, m: Int32Array): { readonly m: number; readonly m_step: number } {
  return { m: b.constant(m), m_step: m.length === 1 ? 0 : 1 };
}

/** y = stage(x − zx), the channel being the index on the last axis, whose length is `channels`. */
export function stageOf(
  b: Builder,
  x: { readonly at: Place; readonly size: number; readonly zp: number },
  y: Target,
  channels: number,
  s: Stage,
): void {
  const { l, zp, lo, hi } = s;
  const own = { x: x.at, x_size: x.size, zx: x.zp, channels: divisor(channels), l, zp, lo, hi };
  b.elements(RESCALE, y, { ...own, ...multipliers(b, s.m) });
}

/** The integers of x in the storage of y. */
export function cast(b: Builder, x: { readonly at: Place; readonly size: number }, y: Target): void {
  b.elements(CAST, y, { x: x.at, x_size: x.size });
}

/** rescale: the stage of x'. */
export function rescale(s: Site<'rescale'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  stageOf(b, { at: b.at(x), size: x.size, zp: x.zp }, b.target(y), y.shape[y.shape.length - 1] ?? 1, s.attrs.stage);
  return RESCALE.name;
}

/** reshape: the same elements. */
export function reshape(s: Site<'reshape'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  cast(b, { at: b.at(x), size: x.size }, b.target(y));
  return 'copy';
}

/** lut8: 256 entries as words. */
export function lut8(s: Site<'lut8'>, b: Builder): string {
  const [x, table] = [s.in[0]!, s.in[1]!];
  b.elements(LUT8, b.target(s.out[0]!), { x: b.at(x), table: b.table(table.data!) });
  return LUT8.name;
}

/** lut16: 513 nodes as words. */
export function lut16(s: Site<'lut16'>, b: Builder): string {
  const [x, nodes] = [s.in[0]!, s.in[1]!];
  const { zp, lo, hi } = s.attrs.output;
  b.elements(LUT16, b.target(s.out[0]!), { x: b.at(x), table: b.table(nodes.data!), s: s.attrs.s, zp, lo, hi });
  return LUT16.name;
}
