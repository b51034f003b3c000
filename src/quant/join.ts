/**
 * Finds functions of one element that come as several nodes: x·clip(x+3, 0, 6)/6, x·sigmoid(x), the error function with its
 * factors. Where both operands of a node are chains of functions of the same tensor, the node is one function of it, so
 * that one table replaces them all.
 * @module
 */
import type { FloatGraph, FloatNode } from './float-graph.ts';
import { asFunctions } from './simplify.ts';
import type { UnaryFn } from './unary.ts';

/** A tensor that an operand is a function of, with the functions in order. */
interface Origin {
  readonly id: number;
  readonly fns: readonly UnaryFn[];
}

/** All tensors that `id` is an elementwise function of, nearest first; itself at the start. */
function origins(producer: ReadonlyMap<number, FloatNode>, id: number): Origin[] {
  const out: Origin[] = [{ id, fns: [] }];
  for (let at = id; ; ) {
    const node = producer.get(at);
    const fns = node && asFunctions(node.op);
    if (!node || !fns) return out;
    at = node.inputs[0]!;
    out.push({ id: at, fns: [...fns, ...out.at(-1)!.fns] });
  }
}

/** The function that node `op` joins its operands' chains by; undefined where it is none. */
function joined(node: FloatNode, left: readonly UnaryFn[], right: readonly UnaryFn[]): readonly UnaryFn[] | undefined {
  const { op } = node;
  const chains = { fn: 'join', ca: 1, cb: 1, left, right } as const;
  if (op.kind === 'extremum') return [{ ...chains, how: op.how }];
  if (op.kind !== 'linear' && op.kind !== 'mul' && op.kind !== 'div') return undefined;
  const open = op.lo === Number.NEGATIVE_INFINITY && op.hi === Number.POSITIVE_INFINITY;
  const limits: UnaryFn[] = open ? [] : [{ fn: 'clip', lo: op.lo, hi: op.hi }];
  if (op.kind === 'linear') return [{ ...chains, how: 'linear', ca: op.ca, cb: op.cb }, ...limits];
  return [{ ...chains, how: op.kind }, ...limits];
}

/** The node as a function of the tensor that both its operands come from; the node itself where there is none. */
function join(graph: FloatGraph, producer: ReadonlyMap<number, FloatNode>, node: FloatNode): FloatNode {
  if (node.inputs.length !== 2) return node;
  const shape = `${graph.tensors[node.output]!.shape}`;
  const plain = node.inputs.every(
    (id) => graph.tensors[id]!.domain === 'real' && `${graph.tensors[id]!.shape}` === shape,
  );
  if (!plain) return node;
  const [left, right] = node.inputs.map((id) => origins(producer, id)) as [Origin[], Origin[]];
  for (const a of left) {
    const b = right.find((o) => o.id === a.id);
    const fns = b && joined(node, a.fns, b.fns);
    if (fns) return { ...node, op: { kind: 'unary', fns }, inputs: [a.id] };
  }
  return node;
}

/** Nodes with every join replaced by one function; what is no longer read stays, for the caller to drop. */
export function joinPass(graph: FloatGraph, nodes: readonly FloatNode[]): FloatNode[] {
  const producer = new Map<number, FloatNode>();
  return nodes.map((node) => {
    const next = join(graph, producer, node);
    producer.set(next.output, next);
    return next;
  });
}
