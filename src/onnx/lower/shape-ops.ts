import { sizeOf } from '../../quant/float-graph.ts';
import { identity, keepsOrder, type View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Sets output 0 to input 0 in `shape`. Rows of a permuted image stay a view, which a dense layer absorbs. */
function setReshaped(c: LowerContext, shape: readonly number[]): void {
  const view = c.view(0);
  const stored = c.graph.stored(view.id);
  const rows = shape.length === 2 && view.perm[0] === 0 && shape[0] === stored[0];
  if (rows && !view.shape && !keepsOrder(view.perm, stored)) c.set({ ...view, shape });
  else c.setPlain(c.graph.reshape(c.node, c.plain(0), shape));
}

/** Resolves 0 (copy) and −1 (the rest) of a Reshape target. */
function resolveShape(c: LowerContext, target: readonly number[], from: readonly number[]): number[] {
  const keepZero = c.int('allowzero', 0) !== 0;
  const shape = target.map((d, i) =>
    d === 0 && !keepZero ? (from[i] ?? c.fail('BadGraph', 'the target copies a missing axis')) : d,
  );
  const free = shape.indexOf(-1);
  const total = sizeOf(from);
  if (free >= 0) shape[free] = total / sizeOf(shape.filter((_, i) => i !== free));
  if (sizeOf(shape) !== total || !shape.every((d) => Number.isInteger(d) && d >= 0))
    c.fail('BadGraph', `[${from}] cannot be reshaped to [${target}]`);
  return shape;
}

/** Reshape with a constant target. */
export const Reshape: OpLowering = {
  lower: (c) => setReshaped(c, resolveShape(c, c.intsInput(1, 'the target shape'), c.shape(0))),
  fold(c) {
    const x = c.constant(0)!;
    return { ...x, shape: resolveShape(c, c.intsInput(1, 'the target shape'), x.shape) };
  },
};

/** Flatten to [rows, columns] around `axis`. */
export const Flatten: OpLowering = {
  lower(c) {
    const shape = c.shape(0);
    const given = c.int('axis', 1);
    const axis = given < 0 ? given + shape.length : given;
    if (axis < 0 || axis > shape.length) c.fail('BadGraph', `axis ${given} is outside rank ${shape.length}`);
    setReshaped(c, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
  },
};

/** Transpose: composed into the view, so that it costs nothing until elements are needed in order. */
export const Transpose: OpLowering = {
  lower(c) {
    const view = c.view(0);
    const rank = c.shape(0).length;
    const perm = c.ints('perm', identity(rank).reverse());
    if (identity(rank).some((axis) => !perm.includes(axis))) c.fail('BadGraph', `perm [${perm}] is no permutation`);
    const base: View = view.shape ? { id: c.plain(0), perm: identity(rank), shape: null } : view;
    c.set({ id: base.id, perm: perm.map((p) => base.perm[p]!), shape: null });
  },
};

/** Identity. */
export const Identity: OpLowering = { lower: (c) => c.set(c.view(0)), fold: (c) => c.constant(0)! };

/** Dropout at inference: identity; its mask output is not defined. */
export const Dropout: OpLowering = Identity;

/** Constant: its tensor, number or list of numbers. */
export const Constant: OpLowering = {
  lower: (c) => c.fail('UnsupportedForm', 'the constant has no tensor, number or list of numbers'),
  fold(c) {
    const name = c.node.outputs[0] ?? '';
    const a = ['value', 'value_float', 'value_int', 'value_floats', 'value_ints'].flatMap(
      (k) => c.node.attributes.get(k) ?? [],
    )[0];
    if (a?.type === 'tensor') return { ...a.value, name };
    if (a?.type === 'float' || a?.type === 'int')
      return { name, dtype: a.type === 'int' ? 'int64' : 'float32', shape: [], data: Float64Array.of(a.value) };
    if (a?.type === 'floats' || a?.type === 'ints')
      return {
        name,
        dtype: a.type === 'ints' ? 'int64' : 'float32',
        shape: [a.value.length],
        data: Float64Array.from(a.value),
      };
    return c.fail('UnsupportedForm', 'the constant has no tensor, number or list of numbers');
  },
};
