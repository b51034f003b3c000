/**
 * The WebGPU backend: the whole graph on the device, one upload and one readback a run; integers only
 * (spec/30-execution.md §3).
 * @module
 */
import { assert } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { checkOptions } from '../../core/options.ts';
import { type TypedArray, toBytes } from '../../core/tensor.ts';
import type { Plan } from '../../runtime/plan.ts';
import { turn } from '../../runtime/turn.ts';
import type { Backend, BackendMemory, Executable, KernelChoice, Mode } from '../backend.ts';
import { Builder, type Dispatch } from './builder.ts';
import type { Buffers, Gpu } from './device.ts';
import { prepareNode } from './kernels.ts';
import { pagesOf, stretches } from './pages.ts';
import { type Answers, acquire, GPU_OPTIONS, type GpuOptions } from './probe.ts';
import { batched, inputArea, type Part, partsOf, renewed, resultsOf, SLOWEST } from './transfer.ts';

interface Ready {
  readonly gpu: Gpu;
  readonly buffers: Buffers;
  readonly staging: GPUBuffer;
  readonly batches: readonly (readonly (Dispatch & { readonly pipeline: GPUComputePipeline })[])[];
  readonly work: number;
  readonly inputs: Uint8Array<ArrayBuffer>;
  readonly inputsAt: readonly number[];
  readonly parts: readonly Part[];
}

/** What a plan becomes on a device. */
interface Made {
  readonly ready: Ready;
  readonly kernels: readonly string[];
  readonly memory: BackendMemory;
}

class WebGpuExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  readonly #kernels: readonly string[];
  readonly #keep: boolean;
  #ready: Ready | undefined;
  #trace: ReadonlyMap<number, TypedArray> | undefined;

  constructor(plan: Plan, mode: Mode, made: Made) {
    this.#plan = plan;
    this.#keep = mode === 'trace';
    this.#kernels = made.kernels;
    this.#ready = made.ready;
    this.memory = made.memory;
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const ready = this.#ready;
    assert(ready !== undefined, 'a disposed executable runs');
    const { gpu, staging, batches } = ready;
    const allowance = floorDiv(ready.work, SLOWEST);
    ready.inputsAt.forEach((at, i) => ready.inputs.set(toBytes(inputs[i]!), at));
    if (signal !== undefined) await sliced(ready, signal, allowance);
    const all = (): Promise<Uint8Array<ArrayBuffer>> => {
      if (signal === undefined) {
        upload(ready);
        for (const batch of batches) submit(ready, batch);
      }
      return collect(ready);
    };
    const bytes = await gpu.checked('run', all, allowance);
    assert(bytes.length === staging.size, 'a readback of another length');
    const { outputs, trace } = resultsOf(this.#plan, ready.parts, bytes, this.#keep);
    this.#trace = trace;
    return outputs;
  }

  /** True where its device has failed: the next run makes the plan anew on another one. */
  get lost(): boolean {
    return this.#ready?.gpu.failure !== undefined;
  }

  trace(): ReadonlyMap<number, TypedArray> {
    return this.#trace ?? new Map();
  }

  explain(): readonly KernelChoice[] {
    return this.#plan.nodes.map(({ op }, node) => ({ node, op, kernel: this.#kernels[node]! }));
  }

  dispose(): void {
    const { buffers, staging } = this.#ready ?? {};
    for (const b of [...(buffers?.arena ?? []), ...(buffers?.constants ?? []), buffers?.records, staging]) b?.destroy();
    this.#ready = undefined;
    this.#trace = undefined;
  }
}

function upload({ gpu, buffers, inputs }: Ready): void {
  gpu.write(buffers.arena, buffers.pages, 0, inputs);
}

function submit({ gpu, buffers }: Ready, batch: Ready['batches'][number]): void {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { pipeline, record, groups } of batch) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, buffers.group, [record]);
    pass.dispatchWorkgroups(...groups);
  }
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
}

/** Uploads and submits, listening to the signal between submissions. */
async function sliced(ready: Ready, signal: AbortSignal, allowance: number): Promise<void> {
  const { gpu, batches } = ready;
  await gpu.checked('upload', async () => upload(ready));
  for (const batch of batches) {
    signal.throwIfAborted();
    const done = (): Promise<void> => {
      submit(ready, batch);
      return gpu.device.queue.onSubmittedWorkDone();
    };
    await gpu.checked('run', done, allowance);
    await turn();
  }
  signal.throwIfAborted();
}

function collect({ gpu, buffers, staging, parts }: Ready): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = gpu.device.createCommandEncoder();
  for (const [i, { from, to }] of parts.entries()) {
    const size = (parts[i + 1]?.to ?? staging.size) - to;
    for (const s of stretches(buffers.pages, from, size))
      encoder.copyBufferToBuffer(buffers.arena[s.page]!, s.at, staging, to + s.from, s.bytes);
  }
  gpu.device.queue.submit([encoder.finish()]);
  return gpu.read(staging);
}

/** Lays a plan out, compiles its pipelines side by side and fills its buffers. */
async function assemble({ gpu, limits, page }: Answers, plan: Plan, mode: Mode): Promise<Made> {
  const keep = mode === 'trace';
  const b = new Builder(plan, keep, limits);
  const kernels = plan.nodes.map((n) => prepareNode(n, b));
  const { parts, bytes } = partsOf(plan, b, keep);
  const figures = b.figures;
  const recordsAt = b.recordsAt;
  const pages = pagesOf({ arena: figures.arena, constants: recordsAt >>> 2 }, gpu.device.limits, page);
  const dispatches = b.dispatches().map((d) => ({ ...d, record: d.record - recordsAt }));
  const distinct = [...new Map(dispatches.map(({ kernel }) => [kernel.code, kernel])).values()];
  const compiled = new Map(
    await Promise.all(distinct.map(async (k) => [k.code, await gpu.pipeline(k, pages)] as const)),
  );
  const { buffers, staging } = await gpu.checked('prepare', async () => {
    const buffers = gpu.buffers(figures.arena * 4, b.constants(), recordsAt, pages);
    const resident = b.resident();
    gpu.write(buffers.arena, pages, resident.at, resident.bytes);
    return { buffers, staging: gpu.staging(bytes) };
  });
  const ready: Ready = {
    gpu,
    buffers,
    staging,
    batches: batched(dispatches.map((d) => ({ ...d, pipeline: compiled.get(d.kernel.code)! }))),
    work: dispatches.reduce((n, d) => n + d.work, 0),
    ...inputArea(plan, b),
    parts,
  };
  const memory = {
    constants: figures.constants * 4 + b.resident().bytes.length,
    activations: b.activations,
    scratch: figures.scratch * 4,
    total: (figures.arena + figures.constants) * 4 + bytes,
  };
  return { ready, kernels, memory };
}

/**
 * A WebGPU backend over a given implementation. The device is probed on first use; after a failure the next `prepare` or
 * run asks for another one.
 * @throws TypeError an unknown option, or a value that it cannot have
 */
export function createWebGpu(options: GpuOptions = {}): Backend {
  checkOptions(options, GPU_OPTIONS);
  const current = renewed(
    () => acquire(options),
    ({ gpu }) => gpu.failure !== undefined,
  );
  const prepare: Backend['prepare'] = async (plan, { mode }) =>
    new WebGpuExecutable(plan, mode, await assemble(await current(), plan, mode));
  return { name: 'webgpu', prepare };
}

/** The WebGPU backend of this engine: `navigator.gpu`, or in Node the optional package `webgpu`. */
export const webgpu: Backend = /* @__PURE__ */ createWebGpu();
