/**
 * Traces: every tensor of a run, and the trees over them (spec/40-consensus.md §4).
 * @module
 */
import { type TypedArray, toBytes } from '../core/tensor.ts';
import { intermediates, type Value } from '../ops/evaluate.ts';
import { type Inputs, readDims } from '../runtime/inputs.ts';
import { createPlan, type Plan } from '../runtime/plan.ts';
import type { RunResult } from '../runtime/result.ts';
import type { RunOptions, Session } from '../runtime/session.ts';
import type { Commitment } from './commitment.ts';
import { leafHash, type Tree, treeOfChunks, treeOver } from './merkle.ts';

/** A tensor of a trace. `data` of an i64 intermediate is a Float64Array of integers. */
export interface TraceTensor {
  readonly shape: readonly number[];
  readonly data: TypedArray | Float64Array;
}

/** Canonical bytes: little-endian; a 64-bit intermediate as two's complement. */
export function traceBytes(t: TraceTensor): Uint8Array {
  if (!(t.data instanceof Float64Array)) return toBytes(t.data);
  const bytes = new Uint8Array(t.data.length * 8);
  const view = new DataView(bytes.buffer);
  t.data.forEach((v, i) => view.setBigInt64(8 * i, BigInt(v), true));
  return bytes;
}

/**
 * The trace of one run. Intermediates and trees are made when asked for, and kept: a trace costs nothing until someone
 * disputes it.
 */
export class Trace {
  readonly commitment: Commitment;
  readonly plan: Plan;
  readonly #values: ReadonlyMap<number, TypedArray>;
  readonly #between: Map<number, ReadonlyMap<string, TraceTensor>> = new Map();
  readonly #trees: Map<number, Tree> = new Map();
  #tree: Tree | undefined;

  /**
   * @param values every tensor of the run by id: what a session of mode `trace` gives, its inputs among them
   */
  constructor(commitment: Commitment, plan: Plan, values: ReadonlyMap<number, TypedArray>) {
    if (plan.model !== commitment.model) throw new TypeError('the plan is of another model');
    this.commitment = commitment;
    this.plan = plan;
    this.#values = values;
  }

  /** Tensors in the trace. */
  get length(): number {
    return this.commitment.trace.length;
  }

  /** Tensor `index` of the trace. */
  tensor(index: number): TraceTensor {
    const entry = this.commitment.trace[index];
    if (entry === undefined) throw new RangeError(`a trace of this model has tensors 0…${this.length - 1}`);
    if (entry.tensor === undefined) return this.#intermediates(entry.node).get(entry.name)!;
    const data = this.#values.get(entry.tensor);
    if (data === undefined) throw new TypeError(`tensor ${entry.tensor} is not in the trace`);
    return { shape: this.plan.tensors[entry.tensor]!.shape, data };
  }

  /** The tree over the chunks of tensor `index`. */
  tensorTree(index: number): Tree {
    let tree = this.#trees.get(index);
    if (tree === undefined)
      this.#trees.set(index, (tree = treeOfChunks(this.commitment.hash, traceBytes(this.tensor(index)))));
    return tree;
  }

  /** The tree over the roots of all tensors. */
  get tree(): Tree {
    const { hash } = this.commitment;
    return (this.#tree ??= treeOver(
      hash,
      this.commitment.trace.map((_, i) => leafHash(hash, this.tensorTree(i).root)),
    ));
  }

  /** Root of `tree`. */
  get root(): Uint8Array {
    return this.tree.root;
  }

  /** Root over the roots of the model's inputs, states among them, in order. */
  get inputRoot(): Uint8Array {
    return this.#rootOver(this.plan.inputs);
  }

  /** Root over the roots of the model's outputs in order. */
  get outputRoot(): Uint8Array {
    return this.#rootOver(this.plan.outputs);
  }

  #rootOver(ids: readonly number[]): Uint8Array {
    const { hash, traceIndex } = this.commitment;
    const leaves = ids.map((id) => leafHash(hash, this.tensorTree(traceIndex.get(id)!).root));
    return treeOver(hash, leaves).root;
  }

  #intermediates(node: number): ReadonlyMap<string, TraceTensor> {
    let known = this.#between.get(node);
    if (known !== undefined) return known;
    const { op, inputs, outputs, attrs, facts } = this.plan.nodes[node]!;
    const value = (id: number): Value => {
      const t = this.plan.tensors[id]!;
      return { ...t, data: t.data ?? this.#values.get(id)! };
    };
    const operands = inputs.map((id) => (id < 0 ? undefined : value(id)));
    const views = intermediates(op, operands, attrs, facts, outputs.map(value));
    known = new Map([...views].map(([name, v]) => [name, v as unknown as TraceTensor]));
    this.#between.set(node, known);
    return known;
  }
}

/**
 * Runs a model and keeps its trace.
 * @param session of mode `trace`, on any backend: the roots are the same
 * @throws what `session.run` throws
 */
export async function traceRun(
  commitment: Commitment,
  session: Session,
  inputs: Inputs,
  options: RunOptions = {},
): Promise<{ readonly result: RunResult; readonly trace: Trace }> {
  const { model } = commitment;
  if (session.model !== model) throw new TypeError('the session is of another model');
  const states = new Map(model.states.map((s) => [s.input, session.saveState()[model.inputs[s.input]!.name]!]));
  const result = await session.run(inputs, options);
  const values = new Map([...session.trace()].map(([id, data]) => [id, data.slice() as TypedArray]));
  for (const [id, data] of states) values.set(id, data);
  const dims = model.symbols.length > 0 ? readDims(model, inputs) : [];
  return { result, trace: new Trace(commitment, createPlan({ model, dims }), values) };
}
