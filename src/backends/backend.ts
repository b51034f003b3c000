/**
 * What a backend is (spec/30-execution.md §3). Gas, digests and input checks live in the session, once; a backend turns a
 * plan into an executable and chooses kernels by shapes and proved facts, never by results.
 * @module
 */
import type { TypedArray } from '../core/tensor.ts';
import type { OpName } from '../ops/index.ts';
import type { Plan } from '../runtime/plan.ts';

/** How an executable keeps intermediates: `trace` materialises every tensor that a trace commits to. */
export type Mode = 'run' | 'trace';

/** Which kernel a node got, and its charged share of the backend's memory. */
export interface KernelChoice {
  readonly node: number;
  readonly op: OpName;
  readonly kernel: string;
}

/** Bytes a backend takes for a plan: packed constants, activations, scratch, and their sum with code and tables. */
export interface BackendMemory {
  readonly constants: number;
  readonly activations: number;
  readonly scratch: number;
  readonly total: number;
}

/** A run in slices: `step` spends at least one node and at most about `cost` quarter-gas a call. */
export interface Stepper {
  /** Advances; true when the run is done. */
  step(cost: bigint): boolean;
  /** Current value of a tensor in canonical layout; undefined if not yet computed. */
  read(tensor: number): TypedArray | undefined;
  /** State of the run: restored by `begin` with the same inputs. */
  snapshot(): Snapshot;
  /** Raw outputs by position, once done. */
  outputs(): readonly TypedArray[];
}

/** A run at rest: the next node, and the live tensors by id. */
export interface Snapshot {
  readonly next: number;
  readonly tensors: ReadonlyMap<number, TypedArray>;
}

/** A plan made ready by one backend. Not reentrant; the session queues. */
export interface Executable {
  /** Runs all nodes; raw outputs by position are owned copies. The signal is looked at between ops. */
  run(
    inputs: readonly TypedArray[],
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]>;
  /** As `run`, synchronously; writes into `into` where given and allocates nothing then. */
  runSync?(
    inputs: readonly TypedArray[],
    options: { readonly into?: readonly TypedArray[] | undefined },
  ): readonly TypedArray[];
  /** Sliced execution in canonical layout. */
  begin?(inputs: readonly TypedArray[], from?: Snapshot): Stepper | Promise<Stepper>;
  /** Every tensor of the last run by id; `trace` mode only. */
  trace?(): ReadonlyMap<number, TypedArray>;
  /** The kernel of each node. */
  explain(): readonly KernelChoice[];
  /** Threads that a run takes; absent: one. */
  readonly threads?: number;
  /** True once it can run no more, though nobody disposed of it; another may be prepared. */
  readonly lost?: boolean;
  readonly memory: BackendMemory;
  /** Frees what it holds; it runs no more. */
  dispose(): void;
}

/** A way to run plans. Creation probes the device and refuses one that fails known answers (HostError SelfTest). */
export interface Backend {
  readonly name: string;
  /**
   * Makes a plan ready to run.
   * @param options.threads most threads that a run may take; default one
   */
  prepare(plan: Plan, options: { readonly mode: Mode; readonly threads?: number }): Promise<Executable>;
}
