/**
 * Calls of kernels as plain data, so that any thread can make them, and the kernels of a thread.
 * @module
 */
import type { Kernels } from './module.ts';

/** Name of an export that computes units. */
type KernelName = Exclude<keyof Kernels, 'base'>;

/** Arguments of a kernel behind its range of units. */
type Rest<F extends KernelName> = Parameters<Kernels[F]> extends [number, number, ...infer R] ? R : never;

/** A kernel, how many units it has, and its arguments behind the range of them: int32, so that a call allocates nothing. */
export interface Call {
  readonly fn: KernelName;
  readonly units: number;
  readonly args: readonly number[];
}

/** A chosen kernel: its name, and its calls, each of which reads what the ones before it wrote. */
export interface Prepared {
  readonly kernel: string;
  readonly calls: readonly Call[];
}

/** One call of an export. */
export function prepared<F extends KernelName>(kernel: string, fn: F, units: number, ...args: Rest<F>): Prepared {
  return { kernel, calls: [{ fn, units: units | 0, args: (args as number[]).map((v) => v | 0) }] };
}

/** Computes the units from…to−1. No kernel has more than nine arguments more; those that it has not are ignored. */
export function call(kernels: Kernels, { fn, args: a }: Call, from: number, to: number): void {
  const kernel = kernels[fn] as (...args: readonly (number | undefined)[]) => void;
  kernel(from, to, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
}

/** The kernels of some modules over one memory, their private area at `base`. */
export function kernelsOver(modules: readonly WebAssembly.Module[], memory: WebAssembly.Memory, base: number): Kernels {
  const exports = modules.map((m) => new WebAssembly.Instance(m, { env: { memory } }).exports as unknown as Kernels);
  for (const e of exports) e.base.value = base;
  return Object.assign({}, ...exports);
}
