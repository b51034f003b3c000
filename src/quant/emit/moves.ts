/**
 * Data movement: the type of the operand is the type of the result.
 * @module
 */

import { HEADROOM, isMove } from '../plan.ts';
import {
  BOOL_TYPE,
  clampReal,
  i8Type,
  i16Type,
  multiplier,
  type QType,
  quantizeValue,
  round,
  sameType,
  wholeType,
} from '../scales.ts';
import { type Emit, type EmitContext, output, type Quantized } from './context.ts';

/** The same elements under another shape. */
export const emitReshape: Emit<'reshape'> = (c) => {
  const x = c.input();
  return { ref: c.writer.node('reshape', [x.ref], { shape: c.dims }), type: x.type };
};

/** Axes permuted. */
export const emitTranspose: Emit<'transpose'> = (c, op) => {
  const x = c.input();
  return { ref: c.writer.node('transpose', [x.ref], { perm: op.perm }), type: x.type };
};

/** Inputs in one type, in order. */
export const emitConcat: Emit<'concat'> = (c, op) => {
  const first = c.input(0).type;
  const real = first.dtype === 'i8' || first.dtype === 'i16';
  const all = c.node.inputs.map((_, i) => (real ? c.inputAs(i, c.outputType()) : c.input(i)));
  const lo = Math.min(...all.map((x) => x.type.lo));
  const hi = Math.max(...all.map((x) => x.type.hi));
  return {
    ref: c.writer.node(
      'concat',
      all.map((x) => x.ref),
      { axis: op.axis },
    ),
    type: { ...(real ? c.outputType() : first), lo, hi },
  };
};

/** A regular part. */
export const emitSlice: Emit<'slice'> = (c, op) => {
  const x = c.input();
  const attrs = { start: op.starts ?? op.start, step: op.step, size: c.dims };
  return { ref: c.writer.node('slice', [x.ref], attrs), type: x.type };
};

/** True where a tensor is the result of arithmetic, of which no operand says how far it reaches. */
function computed(c: EmitContext, id: number): boolean {
  const maker = c.scope.graph.nodes.find((n) => n.output === id);
  if (!maker || maker.op.kind === 'constant') return false;
  return isMove(maker) ? computed(c, maker.inputs[0]!) : true;
}

/** Indices cut to an axis of n. */
function within(c: EmitContext, ref: Quantized['ref'], n: number): Quantized['ref'] {
  const end = (v: number): Quantized['ref'] => c.writer.constant('i32', [1], Int32Array.of(v));
  return c.writer.node('min', [c.writer.node('max', [ref, end(0)], {}), end(n - 1)], {});
}

/** Elements by index; the indices are whole numbers. */
export const emitGather: Emit<'gather'> = (c, op) => {
  const [x, index] = [c.input(0), c.input(1)];
  const n = c.inputShape(0)[op.axis]!;
  const { lo, hi } = c.inputRange(1);
  if (index.type.dtype !== 'i32' || lo < 0 || hi >= n)
    c.fail('UnsupportedForm', `indices of ${lo}…${hi} may lie outside an axis of ${n}`);
  const ref = computed(c, c.node.inputs[1]!) ? within(c, index.ref, n) : index.ref;
  return { ref: c.writer.node('gather', [x.ref, ref], { axis: op.axis }), type: x.type };
};

/** Broadcast. */
export const emitExpand: Emit<'expand'> = (c) => {
  const x = c.input();
  return { ref: c.writer.node('expand', [x.ref], { shape: c.dims }), type: x.type };
};

/** Repeats. */
export const emitTile: Emit<'tile'> = (c, op) => {
  const x = c.input();
  return { ref: c.writer.node('tile', [x.ref], { repeats: op.repeats }), type: x.type };
};

/** Channels to space. */
export const emitDepthToSpace: Emit<'depth_to_space'> = (c, op) => {
  const x = c.input();
  return { ref: c.writer.node('depth_to_space', [x.ref], { block: op.block, mode: op.mode }), type: x.type };
};

/** Space to channels. */
export const emitSpaceToDepth: Emit<'space_to_depth'> = (c, op) => {
  const x = c.input();
  return { ref: c.writer.node('space_to_depth', [x.ref], { block: op.block }), type: x.type };
};

/** Nearest: a move. Bilinear: into the output's type, or the input's where i16 leaves no bits for a gain. */
export const emitResize: Emit<'resize'> = (c, op) => {
  const x = c.input();
  const axis = ({ a, b, d }: { a: number; b: number; d: number }): number[] => [a, b, d];
  const attrs = { axis_y: axis(op.y), axis_x: axis(op.x), out: c.shape.slice(1, 3) };
  if (op.mode === 'nearest') return { ref: c.writer.node('resize_nearest', [x.ref], attrs), type: x.type };
  const wide = c.real().type.dtype === 'i16';
  const own = c.outputType();
  const mu = (type: QType): number => (x.type.scale / type.scale) * (wide ? 2 ** -15 : 2 ** -20);
  const type = wide && multiplier(mu(own)).l > 0 ? { ...x.type } : own;
  const { m, l } = multiplier(mu(type));
  const stage = { m: Int32Array.of(m), l, ...output(type) };
  return { ref: c.writer.node('resize_bilinear', [x.ref], { ...attrs, stage }), type };
};

/** The scalar, or vector along the last axis, that a pad writes. */
function padValue(c: EmitContext, value: Float64Array, type: QType): Quantized['ref'] {
  const raw = value.map((v) => quantizeValue(v, type));
  const kept = raw.every((v) => v === raw[0]) ? raw.slice(0, 1) : raw;
  return constantOf(c, type, kept.length === 1 ? [] : [kept.length], kept);
}

/** A border. */
export const emitPad: Emit<'pad'> = (c, op) => {
  const x = c.input();
  const { before, after, mode } = op;
  const values = mode === 'constant' ? [padValue(c, op.value, x.type)] : [];
  return { ref: c.writer.node('pad', [x.ref, ...values], { before, after, mode }), type: x.type };
};

function constantOf(c: EmitContext, type: QType, shape: readonly number[], raw: ArrayLike<number>): Quantized['ref'] {
  const make = { i8: Int8Array, i16: Int16Array, i32: Int32Array, bool: Int8Array }[type.dtype];
  return c.writer.constant(type.dtype, shape, make.from(raw), type.zp);
}

/** A constant operand: i8 of its own range, or the type its group shares; whole numbers as i32, truth values as bool. */
export const emitConstant: Emit<'constant'> = (c, op): Quantized => {
  let [lo, hi] = [op.data[0] ?? 0, op.data[0] ?? 0];
  for (const v of op.data) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  const { domain } = c.scope.graph.tensors[c.node.output]!;
  if (domain !== 'real') {
    if (lo < -2147483648 || hi > 2147483647) c.fail('UnsupportedForm', 'an integer constant does not fit 32 bits');
    const type = domain === 'bool' ? BOOL_TYPE : wholeType(lo, hi);
    return { ref: c.sized(constantOf(c, type, c.shape, op.data), c.dims), type };
  }
  const planned = c.outputType();
  const range = { lo, hi };
  const own = planned.dtype === 'i16' ? i16Type(range, HEADROOM) : i8Type(range);
  const type = sameType(planned, own) ? own : planned;
  const raw = op.data.map((v) => clampReal(round(v / type.scale) + type.zp, type.lo, type.hi));
  const used = { lo: raw.reduce((a, v) => Math.min(a, v), type.zp), hi: raw.reduce((a, v) => Math.max(a, v), type.zp) };
  return { ref: c.sized(constantOf(c, type, c.shape, raw), c.dims), type: { ...type, ...used } };
};
