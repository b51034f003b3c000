import { flatShape, resolveShape, squeezedShape, unsqueezedShape } from '../eval/move.ts';
import { identity, keepsOrder, type View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Runs of axes of `from` and `to` with equal numbers of elements, in order; undefined where a dimension is 0. */
function runs(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] | undefined {
  if (from.includes(0) || to.includes(0)) return undefined;
  const out: { from: number[]; to: number[] }[] = [];
  for (let i = 0, j = 0; i < from.length || j < to.length; ) {
    const run = { from: [] as number[], to: [] as number[] };
    let [p, q] = [1, 1];
    do {
      if ((p <= q && i < from.length) || j === to.length) {
        run.from.push(i);
        p *= from[i++]!;
      } else {
        run.to.push(j);
        q *= to[j++]!;
      }
    } while (p !== q);
    out.push(run);
  }
  return out;
}

/**
 * A permuted view in `shape` that keeps its order in storage: each run of axes that the reshape joins or parts lies together
 * there. Undefined where one does not.
 */
function regrouped(c: LowerContext, view: View, shape: readonly number[]): View | undefined {
  const stored = c.graph.stored(view.id);
  const parts = view.shape ? undefined : runs(c.graph.shapeOf(view), shape);
  if (!parts || keepsOrder(view.perm, stored)) return undefined;
  const together = parts.every((run) => run.from.every((a, i) => i === 0 || view.perm[a] === view.perm[a - 1]! + 1));
  if (!together) return undefined;
  const place = (i: number): number => view.perm[parts[i]!.from[0]!] ?? -1; // runs of new axes of size 1 go first
  const order = parts.map((_, i) => i).sort((a, b) => place(a) - place(b));
  const perm = new Array<number>(shape.length);
  let next = 0;
  for (const i of order) for (const axis of parts[i]!.to) perm[axis] = next++;
  const own = new Array<number>(shape.length);
  for (const [axis, at] of perm.entries()) own[at] = shape[axis]!;
  return { id: c.graph.reshape(c.node, view.id, own), perm, shape: null };
}

/** Sets output 0 to input 0 in `shape`. Rows of a permuted image stay a view, which a dense layer absorbs. */
function setReshaped(c: LowerContext, shape: readonly number[]): void {
  const view = c.view(0);
  const own = regrouped(c, view, shape);
  if (own) {
    c.set(own);
    return;
  }
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
