import type { OnnxTensor } from '../tensor.ts';
import { identity, type View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

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

/** Emits ci·x + cj·w for input i and a constant j that is one value or one a channel; false where it is neither. */
function addConstant(c: LowerContext, i: number, j: number, ci: number, cj: number): boolean {
  if (!c.constant(j) || c.constant(i)) return false;
  const w = c.weights(j, 'an operand');
  const view = overlay(c, i, w);
  const row = perChannel(c, view, w)?.map((v) => cj * v);
  if (row) emitAffine(c, view, Float64Array.of(ci), row);
  return row !== undefined;
}

/** y = ca·a + cb·b of two activations, or an affine where one of them is a constant per channel. */
function linear(c: LowerContext, ca: number, cb: number): void {
  if (addConstant(c, 0, 1, ca, cb) || addConstant(c, 1, 0, cb, ca)) return;
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
