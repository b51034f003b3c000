/**
 * Rewrites of the float graph that keep its meaning: affine steps folded into the convolution or dense layer before them,
 * limits into their producer, chains of unary functions into one, dead nodes dropped. What is left of affine and clamp
 * becomes a depthwise convolution or a unary function, so that the quantizer sees few kinds.
 * @module
 */
import type {
  AffineOp,
  Conv2d,
  ConvTranspose2d,
  Dense,
  FloatGraph,
  FloatNode,
  FloatOp,
  GroupNorm,
  LayerNorm,
} from './float-graph.ts';
import { joinPass } from './join.ts';
import { patternPass } from './patterns.ts';
import { pinPass } from './pins.ts';
import type { UnaryFn } from './unary.ts';

const UNBOUNDED = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

/** How many nodes and outputs read each tensor. */
function countUses(graph: FloatGraph, nodes: readonly FloatNode[]): Int32Array {
  const uses = new Int32Array(graph.tensors.length);
  for (const node of nodes) for (const id of node.inputs) uses[id]! += 1;
  for (const output of graph.outputs) uses[output.tensor]! += 1;
  return uses;
}

/** w·scale per output row and b·scale + shift: the layer followed by the affine. */
function scaleRows<T extends Conv2d | ConvTranspose2d | Dense>(layer: T, affine: AffineOp): T {
  const { steps } = layer;
  const rows = layer.bias.length;
  const k = layer.weight.length / rows;
  const at = (v: Float64Array, row: number): number => v[v.length === 1 ? 0 : row]!;
  return {
    ...layer,
    weight: layer.weight.map((w, i) => w * at(affine.scale, Math.floor(i / k))),
    bias: layer.bias.map((b, row) => b * at(affine.scale, row) + at(affine.shift, row)),
    ...(steps ? { steps: steps.map((s, row) => s * Math.abs(at(affine.scale, row))) } : {}),
  };
}

/** The normalisation followed by the affine. */
function scaleNorm<T extends LayerNorm | GroupNorm>(op: T, affine: AffineOp): T {
  const at = (v: Float64Array, i: number): number => v[v.length === 1 ? 0 : i]!;
  return {
    ...op,
    gamma: op.gamma.map((v, i) => v * at(affine.scale, i)),
    beta: op.beta.map((v, i) => v * at(affine.scale, i) + at(affine.shift, i)),
  };
}

/** The affine that two in a row make. */
function composed(op: AffineOp, next: AffineOp): AffineOp {
  const n = Math.max(op.scale.length, op.shift.length, next.scale.length, next.shift.length);
  const at = (v: Float64Array, i: number): number => v[v.length === 1 ? 0 : i]!;
  return {
    kind: 'affine',
    scale: Float64Array.from({ length: n }, (_, i) => at(op.scale, i) * at(next.scale, i)),
    shift: Float64Array.from({ length: n }, (_, i) => at(op.shift, i) * at(next.scale, i) + at(next.shift, i)),
  };
}

/** The operation as a chain of functions of one element; undefined where it is none. */
export function asFunctions(op: FloatOp): readonly UnaryFn[] | undefined {
  if (op.kind === 'unary') return op.fns;
  if (op.kind === 'clamp') return [{ fn: 'clip', lo: op.lo, hi: op.hi }];
  const scalar = op.kind === 'affine' && op.scale.length === 1 && op.shift.length === 1;
  return scalar ? [{ fn: 'affine', scale: op.scale[0]!, shift: op.shift[0]! }] : undefined;
}

/** The fusion of `next` into `op`, its only producer; undefined where they do not fuse. */
function fuse(op: FloatOp, next: FloatOp): FloatOp | undefined {
  if (next.kind === 'affine') {
    const rows = op.kind === 'conv2d' || op.kind === 'conv_transpose2d' || op.kind === 'dense';
    const layer = rows && op.lo === UNBOUNDED.lo && op.hi === UNBOUNDED.hi;
    if (layer) return scaleRows(op, next);
    if (op.kind === 'affine') return composed(op, next);
    if (op.kind === 'layer_norm' || op.kind === 'group_norm') return scaleNorm(op, next);
  }
  if (next.kind === 'clamp' && 'lo' in op) {
    const clip = (v: number): number => Math.min(Math.max(v, next.lo), next.hi);
    return { ...op, lo: clip(op.lo), hi: clip(op.hi) };
  }
  const [first, second] = [asFunctions(op), asFunctions(next)];
  return first && second ? { kind: 'unary', fns: [...first, ...second] } : undefined;
}

/** One pass of fusion of single-use producers with their consumers; true where something fused. */
function fusePass(graph: FloatGraph, nodes: FloatNode[]): boolean {
  const uses = countUses(graph, nodes);
  const producer = new Map<number, number>();
  let changed = false;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    const from = node.inputs.length === 1 ? producer.get(node.inputs[0]!) : undefined;
    const before = from === undefined ? undefined : nodes[from]!;
    const open = before && uses[before.output] === 1 && !graph.tensors[before.output]!.pin;
    const op = open ? fuse(before.op, node.op) : undefined;
    if (op && before && from !== undefined) {
      const name = op.kind === 'unary' ? node : before;
      nodes[from] = { op, inputs: before.inputs, output: node.output, name: name.name, source: name.source };
      nodes.splice(i--, 1);
      producer.set(node.output, from);
      changed = true;
    } else producer.set(node.output, i);
  }
  return changed;
}

/** Affine that nothing absorbed, in kinds that the integer graph has. */
function lowerLeftover(graph: FloatGraph, node: FloatNode): FloatNode {
  const { op } = node;
  if (op.kind !== 'affine') return node;
  const fns = asFunctions(op);
  if (fns) return { ...node, op: { kind: 'unary', fns } };
  const shape = graph.tensors[node.output]!.shape;
  if (shape.length !== 4) return node;
  const c = shape[3]!;
  const all = (v: Float64Array): Float64Array => (v.length === c ? v : new Float64Array(c).fill(v[0]!));
  return { ...node, op: depthwise(all(op.scale), all(op.shift)) };
}

/** A 1×1 depthwise convolution y = x·scale + shift. */
export function depthwise(scale: Float64Array, shift: Float64Array): Conv2d {
  const one = [1, 1] as const;
  const window = { kernel: one, strides: one, dilations: one, pads: [0, 0, 0, 0] as const, groups: scale.length };
  return { kind: 'conv2d', weight: scale, bias: shift, ...window, ...UNBOUNDED };
}

/** Nodes that an output depends on. */
function dropDead(graph: FloatGraph, nodes: readonly FloatNode[]): FloatNode[] {
  const live = new Set(graph.outputs.map((o) => o.tensor));
  const kept: FloatNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!live.has(node.output)) continue;
    kept.push(node);
    for (const id of node.inputs) live.add(id);
  }
  return kept.reverse();
}

/** Fuses, drops what is dead and replaces leftovers; the result has the same inputs, outputs and tensor ids. */
export function simplify(graph: FloatGraph): FloatGraph {
  const nodes = dropDead(graph, joinPass(graph, graph.nodes));
  while (fusePass(graph, nodes));
  const found = patternPass(graph, nodes);
  const next = { ...graph, tensors: found.tensors };
  const left = dropDead(next, found.nodes);
  while (fusePass(next, left));
  const pinned = pinPass(next, left);
  const own = [...pinned.nodes];
  while (fusePass(pinned, own));
  const plain = own.map((node) => lowerLeftover(pinned, node));
  while (fusePass(pinned, plain));
  return { ...pinned, nodes: plain };
}
