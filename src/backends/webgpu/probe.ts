/**
 * Getting a device, and the known answers that it must give before it is trusted (spec/30-execution.md §3): arithmetic at
 * its edges, shifts, packed dots, long loops, barriers, tails of words and accesses out of bounds.
 * @module
 */
import { HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { FLAG, OBJECT, type OptionRule, wholeFrom } from '../../core/options.ts';
import { toBytes } from '../../core/tensor.ts';
import type { Limits } from './builder.ts';
import {
  ARITHMETIC,
  CHECKS,
  COUNT,
  EDGES,
  INNER,
  LONG,
  LONG_ANSWER,
  NESTED_ANSWER,
  OUTER,
  wrongCheck,
} from './checks.ts';
import { deviceFailed, Gpu, TIMEOUT } from './device.ts';
import { divisor } from './divisor.ts';
import { elementKernel, ITEM_GROUP, type Kernel, kernel } from './kernel.ts';
import { RECORD_WORDS } from './prelude.ts';

/** Where a backend gets its device from, and how long it waits for an answer. */
export interface GpuOptions {
  /** The implementation: `navigator.gpu`, or what `create` of the package `webgpu` returns. */
  readonly gpu?: GPU;
  /** Milliseconds without an answer after which the device counts as failed; default 60,000. Work adds to it. */
  readonly timeout?: number;
  /** False: products of bytes by shifts, though the device may have packed ones. */
  readonly dot4?: boolean;
  /** Most elementary steps of a dispatch; default 2^28. */
  readonly dispatchWork?: number;
  /** Most bytes of one storage buffer; default what the device binds. Tensors beyond lie in several. */
  readonly bufferBytes?: number;
}

/** What each option may be. */
export const GPU_OPTIONS: Readonly<Record<keyof GpuOptions, OptionRule>> = {
  gpu: OBJECT,
  timeout: wholeFrom(1),
  dot4: FLAG,
  dispatchWork: wholeFrom(1),
  bufferBytes: wholeFrom(256),
};

/** Elementary steps that no device takes long for, and some need for being busy. */
const DISPATCH_WORK = 2 ** 28;

/** A device that gave the right answers, and what it may run. */
export interface Answers {
  readonly gpu: Gpu;
  /** The implementation, kept because Dawn dies with it. */
  readonly api: GPU;
  readonly limits: Limits;
  /** Most bytes of one buffer, if less than the device binds. */
  readonly page: number;
}

/** Four packed products, of every pair of edges. */
const DOT = /* @__PURE__ */ elementKernel(
  'probe_dot4',
  'edges: u32, side: Divisor',
  `
fn element(i: u32) -> i32 {
  let row = quotient(i, p.side);
  return dot4I8Packed(constants[p.edges + row], constants[p.edges + i - row * p.side.n]);
}`,
);

/**
 * Words: the loops' sums; a barrier's sum; what a zeroed workgroup array held; a guarded tail; accesses out of bounds.
 */
const CONTROL = /* @__PURE__ */ kernel(
  'probe_control',
  'long: u32, outer: u32, inner: u32, far: u32',
  `
var<workgroup> shared_of: array<u32, 64>;
var<workgroup> zeros: array<u32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  shared_of[lane] = lane * lane + zeros[63u - lane];
  workgroupBarrier();
  for (var half = 32u; half > 0u; half >>= 1u) {
    if (lane < half) { shared_of[lane] += shared_of[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) { arena[2] = shared_of[0]; }
  if (lane == 1u) {
    var s = 1u;
    for (var i = 0u; i < p.long; i++) { s = s * 1664525u + i; }
    arena[0] = s;
  }
  if (lane == 2u) {
    var s = 1u;
    for (var i = 0u; i < p.outer; i++) {
      for (var j = 0u; j < p.inner; j++) { s = s * 22695477u + i + j; }
    }
    arena[1] = s;
  }
  if (lane < 5u) { arena[8u + lane] = 7u + lane; }
  if (lane == 5u) { arena[p.far] = 99u; arena[3] = select(1u, 1u, arena[p.far + lane] == 3u); }
}`,
);

const CONTROL_ANSWERS: readonly (readonly [name: string, word: number, value: number])[] = [
  ['a loop of more than 65,536 turns', 0, LONG_ANSWER],
  ['nested loops of more than 65,536 turns', 1, NESTED_ANSWER],
  ['a barrier', 2, 85344],
  ['a read out of bounds', 3, 1],
  ...[0, 1, 2, 3, 4].map((i) => ['stores side by side', 8 + i, 7 + i] as const),
  ...[4, 5, 6, 7, 13, 14].map((i) => ['a word that nobody wrote', i, 0] as const),
];

/** What a device is asked before it is trusted. Packed products come beside: they only choose kernels. */
export const PROBED: readonly string[] = [...new Set([...CHECKS, ...CONTROL_ANSWERS].map(([name]) => name))];

/** Runs one kernel over a fresh arena. */
async function once(
  gpu: Gpu,
  k: Kernel,
  record: Readonly<Record<string, readonly number[]>>,
  words: number,
  table: Uint32Array,
  groups: number,
): Promise<Int32Array> {
  const pipeline = await gpu.pipeline(k);
  const constants = new Uint8Array(table.byteLength + RECORD_WORDS * 4);
  const own = Uint32Array.from(k.fields.flatMap(([name]) => record[name]!));
  constants.set(toBytes(new Int32Array(table.buffer)));
  constants.set(toBytes(new Int32Array(own.buffer)), table.byteLength);
  const bytes = await gpu.checked(`probe ${k.name}`, async () => {
    const { arena, constants: fixed, records, group } = gpu.buffers(words * 4, constants, table.byteLength);
    const staging = gpu.staging(words * 4);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [0]);
    pass.dispatchWorkgroups(groups);
    pass.end();
    encoder.copyBufferToBuffer(arena[0]!, 0, staging, 0, words * 4);
    gpu.device.queue.submit([encoder.finish()]);
    try {
      return await gpu.read(staging);
    } finally {
      for (const b of [...arena, ...fixed, records, staging]) b.destroy();
    }
  });
  return new Int32Array(bytes.buffer);
}

/** The record field of a divisor. */
function fieldOf(n: number): number[] {
  const d = divisor(n);
  return [d.n, d.mul, d.shift];
}

/** Name of the first arithmetic check that is wrong. */
async function wrongArithmetic(gpu: Gpu): Promise<string | undefined> {
  const pairs = COUNT * COUNT;
  const count = CHECKS.length * pairs;
  const record = { edges: [0], pairs: fieldOf(pairs), side: fieldOf(COUNT) };
  const words = { first: [0], end: [count], count: [count], y: [0], y_size: [2] };
  const got = await once(gpu, ARITHMETIC, { ...record, ...words }, count, EDGES, floorDiv(count + 63, 64));
  return wrongCheck(got);
}

/** True if packed products of four bytes are exact. */
async function rightDot4(gpu: Gpu): Promise<boolean> {
  const count = COUNT * COUNT;
  const words = { first: [0], end: [count], count: [count], y: [0], y_size: [2] };
  const got = await once(
    gpu,
    DOT,
    { edges: [0], side: fieldOf(COUNT), ...words },
    count,
    EDGES,
    floorDiv(count + 63, 64),
  );
  const byte = (v: number, k: number): number => (v << (24 - 8 * k)) >> 24;
  const dot = (a: number, b: number): number => [0, 1, 2, 3].reduce((sum, k) => sum + byte(a, k) * byte(b, k), 0);
  return EDGES.every((a, i) => EDGES.every((b, j) => got[i * COUNT + j] === dot(a, b)));
}

/** Name of the first check of loops, barriers and bounds that is wrong. */
async function wrongControl(gpu: Gpu): Promise<string | undefined> {
  const record = { long: [LONG], outer: [OUTER], inner: [INNER], far: [1_000_003] };
  const got = await once(gpu, CONTROL, record, 1024, new Uint32Array(1), 1);
  return CONTROL_ANSWERS.find(([, word, value]) => got[word] !== value)?.[0];
}

/** Limits beyond the portable ones that large models use, as far as the adapter has them. */
function wantedLimits({ limits }: GPUAdapter): Record<string, number> {
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  return { maxStorageBufferBindingSize, maxBufferSize };
}

/** Dawn in Node, made once: it dies with its object. */
let dawn: Promise<GPU | undefined> | undefined;

async function importDawn(): Promise<GPU | undefined> {
  const name = 'webgpu'; // a variable: bundlers leave the import alone
  try {
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
      create(flags: string[]): GPU;
    };
    return create([]);
  } catch {
    return undefined;
  }
}

/** The WebGPU of this engine; in Node that of the package `webgpu`, if it is installed. */
function implementation(): GPU | undefined | Promise<GPU | undefined> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  return own ?? (dawn ??= importDawn());
}

/**
 * Gets a device and probes it.
 * @throws HostError `NoBackend` without WebGPU or an adapter, `SelfTest` naming the check that failed
 */
export async function acquire(options: GpuOptions): Promise<Answers> {
  const { timeout = TIMEOUT, dot4 = true, dispatchWork = DISPATCH_WORK, bufferBytes = Infinity } = options;
  const api = options.gpu ?? (await implementation());
  if (api === undefined) throw new HostError('NoBackend', 'this engine has no WebGPU');
  const adapter = await api.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new HostError('NoBackend', 'WebGPU finds no adapter on this machine');
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits: wantedLimits(adapter) });
  } catch (e) {
    throw deviceFailed(`the adapter gives no device: ${String((e as Error).message)}`);
  }
  const own = new Gpu(device, timeout);
  const wrong = (await wrongArithmetic(own)) ?? (await wrongControl(own));
  if (wrong !== undefined) {
    device.destroy();
    throw new HostError('SelfTest', `the GPU computes ${wrong} wrongly`);
  }
  const packed = api.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false;
  return {
    gpu: own,
    api,
    limits: { dot4: dot4 && packed && (await rightDot4(own)), work: dispatchWork, least: ITEM_GROUP },
    page: bufferBytes,
  };
}
