/**
 * Runs in slices (spec/30-execution.md §5). Loaded only where one begins.
 * @module
 */
import type { Executable, Snapshot } from '../backends/backend.ts';
import { allocate, type TypedArray } from '../core/tensor.ts';
import type { Plan } from './plan.ts';
import type { RunResult } from './result.ts';
import type { SlicedRun } from './session.ts';

/** What a run in slices needs of its session. */
export interface SliceHost {
  /** A new executable for each backend of the session, in order. */
  readonly candidates: readonly (() => Promise<{ readonly plan: Plan; readonly executable: Executable }>)[];
  /** @throws TypeError once the session is disposed */
  readonly alive: () => void;
  readonly result: (plan: Plan, raw: readonly TypedArray[]) => RunResult;
}

/**
 * Checks that a snapshot is one of this plan: every tensor that is alive at its node, in type and proved interval.
 * @throws TypeError
 */
function checkSnapshot(plan: Plan, from: Snapshot): void {
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

/**
 * Begins a run on the first backend that has runs in slices.
 * @throws TypeError where none has, or the snapshot is none of this plan
 */
export async function beginSlices(
  host: SliceHost,
  inputs: readonly TypedArray[],
  from: Snapshot | undefined,
): Promise<SlicedRun> {
  for (const make of host.candidates) {
    const { plan, executable } = await make();
    host.alive();
    if (executable.begin === undefined) {
      executable.dispose();
      continue;
    }
    if (from !== undefined) checkSnapshot(plan, from);
    const stepper = await executable.begin(inputs, from);
    const step = (cost: bigint): boolean => {
      host.alive();
      if (typeof cost !== 'bigint' || cost < 0n) throw new TypeError('a step takes a cost, a bigint of at least 0');
      return stepper.step(cost);
    };
    return { ...stepper, step, finish: () => host.result(plan, stepper.outputs()) };
  }
  throw new TypeError('none of the session’s backends has sliced runs');
}
