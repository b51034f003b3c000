/**
 * Types that the source model gives. A node that rounds anyway rounds into the type that follows it; any other keeps a
 * rounding node behind it.
 * @module
 */
import type { FloatGraph, FloatKind, FloatNode, FloatTensor } from './float-graph.ts';

/** Kinds whose integer form rounds into a given type of its own. */
const ROUNDS: ReadonlySet<FloatKind> = new Set([
  ...(['conv2d', 'dense', 'matmul', 'linear', 'mul', 'div', 'unary', 'affine', 'clamp', 'softmax'] as const),
  ...(['log_softmax', 'layer_norm', 'avg_pool2d', 'concat', 'where', 'constant'] as const),
]);

function rounds({ op }: FloatNode): boolean {
  if (op.kind === 'reduce') return op.how === 'mean' || op.how === 'sum';
  return op.kind === 'resize' ? op.mode === 'linear' : ROUNDS.has(op.kind);
}

/** Puts the type of every `quant` node on its tensor, and the node away where its only producer rounds into that type. */
export function pinPass(graph: FloatGraph, nodes: readonly FloatNode[]): FloatGraph {
  const tensors: FloatTensor[] = [...graph.tensors];
  const uses = new Int32Array(tensors.length);
  for (const id of [...nodes.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.tensor)]) uses[id]! += 1;
  const out: FloatNode[] = [];
  const place = new Map<number, number>();
  for (const node of nodes) {
    if (node.op.kind === 'quant') {
      const from = node.inputs[0]!;
      tensors[node.output] = { ...tensors[node.output]!, pin: node.op.type };
      const at = place.get(from);
      const maker = at === undefined ? undefined : out[at]!;
      if (maker && uses[from] === 1 && rounds(maker) && !tensors[from]!.pin) {
        out[at!] = { ...maker, output: node.output };
        place.set(node.output, at!);
        continue;
      }
    }
    place.set(node.output, out.length);
    out.push(node);
  }
  return { ...graph, tensors, nodes: out };
}
