/**
 * Neighbouring nodes of a plan as a plan of their own, for the backend that runs what floats cannot.
 * @module
 */
import type { Plan, PlanNode } from '../../runtime/plan.ts';

/**
 * The plan of nodes first…end − 1, with the tensor ids of the whole. Its inputs are what they read of others; its outputs
 * what others or the model read of them, or everything that they make.
 */
export function segmentOf(plan: Plan, first: number, end: number, everything: boolean): Plan {
  const nodes = plan.nodes.slice(first, end).map((n, index): PlanNode => ({ ...n, index }));
  const made = new Set(nodes.flatMap((n) => n.outputs));
  const read = new Set(nodes.flatMap((n) => n.inputs.filter((id) => id >= 0)));
  const later = new Set([...plan.nodes.slice(end).flatMap((n) => n.inputs), ...plan.outputs]);
  const inputs = [...read].filter((id) => !made.has(id) && plan.tensors[id]!.data === undefined);
  const outputs = [...made].filter((id) => everything || later.has(id));
  const lifetimes = plan.tensors.map((_, id) => {
    if (!made.has(id) && !inputs.includes(id)) return null;
    const last = nodes.reduce((n, { inputs: own }, i) => (own.includes(id) ? i : n), -1);
    const own = nodes.findIndex((n) => n.outputs.includes(id));
    return { first: own, last: outputs.includes(id) ? nodes.length : Math.max(last, own) };
  });
  return { ...plan, nodes, inputs, outputs, lifetimes };
}
