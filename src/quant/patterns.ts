/**
 * Operations that exporters spell out in many nodes: layer normalisation as means, squares and a square root, and masks
 * that a softmax sees as very negative numbers. Found on the float graph, where layouts no longer matter.
 * @module
 */
import type { FloatGraph, FloatNode, FloatOp, FloatTensor, Softmax } from './float-graph.ts';
import { applyChain, type UnaryFn } from './unary.ts';

/** A number this low in a softmax weighs nothing. */
const NEVER = -10000;

/** The graph while patterns are replaced: what makes each tensor, and room for further ones. */
class Rewriter {
  readonly tensors: FloatTensor[];
  readonly nodes: FloatNode[] = [];
  readonly #maker: Map<number, FloatNode> = new Map();

  constructor(graph: FloatGraph) {
    this.tensors = [...graph.tensors];
  }

  /** The node that makes tensor `id`; undefined for an input. */
  maker(id: number): FloatNode | undefined {
    return this.#maker.get(id);
  }

  /** The operation that makes tensor `id` where it is of kind K. */
  made<K extends FloatOp['kind']>(id: number, kind: K): (FloatNode & { op: FloatOp & { kind: K } }) | undefined {
    const node = this.maker(id);
    return node?.op.kind === kind ? (node as FloatNode & { op: FloatOp & { kind: K } }) : undefined;
  }

  /** `id` as it was before reshapes. */
  unreshaped(id: number): number {
    const node = this.made(id, 'reshape');
    return node ? this.unreshaped(node.inputs[0]!) : id;
  }

  /** Adds a node as it is. */
  add(node: FloatNode): void {
    this.nodes.push(node);
    this.#maker.set(node.output, node);
  }

  /** Adds a node with an output of its own, a bool of `shape`; gives the output. */
  addBool(from: FloatNode, op: FloatOp, inputs: readonly number[], shape: readonly number[]): number {
    const id = this.tensors.length;
    this.tensors.push({ id, name: this.tensors[from.output]!.name, shape, domain: 'bool' });
    this.add({ op, inputs, output: id, name: from.name, source: from.source });
    return id;
  }
}

function last(g: Rewriter, id: number): number {
  return g.tensors[id]!.shape.length - 1;
}

/** True where f(t) = want(t) at some points. */
function equals(fns: readonly UnaryFn[], want: (t: number) => number, points: readonly number[]): boolean {
  return points.every((t) => Math.abs(applyChain(fns, t) - want(t)) <= 1e-9 * Math.abs(want(t)));
}

/** The tensor whose mean over the last axis `id` is; undefined where it is none. */
function meanOf(g: Rewriter, id: number): number | undefined {
  const node = g.made(g.unreshaped(id), 'reduce');
  const of = node?.inputs[0];
  if (!node || of === undefined || node.op.how !== 'mean' || `${node.op.axes}` !== `${last(g, of)}`) return undefined;
  const kept = g.tensors[id]!.shape;
  return kept.length === last(g, of) + 1 && kept.at(-1) === 1 ? of : undefined;
}

/** The tensor that `id` is, less its mean over the last axis; undefined where it is none. */
function centredOf(g: Rewriter, id: number): number | undefined {
  const node = g.made(id, 'linear');
  if (node?.op.ca !== 1 || node.op.cb !== -1 || Number.isFinite(node.op.lo) || Number.isFinite(node.op.hi))
    return undefined;
  const [x, mean] = node.inputs as [number, number];
  return meanOf(g, mean) === x ? x : undefined;
}

/** The tensor whose squares `id` holds; undefined where it holds none. */
function rootOf(g: Rewriter, id: number): number | undefined {
  const node = g.made(id, 'unary');
  if (node) return equals(node.op.fns, (t) => t * t, [-2, -0.5, 1, 3]) ? node.inputs[0] : undefined;
  const product = g.made(id, 'mul');
  return product && product.inputs[0] === product.inputs[1] ? product.inputs[0] : undefined;
}

/** What is squared, and eps, where `id` is √(mean of squares + eps), or its reciprocal where `inverse`. */
function deviationOf(g: Rewriter, id: number, inverse: boolean): { of: number; eps: number } | undefined {
  const node = g.made(g.unreshaped(id), 'unary');
  if (!node) return undefined;
  const at = (v: number): number => {
    const y = applyChain(node.op.fns, v);
    return inverse ? 1 / y : y;
  };
  const eps = at(0) * at(0);
  const own = eps > 0 && [0.01, 1, 4].every((v) => Math.abs(at(v) * at(v) - v - eps) <= 1e-9 * (v + eps));
  const squares = own ? meanOf(g, g.tensors[id]!.shape.at(-1) === 1 ? node.inputs[0]! : -1) : undefined;
  const of = squares === undefined ? undefined : rootOf(g, squares);
  return of === undefined ? undefined : { of, eps };
}

/** (x − mean)/√(variance + eps) or x/√(mean square + eps), spelt as a quotient or as a product with the reciprocal. */
function layerNorm(g: Rewriter, node: FloatNode): FloatNode {
  const { op } = node;
  if (op.kind !== 'div' && op.kind !== 'mul') return node;
  if (Number.isFinite(op.lo) || Number.isFinite(op.hi)) return node;
  const orders = op.kind === 'div' ? [[0, 1]] : [[0, 1], [1, 0]]; // biome-ignore format: pairs
  for (const [i, j] of orders) {
    const above = node.inputs[i!]!;
    const deviation = deviationOf(g, node.inputs[j!]!, op.kind === 'mul');
    if (!deviation) continue;
    const centre = centredOf(g, above);
    const rms = deviation.of === above && centre === undefined;
    const x = rms ? above : centre;
    if (x === undefined || (!rms && centredOf(g, deviation.of) !== centre)) continue;
    const n = g.tensors[x]!.shape.at(-1)!;
    const own = { kind: 'layer_norm', gamma: new Float64Array(n).fill(1), beta: new Float64Array(n) } as const;
    return { ...node, op: { ...own, eps: deviation.eps, rms }, inputs: [x] };
  }
  return node;
}

/** The one value of a constant; undefined for others. */
function uniform(g: Rewriter, id: number): number | undefined {
  const node = g.made(id, 'constant');
  return node?.op.data.every((v) => v === node.op.data[0]) ? node.op.data[0] : undefined;
}

/** What a softmax reads and which of it counts: the operand, and truth values that broadcast to it. */
interface Masked {
  readonly x: number;
  /** Constant truth values, or the tensor that holds them; `flip` where 1 leaves out. */
  readonly keep: { readonly data: Float64Array; readonly shape: readonly number[] } | number;
  readonly flip: boolean;
}

/** The mask of a softmax over `id`: a choice of very negative numbers, or a constant sum of them and zeros. */
function maskOf(g: Rewriter, id: number): Masked | undefined {
  const choice = g.made(id, 'where');
  if (choice) {
    const [c, a, b] = choice.inputs as [number, number, number];
    const flip = (uniform(g, a) ?? 0) <= NEVER;
    if (!flip && !((uniform(g, b) ?? 0) <= NEVER)) return undefined;
    const k = g.made(c, 'constant');
    const keep = k ? { data: k.op.data, shape: g.tensors[c]!.shape } : c;
    return { x: flip ? b : a, keep, flip };
  }
  const sum = g.made(id, 'linear');
  if (sum?.op.ca !== 1 || sum.op.cb !== 1) return undefined;
  for (const [x, k] of [sum.inputs, [...sum.inputs].reverse()] as [number, number][]) {
    const node = g.made(k, 'constant');
    if (!node?.op.data.every((v) => v === 0 || v <= NEVER) || node.op.data.every((v) => v === 0)) continue;
    return { x, keep: { data: node.op.data.map((v) => (v === 0 ? 1 : 0)), shape: g.tensors[k]!.shape }, flip: false };
  }
  return undefined;
}

/** f where the mask keeps j ≤ i + f in every matrix; undefined for any other. */
function causalOffset(keep: Float64Array, shape: readonly number[], x: readonly number[]): number | null {
  const [rows, k] = [shape.at(-2) ?? 0, shape.at(-1) ?? 0];
  if (rows !== x.at(-2) || k !== x.at(-1) || rows < 2) return null;
  let f = -1;
  while (f + 1 < k && keep[f + 1] === 1) f++;
  return keep.every((v, at) => v === (at % k <= (Math.floor(at / k) % rows) + f ? 1 : 0)) ? f : null;
}

/** A softmax that knows its mask. */
function maskedSoftmax(g: Rewriter, node: FloatNode, op: Softmax): FloatNode {
  const m = node.inputs.length === 1 && op.causal === null ? maskOf(g, node.inputs[0]!) : undefined;
  const shape = g.tensors[node.output]!.shape;
  if (!m || `${g.tensors[m.x]!.shape}` !== `${shape}`) return node;
  if (typeof m.keep === 'number') {
    const own = g.tensors[m.keep]!.shape;
    const mask = m.flip ? g.addBool(node, { kind: 'logical', how: 'not' }, [m.keep], own) : m.keep;
    return { ...node, inputs: [m.x, mask] };
  }
  const data = m.keep.data.map((v) => ((v !== 0) !== m.flip ? 1 : 0));
  const causal = causalOffset(data, m.keep.shape, shape);
  if (causal !== null) return { ...node, op: { ...op, causal }, inputs: [m.x] };
  return { ...node, inputs: [m.x, g.addBool(node, { kind: 'constant', data }, [], m.keep.shape)] };
}

/** Replaces what is found; nodes that are no longer read stay, for the caller to drop. */
export function patternPass(
  graph: FloatGraph,
  nodes: readonly FloatNode[],
): { tensors: FloatTensor[]; nodes: FloatNode[] } {
  const g = new Rewriter(graph);
  for (const node of nodes) g.add(node.op.kind === 'softmax' ? maskedSoftmax(g, node, node.op) : layerNorm(g, node));
  return g;
}
