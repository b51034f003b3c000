/**
 * One GPU device: its pipelines, its failures, and a watchdog over its answers (spec/30-execution.md §3).
 * @module
 */
import { HostError } from '../../core/errors.ts';
import type { Kernel } from './kernel.ts';
import { type Pages, paged, stretches, WHOLE } from './pages.ts';
import { RECORD_WORDS } from './prelude.ts';

/** Usage flags of buffers and the read mode of a mapping, as WebGPU numbers them. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const;
const MAP_READ = 1;
const COMPUTE = 4;

/** Milliseconds that a device may take to answer, beside those that its work is allowed; and those for a compiler. */
export const TIMEOUT = 60_000;
const COMPILING = 60_000;

/** A device that was lost, ran out of memory, broke a rule of its own or does not answer. */
export function deviceFailed(message: string): HostError {
  return new HostError('DeviceFailed', message);
}

function describe(e: unknown): string {
  return e instanceof Error || (typeof e === 'object' && e !== null && 'message' in e)
    ? String((e as { message: unknown }).message)
    : String(e);
}

/** The buffers of an executable or a probe: pages of the arena and of the constants, and the records. */
export interface Buffers {
  readonly pages: Pages;
  readonly arena: readonly GPUBuffer[];
  readonly constants: readonly GPUBuffer[];
  readonly records: GPUBuffer;
  readonly group: GPUBindGroup;
}

/** A bind group layout and that of the pipelines over it. */
interface Layout {
  readonly bindings: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** A device behind one bind group layout for every number of pages: arena, constants, and the record at a dynamic offset. */
export class Gpu {
  readonly device: GPUDevice;
  readonly timeout: number;
  readonly #layouts = new Map<string, Layout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  /** Rejects what waits for an answer. */
  readonly #waiting = new Set<(e: HostError) => void>();
  #failure: HostError | undefined;

  constructor(device: GPUDevice, timeout: number) {
    this.device = device;
    this.timeout = timeout;
    device.lost.then((info) => this.#fail(`the GPU device was lost: ${info.message}`));
  }

  /** Why the device is of no more use. */
  get failure(): HostError | undefined {
    return this.#failure;
  }

  #fail(message: string): void {
    this.#failure ??= deviceFailed(message);
    for (const reject of this.#waiting) reject(this.#failure);
  }

  /** The bindings of so many pages. */
  #layout({ arena, constants }: Pages): Layout {
    const key = `${arena} ${constants}`;
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const buffer = (type: GPUBufferBindingType, dynamic = false): GPUBufferBindingLayout => ({
      type,
      hasDynamicOffset: dynamic,
      minBindingSize: dynamic ? RECORD_WORDS * 4 : 4,
    });
    const types = [
      ...Array.from({ length: arena }, () => buffer('storage')),
      ...Array.from({ length: constants }, () => buffer('read-only-storage')),
      buffer('read-only-storage', true),
    ];
    const bindings = this.device.createBindGroupLayout({
      entries: types.map((b, binding) => ({ binding, visibility: COMPUTE, buffer: b })),
    });
    const layout = { bindings, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [bindings] }) };
    this.#layouts.set(key, layout);
    return layout;
  }

  /** The pipeline of a kernel over pages, compiled once. */
  pipeline(kernel: Kernel, pages: Pages = WHOLE): Promise<GPUComputePipeline> {
    const code = pages === WHOLE ? kernel.code : paged(kernel.code, pages);
    let p = this.#pipelines.get(code);
    if (p === undefined)
      this.#pipelines.set(code, (p = this.#compile(kernel.name, code, this.#layout(pages).pipeline)));
    return p;
  }

  async #compile(name: string, code: string, layout: GPUPipelineLayout): Promise<GPUComputePipeline> {
    const create = (): Promise<GPUComputePipeline> => {
      const module = this.device.createShaderModule({ label: name, code });
      return this.device.createComputePipelineAsync({ label: name, layout, compute: { module, entryPoint: 'main' } });
    };
    return this.checked(`kernel ${name}`, create, COMPILING);
  }

  /**
   * Calls `work`, whose commands are issued before it first waits, and awaits what it returns. Whatever goes wrong on the
   * device meanwhile is a HostError: an error in a scope, a loss, or no answer in time.
   * @param allowance milliseconds beyond the timeout
   */
  async checked<T>(what: string, work: () => Promise<T>, allowance = 0): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const { device } = this;
    for (const filter of ['internal', 'validation', 'out-of-memory'] as const) device.pushErrorScope(filter);
    let issued: Promise<T>;
    try {
      issued = work();
    } catch (e) {
      issued = Promise.reject(e);
    }
    const errors = ['out-of-memory', 'validation', 'internal'].map(() => device.popErrorScope());
    const all = Promise.all([Promise.all(errors), issued.catch((e: unknown) => ({ thrown: e }))]);
    const [[memory, ...others], result] = await this.#answer(what, all, allowance);
    if (memory) throw new HostError('NoMemory', `${what}: the device has no room: ${memory.message}`);
    const error = others.find((e) => e !== null);
    if (error) throw deviceFailed(`${what}: ${error.message}`);
    if (this.#failure !== undefined) throw this.#failure;
    if (typeof result === 'object' && result !== null && 'thrown' in result) {
      if (result.thrown instanceof HostError) throw result.thrown;
      throw deviceFailed(`${what}: ${describe(result.thrown)}`);
    }
    return result as T;
  }

  /** The value of a promise of the device, unless it is lost first or does not answer. */
  async #answer<T>(what: string, promise: Promise<T>, allowance: number): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop: ((e: HostError) => void) | undefined;
    const failed = new Promise<never>((_, reject) => {
      this.#waiting.add((stop = reject));
      timer = setTimeout(() => this.#fail(`${what}: the GPU does not answer`), this.timeout + allowance);
    });
    try {
      return await Promise.race([promise, failed]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(stop!);
    }
  }

  /**
   * Buffers of so many bytes, constants and records filled.
   * @param constants those at byte 0, and the records from byte `records`
   */
  buffers(arenaBytes: number, constants: Uint8Array<ArrayBuffer>, records: number, pages: Pages = WHOLE): Buffers {
    const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
    const create = (label: string, size: number): GPUBuffer => this.device.createBuffer({ label, size, usage });
    const array = (label: string, bytes: number): GPUBuffer[] =>
      stretches(pages, 0, Math.max(bytes, 4)).map((s) => create(label, s.bytes));
    const [arena, fixed] = [array('arena', arenaBytes), array('constants', records)];
    const own = create('records', constants.length - records);
    this.write(fixed, pages, 0, constants.subarray(0, records));
    this.device.queue.writeBuffer(own, 0, constants, records);
    const group = this.device.createBindGroup({
      layout: this.#layout(pages).bindings,
      entries: [
        ...[...arena, ...fixed].map((buffer, binding) => ({ binding, resource: { buffer } })),
        { binding: arena.length + fixed.length, resource: { buffer: own, size: RECORD_WORDS * 4 } },
      ],
    });
    return { pages, arena, constants: fixed, records: own, group };
  }

  /** Writes bytes from byte `at` of an array of pages. */
  write(array: readonly GPUBuffer[], pages: Pages, at: number, bytes: Uint8Array<ArrayBuffer>): void {
    for (const s of stretches(pages, at, bytes.length))
      this.device.queue.writeBuffer(array[s.page]!, s.at, bytes, s.from, s.bytes);
  }

  /** A buffer to read results from. */
  staging(bytes: number): GPUBuffer {
    return this.device.createBuffer({ label: 'results', size: bytes, usage: USAGE.mapRead | USAGE.copyTarget });
  }

  /** A copy of what a mappable buffer holds once the work before is done. */
  async read(staging: GPUBuffer): Promise<Uint8Array<ArrayBuffer>> {
    await staging.mapAsync(MAP_READ);
    const bytes = new Uint8Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return bytes;
  }
}
