/**
 * ONNX functions of two or more operands: sums, products, extrema, comparisons, truth functions, choice.
 * @module
 */
import type { FloatOp } from '../../quant/float-graph.ts';
import type { UnaryFn } from '../../quant/unary.ts';
import { broadcastShapes, sizeOf } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';
import { align, constantIn } from './layout.ts';
import { setUnary } from './unary.ts';

const OPEN = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

/** Emits an op over aligned operands and defines output 0. */
function setAligned(c: LowerContext, op: FloatOp, of: readonly number[], domain?: 'bool'): void {
  const { ids, shape, perm } = align(c, of);
  c.set({ id: c.emit(op, ids, shape, domain), perm, shape: null });
}

/** A constant operand that does not enlarge the other: its values per stored last channel, or one value. */
function perChannel(c: LowerContext, view: View, constant: OnnxArray): Float64Array | undefined {
  if (constant.data.length === 1 && constant.shape.length <= c.graph.shapeOf(view).length) return constant.data;
  const rank = view.perm.length;
  if (view.shape || constant.shape.length > rank) return undefined;
  const own = constantIn(constant, view.perm);
  const channels = c.graph.stored(view.id)[rank - 1];
  const row = own.shape.every((d, i) => (i === rank - 1 ? d === channels : d === 1));
  return row ? own.data : undefined;
}

/** Emits y = x·scale + shift for a view, both one value or one a channel. */
export function setAffine(c: LowerContext, view: View, scale: Float64Array, shift: Float64Array): void {
  c.set({ ...view, id: c.emit({ kind: 'affine', scale, shift }, [view.id], c.graph.stored(view.id)) });
}

/** The one constant operand of real data among inputs 0 and 1 with the other as a view; undefined where there is none. */
function withConstant(c: LowerContext): { view: View; row: Float64Array; constant: 0 | 1 } | undefined {
  for (const i of [1, 0] as const) {
    const w = c.constant(i);
    if (!w || c.constant(1 - i) || c.domain(1 - i) !== 'real') continue;
    if (!w.data.every(Number.isFinite)) continue;
    const given = c.view(1 - i);
    const view = w.data.length === 1 ? given : c.graph.unshaped(c.node, given);
    const row = perChannel(c, view, w);
    if (row) return { view, row, constant: i };
  }
  return undefined;
}

/** y = ca·a + cb·b of two inputs, or an affine where one of them is a constant per channel. */
function linear(ca: number, cb: number): OpLowering {
  return (c) => {
    const k = withConstant(c);
    if (!k) return setAligned(c, { kind: 'linear', ca, cb, ...OPEN }, [0, 1]);
    const [own, other] = k.constant === 1 ? [ca, cb] : [cb, ca];
    return setAffine(
      c,
      k.view,
      Float64Array.of(own),
      k.row.map((v) => v * other),
    );
  };
}

/** Whole numbers times truth values as numbers: a choice between them and 0. False where neither operand is a truth value. */
function choice(c: LowerContext): boolean {
  if (c.domain(0) !== 'int') return false;
  const { ids, shape, perm } = align(c, [0, 1]);
  const truths = ids.map((id) => {
    const node = c.graph.nodes.find((n) => n.output === id);
    const from = node?.op.kind === 'cast' ? node.inputs[0]! : undefined;
    return from !== undefined && c.graph.domain(from) === 'bool' ? from : undefined;
  });
  const at = truths.findIndex((t) => t !== undefined);
  if (at < 0) return false;
  const zero = c.graph.constant(c.node, { dtype: 'int64', shape: shape.map(() => 1), data: Float64Array.of(0) });
  c.set({ id: c.emit({ kind: 'where' }, [truths[at]!, ids[1 - at]!, zero], shape, 'int'), perm, shape: null });
  return true;
}

const Mul: OpLowering = (c) => {
  const k = withConstant(c);
  if (k) return setAffine(c, k.view, k.row, Float64Array.of(0));
  if (choice(c)) return;
  return setAligned(c, { kind: 'mul', ...OPEN }, [0, 1]);
};

const Div: OpLowering = (c) => {
  if (c.domain(0) === 'int') c.fail('UnsupportedForm', 'division of integer data is not supported');
  const k = withConstant(c);
  if (!k) return setAligned(c, { kind: 'div', ...OPEN }, [0, 1]);
  if (k.constant === 1) {
    const scale = k.row.map((v) => 1 / v);
    if (!scale.every(Number.isFinite)) c.fail('NotFinite', 'the divisor holds 0');
    return setAffine(c, k.view, scale, Float64Array.of(0));
  }
  if (k.row.length !== 1) return setAligned(c, { kind: 'div', ...OPEN }, [0, 1]);
  const scale: UnaryFn = { fn: 'affine', scale: k.row[0]!, shift: 0 };
  return setUnary(c, k.view, [{ fn: 'reciprocal' }, scale]);
};

/** Left fold of a function of two over all inputs; `last` scales the result. */
function fold(op: FloatOp, scale: (n: number) => number): OpLowering {
  return (c) => {
    const n = c.node.inputs.length;
    const of = Array.from({ length: n }, (_, i) => i);
    const { ids, shape, perm } = align(c, of);
    const id = ids.slice(1).reduce((acc, x) => c.emit(op, [acc, x], shape), ids[0]!);
    const factor = scale(n);
    const view = { id, perm, shape: null };
    if (factor === 1) c.set(view);
    else setAffine(c, view, Float64Array.of(factor), Float64Array.of(0));
  };
}

/** Of two operands the one beside a constant that never wins, as in max(−∞, x) = x; undefined where there is none. */
function besideIdle(c: LowerContext, how: 'min' | 'max'): View | undefined {
  if (c.node.inputs.length !== 2) return undefined;
  const i = [0, 1].find((k) => {
    const w = c.constant(k);
    return w?.data.length === 1 && w.data[0] === (how === 'max' ? OPEN.lo : OPEN.hi);
  });
  return i !== undefined && c.constant(i)!.shape.length <= c.shape(1 - i).length ? c.view(1 - i) : undefined;
}

/** min or max: limits where one operand is one constant value. */
function extremum(how: 'min' | 'max'): OpLowering {
  return (c) => {
    const only = c.node.inputs.length === 1 ? c.view(0) : besideIdle(c, how);
    if (only) return c.set(only);
    const k = c.node.inputs.length === 2 ? withConstant(c) : undefined;
    if (k?.row.length !== 1) return fold({ kind: 'extremum', how }, () => 1)(c);
    const limits = how === 'max' ? { lo: k.row[0]!, hi: OPEN.hi } : { lo: OPEN.lo, hi: k.row[0]! };
    return c.set({ ...k.view, id: c.emit({ kind: 'clamp', ...limits }, [k.view.id], c.graph.stored(k.view.id)) });
  };
}

function compare(how: 'lt' | 'le' | 'gt' | 'ge' | 'eq'): OpLowering {
  return (c) => setAligned(c, { kind: 'compare', how }, [0, 1], 'bool');
}

function logical(how: 'and' | 'or' | 'xor'): OpLowering {
  return (c) => setAligned(c, { kind: 'logical', how }, [0, 1]);
}

/** A choice by a constant that always chooses the same is that operand, where it has the shape of the result. */
const Where: OpLowering = (c) => {
  const k = c.constant(0);
  const only = k && [...k.data].every((v) => (v !== 0) === (k.data[0] !== 0));
  if (k && only) {
    const [own, other] = k.data[0] !== 0 ? [1, 2] : [2, 1];
    const shape = c.shape(own);
    const covered = [k.shape, c.shape(other)].every((s) => `${broadcastShapes([shape, s])}` === `${shape}`);
    if (covered) return c.set(c.view(own));
  }
  const { ids, shape, perm } = align(c, [0, 1, 2]);
  c.set({ id: c.emit({ kind: 'where' }, ids, shape, c.domain(1)), perm, shape: null });
};

/** x^c for one constant exponent. */
const Pow: OpLowering = (c) => {
  const e = c.weights(1, 'the exponent');
  if (e.data.length !== 1) c.fail('UnsupportedForm', 'the exponent must be one value');
  const fn: UnaryFn =
    e.data[0] === 2 ? { fn: 'square' } : e.data[0] === 0.5 ? { fn: 'sqrt' } : { fn: 'power', alpha: e.data[0]! };
  setUnary(c, c.view(0), [fn]);
};

/** max(x, 0) + slope·min(x, 0), the slope one value or one a channel. */
const PRelu: OpLowering = (c) => {
  const slope = c.weights(1, 'the slope');
  if (slope.data.length === 1) return setUnary(c, c.view(0), [{ fn: 'leaky_relu', alpha: slope.data[0]! }]);
  const view = c.unshaped(0);
  const row = perChannel(c, view, slope) ?? c.fail('UnsupportedForm', 'the slope must have one value or one a channel');
  const shape = c.graph.stored(view.id);
  const above = c.emit({ kind: 'clamp', lo: 0, hi: OPEN.hi }, [view.id], shape);
  const below = c.emit({ kind: 'clamp', lo: OPEN.lo, hi: 0 }, [view.id], shape);
  const scaled = c.emit({ kind: 'affine', scale: row, shift: Float64Array.of(0) }, [below], shape);
  c.set({ ...view, id: c.emit({ kind: 'linear', ca: 1, cb: 1, ...OPEN }, [above, scaled], shape) });
};

/** Reals of the integer model are finite: none is NaN. */
const IsNaN: OpLowering = (c) => {
  const shape = c.shape(0);
  c.setConstant({ dtype: 'bool', shape, data: new Float64Array(sizeOf(shape)) });
};

const Not: OpLowering = (c) => {
  const view = c.view(0);
  c.set({ ...view, id: c.emit({ kind: 'logical', how: 'not' }, [view.id], c.graph.stored(view.id)) });
};

/**
 * Cast within a domain is nothing (integers are whole); to reals it stays a node; to truth values it is ≠ 0; from reals to
 * integers it is refused.
 */
const Cast: OpLowering = (c) => {
  const to = c.node.op === 'CastLike' ? c.domain(1) : castTarget(c);
  const view = c.view(0);
  const from = c.graph.domain(view.id);
  if (from === to) return c.set(view);
  const shape = c.graph.stored(view.id);
  if (to === 'bool') {
    const zero = { dtype: from === 'real' ? 'float32' : 'int64', shape: [], data: Float64Array.of(0) } as const;
    const ids = [view.id, c.graph.constant(c.node, zero)];
    return c.set({ ...view, id: c.emit({ kind: 'compare', how: 'ne' }, ids, shape, 'bool') });
  }
  if (from === 'real') c.fail('UnsupportedForm', `a cast of ${from} data to ${to} data is not supported`);
  return c.set({ ...view, id: c.emit({ kind: 'cast' }, [view.id], shape, to) });
};

function castTarget(c: LowerContext): 'real' | 'int' | 'bool' {
  const to = c.int('to', 1);
  return to === 9 ? 'bool' : [1, 10, 11, 16].includes(to) ? 'real' : 'int';
}

/** Functions of several operands. */
export const ELEMENTWISE: Readonly<Record<string, OpLowering>> = {
  Add: linear(1, 1),
  Sub: linear(1, -1),
  Sum: fold({ kind: 'linear', ca: 1, cb: 1, ...OPEN }, () => 1),
  Mean: fold({ kind: 'linear', ca: 1, cb: 1, ...OPEN }, (n) => 1 / n),
  Mul,
  Div,
  Max: extremum('max'),
  Min: extremum('min'),
  Less: compare('lt'),
  LessOrEqual: compare('le'),
  Greater: compare('gt'),
  GreaterOrEqual: compare('ge'),
  Equal: compare('eq'),
  And: logical('and'),
  Or: logical('or'),
  Xor: logical('xor'),
  Not,
  IsNaN,
  Where,
  Pow,
  PRelu,
  Cast,
  CastLike: Cast,
};
