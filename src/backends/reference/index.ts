/**
 * The reference backend: the oracle that every other backend is compared with; never fast (spec/30-execution.md §3).
 * @module
 */
import { SCHEDULE_1 } from '../../core/cost.ts';
import { allocate, type TypedArray } from '../../core/tensor.ts';
import { evaluate, type Value } from '../../ops/evaluate.ts';
import type { Plan, PlanNode } from '../../runtime/plan.ts';
import { turn } from '../../runtime/turn.ts';
import type { Backend, BackendMemory, Executable, KernelChoice, Snapshot, Stepper } from '../backend.ts';

/** Quarter-gas that a step counts for one node: the op's constant in schedule 1. */
const NODE_COST = BigInt(SCHEDULE_1.weights.op);

class ReferenceExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  readonly #keep: boolean;
  #values: Map<number, TypedArray> | undefined = new Map();

  constructor(plan: Plan, keep: boolean) {
    this.#plan = plan;
    this.#keep = keep;
    const activations = plan.tensors.reduce((sum, t) => sum + (t.data === undefined ? t.bytes : 0), 0);
    this.memory = {
      constants: plan.memory.constants,
      activations,
      scratch: 0,
      total: plan.memory.constants + activations,
    };
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const values = this.#load(inputs);
    for (const node of this.#plan.nodes) {
      signal?.throwIfAborted();
      this.#node(node, values);
      if (signal !== undefined) await turn();
    }
    return this.#outputs(values);
  }

  runSync(
    inputs: readonly TypedArray[],
    { into }: { readonly into?: readonly TypedArray[] | undefined },
  ): readonly TypedArray[] {
    const values = this.#load(inputs);
    for (const node of this.#plan.nodes) this.#node(node, values);
    return this.#outputs(values, into);
  }

  begin(inputs: readonly TypedArray[], from?: Snapshot): Stepper {
    const values = this.#load(inputs);
    for (const [id, data] of from?.tensors ?? []) values.set(id, data.slice() as TypedArray);
    const { nodes } = this.#plan;
    let next = from?.next ?? 0;
    return {
      step: (cost) => {
        for (let spent = 0n; next < nodes.length && spent <= cost; spent += NODE_COST)
          this.#node(nodes[next++]!, values);
        return next === nodes.length;
      },
      read: (tensor) => values.get(tensor)?.slice() as TypedArray | undefined,
      snapshot: () => {
        const live = [...values].filter(([id]) => {
          const life = this.#plan.lifetimes[id];
          return life != null && life.first < next && life.last >= next;
        });
        return { next, tensors: new Map(live.map(([id, data]) => [id, data.slice() as TypedArray])) };
      },
      outputs: () => {
        if (next !== nodes.length) throw new TypeError('outputs are read after the last step');
        return this.#outputs(values);
      },
    };
  }

  trace(): ReadonlyMap<number, TypedArray> {
    return this.#values ?? new Map();
  }

  explain(): readonly KernelChoice[] {
    return this.#plan.nodes.map((n) => ({ node: n.index, op: n.op, kernel: 'evaluate' }));
  }

  dispose(): void {
    this.#values = undefined;
  }

  #load(inputs: readonly TypedArray[]): Map<number, TypedArray> {
    const values = new Map<number, TypedArray>();
    this.#plan.tensors.forEach((t, id) => t.data !== undefined && values.set(id, t.data));
    this.#plan.inputs.forEach((id, i) => values.set(id, inputs[i]!));
    if (this.#keep) this.#values = values;
    return values;
  }

  #node(node: PlanNode, values: Map<number, TypedArray>): void {
    const value = (id: number): Value | undefined =>
      id < 0 ? undefined : { ...this.#plan.tensors[id]!, data: values.get(id)! };
    const types = node.outputs.map((id) => this.#plan.tensors[id]!);
    const { outputs } = evaluate(node.op, node.inputs.map(value), node.attrs, node.facts, types);
    node.outputs.forEach((id, i) => values.set(id, outputs[i]!));
  }

  #outputs(values: ReadonlyMap<number, TypedArray>, into?: readonly TypedArray[]): TypedArray[] {
    return this.#plan.outputs.map((id, i) => {
      const t = this.#plan.tensors[id]!;
      const target = into?.[i] ?? allocate(t.dtype, t.count);
      target.set(values.get(id)!);
      return target;
    });
  }
}

/** The reference backend: every node by `evaluate`. */
export const reference: Backend = {
  name: 'reference',
  prepare: async (plan, { mode }) => new ReferenceExecutable(plan, mode === 'trace'),
};
