/**
 * Proofs of one element (spec/40-consensus.md §5): the element follows from opened chunks of committed tensors by the
 * one-element reference of its op. Proving runs that reference over tensors that record what is read; verifying runs it
 * over the opened chunks and nothing else.
 * @module
 */
import { floorDiv } from '../core/int.ts';
import { i4At } from '../core/tensor.ts';
import type { Total } from '../ops/define.ts';
import { BITS, cellOf, compute, elements, type Goal, ProofError, type Read, WHOLE } from './cell.ts';
import { vectorOf } from './commitment.ts';
import { decodeLeaf, type LeafTensor, type NodeLeaf } from './leaf.ts';
import {
  depthOf,
  type HashName,
  leafHash,
  type Opening,
  openLeaves,
  rootOf,
  sameBytes,
  type Tree,
  WORD,
} from './merkle.ts';
import { type Trace, traceBytes } from './trace.ts';

/** Opened chunks of one tensor; of a trace tensor its root too, which `roots` of the proof opens. */
export interface TensorOpening extends Opening {
  readonly read: Read;
  /** The chunks of `indices`, 32 bytes each. */
  readonly chunks: Uint8Array;
  readonly root?: Uint8Array | undefined;
}

/** All that is needed to compute one element of one tensor of a trace. */
export interface ElementProof {
  /** Tensor of the trace, and the flat index of the element. */
  readonly index: number;
  readonly element: number;
  /** The node that makes it: its leaf, and the path to the model root. */
  readonly node: number;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly tensors: readonly TensorOpening[];
  /** Opens the roots of the trace tensors among `tensors`; absent where none is read. */
  readonly roots?: Opening | undefined;
}

/** What a proof is held against: a header and a receipt hold all of it. */
export interface Statement {
  readonly hash: HashName;
  readonly modelRoot: Uint8Array;
  /** Nodes of the model. */
  readonly nodes: number;
  readonly traceRoot: Uint8Array;
  /** Tensors of the trace. */
  readonly traceLength: number;
  /** Values of the symbols. */
  readonly dims: readonly number[];
}

function keyOf(r: Read): string {
  return r.kind === 'trace' ? `t${r.index}` : r.kind === 'constant' ? `c${r.operand}` : `v${r.name}`;
}

/** Chunks that hold element `i` of a dtype. */
function chunkOf(dtype: LeafTensor['dtype'], i: number): number {
  return floorDiv(i * BITS[dtype], 8 * WORD);
}

interface Recorded {
  readonly read: Read;
  readonly tree: Tree;
  readonly bytes: Uint8Array;
  readonly chunks: Set<number>;
}

/**
 * Computes element `element` (flat index) of tensor `index`, or a part of it, from the tensors of a trace.
 * @throws RangeError where the tensor is made by no node
 */
export function computeElement(trace: Trace, index: number, element: number, goal: Goal = WHOLE): Total {
  return compute(recording(trace, index, element, new Map()), goal);
}

/** The elements of trace tensors that element `element` of tensor `index` follows from. */
export function readsOf(
  trace: Trace,
  index: number,
  element: number,
): { readonly tensor: number; readonly at: number }[] {
  const { commitment, plan } = trace;
  const { node } = commitment.trace[index]!;
  const reads: { tensor: number; at: number }[] = [];
  const cell = cellOf(decodeLeaf(commitment.leaves[node]!), index, element, plan.dims, (read, _, count) => {
    const source = sourceOf(trace, node, read);
    return elements(count, (at) => {
      if (read.kind === 'trace') reads.push({ tensor: read.index, at });
      return source.at(at);
    });
  });
  compute(cell, WHOLE);
  return reads;
}

/**
 * Proves element `element` (flat index) of tensor `index` of a trace, or a part of it.
 * @throws RangeError where there is no such tensor or element, or no node makes the tensor (it is an input or a constant)
 */
export function proveElement(trace: Trace, index: number, element: number, goal: Goal = WHOLE): ElementProof {
  const { commitment } = trace;
  const recorded = new Map<string, Recorded>();
  compute(recording(trace, index, element, recorded), goal);
  const { node } = commitment.trace[index]!;
  const tensors = [...recorded.values()].map(open);
  const indices = tensors.flatMap((t) => (t.read.kind === 'trace' ? [t.read.index] : []));
  return {
    index,
    element,
    node,
    leaf: commitment.leaves[node]!,
    path: openLeaves(commitment.tree, [node]).siblings,
    tensors,
    ...(indices.length === 0 ? {} : { roots: openLeaves(trace.tree, indices) }),
  };
}

/** The cell of an element, which notes each chunk that is read. */
function recording(
  trace: Trace,
  index: number,
  element: number,
  recorded: Map<string, Recorded>,
): ReturnType<typeof cellOf> {
  const { commitment } = trace;
  const entry = commitment.trace[index];
  if (entry === undefined || entry.node < 0) throw new RangeError(`tensor ${index} is made by no node`);
  const leaf = decodeLeaf(commitment.leaves[entry.node]!);
  return cellOf(leaf, index, element, trace.plan.dims, (read, t, count) => {
    const source = sourceOf(trace, entry.node, read);
    return elements(count, (i) => {
      const key = keyOf(read);
      let r = recorded.get(key);
      if (r === undefined) {
        const tree = treeOf(trace, entry.node, read);
        recorded.set(key, (r = { read, tree, bytes: source.bytes(), chunks: new Set() }));
      }
      r.chunks.add(chunkOf(t.dtype, i));
      return source.at(i);
    });
  });
}

function treeOf(trace: Trace, node: number, read: Read): Tree {
  if (read.kind === 'trace') return trace.tensorTree(read.index);
  const { commitment } = trace;
  return read.kind === 'vector'
    ? commitment.vectorTree(node, read.name)
    : commitment.constantTree(commitment.model.nodes[node]!.inputs[read.operand]!);
}

/** Elements and canonical bytes of what a proof reads. */
function sourceOf(trace: Trace, node: number, read: Read): { at(i: number): number; bytes(): Uint8Array } {
  const { model } = trace.commitment;
  if (read.kind === 'trace') {
    const tensor = trace.tensor(read.index);
    return { at: (i) => tensor.data[i]!, bytes: () => traceBytes(tensor) };
  }
  if (read.kind === 'vector') {
    const data = vectorOf(model.nodes[node]!.attrs, read.name);
    return { at: (i) => data[i]!, bytes: () => traceBytes({ shape: [], data }) };
  }
  const t = model.tensors[model.nodes[node]!.inputs[read.operand]!]!;
  const data = t.data!;
  return { at: (i) => (t.dtype === 'i4' ? i4At(data, i) : data[i]!), bytes: () => traceBytes({ shape: [], data }) };
}

/** The chunks of a recorded tensor, the last one of the tensor filled with zeros. */
function open({ read, tree, bytes, chunks }: Recorded): TensorOpening {
  const opening = openLeaves(tree, chunks);
  const data = new Uint8Array(opening.indices.length * WORD);
  opening.indices.forEach((c, i) => data.set(bytes.subarray(c * WORD, (c + 1) * WORD), i * WORD));
  return { read, ...opening, chunks: data, ...(read.kind === 'trace' ? { root: tree.root } : {}) };
}

/** A tensor whose opened chunks have been checked. */
interface Opened {
  readonly opening: TensorOpening;
  readonly chunk: ReadonlyMap<number, number>;
}

/**
 * Computes the element that a proof is about, from what it opens and nothing else.
 * @returns the value that the op's definition gives
 * @throws ProofError where a path leads elsewhere, a chunk that is read was not opened, or the proof is malformed
 */
export function verifyElement(statement: Statement, proof: ElementProof, goal: Goal = WHOLE): Total {
  try {
    return verify(statement, proof, goal);
  } catch (e) {
    if (e instanceof ProofError) throw e;
    throw new ProofError(`the proof is malformed: ${e instanceof Error ? e.message : String(e)}`);
  }
}

function verify(s: Statement, proof: ElementProof, goal: Goal): Total {
  const { hash } = s;
  const path = { indices: [proof.node], siblings: proof.path };
  const modelRoot = rootOf(hash, depthOf(s.nodes), path, [leafHash(hash, proof.leaf)]);
  if (modelRoot === undefined || proof.node >= s.nodes || !sameBytes(modelRoot, s.modelRoot))
    throw new ProofError('the leaf is not in the model');
  const leaf = decodeLeaf(proof.leaf);
  checkRoots(s, proof);
  const opened = new Map<string, Opened>();
  for (const opening of proof.tensors) {
    const chunk = new Map(opening.indices.map((c, i) => [c, i]));
    const key = keyOf(opening.read);
    if (opened.has(key)) throw new ProofError('a tensor is opened twice');
    opened.set(key, { opening, chunk });
  }
  const checked = new Set<string>();
  const found = cellOf(leaf, proof.index, proof.element, s.dims, (read, t, count) => {
    const key = keyOf(read);
    const o = opened.get(key);
    const view = o && new DataView(o.opening.chunks.buffer, o.opening.chunks.byteOffset, o.opening.chunks.byteLength);
    return elements(count, (i) => {
      if (o === undefined || view === undefined) throw new ProofError('a tensor that is read is not opened');
      if (!checked.has(key)) checkChunks(hash, leaf, o.opening, t, count);
      checked.add(key);
      if (!(Number.isSafeInteger(i) && i >= 0 && i < count)) throw new ProofError('an element that does not exist');
      const at = o.chunk.get(chunkOf(t.dtype, i));
      if (at === undefined) throw new ProofError('a chunk that is read is not opened');
      return elementAt(view, at * WORD, t.dtype, i);
    });
  });
  return compute(found, goal);
}

/** The roots of the trace tensors that a proof opens lead to the trace root. */
function checkRoots(s: Statement, proof: ElementProof): void {
  const traced = proof.tensors.flatMap((t) => (t.read.kind === 'trace' ? [{ index: t.read.index, root: t.root }] : []));
  if (traced.length === 0) return;
  traced.sort((a, b) => a.index - b.index);
  if (traced.some((t) => t.root?.length !== WORD || t.index >= s.traceLength))
    throw new ProofError('a tensor of the trace lacks its root');
  const opening = { indices: traced.map((t) => t.index), siblings: proof.roots?.siblings ?? [] };
  const leaves = traced.map((t) => leafHash(s.hash, t.root!));
  const root = rootOf(s.hash, depthOf(s.traceLength), opening, leaves);
  if (root === undefined || !sameBytes(root, s.traceRoot)) throw new ProofError('a root is not in the trace');
}

/** The chunks of an opening lead to the root that the leaf or the trace commits to. */
function checkChunks(hash: HashName, leaf: NodeLeaf, o: TensorOpening, t: LeafTensor, count: number): void {
  const chunks = floorDiv(count * BITS[t.dtype] + 8 * WORD - 1, 8 * WORD);
  const leaves = o.indices.map((_, i) => leafHash(hash, o.chunks.subarray(i * WORD, (i + 1) * WORD)));
  const whole = o.chunks.length === o.indices.length * WORD && o.indices.every((c) => c < chunks);
  const root = whole ? rootOf(hash, depthOf(chunks), o, leaves) : undefined;
  const expected = o.read.kind === 'trace' ? o.root : committedRoot(leaf, o.read);
  if (root === undefined || expected === undefined || !sameBytes(root, expected))
    throw new ProofError('chunks are not those of their tensor');
}

function committedRoot(leaf: NodeLeaf, read: Exclude<Read, { kind: 'trace' }>): Uint8Array | undefined {
  if (read.kind === 'vector') {
    const v = leaf.vectors[read.name];
    return v !== undefined && 'root' in v ? v.root : undefined;
  }
  const source = leaf.operands[read.operand]?.source;
  return source?.kind === 'constant' ? source.root : undefined;
}

/** Element `i` of a tensor of which the chunk at byte `at` is its own. */
function elementAt(view: DataView, at: number, dtype: LeafTensor['dtype'], i: number): number {
  const bit = (i * BITS[dtype]) % (8 * WORD);
  const byte = at + floorDiv(bit, 8);
  switch (dtype) {
    case 'i4':
      return ((view.getUint8(byte) >> (bit % 8)) << 28) >> 28;
    case 'i8':
    case 'bool':
      return view.getInt8(byte);
    case 'i16':
      return view.getInt16(byte, true);
    case 'i32':
      return view.getInt32(byte, true);
    case 'i64':
      return Number(view.getBigInt64(byte, true));
  }
}
