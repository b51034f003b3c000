/**
 * Float graphs with symbolic dims. A graph is held at one size; where a dim depends on the model's symbols the tensor also says
 * how. How is found by lowering the same model at several sizes: what differs must be affine in the symbols.
 * @module
 */
import { affine, type Dim, dimAt, isSymbol, type SymbolDecl } from '../core/dim.ts';
import { ImportError } from '../onnx/errors.ts';
import { type FloatGraph, type FloatNode, type FloatOp, type FloatTensor, sizeOf } from './float-graph.ts';
import { stridesOf, take } from './kernels/block.ts';

/** Greatest coefficient of a symbol (spec/10-ops.md §1.3). */
const MOST = 1048576;

function refuse(node: FloatNode | undefined, message: string): never {
  const where = node && { node: node.name, op: node.source };
  throw new ImportError(
    'UnsupportedForm',
    message,
    where,
    'Fix the dimension: --dim NAME=VALUE gives it one value in place of a range.',
  );
}

/** The first `shape` of `data`, along every axis of `from`. */
function cut(data: Float64Array, from: readonly number[], shape: readonly number[]): Float64Array {
  if (sizeOf(from) === sizeOf(shape)) return data;
  const y = { data: new Float64Array(sizeOf(shape)), shape };
  take({ data, shape: from }, y, stridesOf(from));
  return y.data;
}

/** A dim from its values at the first size and at one step of each symbol from it; checked against the others. */
class Fit {
  readonly #points: readonly (readonly number[])[];
  readonly #symbols: number;

  /** `points`: the sizes; point 1 + i differs from point 0 in symbol i alone. */
  constructor(points: readonly (readonly number[])[], symbols: number) {
    this.#points = points;
    this.#symbols = symbols;
  }

  /** The dim with these values; undefined where there is none. */
  dim(values: readonly number[]): Dim | undefined {
    const [first] = this.#points as [readonly number[]];
    const k = Array.from(
      { length: this.#symbols },
      (_, i) => (values[1 + i]! - values[0]!) / (this.#points[1 + i]![i]! - first[i]!),
    );
    if (!k.every((v) => Number.isInteger(v) && Math.abs(v) <= MOST)) return undefined;
    const d = affine(
      k.reduce((c, v, i) => c - v * first[i]!, values[0]!),
      k,
    );
    return this.#points.every((p, i) => dimAt(d, p) === values[i]) ? d : undefined;
  }

  /** Dims of shapes of one tensor; undefined where they are no affine ones. */
  dims(shapes: readonly (readonly number[])[]): Dim[] | undefined {
    const [first] = shapes as [readonly number[]];
    const out = first.map((_, axis) => this.dim(shapes.map((s) => s[axis]!)));
    return out.every((d) => d !== undefined) ? (out as Dim[]) : undefined;
  }
}

/** Equal values: numbers, strings, lists and records of them. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || Array.isArray(a)) {
    const [p, q] = [a, b] as unknown as ArrayLike<unknown>[];
    if (p!.length !== q!.length) return false;
    for (let i = 0; i < p!.length; i++) if (!same(p![i], q![i])) return false;
    return true;
  }
  const keys = Object.keys(a);
  const record = (v: object): Record<string, unknown> => v as Record<string, unknown>;
  return keys.length === Object.keys(b).length && keys.every((k) => same(record(a)[k], record(b)[k]));
}

/** The node's operation with what its sizes depend on; `nodes` are the same node at every size. */
function symbolicOp(fit: Fit, nodes: readonly FloatNode[], graphs: readonly FloatGraph[]): FloatOp {
  const [first] = nodes as [FloatNode];
  const { op } = first;
  const shapeAt = (i: number): readonly number[] => graphs[i]!.tensors[nodes[i]!.output]!.shape;
  const kindOf = (n: FloatNode): unknown => n.op.kind;
  if (!nodes.every((n) => kindOf(n) === op.kind)) refuse(first, 'its form depends on a symbolic dimension');
  if (op.kind === 'slice') {
    const starts = fit.dims(nodes.map((n) => (n.op as typeof op).start));
    const steps = nodes.every((n) => same((n.op as typeof op).step, op.step));
    if (!starts || !steps) return refuse(first, 'its places are not affine in the symbolic dimensions');
    return starts.every((s) => typeof s === 'number') ? op : { ...op, starts };
  }
  if (op.kind === 'constant') {
    const full = { data: op.data, shape: shapeAt(0) };
    const part = (n: FloatNode, i: number): boolean =>
      shapeAt(i).every((d, axis) => d <= full.shape[axis]!) &&
      same((n.op as typeof op).data, cut(full.data, full.shape, shapeAt(i)));
    if (!nodes.every(part))
      refuse(first, 'a constant that follows from a symbolic dimension is no part of a greater one');
    return nodes.every((n) => same(n.op, op)) ? op : { ...op, full };
  }
  if (op.kind === 'lstm' || op.kind === 'gru') {
    const fixed = (n: FloatNode): unknown => ({ ...n.op, h0: undefined, c0: undefined });
    if (nodes.every((n) => same(fixed(n), fixed(first)))) return op; // states of the greatest size
  }
  if (!nodes.every((n) => same(n.op, op))) refuse(first, 'its attributes depend on a symbolic dimension');
  return op;
}

/** Sizes that a graph is lowered at: the greatest, one below in each symbol, and two more that check the fit. */
export function probes(symbols: readonly SymbolDecl[]): number[][] {
  const top = symbols.map((s) => s.max);
  const below = (s: SymbolDecl, by: number): number => (s.max - by >= 2 ? s.max - by : s.max + by);
  const one = symbols.map((_, i) => symbols.map((s, j) => (j === i ? below(s, 1) : s.max)));
  const all = [2, 3].map((by) => symbols.map((s, i) => below(s, by + i)));
  return [top, ...one, ...all];
}

/** The graph at the symbols' maxima with the dims of every tensor; `graphs` are those of `probes`. */
export function unify(graphs: readonly FloatGraph[], symbols: readonly SymbolDecl[]): FloatGraph {
  const fit = new Fit(probes(symbols), symbols.length);
  const [first] = graphs as [FloatGraph];
  const makers = new Map(first.nodes.map((n) => [n.output, n]));
  const alike = (g: FloatGraph): boolean =>
    g.nodes.length === first.nodes.length &&
    g.tensors.length === first.tensors.length &&
    g.nodes.every((n, i) => n.output === first.nodes[i]!.output && same(n.inputs, first.nodes[i]!.inputs)) &&
    same(g.inputs, first.inputs) &&
    same(g.outputs, first.outputs);
  if (!graphs.every(alike)) {
    const at = first.nodes.findIndex((n, i) => graphs.some((g) => g.nodes[i]?.op.kind !== n.op.kind));
    refuse(first.nodes[at], 'the form of the graph depends on a symbolic dimension');
  }
  const tensors = first.tensors.map((t): FloatTensor => {
    const shapes = graphs.map((g) => g.tensors[t.id]!.shape);
    if (!makers.has(t.id) && !first.inputs.some((i) => i.tensor === t.id)) return t;
    const dims = shapes.every((s) => s.length === t.shape.length) ? fit.dims(shapes) : undefined;
    if (!dims) return refuse(makers.get(t.id), 'its shape is not affine in the symbolic dimensions');
    return dims.every((d) => typeof d === 'number') ? t : { ...t, dims };
  });
  const nodes = first.nodes.map((n, i) => ({
    ...n,
    op: symbolicOp(
      fit,
      graphs.map((g) => g.nodes[i]!),
      graphs,
    ),
  }));
  return { ...first, tensors, nodes, symbols };
}

/** The graph at other values of its symbols. */
export function resized(graph: FloatGraph, values: readonly number[]): FloatGraph {
  const tensors = graph.tensors.map((t) => (t.dims ? { ...t, shape: t.dims.map((d) => dimAt(d, values)) } : t));
  const nodes = graph.nodes.map((n): FloatNode => {
    const { op } = n;
    const { shape } = tensors[n.output]!;
    if (op.kind === 'slice') {
      const start = op.starts?.map((d) => dimAt(d, values)) ?? op.start;
      return { ...n, op: { ...op, start, size: shape } };
    }
    if (op.kind !== 'constant' || !op.full) return n;
    return { ...n, op: { ...op, data: cut(op.full.data, op.full.shape, shape) } };
  });
  return { ...graph, tensors, nodes };
}

/** The graph at the size it is held at, without symbols. */
export function fixed(graph: FloatGraph): FloatGraph {
  if (!graph.symbols) return graph;
  const nodes = graph.nodes.map((n) => (n.op.kind === 'slice' ? { ...n, op: { ...n.op, starts: undefined } } : n));
  return { ...graph, tensors: graph.tensors.map((t) => ({ ...t, dims: undefined })), nodes, symbols: undefined };
}

/** Values of the symbols that samples of shape [samples, …] have, with the batch among their axes or without; else the least batch. */
export function sampledAt(
  graph: FloatGraph,
  symbols: readonly SymbolDecl[],
  shapes: readonly (readonly number[] | undefined)[],
): number[] {
  return symbols.map((s, i) => {
    for (const [at, input] of graph.inputs.entries()) {
      const { dims } = graph.tensors[input.tensor]!;
      const axis = input.perm.findIndex((p) => dims?.[p] !== undefined && isSymbol(dims[p]!, i));
      if (axis < 0) continue;
      const shape = shapes[at];
      const whole = shape?.length === input.perm.length + 1;
      if (axis === 0 && !whole) return s.min;
      const own = shape?.[whole ? axis + 1 : axis];
      if (own !== undefined && own >= s.min && own <= s.max) return own;
    }
    return s.max;
  });
}

/** Values of the symbols at which readers give samples: those that make their sizes; the maxima without readers. */
export function sizesOf(
  graph: FloatGraph,
  readers: readonly { readonly shape: readonly number[] }[] | undefined,
): number[] {
  return (graph.symbols ?? []).map((s, i) => {
    for (const [at, input] of graph.inputs.entries()) {
      const axis = graph.tensors[input.tensor]!.dims?.findIndex((d) => isSymbol(d, i)) ?? -1;
      if (readers && axis >= 0) return readers[at]!.shape[axis]!;
    }
    return s.max;
  });
}
