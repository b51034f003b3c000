/**
 * Calls of kernels as plain data, so that any thread can make them.
 * @module
 */
import type { Kernels } from './module.ts';

/** Name of an export that computes units. */
type KernelName = Exclude<keyof Kernels, 'base'>;

/** Arguments of a kernel behind its range of units. */
type Rest<F extends KernelName> = Parameters<Kernels[F]> extends [number, number, ...infer R] ? R : never;

/** A kernel and its arguments, the first two of which are the range of units that a thread takes of 0…units−1. */
export interface Call {
  readonly fn: KernelName;
  readonly units: number;
  readonly args: number[];
}

/** A chosen kernel: its name, and its calls, each of which reads what the ones before it wrote. */
export interface Prepared {
  readonly kernel: string;
  readonly calls: readonly Call[];
}

/** One call of an export. */
export function prepared<F extends KernelName>(kernel: string, fn: F, units: number, ...args: Rest<F>): Prepared {
  return { kernel, calls: [{ fn, units, args: [0, 0, ...(args as number[])] }] };
}

/** Computes the units from…to−1. Allocates nothing. */
export function call(kernels: Kernels, { fn, args }: Call, from: number, to: number): void {
  args[0] = from;
  args[1] = to;
  Reflect.apply(kernels[fn], undefined, args);
}
