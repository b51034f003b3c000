/**
 * Runs in slices (spec/30-execution.md §5). Loaded only where one begins.
 * @module
 */
import { pricePoly, SCHEDULE_1 } from '../../core/cost.ts';
import { polyAt } from '../../core/poly.ts';
import type { Plan } from '../../runtime/plan.ts';
import type { Snapshot, Stepper } from '../backend.ts';
import { copyOf, type Ready, runNode } from './index.ts';

/** Schedule-1 price of each node of a plan, in quarters of gas. */
export function pricesOf({ model, dims }: Plan): bigint[] {
  const t = dims.map((d, i) => d - model.symbols[i]!.min);
  return model.info.map((n) => polyAt(pricePoly(n.cost, SCHEDULE_1), t));
}

/** A run in slices over inputs that are loaded; `keep` where no two activations share bytes. */
export function stepper(plan: Plan, { kernels, nodes, outputs, view }: Ready, keep: boolean, from?: Snapshot): Stepper {
  const { lifetimes } = plan;
  for (const [id, data] of from?.tensors ?? []) if (lifetimes[id]) view(id).set(data);
  const prices = pricesOf(plan);
  let next = from?.next ?? 0;
  /** True while a tensor that nodes before `next` made is whole and read by node `reader` or a later one. */
  const holds = (id: number, reader: number): boolean => {
    const life = lifetimes[id];
    return life != null && life.first < next && (life.last >= reader || keep);
  };
  return {
    step: (cost) => {
      for (let spent = 0n; next < nodes.length && spent <= cost; spent += prices[next - 1]!)
        runNode(kernels, nodes[next++]!);
      return next === nodes.length;
    },
    read: (id) => plan.tensors[id]?.data ?? (holds(id, next - 1) ? copyOf(view(id)) : undefined),
    snapshot: () => ({
      next,
      tensors: new Map(lifetimes.flatMap((_, id) => (holds(id, next) ? [[id, copyOf(view(id))]] : []))),
    }),
    outputs: () => {
      if (next !== nodes.length) throw new TypeError('outputs are read after the last step');
      return outputs.map(copyOf);
    },
  };
}
