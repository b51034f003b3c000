/**
 * The wasm backend: AssemblyScript kernels in SIMD128, one fixed memory an executable (spec/30-execution.md §3).
 * @module
 */
import { assert, HostError } from '../../core/errors.ts';
import type { TypedArray } from '../../core/tensor.ts';
import type { Plan, PlanTensor } from '../../runtime/plan.ts';
import type { Backend, BackendMemory, Executable, KernelChoice, Mode } from '../backend.ts';
import { Builder } from './builder.ts';
import { prepareNode, type Prepared } from './kernels.ts';
import { instantiate, type Kernels, loadModule, MODULE_BYTES, PAGE } from './module.ts';

/** Pages that a 32-bit address space holds. */
const MAX_PAGES = 65536;

/** A view of a tensor in the executable’s memory. */
function viewOf(memory: ArrayBuffer, t: PlanTensor, at: number): TypedArray {
  if (t.dtype === 'i16') return new Int16Array(memory, at, t.count);
  if (t.dtype === 'i32') return new Int32Array(memory, at, t.count);
  return new Int8Array(memory, at, t.bytes);
}

interface Ready {
  readonly kernels: Kernels;
  readonly calls: readonly Prepared[];
  readonly inputs: readonly TypedArray[];
  readonly outputs: readonly TypedArray[];
  /** Views of all activations by id; trace mode only. */
  readonly kept: ReadonlyMap<number, TypedArray>;
}

class WasmExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  #ready: Ready | undefined;

  constructor(plan: Plan, ready: Ready, memory: BackendMemory) {
    this.#plan = plan;
    this.#ready = ready;
    this.memory = memory;
  }

  async run(inputs: readonly TypedArray[], { signal }: { readonly signal?: AbortSignal | undefined }): Promise<readonly TypedArray[]> {
    const { kernels, calls, outputs } = this.#load(inputs);
    for (const call of calls) {
      signal?.throwIfAborted();
      call.run(kernels);
    }
    return outputs.map((o) => o.slice() as TypedArray);
  }

  runSync(inputs: readonly TypedArray[], { into }: { readonly into?: readonly TypedArray[] | undefined }): readonly TypedArray[] {
    const { kernels, calls, outputs } = this.#load(inputs);
    for (let i = 0; i < calls.length; i++) calls[i]!.run(kernels);
    if (into === undefined) return outputs.map((o) => o.slice() as TypedArray);
    for (let i = 0; i < outputs.length; i++) into[i]!.set(outputs[i]!);
    return into;
  }

  trace(): ReadonlyMap<number, TypedArray> {
    const values = new Map<number, TypedArray>();
    this.#plan.tensors.forEach((t, id) => t.data !== undefined && values.set(id, t.data));
    for (const [id, view] of this.#ready?.kept ?? []) values.set(id, view.slice() as TypedArray);
    return values;
  }

  explain(): readonly KernelChoice[] {
    return this.#plan.nodes.map((n, i) => ({ node: n.index, op: n.op, kernel: this.#ready?.calls[i]!.kernel ?? '' }));
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
function assemble(module: WebAssembly.Module, plan: Plan, mode: Mode): Executable {
  const b = new Builder(plan, mode === 'trace');
  const calls = plan.nodes.map((n) => prepareNode(n, b));
  const places = plan.tensors.map((t, id) => (t.data === undefined || plan.outputs.includes(id) ? b.at({ id }) : 0));
  const { constants, scratch, end } = b.figures;
  const pages = Math.ceil(end * 2 ** -16);
  if (pages > MAX_PAGES) throw new HostError('NoMemory', `the plan needs ${pages} pages of WebAssembly memory`, { expected: `at most ${MAX_PAGES}`, actual: String(pages) });
  const { memory, kernels } = instantiate(module, pages);
  b.write(memory.buffer);
  const view = (id: number): TypedArray => viewOf(memory.buffer, plan.tensors[id]!, places[id]!);
  const kept = new Map<number, TypedArray>();
  if (mode === 'trace') plan.tensors.forEach((t, id) => t.data === undefined && kept.set(id, view(id)));
  const ready: Ready = { kernels, calls, inputs: plan.inputs.map(view), outputs: plan.outputs.map(view), kept };
  return new WasmExecutable(plan, ready, { constants, activations: b.activations, scratch, total: pages * PAGE + MODULE_BYTES });
}

/** The wasm backend. Its first `prepare` compiles the module and checks known answers. */
export const wasm: Backend = {
  name: 'wasm',
  prepare: async (plan, { mode }) => assemble(await loadModule(), plan, mode),
};
