/**
 * `samebit doctor`: what this machine offers, and why it does not offer more.
 * @module
 */
import { availableParallelism, cpus } from 'node:os';
import type { Command } from 'commander';
import { HostError } from '../core/errors.ts';
import { encodeModel } from '../format/encode.ts';
import type { Model } from '../graph/ir.ts';
import { loadModel } from '../runtime/load.ts';
import { BACKEND_NAMES, type BackendName, createSession } from '../runtime/session.ts';
import { coloursOf } from './colours.ts';
import { EXIT_DATA } from './errors.ts';
import { EVERYWHERE } from './options.ts';
import { print } from './output.ts';
import { installs } from './package.ts';
import { toJson } from './text.ts';

/** Rows, columns and sums of the product that a backend is tried on: large enough for threads. */
const SIDE = 256;
/** Milliseconds in which a GPU has to answer. */
const PATIENCE = 20_000;

/** A backend on this machine. Where it does not run, why, and the next step. */
interface Finding {
  readonly backend: BackendName;
  readonly runs: boolean;
  /** What it found on the way, in words. */
  readonly notes: readonly string[];
  readonly reason?: string;
  readonly next?: string;
}

/** x i8 [SIDE, SIDE] times a constant. */
function product(): Model {
  const count = SIDE * SIDE;
  return loadModel(
    encodeModel({
      symbols: [],
      inputs: [{ name: 'x', dtype: 'i8', shape: [SIDE, SIDE], zp: 0, lo: -128, hi: 127 }],
      constants: [
        { dtype: 'i8', shape: [SIDE, SIDE], zp: 0, data: Int8Array.from({ length: count }, (_, i) => (i * 37) | 0) },
        { dtype: 'i32', shape: [SIDE], zp: 0, data: new Int32Array(SIDE) },
      ],
      nodes: [
        {
          op: 'dense',
          inputs: [0, 1, 2],
          attrs: { block: 0, stage: { m: Int32Array.of(1 << 24), l: 0, dtype: 'i8', zp: 0, lo: -128, hi: 127 } },
        },
      ],
      outputs: [{ name: 'y', tensor: 3 }],
      states: [],
    }),
  );
}

const X = { x: Int8Array.from({ length: SIDE * SIDE }, (_, i) => (i * 101) | 0) };

async function digestOn(
  model: Model,
  backend: BackendName,
  threads: number,
): Promise<[digest: string, threads: number]> {
  const session = await createSession(model, { backend, threads });
  try {
    return [(await session.run(X)).digest, session.explain().threads];
  } finally {
    session.dispose();
  }
}

/** Bytes of a module whose one function ends in a SIMD instruction behind the prefix 0xfd. */
function simdModule(...instruction: readonly number[]): Uint8Array<ArrayBuffer> {
  const vector = [0xfd, 0x0c, ...new Array<number>(16).fill(0)]; // v128.const 0
  const body = [0, ...vector, ...vector, 0xfd, ...instruction, 0x0b];
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
  return Uint8Array.from([...head, 10, body.length + 2, 1, body.length, ...body]);
}

const SIMD = WebAssembly.validate(simdModule(0x6e)); // i8x16.add
const RELAXED_SIMD = WebAssembly.validate(simdModule(0x92, 2)); // i16x8.relaxed_dot_i8x16_i7x16_s

/** Why the optional package for GPUs in Node does not load; undefined where it does. */
async function dawnFailure(): Promise<string | undefined> {
  const name = 'webgpu';
  try {
    await import(name);
    return undefined;
  } catch (e) {
    const missing = (e as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    return missing
      ? 'the package webgpu is not installed'
      : `the package webgpu does not load: ${(e as Error).message}`;
  }
}

/** Adapter and probe of the WebGPU that this engine has. @throws HostError with the check that failed */
async function webgpuNotes(): Promise<string[]> {
  const { acquire, PROBED } = await import('../backends/webgpu/probe.ts');
  const { gpu, api, limits } = await acquire({ timeout: PATIENCE });
  const { vendor, architecture, description } = (await api.requestAdapter())?.info ?? {};
  const binding = gpu.device.limits.maxStorageBufferBindingSize;
  gpu.device.destroy();
  const offered = api.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false;
  const dots = limits.dot4 ? 'right and used' : `${offered ? 'wrong' : 'not offered'}; shifts take their place`;
  return [
    `adapter ${[vendor, architecture, description].filter(Boolean).join(' ') || 'without a name'}`,
    `${PROBED.length} known answers right: ${PROBED.join(', ')}`,
    `packed dots ${dots}`,
    `${binding} bytes a binding`,
  ];
}

/** The next step after a failure. */
async function advice(backend: BackendName, e: HostError): Promise<Pick<Finding, 'reason' | 'next'>> {
  const reason = e.message;
  if (backend === 'webgpu' && e.code === 'NoBackend') {
    const dawn = await dawnFailure();
    if (dawn !== undefined) return { reason: dawn, next: installs('webgpu') };
    const next =
      'Install a Vulkan driver for your GPU, or name its ICD file in VK_DRIVER_FILES; docs/gpu.md has one in software.';
    return { reason, next };
  }
  if (backend === 'gpujs' && e.code === 'NoBackend') return { reason, next: installs('gpu.js') };
  if (backend === 'webgl' && e.code === 'NoBackend')
    return { reason, next: 'Browsers have WebGL2: run the model in one.' };
  if (e.code === 'SelfTest')
    return { reason, next: 'Update the driver or the engine. The other backends give the same bits.' };
  return { reason, next: e.hint };
}

async function notesOf(backend: BackendName, model: Model): Promise<string[]> {
  if (backend === 'webgpu') return webgpuNotes();
  if (backend !== 'wasm') return [];
  const [, threads] = await digestOn(model, backend, 2);
  const shared = typeof SharedArrayBuffer === 'undefined' ? 'no SharedArrayBuffer' : 'workers do not start';
  return [threads > 1 ? 'threads yes' : `threads no: ${shared}`];
}

/** Tries a backend; its product must be that of the reference. */
async function examine(backend: BackendName, model: Model, expected: string): Promise<Finding> {
  try {
    const notes = await notesOf(backend, model);
    const [digest] = await digestOn(model, backend, 1);
    if (digest !== expected) throw new HostError('SelfTest', 'a product of matrices differs from the reference');
    return { backend, runs: true, notes };
  } catch (e) {
    if (!(e instanceof HostError)) throw e;
    return { backend, runs: false, notes: [], ...(await advice(backend, e)) };
  }
}

async function doctor(flags: { readonly json?: boolean }): Promise<void> {
  const model = product();
  const [expected] = await digestOn(model, 'reference', 1);
  const findings: Finding[] = [];
  for (const name of BACKEND_NAMES) findings.push(await examine(name, model, expected));
  if (findings.some((f) => !f.runs && EVERYWHERE.includes(f.backend))) process.exitCode = EXIT_DATA;
  const machine = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    simd: SIMD,
    relaxedSimd: RELAXED_SIMD,
    sharedArrayBuffer: typeof SharedArrayBuffer !== 'undefined',
  };
  if (flags.json) {
    print(toJson({ ...machine, backends: findings }));
    return;
  }
  print(`  Node ${machine.node}, ${machine.platform}, ${machine.processors} × ${machine.processor}`);
  const yes = (b: boolean): string => (b ? 'yes' : 'no');
  print(
    `  SIMD ${yes(SIMD)}, relaxed SIMD ${yes(RELAXED_SIMD)} (not used), SharedArrayBuffer ${yes(machine.sharedArrayBuffer)}`,
  );
  const c = coloursOf(process.stdout);
  for (const { backend, runs, notes, reason, next } of findings) {
    print(`  ${backend.padEnd(10)} ${runs ? c.green('runs') : `${c.yellow('no:')} ${reason}`}`);
    for (const line of [...notes, ...(next === undefined ? [] : [`next: ${next}`])]) print(`    ${line}`);
  }
}

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say which backends this machine runs, what its devices answer, and why others do not run')
    .option('--json', 'print one JSON object')
    .action(doctor);
}
