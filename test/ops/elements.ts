/**
 * Turns the element, row and image vectors of test/golden/ops into whole nodes: one adapter a file.
 * @module
 */
import type { DType } from '../../src/core/tensor.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Vector } from '../golden.ts';
import { cell, gruCell, gruSequence, type Known, sequence, TABLES } from './elements-cells.ts';
import { nms, rope, ropeRows, sample, sampleFacts, topk, update } from './elements-rest.ts';
import type { NodeCase, Tensor } from './node.ts';
import {
  constant,
  flat,
  image,
  type Json,
  type Nested,
  nested,
  operand,
  output,
  ranged,
  type Shaped,
  shapeOf,
  stage,
} from './operands.ts';

function conv(a: Json, i: Json, op: OpName = 'conv2d'): NodeCase {
  const { strides, pads, dilations, groups, output_padding } = a;
  const more = op === 'conv2d' ? {} : { output_padding };
  const attrs = { strides, pads, dilations, groups, ...more, ...('m' in a ? { stage: stage(a) } : {}) };
  const w = i.w as Nested;
  return {
    op,
    attrs,
    operands: [image(i.x, a.zx), constant('i8', shapeOf(w), flat(w)), constant('i32', [flat(i.b).length], flat(i.b))],
  };
}

function dense(a: Json, i: Json): NodeCase {
  const [x, b, u] = [i.x as Nested, flat(i.b), i.u as Nested | null];
  const block = a.block as number;
  const k = shapeOf(x).at(-1)!;
  const scales =
    u === null
      ? []
      : [
          constant(
            'i8',
            [b.length, Math.ceil(k / block)],
            flat(u).map((v) => v - 128),
            -128,
          ),
        ];
  const attrs = { block, ...('m' in a ? { stage: stage(a) } : {}) };
  return {
    op: 'dense',
    attrs,
    operands: [
      nested(x, a.zx),
      constant(block > 0 ? 'i4' : 'i8', [b.length, k], flat(i.w)),
      constant('i32', [b.length], b),
      ...scales,
    ],
  };
}

function pool(op: 'avg_pool2d' | 'max_pool2d', a: Json, i: Json): NodeCase {
  const { kernel, strides, dilations, pads, overhang } = a;
  const window = { kernel, strides, dilations, pads, overhang };
  const attrs =
    op === 'max_pool2d'
      ? window
      : { ...window, include_pad: Boolean(a.include_pad), m1: a.m1, l: a.l, output: output(a) };
  return { op, attrs, operands: [image(i.x, (a.zx ?? 0) as number)] };
}

function softmax(a: Json, i: Json): NodeCase {
  const x = nested(i.x as Nested);
  const mask = (i.keep ?? i.mask ?? null) as Nested | null;
  const causal = Boolean(a.causal ?? false);
  const out = 'o' in a ? { o: a.o, output: output(a) } : { o: 15, output: { dtype: 'i16', zp: 0, lo: 0, hi: 32767 } };
  const attrs = { l: a.l, m: a.m, ...out, causal, offset: causal ? a.offset : 0 };
  const k = x.shape.at(-1)!;
  return {
    op: 'softmax',
    attrs,
    operands: [x, ...(mask === null ? [] : [constantless('bool', mask)])],
    lastMax: a.kmax === k ? undefined : a.kmax,
  };
}

function constantless(dtype: DType, v: Nested): Tensor {
  return { dtype, shape: shapeOf(v), data: flat(v), lo: 0, hi: 1 };
}

function norm(a: Json, i: Json, op: OpName = 'layer_norm'): NodeCase {
  const x = i.x as number[];
  const channel = (name: string): Tensor =>
    constant('i32', [x.length], (i[name] as number[] | undefined) ?? new Array<number>(x.length).fill(0));
  const out = 'g' in a ? { g: a.g, output: output(a) } : { g: 0, output: { dtype: 'i8', zp: 0, lo: -128, hi: 127 } };
  return {
    op,
    attrs: { eps: a.eps, ...out },
    operands: [operand([x.length], x, a.zx, a.f === 6 ? 'i8' : 'i16'), channel('gamma'), channel('beta')],
  };
}

/** One image [P,1,C] of positions. */
function groupNorm(a: Json, i: Json): NodeCase {
  const x = i.x as Nested;
  const [positions, channels] = shapeOf(x) as [number, number];
  const dtype = a.f === 6 ? 'i8' : 'i16';
  const channel = (v: Nested): Tensor => constant('i32', [channels], flat(v));
  return {
    op: 'group_norm',
    attrs: { eps: a.eps, g: a.g, groups: a.groups, output: output(a) },
    operands: [operand([1, positions, 1, channels], flat(x), a.zx, dtype), channel(i.gamma), channel(i.beta)],
  };
}

/** A row, or the [1,K] tensor of one; kmax is the width that the row is declared with. */
function logSoftmax(a: Json, i: Json): NodeCase {
  const x = nested(i.x as Nested);
  const k = x.shape.at(-1)!;
  const s = stage({ ...a, m: [a.m2], l: a.l2 });
  return {
    op: 'log_softmax',
    attrs: { l: a.l, m: a.m, stage: s },
    operands: [x],
    lastMax: a.kmax === k ? undefined : a.kmax,
  };
}

function cumsum(a: Json, x: Shaped): NodeCase {
  const attrs = { axis: a.axis ?? 0, exclusive: Boolean(a.exclusive), reverse: Boolean(a.reverse) };
  return { op: 'cumsum', attrs, operands: [operand(x.shape, x.data, a.zx ?? 0)] };
}

/** A node of two scalars whose attributes stand among the inputs. */
function div(i: Json): NodeCase {
  const { a, b, za, zb, p, q } = i;
  return { op: 'div', attrs: { p, q, output: output(i) }, operands: [operand([1], [a], za), operand([1], [b], zb)] };
}

function linear2(i: Json): NodeCase {
  const { a, b, za, zb, ma, mb, s } = i as Record<string, number>;
  const value = (v: number, z: number): Tensor => ({ ...operand([1], [v], z!), ...(s! > 15 ? { lo: v, hi: v } : {}) });
  return { op: 'linear2', attrs: { ma, mb, s, output: output(i) }, operands: [value(a!, za!), value(b!, zb!)] };
}

function indices(t: Shaped): Tensor {
  return t.data.length === 0
    ? { dtype: 'i32', shape: t.shape, data: [], lo: 0, hi: 0 }
    : operand(t.shape, t.data, 0, 'i32');
}

/** Operands of the least dtype that holds the values of all. */
function alike(...tensors: readonly Shaped[]): Tensor[] {
  const { dtype } = operand(
    [],
    tensors.flatMap((t) => t.data),
  );
  return tensors.map((t) => operand(t.shape, t.data, 0, dtype));
}

/** A node of two scalars whose attributes stand among the inputs. */
function mul(i: Json): NodeCase {
  return {
    op: 'mul',
    attrs: { stage: stage({ ...i, m: [i.m] }) },
    operands: [operand([1], [i.a], i.za), operand([1], [i.b], i.zb)],
  };
}

function compare(a: Json, i: Json): NodeCase {
  const { op, ma, mb } = a;
  return { op: 'compare', attrs: { op, ma, mb }, operands: [operand([1], [i.a], a.za), operand([1], [i.b], a.zb)] };
}

/** A reduction; the stage of a sum may be absent, that of a mean has flat attributes. */
function reduction(op: OpName, a: Json, i: Json): NodeCase {
  const { axes, m1, l } = a;
  const rest =
    op === 'reduce_mean'
      ? { m1, l, output: output(a) }
      : op === 'reduce_sum' && a.stage
        ? { stage: stage(a.stage) }
        : {};
  return { op, attrs: { axes, ...rest }, operands: [operand(i.x.shape, i.x.data, a.zx ?? 0)] };
}

/** One axis of resize_nearest over the numbers 0…size − 1. */
function nearest(a: Json): NodeCase {
  const x = Array.from({ length: a.size }, (_, k) => k);
  const attrs = { axis_y: [1, 0, 1], axis_x: [a.A, a.B, a.D], out: [1, a.out] };
  return { op: 'resize_nearest', attrs, operands: [operand([1, 1, a.size, 1], x)] };
}

function bilinear(a: Json, i: Json): NodeCase {
  const { axis_y, axis_x } = a;
  const [h, w] = shapeOf(i.x) as [number, number];
  const attrs = { axis_y, axis_x, out: i.out, stage: stage({ ...a, m: [a.m] }) };
  return {
    op: 'resize_bilinear',
    attrs,
    operands: [operand([1, h, w, 1], flat(i.x), a.zx, a.q === 14 ? 'i16' : 'i8')],
  };
}

function move(op: string, attrs: Json, i: Json): NodeCase {
  const js = (t: Shaped): Tensor => operand(t.shape, t.data);
  if (op === 'gather') return { op, attrs, operands: [js(i.x), indices(i.idx)] };
  const x: Shaped | Shaped[] = i.x;
  const { value, ...rest } = attrs as Record<string, unknown>;
  const list = Array.isArray(value) ? (value as number[]) : undefined;
  const extra =
    op === 'pad' && attrs.mode === 'constant'
      ? [constant('i8', list ? [list.length] : [], list ?? [value as number])]
      : [];
  return {
    op: op as OpName,
    attrs: op === 'pad' ? rest : attrs,
    operands: [...(Array.isArray(x) ? x.map(js) : [js(x)]), ...extra],
  };
}

type Adapter = (v: Vector & { readonly attrs: Json; readonly inputs: Json; readonly expected: Json }) => Known;

const same =
  (make: (a: Json, i: Json) => NodeCase): Adapter =>
  (v) => ({ ...make(v.attrs, v.inputs), outputs: [flat(v.expected as Nested)] });
const shaped =
  (make: (a: Json, i: Json) => NodeCase): Adapter =>
  (v) => ({ ...make(v.attrs, v.inputs), outputs: [(v.expected as Shaped).data] });
const unary = (
  op: OpName,
  x: readonly number[],
  attrs: Record<string, unknown>,
  dtype: DType,
  ...rest: Tensor[]
): NodeCase => ({ op, attrs, operands: [operand([x.length], x, 0, dtype), ...rest] });

/** Adapter of every file that states ops of the registry. */
export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  argmax: (v) => ({
    ...unary('argmax', v.inputs.x, { axis: 0, select_last: v.attrs.select_last }, 'i8'),
    outputs: [[v.expected]],
  }),
  argmin: (v) => ({
    op: 'argmin',
    attrs: { axis: 0, select_last: v.attrs.select_last },
    operands: [operand([v.inputs.x.length], v.inputs.x)],
    outputs: [[v.expected]],
  }),
  avg_pool2d: same((a, i) => pool('avg_pool2d', a, i)),
  avg_pool2d_pads: same((a, i) => pool('avg_pool2d', a, i)),
  compare: same(compare),
  conv2d: same((a, i) => conv(a, i)),
  conv2d_staged: same((a, i) => conv(a, i)),
  conv_transpose2d: same((a, i) => conv(a, i, 'conv_transpose2d')),
  cumsum: same((a, i) => cumsum(a, { shape: [(i.x as number[]).length], data: i.x })),
  cumsum_axis: shaped((a, i) => cumsum(a, i.x)),
  dense: same(dense),
  dense_staged: same(dense),
  div: same((_, i) => div(i)),
  group_norm: same(groupNorm),
  gru: (v) => gruCell(v.attrs, v.inputs, v.expected),
  gru_rounding: (v) => gruCell(v.attrs, v.inputs, v.expected),
  gru_sequence: (v) => gruSequence(v.attrs, v.inputs, v.expected),
  layer_norm: same((a, i) => norm(a, i)),
  layer_norm_eps: same((a, i) => norm(a, i)),
  linear2: same((_, i) => linear2(i)),
  log_softmax: same(logSoftmax),
  log_softmax_corners: same(logSoftmax),
  logical: shaped((a, i) => ({
    op: 'logical',
    attrs: { op: a.op },
    operands: [i.a, i.b].flatMap((t: Shaped | undefined) => (t ? [operand(t.shape, t.data, 0, 'bool')] : [])),
  })),
  lstm: (v) => cell(v.attrs, v.inputs, v.expected),
  lstm_rounding: (v) => cell(v.attrs, v.inputs, v.expected),
  lstm_sequence: (v) => sequence(v.attrs, v.inputs, v.expected),
  lut16: same((a, i) =>
    unary('lut16', i.x, { s: a.s, output: output(a) }, 'i16', constant('i16', [513], TABLES[a.table]!)),
  ),
  lut8: same((a, i) => unary('lut8', i.x, { zp: 0 }, 'i8', constant('i8', [256], TABLES[a.table]!))),
  matmul: shaped((a, i) => {
    const [p, q] = [i.a, i.b];
    return {
      op: 'matmul',
      attrs: { tb: Boolean(a.tb), ...('stage' in a ? { stage: stage(a.stage) } : {}) },
      operands: [ranged(p), ranged(q)],
    };
  }),
  max_pool2d: same((a, i) => pool('max_pool2d', a, i)),
  min_max: shaped((a, i) => ({ op: a.op as OpName, attrs: {}, operands: alike(i.a, i.b) })),
  moves: (v) => ({ ...move(v.op, v.attrs, v.inputs), outputs: [(v.expected as Shaped).data] }),
  mul: same((_, i) => mul(i)),
  norm_facts: (v) => ({
    ...norm(v.attrs, v.inputs, v.attrs.rms ? 'rms_norm' : 'layer_norm'),
    outputs: [undefined],
    steps: { ...(v.attrs.rms ? {} : { s1: [v.expected.S1] }), v: [v.expected.V] },
  }),
  nms: (v) => nms(v.attrs, v.inputs, v.expected),
  nms_batch: (v) => nms(v.attrs, v.inputs, v.expected),
  reduce_max_min: shaped((a, i) => reduction(`reduce_${a.op as 'max' | 'min'}`, a, i)),
  reduce_mean: shaped((a, i) => reduction('reduce_mean', a, i)),
  reduce_mean_rounding: shaped((a, i) => reduction('reduce_mean', a, i)),
  reduce_sum: shaped((a, i) => reduction('reduce_sum', a, i)),
  rms_norm: same((a, i) => norm(a, i, 'rms_norm')),
  rms_norm_eps: same((a, i) => norm(a, i, 'rms_norm')),
  rescale: shaped((a, i) => {
    const x = i.x;
    return { op: 'rescale', attrs: { stage: stage(a) }, operands: [operand(x.shape, x.data, a.zx)] };
  }),
  resize_bilinear: same(bilinear),
  resize_nearest: same((a) => nearest(a)),
  softmax: same(softmax),
  softmax_corners: same(softmax),
  softmax_facts: (v) => ({
    ...softmax(v.attrs, v.inputs),
    outputs: [undefined],
    steps: { mx: [v.expected.mx], sum: [v.expected.S] },
  }),
  softmax_rows: same(softmax),
  rope: same(rope),
  rope_rows: same(ropeRows),
  sample: (v) => sample(v.attrs, v.inputs, v.expected),
  sample_corners: (v) => sample(v.attrs, v.inputs, v.expected),
  sample_facts: (v) => sampleFacts(v.attrs, v.inputs, v.expected),
  topk: (v) => topk(v.attrs, v.inputs, v.expected),
  update: (v) => update(v.attrs, v.inputs, v.expected as Shaped),
  where: shaped((_, i) => ({
    op: 'where',
    attrs: {},
    operands: [operand(i.c.shape, i.c.data, 0, 'bool'), ...alike(i.a, i.b)],
  })),
};

/** True for a vector that the registry's ops cannot state: a cell whose width would be absurd. */
export function isForeign(file: string, v: Vector): boolean {
  if (file !== 'lstm' && file !== 'gru') return false;
  const sums = (v.inputs.acc_h as number[]).slice(0, file === 'gru' ? 2 : 4);
  return v.attrs.qh === 7 && sums.some((s) => Math.abs(s) > 2 ** 21);
}
