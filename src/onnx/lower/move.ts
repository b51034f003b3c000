/**
 * ONNX data movement: parts, joins, borders, repeats, constant indices. All work on the stored axes, whatever the layout.
 * @module
 */
import { padAmounts, resolveSlice, type SliceAxis, splitSizes } from '../eval/move.ts';
import type { View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';
import { commonLayout } from './layout.ts';

/** Values per ONNX axis in stored order. */
function inStorage<T>(view: View, perAxis: readonly T[]): T[] {
  return view.perm.map((_, stored) => perAxis[view.perm.indexOf(stored)]!);
}

/** The part of an unshaped view that `axes` (in ONNX order) describe, in the same layout. */
function slice(c: LowerContext, view: View, axes: readonly SliceAxis[]): View {
  const own = inStorage(view, axes);
  const stored = c.graph.stored(view.id);
  if (own.every((a, i) => a.size === stored[i] && a.step === 1)) return view;
  const size = own.map((a) => a.size);
  const step = own.map((a) => (a.size <= 1 ? 1 : a.step));
  return { ...view, id: c.emit({ kind: 'slice', start: own.map((a) => a.start), step, size }, [view.id], size) };
}

/** The whole of every axis but one. */
function onAxis(shape: readonly number[], axis: number, part: SliceAxis): SliceAxis[] {
  return shape.map((size, i) => (i === axis ? part : { start: 0, step: 1, size }));
}

const Slice: OpLowering = (c) => {
  const shape = c.shape(0);
  const attributes = c.opset < 10;
  const list = (i: number, name: string): readonly number[] | undefined =>
    attributes ? c.list(name) : c.optionalInts(i, name);
  const [starts, ends] = [list(1, 'starts') ?? [], list(2, 'ends') ?? []];
  const steps = attributes ? undefined : c.optionalInts(4, 'steps');
  c.set(slice(c, c.unshaped(0), resolveSlice(c, shape, starts, ends, list(3, 'axes'), steps)));
};

const Split: OpLowering = (c) => {
  const shape = c.shape(0);
  const axis = c.axisIn(c.int('axis', 0), shape.length);
  const given = c.opset < 13 ? c.list('split') : c.optionalInts(1, 'the sizes');
  const view = c.unshaped(0);
  let start = 0;
  splitSizes(c, shape[axis]!, given).forEach((size, o) => {
    if (c.graph.isRead(c.node.outputs[o] ?? ''))
      c.set(slice(c, view, onAxis(shape, axis, { start, step: 1, size })), o);
    start += size;
  });
};

/** Start and step of indices in arithmetic progression; undefined for others. */
function progression(indices: readonly number[]): { start: number; step: number } | undefined {
  const step = indices.length > 1 ? indices[1]! - indices[0]! : 1;
  if (step === 0 || indices.length === 0) return undefined;
  return indices.every((v, i) => v === indices[0]! + i * step) ? { start: indices[0]!, step } : undefined;
}

/** Gather: a slice for constant indices in progression, else an op with the indices as an operand. */
const Gather: OpLowering = (c) => {
  const shape = c.shape(0);
  const axis = c.axisIn(c.int('axis', 0), shape.length);
  const n = shape[axis]!;
  const given = c.constant(1);
  const indices = given && [...given.data].map((v) => (v < 0 ? v + n : v));
  if (indices?.some((v) => !(v >= 0 && v < n))) c.fail('BadGraph', `an index is outside an axis of ${n}`);
  const regular = indices && given!.shape.length <= 1 ? progression(indices) : undefined;
  const view = c.unshaped(0);
  if (regular) {
    const part = slice(c, view, onAxis(shape, axis, { ...regular, size: indices!.length }));
    if (given!.shape.length === 1) return c.set(part);
    const gone = view.perm[axis]!;
    const left = view.perm.filter((p) => p !== gone).map((p) => (p > gone ? p - 1 : p));
    const stored = c.graph.stored(part.id).filter((_, i) => i !== gone);
    return c.set({ id: c.graph.reshape(c.node, part.id, stored), perm: left, shape: null });
  }
  const x = c.graph.plain(c.node, view);
  const at = given
    ? c.graph.constant(c.node, { dtype: 'int64', shape: given.shape, data: Float64Array.from(indices!) })
    : c.plain(1);
  const out = [...shape.slice(0, axis), ...c.shape(1), ...shape.slice(axis + 1)];
  return c.setPlain(c.emit({ kind: 'gather', axis }, [x, at], out));
};

const Concat: OpLowering = (c) => {
  const of = c.node.inputs.map((_, i) => i).filter((i) => c.shape(i).reduce((a, b) => a * b, 1) > 0);
  const first = c.shape(of[0] ?? 0);
  const axis = c.axisIn(c.int('axis', 1), first.length);
  if (of.length === 1) return c.set(c.view(of[0]!));
  const perm = commonLayout(c, of, first.length);
  const axes = perm.map((_, stored) => perm.indexOf(stored));
  const ids = of.map((i) => c.graph.ordered(c.node, c.unshaped(i), axes));
  const joined = [...first];
  joined[axis] = of.reduce((sum, i) => sum + c.shape(i)[axis]!, 0);
  const shape = axes.map((a) => joined[a]!);
  return c.set({ id: c.emit({ kind: 'concat', axis: perm[axis]! }, ids, shape), perm, shape: null });
};

const Pad: OpLowering = (c) => {
  const rank = c.shape(0).length;
  const attributes = c.opset < 11;
  const pads = attributes ? (c.list('pads') ?? []) : c.intsInput(1, 'the pads');
  const value = attributes ? c.float('value', 0) : (c.optionalInts(2, 'the value')?.[0] ?? 0);
  const mode = c.string('mode', 'constant');
  if (mode !== 'constant' && mode !== 'edge' && mode !== 'reflect')
    return c.fail('UnsupportedForm', `mode "${mode}" is not supported`);
  const amounts = padAmounts(c, rank, pads, c.optionalInts(3, 'the axes'));
  const shape = c.shape(0);
  const cut = shape.map((d, i) => {
    const [b, a] = [Math.min(amounts.before[i]!, 0), Math.min(amounts.after[i]!, 0)];
    return { start: -b, step: 1, size: d + a + b };
  });
  if (cut.some((a) => a.size < 0)) c.fail('BadGraph', 'negative pads cut more than there is');
  const view = slice(c, c.unshaped(0), cut);
  const [before, after] = [amounts.before, amounts.after].map((v) =>
    inStorage(
      view,
      v.map((p) => Math.max(p, 0)),
    ),
  ) as [number[], number[]];
  if ([...before, ...after].every((p) => p === 0)) return c.set(view);
  const stored = c.graph.stored(view.id);
  if (
    mode === 'reflect' &&
    stored.some((d, i) => Math.max(before[i]!, after[i]!) >= d && d > 0 && before[i]! + after[i]! > 0)
  )
    c.fail('UnsupportedForm', 'a mirrored border as wide as its axis is not supported');
  const out = stored.map((d, i) => d + before[i]! + after[i]!);
  const op = { kind: 'pad', mode, before, after, value: Float64Array.of(value) } as const;
  return c.set({ ...view, id: c.emit(op, [view.id], out) });
};

const Tile: OpLowering = (c) => {
  const view = c.unshaped(0);
  const repeats = inStorage(view, c.intsInput(1, 'the repeats'));
  if (repeats.length !== view.perm.length) c.fail('BadGraph', `${repeats.length} repeats for rank ${view.perm.length}`);
  const shape = c.graph.stored(view.id).map((d, i) => d * repeats[i]!);
  c.set({ ...view, id: c.emit({ kind: 'tile', repeats }, [view.id], shape) });
};

const Expand: OpLowering = (c) => {
  const target = c.intsInput(1, 'the shape');
  const from = c.shape(0);
  const rank = Math.max(from.length, target.length);
  const at = (s: readonly number[], i: number): number => s[i - rank + s.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => {
    const [p, q] = [at(from, i), at(target, i)];
    if (p !== q && p !== 1 && q !== 1) c.fail('BadGraph', `[${from}] does not broadcast to [${target}]`);
    return p === 1 ? q : p;
  });
  if (rank > from.length) {
    const x = c.graph.reshape(
      c.node,
      c.plain(0),
      shape.map((_, i) => at(from, i)),
    );
    return c.setPlain(c.emit({ kind: 'expand' }, [x], shape));
  }
  const view = c.unshaped(0);
  const stored = inStorage(view, shape);
  return c.set({ ...view, id: c.emit({ kind: 'expand' }, [view.id], stored) });
};

/** Data movement. */
export const MOVE: Readonly<Record<string, OpLowering>> = { Concat, Expand, Gather, Pad, Slice, Split, Tile };
