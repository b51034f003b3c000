/**
 * rope (spec/10-ops.md §7).
 * @module
 */
import { SIN } from '../../core/sin.ts';
import type { Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

const ROPE = /* @__PURE__ */ elementKernel(
  'rope',
  'x: u32, x_size: u32, d: Divisor, rows: Divisor, pairs: Divisor, interleaved: u32, steps: u32, sines: u32, position: u32, position_at: u32, position_given: u32, m: u32, l: u32, zp: i32, lo: i32, hi: i32',
  `
fn sinq(phase: u32) -> i32 {
  var x: u32 = (phase >> 14u) & 65535u;
  if ((phase & 0x40000000u) != 0u) { x = 65536u - x; }
  let i: u32 = min(x >> 8u, 255u);
  let a: i32 = bitcast<i32>(constants[p.sines + i]);
  let b: i32 = bitcast<i32>(constants[p.sines + i + 1u]);
  let v: i32 = a + rsh((b - a) * bitcast<i32>(x - (i << 8u)), 8u);
  return select(v, -v, (phase >> 31u) == 1u);
}
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.d);
  let column: u32 = i - line * p.d.n;
  let own: i32 = load(p.x, p.x_size, i);
  var acc: i32 = own << 14u;
  if (column < 2u * p.pairs.n) {
    let which: u32 = quotient(column, p.pairs);
    let second: bool = select(which, column & 1u, p.interleaved == 1u) == 1u;
    let pair: u32 = select(column - which * p.pairs.n, column >> 1u, p.interleaved == 1u);
    let apart: u32 = select(p.pairs.n, 1u, p.interleaved == 1u);
    var position: u32 = p.position;
    if (p.position_given == 1u) { position = arena[p.position_at]; }
    let phase: u32 = (position + line - quotient(line, p.rows) * p.rows.n) * constants[p.steps + pair];
    let s: i32 = sinq(phase);
    let c: i32 = sinq(phase + 0x40000000u);
    if (second) { acc = load(p.x, p.x_size, i - apart) * s + own * c; }
    else { acc = own * c - load(p.x, p.x_size, i + apart) * s; }
  }
  return stage(bitcast<u32>(acc), p.m, p.l, p.zp, p.lo, p.hi);
}`,
);

/** rope: both of a pair by themselves. */
export function rope(s: Site<'rope'>, b: Builder): string {
  const [x, position] = [s.in[0]!, s.in[1]];
  const { step, interleaved, stage } = s.attrs;
  const [rows, d] = x.shape.slice(-2) as [number, number];
  const place = {
    position: s.attrs.position,
    position_at: position === undefined ? 0 : b.at(position),
    position_given: position !== undefined,
  };
  const tables = { steps: b.constant(step), sines: b.shared('SIN', () => Int32Array.from(SIN)) };
  const shape = { x: b.at(x), x_size: x.size, d: divisor(d), rows: divisor(rows), pairs: divisor(step.length) };
  const { l, zp, lo, hi } = stage;
  const end = { m: stage.m[0]!, l, zp, lo, hi };
  b.elements(ROPE, b.target(s.out[0]!), { ...shape, interleaved, ...tables, ...place, ...end }, 8);
  return `rope_i${8 << x.size}`;
}
