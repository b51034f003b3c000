import { sizeOf } from '../../quant/float-graph.ts';
import type { UnaryFn } from '../../quant/unary.ts';
import type { OnnxTensor } from '../tensor.ts';
import { identity, type View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Emits a one-operand op that keeps its operand's layout. */
function emitUnary(c: LowerContext, f: UnaryFn): void {
  const view = c.view(0);
  const shape = c.graph.stored(view.id);
  const op =
    f.fn === 'clip' ? ({ kind: 'clamp', lo: f.lo, hi: f.hi } as const) : ({ kind: 'unary', fns: [f] } as const);
  c.set({ ...view, id: c.emit(op, [view.id], shape) });
}

/** The lowering of a unary function whose parameters come from attributes. */
function unary(f: (c: LowerContext) => UnaryFn): OpLowering {
  return { lower: (c) => emitUnary(c, f(c)) };
}

/** Functions without parameters, by ONNX op. */
const PLAIN = {
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Exp: 'exp',
  Log: 'log',
  Sqrt: 'sqrt',
  Abs: 'abs',
  Erf: 'erf',
  Softplus: 'softplus',
  Softsign: 'softsign',
  HardSwish: 'hard_swish',
  Reciprocal: 'reciprocal',
  Floor: 'floor',
  Ceil: 'ceil',
} as const;

/** Clip limits: attributes up to opset 10, constant inputs after. */
function clipLimits(c: LowerContext): UnaryFn {
  const at = (i: number, name: string, fallback: number): number => {
    if (c.opset < 11) return c.float(name, fallback);
    return c.given(i) ? (c.constant(i)?.data[0] ?? c.fail('UnsupportedForm', `${name} must be a constant`)) : fallback;
  };
  const [lo, hi] = [at(1, 'min', Number.NEGATIVE_INFINITY), at(2, 'max', Number.POSITIVE_INFINITY)];
  if (!(lo <= hi)) c.fail('BadGraph', `the limits ${lo}…${hi} are empty`);
  return { fn: 'clip', lo, hi };
}

/** The unary ops: Relu and Clip as limits, the others as tables. */
export const UNARY: Readonly<Record<string, OpLowering>> = {
  ...Object.fromEntries(Object.entries(PLAIN).map(([op, fn]) => [op, unary(() => ({ fn }))])),
  Relu: unary(() => ({ fn: 'clip', lo: 0, hi: Number.POSITIVE_INFINITY })),
  Clip: unary(clipLimits),
  LeakyRelu: unary((c) => ({ fn: 'leaky_relu', alpha: c.float('alpha', Math.fround(0.01)) })),
  Elu: unary((c) => ({ fn: 'elu', alpha: c.float('alpha', 1) })),
  Selu: unary((c) => ({
    fn: 'selu',
    alpha: c.float('alpha', Math.fround(1.6732632423543772)),
    beta: c.float('gamma', Math.fround(1.0507009873554805)),
  })),
  HardSigmoid: unary((c) => ({
    fn: 'hard_sigmoid',
    alpha: c.float('alpha', Math.fround(0.2)),
    beta: c.float('beta', 0.5),
  })),
  Gelu: unary((c) => ({ fn: c.string('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu' })),
  Neg: unary(() => ({ fn: 'affine', scale: -1, shift: 0 })),
};

/** Softmax over one axis; before opset 13 over all axes from `axis` on, flattened. */
export const Softmax: OpLowering = {
  lower(c) {
    const shape = c.shape(0);
    const given = c.int('axis', c.opset < 13 ? 1 : -1);
    const axis = given < 0 ? given + shape.length : given;
    if (axis < 0 || axis >= shape.length) c.fail('BadGraph', `axis ${given} is outside rank ${shape.length}`);
    if (c.opset < 13 && axis !== shape.length - 1) {
      const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
      const y = c.emit({ kind: 'softmax' }, [c.graph.reshape(c.node, c.plain(0), flat)], flat);
      return c.setPlain(c.graph.reshape(c.node, y, shape));
    }
    const view = c.channelsLast(c.view(0), axis);
    c.set({ ...view, id: c.emit({ kind: 'softmax' }, [view.id], c.graph.stored(view.id)) });
  },
};

/** BatchNormalization at inference: a scale and a shift per channel (ONNX axis 1). */
export const BatchNormalization: OpLowering = {
  lower(c) {
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => c.weights(i, `input ${i}`).data) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    if (c.int('training_mode', 0) !== 0) c.fail('UnsupportedForm', 'training_mode = 1 is not supported');
    if (c.opset < 9 && c.int('spatial', 1) !== 1) c.fail('UnsupportedForm', 'spatial = 0 is not supported');
    const eps = c.float('epsilon', Math.fround(1e-5));
    const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + eps));
    const shift = beta.map((b, i) => b - mean[i]! * scale[i]!);
    if (c.shape(0)[1] !== scale.length) c.fail('BadGraph', `${scale.length} statistics for ${c.shape(0)[1]} channels`);
    if (!scale.every(Number.isFinite)) c.fail('NotFinite', 'a variance plus epsilon is not positive');
    const view = c.channelsLast(c.view(0), 1);
    c.set({ ...view, id: c.emit({ kind: 'affine', scale, shift }, [view.id], c.graph.stored(view.id)) });
  },
};

/** Input i as a view that constants of `shape` can be laid over: a reshaped one is put in order unless the constant is one value. */
function overlay(c: LowerContext, i: number, constant: OnnxTensor): View {
  const view = c.view(i);
  if (!view.shape || constant.data.length === 1) return view;
  return { id: c.graph.plain(c.node, view), perm: identity(view.shape.length), shape: null };
}

/**
 * A constant operand as one value a channel of the view's stored last axis, or as one value; undefined where it varies
 * along another axis or makes the result larger than the view.
 */
function perChannel(c: LowerContext, view: View, { data, shape }: OnnxTensor): Float64Array | undefined {
  const full = c.graph.shapeOf(view);
  if (shape.length > full.length) return undefined;
  if (data.length === 1) return data;
  const axis = full.length - shape.length + shape.findIndex((d) => d !== 1);
  return view.perm[axis] === full.length - 1 && data.length === full[axis] ? data : undefined;
}

/** Emits y = x·scale + shift for a view, both one value or one a channel. */
function emitAffine(c: LowerContext, view: View, scale: Float64Array, shift: Float64Array): void {
  c.set({ ...view, id: c.emit({ kind: 'affine', scale, shift }, [view.id], c.graph.stored(view.id)) });
}

/** y = ca·a + cb·b of two activations, or an affine where one of them is a constant per channel. */
function linear(c: LowerContext, ca: number, cb: number): void {
  for (const [i, j, ci, cj] of [
    [0, 1, ca, cb],
    [1, 0, cb, ca],
  ] as const) {
    if (!c.constant(j) || c.constant(i)) continue;
    const w = c.weights(j, 'an operand');
    const view = overlay(c, i, w);
    const row = perChannel(c, view, w)?.map((v) => cj * v);
    if (row) return emitAffine(c, view, Float64Array.of(ci), row);
  }
  const [a, b] = [c.view(0), c.view(1)];
  const limits = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  const [sa, sb] = [c.graph.stored(a.id), c.graph.stored(b.id)];
  const alike = !a.shape && !b.shape && `${a.perm}` === `${b.perm}` && sa.length === sb.length;
  const [x, y] = alike ? [a.id, b.id] : [c.plain(0), c.plain(1)];
  const id = c.emit({ kind: 'linear', ca, cb, ...limits }, [x, y], broadcastShape(c, x, y));
  if (alike) c.set({ ...a, id });
  else c.setPlain(id);
}

function broadcastShape(c: LowerContext, x: number, y: number): number[] {
  const [a, b] = [c.graph.stored(x), c.graph.stored(y)];
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p !== q && p !== 1 && q !== 1) c.fail('BadGraph', `shapes [${a}] and [${b}] do not broadcast`);
    return p === 1 ? q : p;
  });
}

/** y = x·w or x/w for a constant w, one value or one a channel. */
function scaleBy(c: LowerContext, divide: boolean): void {
  const j = c.constant(1) ? 1 : !divide && c.constant(0) ? 0 : -1;
  if (j < 0) c.fail('UnsupportedForm', divide ? 'the divisor must be a constant' : 'one operand must be a constant');
  const w = c.weights(j, 'an operand');
  const view = overlay(c, 1 - j, w);
  const row = perChannel(c, view, w) ?? c.fail('UnsupportedForm', 'the constant must have one value or one a channel');
  const scale = divide ? row.map((v) => 1 / v) : row;
  if (!scale.every(Number.isFinite)) c.fail('NotFinite', 'the divisor holds 0');
  emitAffine(c, view, scale, Float64Array.of(0));
}

/** Add, Sub of activations or with a constant; Mul and Div by a constant. */
export const ARITHMETIC: Readonly<Record<string, OpLowering>> = {
  Add: { lower: (c) => linear(c, 1, 1) },
  Sub: { lower: (c) => linear(c, 1, -1) },
  Mul: { lower: (c) => scaleBy(c, false) },
  Div: { lower: (c) => scaleBy(c, true) },
};
