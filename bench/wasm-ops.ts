/**
 * Speed of single wasm kernels: medians of nanoseconds an output element (a reduction: an input element), on one thread.
 * Usage: npx tsx bench/wasm-ops.ts [part of a name]
 * @module
 */
import { Builder } from '../src/backends/wasm/builder.ts';
import { call } from '../src/backends/wasm/call.ts';
import { codeFor } from '../src/backends/wasm/index.ts';
import { prepareNode } from '../src/backends/wasm/kernels.ts';
import { instantiate, PAGE } from '../src/backends/wasm/module.ts';
import { elementCount } from '../src/core/tensor.ts';
import type { OpName } from '../src/ops/index.ts';
import { agree, type Operand, planOf, Random } from '../test/backends/wasm-harness.ts';

const r = new Random(1);
const stage = { m: Int32Array.of(2 ** 22 + 1), l: 0, dtype: 'i8', zp: 3, lo: -128, hi: 127 };
const i8 = (...shape: readonly number[]): Operand => r.tensor('i8', shape);
const i16 = (...shape: readonly number[]): Operand => r.tensor('i16', shape);
const i32 = (...shape: readonly number[]): Operand => r.tensor('i32', shape, { lo: -60000, hi: 60000 });
const bool = (...shape: readonly number[]): Operand => r.tensor('bool', shape);
const double = { axis_y: [2 * 28, 28 - 56, 2 * 56], axis_x: [2 * 28, 28 - 56, 2 * 56], out: [56, 56] };
const output = { dtype: 'i8', zp: 0, lo: -128, hi: 127 };
const indices = r.tensor('i32', [512], { lo: 0, hi: 999 });

const CASES: readonly (readonly [
  name: string,
  op: OpName,
  operands: readonly Operand[],
  attrs: Record<string, unknown>,
])[] = [
  ['mul i8·i8', 'mul', [i8(28, 28, 64), i8(28, 28, 64)], { stage }],
  ['mul i8·i8 by channel', 'mul', [i8(28, 28, 64), i8(64)], { stage }],
  ['mul i16·i16 raw', 'mul', [i16(50176), i16(50176)], {}],
  ['min i8', 'min', [i8(50176), i8(50176)], {}],
  ['max i16', 'max', [i16(50176), i16(50176)], {}],
  ['max i32 with a scalar', 'max', [i32(50176), i32()], {}],
  ['compare i8', 'compare', [i8(50176), i8(50176)], { op: 'gt' }],
  ['compare i32', 'compare', [i32(50176), i32(50176)], { op: 'le' }],
  ['logical', 'logical', [bool(50176), bool(50176)], { op: 'xor' }],
  ['where i8', 'where', [bool(50176), i8(50176), i8(50176)], {}],
  ['where i32 with a scalar', 'where', [bool(50176), i32(50176), i32()], {}],
  ['linear2 i8', 'linear2', [i8(50176), i8(50176)], { ma: 3, mb: 5, s: 3, output }],
  ['linear2 i32', 'linear2', [i32(50176), i32(50176)], { ma: 3, mb: 5, s: 3, output }],
  ['reduce_mean H,W 7×7×1280', 'reduce_mean', [i8(1, 7, 7, 1280)], { axes: [1, 2], m1: 2 ** 30, l: 2, output }],
  ['reduce_sum last of 1024', 'reduce_sum', [i8(49, 1024)], { axes: [1] }],
  ['reduce_max first', 'reduce_max', [i8(49, 1024)], { axes: [0] }],
  ['reduce_max last i16', 'reduce_max', [i16(49, 1024)], { axes: [1] }],
  ['argmin last', 'argmin', [i8(49, 1024)], { axis: 1 }],
  ['gather rows of 64', 'gather', [i8(1000, 64), indices], {}],
  ['gather single bytes', 'gather', [i8(1000), indices], {}],
  ['expand channels', 'expand', [i8(28, 28, 1)], { shape: [28, 28, 64] }],
  ['tile rows', 'tile', [i8(28, 64)], { repeats: [28, 1] }],
  ['depth_to_space 2×2, 16 channels', 'depth_to_space', [i8(1, 28, 28, 64)], { block: 2 }],
  ['depth_to_space 2×2, 3 channels', 'depth_to_space', [i8(1, 56, 56, 12)], { block: 2 }],
  ['space_to_depth 2×2, 3 channels', 'space_to_depth', [i8(1, 112, 112, 3)], { block: 2 }],
  ['resize_nearest ×2, 16 channels', 'resize_nearest', [i8(1, 28, 28, 16)], double],
  ['resize_nearest ×2, 3 channels', 'resize_nearest', [i8(1, 28, 28, 3)], double],
  [
    'resize_bilinear ×2, i8, 16 channels',
    'resize_bilinear',
    [i8(1, 28, 28, 16)],
    { ...double, stage: { ...stage, m: Int32Array.of(4096) } },
  ],
  [
    'resize_bilinear ×2, i8, 3 channels',
    'resize_bilinear',
    [i8(1, 28, 28, 3)],
    { ...double, stage: { ...stage, m: Int32Array.of(4096) } },
  ],
  ['resize_bilinear ×2, i16, 16 channels', 'resize_bilinear', [i16(1, 28, 28, 16)], { ...double, stage }],
];

for (const [name, op, operands, attrs] of CASES.filter(([n]) => n.includes(process.argv[2] ?? ''))) {
  await agree(op, operands, attrs);
  const plan = planOf(op, operands, attrs);
  const b = new Builder(plan, true);
  const { modules, more } = await codeFor(plan);
  const { calls } = prepareNode(plan.nodes[0]!, b, more);
  const { base, area } = b.figures;
  const { memory, kernels } = instantiate(modules, Math.ceil((base + area) / PAGE), base);
  b.write(memory.buffer);
  operands.forEach((o, id) => {
    new Uint8Array(memory.buffer, b.at({ id }), o.data.byteLength).set(new Uint8Array(o.data.buffer));
  });
  const outputs = elementCount(plan.tensors[plan.outputs[0]!]!.shape);
  const count = Math.max(outputs, /^(reduce|arg)/.test(op) ? operands[0]!.data.length : 0);
  const times: number[] = [];
  for (let i = 0; i < 600; i++) {
    const start = performance.now();
    for (const c of calls) call(kernels, c, 0, c.units);
    if (i >= 200) times.push(performance.now() - start);
  }
  const median = times.sort((p, q) => p - q)[times.length >> 1]!;
  console.log(
    `${name.padEnd(38)} ${((median * 1e6) / count).toFixed(2).padStart(6)} ns ${(median * 1000).toFixed(1).padStart(8)} µs`,
  );
}
