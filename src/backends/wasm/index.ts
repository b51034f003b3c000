/**
 * The wasm backend: AssemblyScript kernels in SIMD128, one fixed memory an executable (spec/30-execution.md §3).
 * @module
 */
import { pricePoly, SCHEDULE_0 } from '../../core/cost.ts';
import { assert, HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { polyAt } from '../../core/poly.ts';
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
function viewOf(memory: ArrayBuffer, t: PlanTensor, at: number): TypedArray {
  if (t.dtype === 'i16') return new Int16Array(memory, at, t.count);
  if (t.dtype === 'i32') return new Int32Array(memory, at, t.count);
  return new Int8Array(memory, at, t.bytes);
}

/** Runs all calls of a node. */
function runNode(kernels: Kernels, { calls }: Prepared): void {
  for (let i = 0; i < calls.length; i++) call(kernels, calls[i]!, 0, calls[i]!.units);
}

function copyOf(a: TypedArray): TypedArray {
  return a.slice() as TypedArray;
}

interface Ready {
  readonly kernels: Kernels;
  readonly nodes: readonly Prepared[];
  readonly inputs: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
  /** View of an activation. */
  readonly view: (id: number) => TypedArray;
}

class WasmExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  readonly #keep: boolean;
  #ready: Ready | undefined;

  constructor(plan: Plan, mode: Mode, ready: Ready, memory: BackendMemory) {
    this.#plan = plan;
    this.#keep = mode === 'trace';
    this.#ready = ready;
    this.memory = memory;
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const { kernels, nodes, outputs } = this.#load(inputs);
    for (const node of nodes) {
      signal?.throwIfAborted();
      runNode(kernels, node);
      if (signal !== undefined) await turn();
    }
    return outputs.map(copyOf);
  }

  runSync(
    inputs: readonly TypedArray[],
    { into }: { readonly into?: readonly TypedArray[] | undefined },
  ): readonly TypedArray[] {
    const { kernels, nodes, outputs } = this.#load(inputs);
    for (let i = 0; i < nodes.length; i++) runNode(kernels, nodes[i]!);
    if (into === undefined) return outputs.map(copyOf);
    for (let i = 0; i < outputs.length; i++) into[i]!.set(outputs[i]!);
    return into;
  }

  /** A stepper works in this executable’s one memory: no other run may come between its steps. */
  begin(inputs: readonly TypedArray[], from?: Snapshot): Stepper {
    const { kernels, nodes, outputs, view } = this.#load(inputs);
    const { lifetimes, model, dims } = this.#plan;
    for (const [id, data] of from?.tensors ?? []) if (lifetimes[id]) view(id).set(data);
    const t = dims.map((d, i) => d - model.symbols[i]!.min);
    const prices = model.info.map((n) => polyAt(pricePoly(n.cost, SCHEDULE_0), t));
    let next = from?.next ?? 0;
    /** True while a tensor that nodes before `next` made is whole and read by node `reader` or a later one. */
    const holds = (id: number, reader: number): boolean => {
      const life = lifetimes[id];
      return life != null && life.first < next && (life.last >= reader || this.#keep);
    };
    return {
      step: (cost) => {
        for (let spent = 0n; next < nodes.length && spent <= cost; spent += prices[next - 1]!)
          runNode(kernels, nodes[next++]!);
        return next === nodes.length;
      },
      read: (id) => this.#plan.tensors[id]?.data ?? (holds(id, next - 1) ? copyOf(view(id)) : undefined),
      snapshot: () => ({
        next,
        tensors: new Map(lifetimes.flatMap((_, id) => (holds(id, next) ? [[id, copyOf(view(id))]] : []))),
      }),
      outputs: () => {
        assert(next === nodes.length, 'outputs are read after the last step');
        return outputs.map(copyOf);
      },
    };
  }

  trace(): ReadonlyMap<number, TypedArray> {
    assert(this.#keep, 'a trace of an executable that reuses memory');
    const view = this.#ready?.view;
    return new Map(view === undefined ? [] : this.#plan.tensors.map((t, id) => [id, t.data ?? copyOf(view(id))]));
  }

  explain(): readonly KernelChoice[] {
    const nodes = this.#ready?.nodes ?? [];
    return nodes.map(({ kernel }, i) => ({ node: i, op: this.#plan.nodes[i]!.op, kernel }));
  }

  dispose(): void {
    this.#ready = undefined;
  }

  #load(inputs: readonly TypedArray[]): Ready {
    const ready = this.#ready;
    assert(ready !== undefined, 'a disposed executable runs');
    for (let i = 0; i < ready.inputs.length; i++) ready.inputs[i]!.set(inputs[i]!);
    return ready;
  }
}

/** Lays a plan out, makes its memory and instance, and packs its constants. */
function assemble({ modules, more }: Code, plan: Plan, mode: Mode): Executable {
  const b = new Builder(plan, mode === 'trace');
  const nodes = plan.nodes.map((n) => prepareNode(n, b, more));
  const { constants, scratch, base, end } = b.figures;
  const pages = floorDiv(end + PAGE - 1, PAGE);
  if (pages > MAX_PAGES)
    throw new HostError('NoMemory', 'the plan needs more WebAssembly memory than an instance may have', {
      expected: `at most ${MAX_PAGES} pages`,
      actual: String(pages),
    });
  const { memory, kernels } = instantiate(modules, pages, base);
  b.write(memory.buffer);
  const view = (id: number): TypedArray => viewOf(memory.buffer, plan.tensors[id]!, b.at({ id }));
  const ready: Ready = { kernels, nodes, inputs: plan.inputs.map(view), outputs: plan.outputs.map(view), view };
  return new WasmExecutable(plan, mode, ready, {
    constants,
    activations: b.activations,
    scratch,
    total: pages * PAGE + MODULE_BYTES,
  });
}

/** Modules, and the further kernels among them. */
interface Code {
  readonly modules: readonly WebAssembly.Module[];
  readonly more?: More;
}

/** What a plan takes. */
export async function codeFor(plan: Plan): Promise<Code> {
  const modules = [await loadModule()];
  if (!plan.nodes.some((n) => wantsMore(n, plan.tensors))) return { modules };
  const { loadMore, MORE } = await import('./more/index.ts');
  return { modules: [...modules, await loadMore()], more: MORE };
}

/** The wasm backend. Its first `prepare` compiles the module and checks known answers. */
export const wasm: Backend = {
  name: 'wasm',
  prepare: async (plan, { mode }) => assemble(await codeFor(plan), plan, mode),
};
