/**
 * From a validated model to what a backend prepares: concrete dims, lifetimes and the canonical memory figure
 * (spec/30-execution.md §2).
 * @module
 */
import { type Dim, dimAt } from '../core/dim.ts';
import { InputError, printable } from '../core/errors.ts';
import { byteLength, type DType, elementCount, type TypedArray } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import type { Facts } from '../ops/define.ts';
import { OPS, type OpName } from '../ops/index.ts';
import { firstFit, type Lifetime } from './arena.ts';

/** Alignment of tensors in the canonical memory plan, in bytes. */
const ALIGN = 64;

/** A tensor with every dim concrete. */
export interface PlanTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly zp: number;
  readonly lo: number;
  readonly hi: number;
  /** Number of elements. */
  readonly count: number;
  /** Canonical bytes. */
  readonly bytes: number;
  /** Elements of a constant. */
  readonly data?: TypedArray | undefined;
}

/** A node with every attribute concrete. */
export interface PlanNode {
  readonly index: number;
  readonly op: OpName;
  /** Attributes as the op's interface names them, dims evaluated. */
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly facts: Facts;
}

/** What a backend prepares: file order, concrete tensors, lifetimes and the canonical memory cost. */
export interface Plan {
  readonly model: Model;
  /** Values of the model's symbols. */
  readonly dims: readonly number[];
  readonly tensors: readonly PlanTensor[];
  readonly nodes: readonly PlanNode[];
  /** Tensor ids of the model's inputs and outputs, by position. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Lifetime of every tensor that is no constant, in node indices; null for constants. */
  readonly lifetimes: readonly (Lifetime | null)[];
  readonly memory: CanonicalMemory;
}

/** The canonical memory cost in bytes. */
export interface CanonicalMemory {
  readonly constants: number;
  /** Peak of the specified first-fit allocator over activations. */
  readonly peak: number;
  readonly total: number;
}

/** A model with every dim concrete. */
export interface BoundModel {
  readonly model: Model;
  readonly dims: readonly number[];
}

/**
 * Binds the symbols of a model.
 * @param dims value of each symbol by name; may be left out for a model without symbols
 * @throws InputError `WrongShape` where a value is missing or outside its declared range
 */
export function bind(model: Model, dims: Readonly<Record<string, number>> = {}): BoundModel {
  const values = model.symbols.map((s) => {
    const v = Object.hasOwn(dims, s.name) ? dims[s.name] : undefined;
    if (v === undefined || !Number.isInteger(v) || v < s.min || v > s.max) {
      throw new InputError('WrongShape', `symbol ${printable(s.name)} has no legal value`, {
        expected: `${s.min}…${s.max}`,
        actual: String(v),
      });
    }
    return v;
  });
  return { model, dims: values };
}

/** Plans that are kept for a model. */
const KEPT = 16;
const plans = new WeakMap<Model, Map<string, Plan>>();

/** The plan of a model at dims: the same object for all who ask, as long as it is kept. */
export function planOf(model: Model, dims: readonly number[]): Plan {
  let own = plans.get(model);
  if (own === undefined) plans.set(model, (own = new Map()));
  const key = dims.join();
  let plan = own.get(key);
  if (plan === undefined) {
    own.set(key, (plan = createPlan({ model, dims })));
    if (own.size > KEPT) own.delete(own.keys().next().value!);
  }
  return plan;
}

/** Concrete tensors and nodes, lifetimes, and the canonical memory figure of a bound model. */
export function createPlan(bound: BoundModel): Plan {
  const { model, dims } = bound;
  const tensors = model.tensors.map((t): PlanTensor => {
    const shape = t.shape.map((d) => dimAt(d, dims));
    const count = elementCount(shape);
    return {
      dtype: t.dtype,
      shape,
      zp: t.zp,
      lo: dimAt(t.lo, dims),
      hi: dimAt(t.hi, dims),
      count,
      bytes: byteLength(t.dtype, count),
      data: t.data,
    };
  });
  const nodes = model.nodes.map(
    (n, index): PlanNode => ({
      index,
      op: n.op,
      attrs: boundAttrs(n.op, n.attrs, dims),
      inputs: n.inputs,
      outputs: model.info[index]!.outputs,
      facts: model.info[index]!.facts,
    }),
  );
  const lifetimes = lifetimesOf(model, tensors.length);
  const used = lifetimes.flatMap((l, id) => (l === null ? [] : [{ ...l, bytes: tensors[id]!.bytes }]));
  const peak = firstFit(used, ALIGN).peak;
  const constants = model.constants.reduce((sum, c) => sum + c.data.byteLength, 0);
  const plan = { model, dims, tensors, nodes, lifetimes, memory: { constants, peak, total: constants + peak } };
  return { ...plan, inputs: model.inputs.map((_, i) => i), outputs: model.outputs.map((o) => o.tensor) };
}

function boundAttrs(
  op: OpName,
  attrs: Readonly<Record<string, unknown>>,
  dims: readonly number[],
): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = { ...attrs };
  for (const [name, field] of Object.entries(OPS[op].attrs)) {
    if (field.kind === 'dim') out[name] = dimAt(attrs[name] as Dim, dims);
    if (field.kind === 'dims') out[name] = (attrs[name] as readonly Dim[]).map((d) => dimAt(d, dims));
  }
  return out;
}

/**
 * A tensor lives from the node that makes it (an input: from node −1) to the last node that reads it; outputs of the
 * model live to the end.
 */
function lifetimesOf(model: Model, count: number): (Lifetime | null)[] {
  const first = new Array<number>(count).fill(-1);
  const last = new Array<number>(count).fill(-1);
  model.nodes.forEach((n, i) => {
    for (const id of n.inputs) if (id >= 0) last[id] = i;
    for (const id of model.info[i]!.outputs) first[id] = last[id] = i;
  });
  for (const o of model.outputs) last[o.tensor] = model.nodes.length;
  const lo = model.inputs.length;
  const hi = lo + model.constants.length;
  return first.map((f, id) => (id >= lo && id < hi ? null : { first: f, last: last[id]! }));
}
