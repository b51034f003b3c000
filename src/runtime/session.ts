/**
 * Sessions: gas, input checks, state, digests and queueing, once for every backend (spec/30-execution.md §4).
 * @module
 */

import type { Backend, Executable, KernelChoice, Mode, Snapshot, Stepper } from '../backends/backend.ts';
import { type GasSchedule, gasOf, SCHEDULE_1 } from '../core/cost.ts';
import { HostError, OutOfGas } from '../core/errors.ts';
import { allocate, type Tensor, type TypedArray } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { BACKEND_NAMES, type BackendName, resolve } from './backends.ts';
import { checkState, checkValues, type Inputs, readDims, readSignature, type Scratch } from './inputs.ts';
import { bind, type Plan, planOf } from './plan.ts';
import { Result, type RunResult } from './result.ts';
import { checkOutputs, targetsOf } from './targets.ts';
import { turn } from './turn.ts';

export { BACKEND_NAMES, type BackendName };

/** Names of the options of `createSession`. */
const OPTIONS = ['backend', 'candidates', 'mode', 'schedule', 'threads'];
const RUN_OPTIONS = ['gasLimit', 'signal'];
const SYNC_OPTIONS = ['gasLimit', 'into'];

/** Executables a session keeps for a model with symbols, one for each set of dims. */
const PREPARED_MOST = 16;

/**
 * How a session is made. A list of backends is tried in order; a HostError moves on to the next. `auto` measures `candidates`
 * on the model, once, and takes the fastest; the bits do not depend on it.
 */
export interface SessionOptions {
  readonly backend?: 'auto' | BackendName | Backend | readonly (BackendName | Backend)[];
  /** What `auto` chooses from; default wasm and webgpu, as far as this machine has them. */
  readonly candidates?: readonly (BackendName | Backend)[];
  readonly mode?: Mode;
  readonly schedule?: GasSchedule;
  /** Most threads that a run may take, 1…32; default 1, under `auto` those of the machine, at most 8. `explain()` says how many. */
  readonly threads?: number;
}

/** Options of a run. `gasLimit` in gas of the session's schedule. */
export interface RunOptions {
  readonly gasLimit?: bigint | number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of a synchronous run: `into` receives the outputs, by name, in their dtype and size. */
export interface RunSyncOptions extends Omit<RunOptions, 'signal'> {
  readonly into?: Readonly<Record<string, TypedArray | Uint8Array>> | undefined;
}

/** A run in slices, and what it yields once it is done: as `run`, though state pairs are not updated. */
export interface SlicedRun extends Stepper {
  /** @throws Error before the last slice */
  finish(): RunResult;
}

/** Runs in a row that a backend of a list may fail before it is passed over. */
const FAILURES_MOST = 3;

/** `from`: the backend that was asked for, of those in the list; `index`: the first from there on that did not fail. */
interface Prepared {
  readonly backend: string;
  readonly from: number;
  readonly index: number;
  readonly plan: Plan;
  readonly executable: Executable;
}

interface Call {
  readonly dims: readonly number[];
  readonly gas: bigint;
  readonly inputs: readonly TypedArray[];
}

/** A model made ready on one backend. Runs that overlap queue; use after `dispose` is a TypeError. */
export class Session {
  readonly model: Model;
  readonly #backends: readonly Backend[];
  readonly #mode: Mode;
  readonly #gas: (t: readonly number[]) => bigint;
  readonly #threads: number;
  readonly #prepared: Map<string, Prepared> = new Map();
  readonly #states: Map<number, TypedArray> = new Map();
  readonly #scratch: Scratch = new Map();
  /** Runs in a row that failed, by backend. */
  readonly #failures: number[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;
  #running = false;
  /** Runs that are queued or under way. */
  #pending = 0;
  /** Runs so far whose outputs are the caller's own arrays. */
  #borrowed = 0;

  /** Use `createSession`. */
  constructor(model: Model, backends: readonly Backend[], mode: Mode, schedule: GasSchedule, threads: number) {
    this.model = model;
    this.#backends = backends;
    this.#mode = mode;
    this.#gas = gasOf(model.cost, schedule);
    this.#threads = threads;
    this.reset();
  }

  /**
   * Runs the model.
   * @param inputs typed arrays or tensors by input name
   * @throws OutOfGas, InputError: results; HostError: this machine failed; the signal's reason where it aborted
   */
  async run(inputs: Inputs, options: RunOptions = {}): Promise<RunResult> {
    this.#alive();
    if (!knows(options, RUN_OPTIONS)) throw (await import('../core/options.ts')).misspelt(options, RUN_OPTIONS);
    options.signal?.throwIfAborted();
    const call = this.#check(inputs, options, this.#room());
    this.#pending++;
    const result = this.#queue
      .then(async () => {
        if (options.signal !== undefined) await turn();
        this.#alive();
        options.signal?.throwIfAborted();
        return this.#execute(call, options.signal);
      })
      .finally(() => this.#pending--);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs the model on the calling thread. With `into`, nothing but the small result object is allocated.
   * @throws TypeError if the backend has no synchronous runs or another run is under way
   */
  runSync(inputs: Inputs, options: RunSyncOptions = {}): RunResult {
    this.#alive();
    if (!knows(options, SYNC_OPTIONS)) throw new TypeError(`options are ${SYNC_OPTIONS}`);
    if (this.#running) throw new TypeError('runSync during another run of this session');
    const call = this.#check(inputs, options, this.#room());
    const prepared = this.#prepared.get(call.dims.join());
    if (prepared === undefined)
      throw new TypeError('these dims are not prepared yet: await session.prepare({symbol: value}) or run once');
    const { executable, plan } = prepared;
    if (executable.runSync === undefined) throw new TypeError(`backend ${this.backend} has no synchronous runs`);
    const into = options.into === undefined ? undefined : targetsOf(plan, options.into);
    const outputs = executable.runSync(this.#allInputs(call), { into });
    return this.#finish(plan, outputs, call.gas, into !== undefined);
  }

  /**
   * Begins a run in slices on a backend that has them, on an executable of its own; state pairs are not updated.
   * @param options.from a snapshot of an earlier stepper with the same inputs
   * @throws TypeError if the backend has no sliced runs or the snapshot is none of this model
   */
  async begin(
    inputs: Inputs,
    options: { readonly gasLimit?: bigint | number; readonly from?: Snapshot } = {},
  ): Promise<SlicedRun> {
    this.#alive();
    const call = this.#check(inputs, options, new Map());
    const { beginSlices } = await import('./slices.ts');
    const candidates = this.#backends.map((_, i) => () => this.#make(call.dims, i, 1));
    const result = (plan: Plan, raw: readonly TypedArray[]): RunResult => this.#result(plan, raw, call.gas, false);
    return beginSlices({ candidates, alive: () => this.#alive(), result }, this.#allInputs(call), options.from);
  }

  /**
   * Prepares the executable for the values of the model's symbols (none without symbols) ahead of the first run.
   * @throws InputError if a value is missing or outside its declared range
   */
  async prepare(dims: Readonly<Record<string, number>> = {}): Promise<void> {
    this.#alive();
    await this.#prepare(bind(this.model, dims).dims, 0);
  }

  /** Name of the backend that was prepared last; before that, of the first in the list. */
  get backend(): string {
    return this.#last()?.backend ?? this.#backends[0]!.name;
  }

  /** Which kernel each node got; threads and memory the backend takes. Of the executable prepared last. */
  explain(): {
    readonly backend: string;
    readonly threads: number;
    readonly kernels: readonly KernelChoice[];
    readonly memory: Executable['memory'];
  } {
    this.#alive();
    const last = this.#last();
    if (last === undefined) throw new TypeError('nothing is prepared yet: await session.prepare() or run once');
    const { executable } = last;
    const { threads = 1, memory } = executable;
    return { backend: this.backend, threads, kernels: executable.explain(), memory };
  }

  /** Every tensor of the last run by id, in canonical layout; sessions of mode `trace` only. */
  trace(): ReadonlyMap<number, TypedArray> {
    this.#alive();
    const last = this.#last();
    if (this.#mode !== 'trace' || last?.executable.trace === undefined)
      throw new TypeError('only a session of mode trace keeps tensors');
    return last.executable.trace();
  }

  /** Sets every state to its initial value: the zero point. */
  reset(): void {
    this.#alive();
    for (const s of this.model.states) {
      const d = this.model.inputs[s.input]!;
      const count = (d.shape as readonly number[]).reduce((n, e) => n * e, 1);
      this.#states.set(s.input, allocate(d.dtype, count).fill(d.zp));
    }
  }

  /** Copies of the states by input name. */
  saveState(): Record<string, TypedArray> {
    this.#alive();
    return Object.fromEntries(
      this.model.states.map((s) => [
        this.model.inputs[s.input]!.name,
        this.#states.get(s.input)!.slice() as TypedArray,
      ]),
    );
  }

  /**
   * Restores all states, checked like inputs.
   * @throws InputError on a wrong dtype, shape or value; nothing is changed then
   */
  loadState(values: Readonly<Record<string, TypedArray>>): void {
    this.#alive();
    const checked = this.model.states.map((s): [number, TypedArray] => {
      const d: InputDecl = this.model.inputs[s.input]!;
      return [s.input, checkState(d, Object.hasOwn(values, d.name) ? values[d.name] : undefined).slice() as TypedArray];
    });
    for (const [id, data] of checked) this.#states.set(id, data);
  }

  /** Frees what the backends hold: at once, or when the run under way has ended. Runs that wait behind it fail. */
  dispose(): void {
    this.#disposed = true;
    if (this.#pending === 0) this.#free();
    else this.#queue.then(() => this.#free());
  }

  #free(): void {
    for (const { executable } of this.#prepared.values()) executable.dispose();
    this.#prepared.clear();
  }

  /** Keeps the executables of the dims that were prepared last. */
  #forgetOldest(): void {
    if (this.#prepared.size <= PREPARED_MOST) return;
    const [key, oldest] = this.#prepared.entries().next().value!;
    oldest.executable.dispose();
    this.#prepared.delete(key);
  }

  #last(): Prepared | undefined {
    return [...this.#prepared.values()].pop();
  }

  #alive(): void {
    if (this.#disposed) throw new TypeError('this session is disposed');
  }

  /** The checks, in their fixed order: (dims,) gas, signature, values. */
  #check(inputs: Inputs, options: { readonly gasLimit?: bigint | number | undefined }, scratch: Scratch): Call {
    const dims = this.model.symbols.length > 0 ? readDims(this.model, inputs) : [];
    const t = dims.map((d, i) => d - this.model.symbols[i]!.min);
    const gas = this.#gas(t);
    const limit = options.gasLimit;
    if (limit !== undefined && typeof limit !== 'bigint' && !Number.isSafeInteger(limit)) {
      throw new TypeError('gasLimit is a bigint or a safe integer');
    }
    if (limit !== undefined && BigInt(limit) < gas) {
      throw new OutOfGas('the gas limit is below the cost of the run', {
        expected: `at least ${gas}`,
        actual: String(limit),
      });
    }
    return { dims, gas, inputs: checkValues(readSignature(this.model, inputs), dims, scratch) };
  }

  /** Where the inputs of a call are copied to: kept between runs, but not shared with one that has yet to read its own, nor with a trace. */
  #room(): Scratch {
    return this.#pending === 0 && this.#mode === 'run' ? this.#scratch : new Map();
  }

  /** Checked inputs and current states in signature order. */
  #allInputs(call: Call): TypedArray[] {
    let next = 0;
    return this.model.inputs.map((_, i) => this.#states.get(i) ?? call.inputs[next++]!);
  }

  async #prepare(dims: readonly number[], backend: number): Promise<Prepared> {
    const key = dims.join();
    const known = this.#prepared.get(key);
    const serves = known !== undefined && known.from <= backend && backend <= known.index;
    if (serves && !known.executable.lost) return known;
    const prepared = await this.#make(dims, backend, this.#threads);
    if (this.#disposed) prepared.executable.dispose();
    this.#alive();
    known?.executable.dispose();
    this.#prepared.delete(key);
    this.#prepared.set(key, prepared);
    this.#forgetOldest();
    return prepared;
  }

  /** A new executable of the first backend from `backend` on that does not fail. */
  async #make(dims: readonly number[], from: number, threads: number): Promise<Prepared> {
    const plan = planOf(this.model, dims);
    for (let index = from; ; index++) {
      try {
        const executable = await this.#backends[index]!.prepare(plan, { mode: this.#mode, threads });
        return { backend: this.#backends[index]!.name, from, index, plan, executable };
      } catch (e) {
        if (!(e instanceof HostError) || index + 1 >= this.#backends.length) throw e;
      }
    }
  }

  /**
   * Runs on the first backend that does not fail the machine: same bits, so another one is always legal. The next run begins with
   * the first again, unless that has failed several in a row.
   */
  async #execute(call: Call, signal: AbortSignal | undefined): Promise<RunResult> {
    this.#running = true;
    const last = this.#backends.length - 1;
    let i = 0;
    while (i < last && (this.#failures[i] ?? 0) >= FAILURES_MOST) i++;
    try {
      for (; ; i++) {
        try {
          const { executable, plan, index } = await this.#prepare(call.dims, i);
          i = index;
          const raw = await executable.run(this.#allInputs(call), { signal });
          this.#failures[i] = 0;
          return this.#finish(plan, raw, call.gas, false);
        } catch (e) {
          if (!(e instanceof HostError) || i >= last || this.#disposed) throw e;
          this.#failures[i] = (this.#failures[i] ?? 0) + 1;
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /** States move together, now that the run has succeeded. */
  #finish(plan: Plan, raw: readonly TypedArray[], gas: bigint, borrowed: boolean): RunResult {
    checkOutputs(plan, raw);
    for (const s of this.model.states) this.#states.set(s.input, raw[s.output]!.slice() as TypedArray);
    return this.#result(plan, raw, gas, borrowed);
  }

  /** Outputs by name; u8 views are shifted in place. */
  #result(plan: Plan, raw: readonly TypedArray[], gas: bigint, borrowed: boolean): RunResult {
    const outputs = this.model.outputs.map((o, i): [string, Tensor] => {
      const { shape, dtype } = plan.tensors[plan.outputs[i]!]!;
      const data = raw[i]!;
      if (!o.u8) return [o.name, { dtype, shape, data }];
      for (let k = 0; k < data.length; k++) data[k] = data[k]! ^ -128; // q + 128 as a byte
      return [o.name, { dtype: 'u8', shape, data: new Uint8Array(data.buffer, data.byteOffset, data.length) }];
    });
    const turn = borrowed ? ++this.#borrowed : 0;
    return new Result(this.model, Object.fromEntries(outputs), gas, () => borrowed && turn !== this.#borrowed);
  }
}

/** True for an object of known names. */
function knows(options: unknown, known: readonly string[]): boolean {
  return typeof options === 'object' && Object.keys(options ?? known).every((k) => known.includes(k));
}

/**
 * Makes a model ready to run.
 * @param options.threads most threads that a run may take; a backend that cannot share the work takes one
 * @param options.backend name, Backend, a list tried in order, or `auto`; default `wasm`
 * @throws HostError if no backend can prepare it; TypeError for an option of another name
 */
export async function createSession(model: Model, options: SessionOptions = {}): Promise<Session> {
  if (!knows(options, OPTIONS)) throw (await import('../core/options.ts')).misspelt(options, OPTIONS);
  const { backend = 'wasm', mode = 'run', schedule = SCHEDULE_1, threads = 1 } = options;
  const list = (Array.isArray(backend) ? backend : [backend]) as readonly (BackendName | Backend)[];
  if (list.length === 0) throw new TypeError('a session needs at least one backend');
  if (!(model?.id instanceof Uint8Array)) throw new TypeError('createSession takes what loadModel returns');
  if (mode !== 'run' && mode !== 'trace') throw new TypeError('mode is run or trace');
  if (!(Number.isInteger(threads) && threads > 0 && threads < 33)) throw new RangeError('threads is 1 to 32');
  if (backend === 'auto') {
    const { choose } = await import('./auto.ts');
    return createSession(model, { ...options, ...(await choose(model, options, createSession)) });
  }
  const session = new Session(model, await Promise.all(list.map(resolve)), mode, schedule, threads);
  if (model.symbols.length === 0) await session.prepare();
  return session;
}
