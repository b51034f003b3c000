/**
 * ONNX reductions and indices of extrema; axes are reduced where they are stored.
 * @module
 */
import type { View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** The layout left when stored axes `gone` are removed from a view. */
function without(view: View, gone: readonly number[]): number[] {
  const left = view.perm.filter((p) => !gone.includes(p));
  const rank = [...left].sort((a, b) => a - b);
  return left.map((p) => rank.indexOf(p));
}

/** Defines output 0: `id` is the view without stored axes `gone`, which come back with size 1 where `keep`. */
function setReduced(c: LowerContext, id: number, view: View, gone: readonly number[], keep: boolean): void {
  const shape = c.graph.stored(view.id).map((d, i) => (gone.includes(i) ? 1 : d));
  if (keep) c.set({ id: c.graph.reshape(c.node, id, shape), perm: view.perm, shape: null });
  else c.set({ id, perm: without(view, gone), shape: null });
}

/** Axes of a reduction from its second input (from opset `since`) or its attribute; all where there are none. */
function axesOf(c: LowerContext, since: number, rank: number): readonly number[] | undefined {
  const given = c.opset >= since ? c.optionalInts(1, 'the axes') : c.list('axes');
  if (given && given.length > 0) return c.axesIn(given, rank);
  return c.int('noop_with_empty_axes', 0) !== 0 ? undefined : Array.from({ length: rank }, (_, i) => i);
}

function reduce(how: 'sum' | 'mean' | 'max' | 'min', since: number): OpLowering {
  return (c) => {
    const view = c.unshaped(0);
    const axes = axesOf(c, since, view.perm.length);
    if (!axes || axes.length === 0) return c.set(view);
    const gone = axes.map((a) => view.perm[a]!).sort((a, b) => a - b);
    const shape = c.graph.stored(view.id).filter((_, i) => !gone.includes(i));
    const id = c.emit({ kind: 'reduce', how, axes: gone }, [view.id], shape);
    return setReduced(c, id, view, gone, c.int('keepdims', 1) !== 0);
  };
}

function arg(how: 'max' | 'min'): OpLowering {
  return (c) => {
    const view = c.unshaped(0);
    const axis = view.perm[c.axisIn(c.int('axis', 0), view.perm.length)]!;
    const shape = c.graph.stored(view.id).filter((_, i) => i !== axis);
    const op = { kind: 'arg', how, axis, last: c.int('select_last_index', 0) !== 0 } as const;
    setReduced(c, c.emit(op, [view.id], shape, 'int'), view, [axis], c.int('keepdims', 1) !== 0);
  };
}

/** Reductions: sum, mean and extrema, and the indices of extrema. */
export const REDUCE: Readonly<Record<string, OpLowering>> = {
  ReduceSum: reduce('sum', 13),
  ReduceMean: reduce('mean', 18),
  ReduceMax: reduce('max', 18),
  ReduceMin: reduce('min', 18),
  ArgMax: arg('max'),
  ArgMin: arg('min'),
};
