/**
 * Runs in slices (spec/30-execution.md §5). Loaded only where one begins.
 * @module
 */
import type { Executable, Snapshot, Stepper } from '../backends/backend.ts';
import type { TypedArray } from '../core/tensor.ts';
import type { Plan } from './plan.ts';
import { checkSnapshot } from './snapshot.ts';

/** An executable of its own that runs in slices. */
export interface Sliced {
  readonly plan: Plan;
  /** @throws TypeError if the snapshot is none of the plan, or a step takes anything but a cost */
  begin(inputs: readonly TypedArray[], from: Snapshot | undefined): Promise<Stepper>;
}

/**
 * The first of `count` backends that has sliced runs.
 * @param make prepares on a backend, or a later one where that fails
 * @throws TypeError if none has; HostError if none can prepare
 */
export async function sliced(
  count: number,
  make: (backend: number) => Promise<{ readonly plan: Plan; readonly executable: Executable }>,
  name: string,
): Promise<Sliced> {
  for (let i = 0; i < count; i++) {
    const { plan, executable } = await make(i);
    if (executable.begin !== undefined) return { plan, begin: (inputs, from) => begin(plan, executable, inputs, from) };
    executable.dispose();
  }
  throw new TypeError(`backend ${name} has no sliced runs`);
}

async function begin(
  plan: Plan,
  executable: Executable,
  inputs: readonly TypedArray[],
  from: Snapshot | undefined,
): Promise<Stepper> {
  if (from !== undefined) checkSnapshot(plan, from);
  const stepper = await executable.begin!(inputs, from);
  const step = (cost: bigint): boolean => {
    if (typeof cost !== 'bigint' || cost < 0n) throw new TypeError('a step takes a cost, a bigint of at least 0');
    return stepper.step(cost);
  };
  return { ...stepper, step };
}
