/**
 * Snapshots of sliced runs (spec/30-execution.md §5).
 * @module
 */
import type { Snapshot } from '../backends/backend.ts';
import { allocate } from '../core/tensor.ts';
import type { Plan } from './plan.ts';

/**
 * Checks that a snapshot is one of this plan: every tensor that is alive at its node, in type and proved interval.
 * @throws TypeError
 */
export function checkSnapshot(plan: Plan, from: Snapshot): void {
  const bad = (what: string): never => {
    throw new TypeError(`from is no snapshot of this model: ${what}`);
  };
  if (!Number.isInteger(from.next) || from.next < 0 || from.next > plan.nodes.length) bad('no such node');
  plan.lifetimes.forEach((life, id) => {
    if (life === null || life.first < 0 || life.first >= from.next || life.last < from.next) return;
    const t = plan.tensors[id]!;
    const data = from.tensors.get(id);
    if (data?.constructor !== allocate(t.dtype, 0).constructor || data.length !== t.count)
      bad(`tensor ${id} is missing or of another type`);
    if (data!.some((v: number) => v < t.lo || v > t.hi)) bad(`tensor ${id} leaves its interval`);
  });
  for (const id of from.tensors.keys()) if (!plan.lifetimes[id]) bad(`tensor ${id} is none of its tensors`);
}
