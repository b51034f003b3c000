/**
 * The commitments of a model: roots of constants, op leaves, the model root, and which tensors a trace holds
 * (spec/40-consensus.md §3, §4).
 * @module
 */
import { type DType, type TypedArray, toBytes } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import type { TensorType } from '../ops/define.ts';
import type { AnyReference } from '../ops/index.ts';
import { OPS, type OpName } from '../ops/index.ts';
import * as references from '../ops/references.ts';
import { encodeLeaf, type LeafStep, type LeafTensor, type LeafVector, type NodeLeaf, type Source } from './leaf.ts';
import { type HashName, leafHash, type Tree, treeOfChunks, treeOver } from './merkle.ts';

/** Steps of every op. */
export const STEPS: { readonly [N in OpName]: AnyReference } = references as unknown as {
  readonly [N in keyof typeof references]: AnyReference;
};

/**
 * Facts that references read; all others serve the choice of kernels and are no part of a leaf.
 * @internal
 */
export const FACTS = ['fraction', 'q', 's1', 'weightBits'] as const;

/** A tensor of a trace: an input of the model (node −1, step its position), or a step of a node. */
export interface TraceEntry {
  readonly node: number;
  readonly step: number;
  /** Tensor id of an input or output; absent for an intermediate. */
  readonly tensor?: number | undefined;
  /** Name of the step. */
  readonly name: string;
  readonly dtype: DType | 'i64';
}

/** What a chain knows of a model, and what proofs are made from. Trees of constants are made when asked for. */
export interface Commitment {
  readonly model: Model;
  readonly hash: HashName;
  /** Tensors of a trace in order: inputs first, then the steps of each node. */
  readonly trace: readonly TraceEntry[];
  /** Trace index of the first step of each node. */
  readonly firstStep: readonly number[];
  /** Trace index by tensor id; constants have none. */
  readonly traceIndex: ReadonlyMap<number, number>;
  readonly leaves: readonly Uint8Array[];
  readonly tree: Tree;
  readonly modelRoot: Uint8Array;
  /** The tree of a constant by tensor id. */
  constantTree(tensor: number): Tree;
  /** The tree of an attribute's vector. */
  vectorTree(node: number, name: string): Tree;
}

/** The elements of vector `name` of a node. */
export function vectorOf(attrs: Readonly<Record<string, unknown>>, name: string): Int32Array {
  if (!name.endsWith('.m')) return attrs[name] as Int32Array;
  return (attrs[name.slice(0, -2)] as { readonly m: Int32Array }).m;
}

/** Names of the vectors in the attributes of an op, as a leaf names them. */
function vectorNames(op: OpName, attrs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(OPS[op].attrs).flatMap(([name, f]) => {
    if (f.kind === 'words') return [name];
    return f.kind === 'stage' && attrs[name] !== undefined ? [`${name}.m`] : [];
  });
}

function typeOf(t: TensorType): LeafTensor {
  return { dtype: t.dtype, zp: t.zp, lo: t.lo, hi: t.hi, shape: t.shape };
}

/** Steps of a node with their shapes; the shapes of intermediates keep their symbols. */
function stepsOf(model: Model, node: number, first: number): LeafStep[] {
  const { op, inputs, attrs } = model.nodes[node]!;
  const { facts, outputs } = model.info[node]!;
  const operands = inputs.map((id) => (id < 0 ? undefined : { ...model.tensors[id]!, strides: [], data: [] }));
  const out = outputs.map((id) => ({ ...model.tensors[id]!, strides: [], data: [] }));
  const cell = { in: operands, a: attrs, facts, out, step: {} } as unknown;
  return STEPS[op].steps.map((s, i): LeafStep => {
    const index = first + i;
    if (s.output !== undefined) return { index, output: s.output, ...typeOf(model.tensors[outputs[s.output]!]!) };
    const shape = s.shape!(cell as Parameters<NonNullable<typeof s.shape>>[0]);
    return { index, dtype: s.bits === 64 ? 'i64' : 'i32', zp: 0, lo: 0, hi: 0, shape };
  });
}

/** Bytes of a constant as they are committed: its canonical ones. */
function constantBytes(data: TypedArray): Uint8Array {
  return toBytes(data);
}

/**
 * The commitments of a model under a hash function.
 * @returns leaves and roots; the trees of constants are made on first use and kept
 */
export function commit(model: Model, hash: HashName = 'keccak256'): Commitment {
  const trace: TraceEntry[] = model.inputs.map((d, i) => ({
    node: -1,
    step: i,
    tensor: i,
    name: d.name,
    dtype: d.dtype,
  }));
  const traceIndex = new Map<number, number>(model.inputs.map((_, i) => [i, i]));
  const constants = new Map<number, Tree>();
  const vectors = new Map<string, Tree>();
  const constantTree = (id: number): Tree => {
    let tree = constants.get(id);
    if (tree === undefined) constants.set(id, (tree = treeOfChunks(hash, constantBytes(model.tensors[id]!.data!))));
    return tree;
  };
  const vectorTree = (node: number, name: string): Tree => {
    const key = `${node}/${name}`;
    let tree = vectors.get(key);
    if (tree === undefined)
      vectors.set(key, (tree = treeOfChunks(hash, toBytes(vectorOf(model.nodes[node]!.attrs, name)))));
    return tree;
  };
  const firstStep: number[] = [];
  const leaves = model.nodes.map((n, node) => {
    const { facts } = model.info[node]!;
    firstStep.push(trace.length);
    const steps = stepsOf(model, node, trace.length);
    steps.forEach((s, step) => {
      const tensor = s.output === undefined ? undefined : model.info[node]!.outputs[s.output]!;
      trace.push({ node, step, tensor, name: STEPS[n.op].steps[step]!.name, dtype: s.dtype });
      if (tensor !== undefined) traceIndex.set(tensor, s.index);
    });
    const leaf: NodeLeaf = {
      op: n.op,
      operands: n.inputs.map((id) => operandOf(id)),
      steps,
      attrs: n.attrs,
      vectors: Object.fromEntries(vectorNames(n.op, n.attrs).map((v) => [v, leafVector(node, v)])),
      facts: Object.fromEntries(FACTS.flatMap((f) => (f in facts ? [[f, facts[f]!]] : []))),
    };
    return encodeLeaf(leaf);
  });
  function operandOf(id: number): NodeLeaf['operands'][number] {
    if (id < 0) return { source: { kind: 'absent' }, dtype: 'i8', zp: 0, lo: 0, hi: 0, shape: [] };
    const t = model.tensors[id]!;
    const source: Source =
      t.data === undefined
        ? { kind: 'trace', index: traceIndex.get(id)! }
        : { kind: 'constant', root: constantTree(id).root };
    return { source, ...typeOf(t) };
  }
  function leafVector(node: number, name: string): LeafVector {
    const data = vectorOf(model.nodes[node]!.attrs, name);
    return data.length === 1 ? { value: data[0]! } : { root: vectorTree(node, name).root, length: data.length };
  }
  const tree = treeOver(
    hash,
    leaves.map((l) => leafHash(hash, l)),
  );
  return { model, hash, trace, firstStep, traceIndex, leaves, tree, modelRoot: tree.root, constantTree, vectorTree };
}
