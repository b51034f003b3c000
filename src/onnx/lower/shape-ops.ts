import { flatShape, resolveShape, squeezedShape, unsqueezedShape } from '../eval/move.ts';
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

/** Axes from a constant second input (from opset 13) or the attribute. */
function axesOf(c: LowerContext): readonly number[] | undefined {
  return c.opset >= 13 ? c.optionalInts(1, 'the axes') : c.list('axes');
}

/** Squeeze: the axes leave the view where they are. */
const Squeeze: OpLowering = (c) => {
  const view = c.unshaped(0);
  const shape = c.shape(0);
  const given = axesOf(c);
  const drop = given ? c.axesIn(given, shape.length) : shape.flatMap((d, i) => (d === 1 ? [i] : []));
  squeezedShape(c, shape, drop);
  const gone = drop.map((a) => view.perm[a]!);
  const left = view.perm.filter((p) => !gone.includes(p));
  const rank = [...left].sort((a, b) => a - b);
  const id = c.graph.reshape(
    c.node,
    view.id,
    c.graph.stored(view.id).filter((_, i) => !gone.includes(i)),
  );
  c.set({ id, perm: left.map((p) => rank.indexOf(p)), shape: null });
};

/** Unsqueeze: the new axes stand first in storage. */
const Unsqueeze: OpLowering = (c) => {
  const view = c.unshaped(0);
  const axes = axesOf(c) ?? c.fail('BadGraph', 'no axes are given');
  const shape = unsqueezedShape(c, c.shape(0), axes);
  const n = axes.length;
  const added = new Set(c.axesIn(axes, shape.length));
  const id = c.graph.reshape(c.node, view.id, [...new Array<number>(n).fill(1), ...c.graph.stored(view.id)]);
  let [fresh, old] = [0, 0];
  c.set({ id, perm: shape.map((_, i) => (added.has(i) ? fresh++ : view.perm[old++]! + n)), shape: null });
};

/** Transpose: composed into the view, so that it costs nothing until elements are needed in order. */
const Transpose: OpLowering = (c) => {
  const rank = c.shape(0).length;
  const perm = c.ints('perm', identity(rank).reverse());
  if (identity(rank).some((axis) => !perm.includes(axis))) c.fail('BadGraph', `perm [${perm}] is no permutation`);
  const base: View = c.unshaped(0);
  c.set({ id: base.id, perm: perm.map((p) => base.perm[p]!), shape: null });
};

/** Identity; a second output is not defined. */
const Identity: OpLowering = (c) => {
  c.onlyOutput('mask');
  c.set(c.view(0));
};

/** Dropout at inference is nothing; in training mode it would draw random numbers. */
const Dropout: OpLowering = (c) => {
  if (c.opset >= 12 && c.given(2) && c.constant(2)?.data[0] !== 0)
    c.fail('UnsupportedForm', 'Dropout in training mode draws random numbers', 'Export the model in inference mode.');
  Identity(c);
};

/** Ops that change the shape and not the data. */
export const SHAPES: Readonly<Record<string, OpLowering>> = {
  Reshape: (c) => setReshaped(c, resolveShape(c, c.intsInput(1, 'the target shape'), c.shape(0))),
  Flatten: (c) => setReshaped(c, flatShape(c, c.shape(0))),
  Squeeze,
  Unsqueeze,
  Transpose,
  Identity,
  Dropout,
};
