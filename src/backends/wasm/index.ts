/**
 * The wasm backend: AssemblyScript kernels in SIMD128, one fixed memory an executable (spec/30-execution.md §3).
 * @module
 */
import { assert, HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import type { TypedArray } from '../../core/tensor.ts';
import type { Plan, PlanTensor } from '../../runtime/plan.ts';
import { turn } from '../../runtime/turn.ts';
import type { Backend, BackendMemory, Executable, KernelChoice, Mode, Snapshot, Stepper } from '../backend.ts';
import { Builder } from './builder.ts';
import { call, type Prepared } from './call.ts';
import { type More, prepareNode, wantsMore } from './kernels.ts';
import { instantiate, type Kernels, loadModule, MODULE_BYTES, PAGE } from './module.ts';

/** Most pages of a memory: one less than 32 bits address, so that the end of an area is an address, too. */
const MAX_PAGES = 65535;

/** A view of a tensor in the executable’s memory. */
function viewOf(memory: ArrayBufferLike, t: PlanTensor, at: number): TypedArray {
  if (t.dtype === 'i16') return new Int16Array(memory, at, t.count);
  if (t.dtype === 'i32') return new Int32Array(memory, at, t.count);
  return new Int8Array(memory, at, t.bytes);
}

/** Runs all calls of a node. */
export function runNode(kernels: Kernels, { calls }: Prepared): void {
  for (let i = 0; i < calls.length; i++) call(kernels, calls[i]!, 0, calls[i]!.units);
}

/** A copy in memory of its own. */
export function copyOf(a: TypedArray): TypedArray {
  return a.slice() as TypedArray;
}

/** A plan laid out: its calls, and the areas that they name. */
interface Layout {
  readonly b: Builder;
  readonly nodes: readonly Prepared[];
}

/** A plan in memory. */
export interface Ready {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  readonly nodes: readonly Prepared[];
  readonly inputs: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
  /** View of an activation. */
  readonly view: (id: number) => TypedArray;
  /** Where private areas start; the first is that of `kernels`. */
  readonly bases: readonly number[];
  readonly figures: BackendMemory;
}

/** Where an executable has its memory from, run by run. */
interface Source {
  /** A memory that no other run is using. */
  take(): Ready;
  put(ready: Ready): void;
  leave(): void;
}

/** A memory of one executable's own. */
export function own(ready: Ready): Source {
  return { take: () => ready, put: () => {}, leave: () => {} };
}

/** A plan on the calling thread. */
export class WasmExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  readonly #keep: boolean;
  #source: Source | undefined;

  constructor(plan: Plan, mode: Mode, source: Source) {
    this.#plan = plan;
    this.#keep = mode === 'trace';
    this.#source = source;
    this.memory = this.#peek()!.figures;
  }

  #peek(): Ready | undefined {
    const ready = this.#source?.take();
    if (ready !== undefined) this.release(ready);
    return ready;
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const ready = this.load(inputs);
    try {
      for (const node of ready.nodes) {
        signal?.throwIfAborted();
        runNode(ready.kernels, node);
        if (signal !== undefined) await turn();
      }
      return ready.outputs.map(copyOf);
    } finally {
      this.release(ready);
    }
  }

  runSync(
    inputs: readonly TypedArray[],
    { into }: { readonly into?: readonly TypedArray[] | undefined },
  ): readonly TypedArray[] {
    const ready = this.load(inputs);
    const { outputs } = ready;
    try {
      this.compute(ready);
      if (into === undefined) return outputs.map(copyOf);
      for (let i = 0; i < outputs.length; i++) into[i]!.set(outputs[i]!);
      return into;
    } finally {
      this.release(ready);
    }
  }

  /** A stepper works in the memory that it begins with, which no other run gets. */
  async begin(inputs: readonly TypedArray[], from?: Snapshot): Promise<Stepper> {
    const { stepper } = await import('./stepper.ts');
    return stepper(this.#plan, this.load(inputs), this.#keep, from);
  }

  trace(): ReadonlyMap<number, TypedArray> {
    assert(this.#keep, 'a trace of an executable that reuses memory');
    const view = this.#peek()?.view;
    return new Map(view === undefined ? [] : this.#plan.tensors.map((t, id) => [id, t.data ?? copyOf(view(id))]));
  }

  explain(): readonly KernelChoice[] {
    const nodes = this.#peek()?.nodes ?? [];
    return nodes.map(({ kernel }, i) => ({ node: i, op: this.#plan.nodes[i]!.op, kernel }));
  }

  dispose(): void {
    this.#source?.leave();
    this.#source = undefined;
  }

  /** All nodes on inputs that are loaded. */
  protected compute({ kernels, nodes }: Ready): void {
    for (let i = 0; i < nodes.length; i++) runNode(kernels, nodes[i]!);
  }

  /** Gives a memory back. */
  protected release(ready: Ready): void {
    this.#source?.put(ready);
  }

  /** Takes a memory and writes the inputs. */
  protected load(inputs: readonly TypedArray[]): Ready {
    assert(this.#source !== undefined, 'a disposed executable runs');
    const ready = this.#source.take();
    for (let i = 0; i < ready.inputs.length; i++) ready.inputs[i]!.set(inputs[i]!);
    return ready;
  }
}

/** The memories of a plan, with its packed weights: sessions of a model share them. */
class Shelf implements Source {
  static readonly #all: WeakMap<Plan, Shelf> = new WeakMap();
  readonly #plan: Plan;
  readonly #code: Code;
  /** Memories between runs: one, and one for a run that came between. The slots stay: a run allocates nothing. */
  readonly #idle: (Ready | undefined)[] = [undefined, undefined];
  /** Executables that draw on it. */
  #users = 0;

  private constructor(plan: Plan, code: Code) {
    this.#plan = plan;
    this.#code = code;
    this.put(this.#make());
  }

  /** The shelf of a plan, for one more executable. */
  static join(plan: Plan, code: Code): Shelf {
    let shelf = Shelf.#all.get(plan);
    if (shelf === undefined) Shelf.#all.set(plan, (shelf = new Shelf(plan, code)));
    shelf.#users++;
    return shelf;
  }

  #make(): Ready {
    return build(this.#plan, layOut(this.#plan, 'run', this.#code), this.#code, 0);
  }

  take(): Ready {
    const i = this.#idle[0] === undefined ? 1 : 0;
    const ready = this.#idle[i] ?? this.#make();
    this.#idle[i] = undefined;
    return ready;
  }

  put(ready: Ready): void {
    this.#idle[this.#idle[0] === undefined ? 0 : 1] = ready;
  }

  /** One executable less; the last one frees what is idle. */
  leave(): void {
    if (--this.#users === 0) Shelf.#all.delete(this.#plan);
  }
}

/** Lays a plan out. */
export function layOut(plan: Plan, mode: Mode, { more }: Code): Layout {
  const b = new Builder(plan, mode === 'trace');
  return { b, nodes: plan.nodes.map((n) => prepareNode(n, b, more)) };
}

/**
 * Makes the memory and the instances of the calling thread, and packs the constants. With `workers` the memory is shared and has a
 * private area for each.
 */
export function build(plan: Plan, { b, nodes }: Layout, { modules, bytes }: Code, workers: number): Ready {
  const { constants, base, area } = b.figures;
  const bases = Array.from({ length: workers + 1 }, (_, i) => base + i * area);
  const pages = floorDiv(base + bases.length * area + PAGE - 1, PAGE);
  if (pages > MAX_PAGES)
    throw new HostError('NoMemory', 'the plan needs more WebAssembly memory than an instance may have', {
      expected: `at most ${MAX_PAGES} pages`,
      actual: String(pages),
    });
  const { memory, kernels } = instantiate(modules, pages, base, workers > 0);
  b.write(memory.buffer);
  const view = (id: number): TypedArray => viewOf(memory.buffer, plan.tensors[id]!, b.at({ id }));
  const figures = {
    constants,
    activations: b.activations,
    scratch: bases.length * area,
    total: pages * PAGE + bytes,
  };
  return {
    memory,
    kernels,
    nodes,
    inputs: plan.inputs.map(view),
    outputs: plan.outputs.map(view),
    view,
    bases,
    figures,
  };
}

/** Modules, the bytes of their code, and the further kernels among them. */
export interface Code {
  readonly modules: readonly WebAssembly.Module[];
  readonly bytes: number;
  readonly more?: More;
}

/** What a plan takes; `shared` where several instances share a memory. */
export async function codeFor(plan: Plan, shared: boolean = false): Promise<Code> {
  const module = await loadModule(shared);
  if (!plan.nodes.some((n) => wantsMore(n, plan.tensors))) return { modules: [module], bytes: MODULE_BYTES };
  const { loadMore, MORE, MORE_BYTES } = await import('./more/index.ts');
  return { modules: [module, await loadMore(shared)], bytes: MODULE_BYTES + MORE_BYTES, more: MORE };
}

/** The wasm backend. Its first `prepare` compiles the module and checks known answers. */
export const wasm: Backend = {
  name: 'wasm',
  prepare: async (plan, { mode, threads = 1 }) => {
    const threaded =
      threads > 1 ? await (await import('./threaded.ts')).prepareThreaded(plan, mode, threads) : undefined;
    if (threaded !== undefined) return threaded;
    const code = await codeFor(plan);
    const traced = mode === 'trace';
    const source = traced ? own(build(plan, layOut(plan, mode, code), code, 0)) : Shelf.join(plan, code);
    return new WasmExecutable(plan, mode, source);
  },
};
