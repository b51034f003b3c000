/**
 * What an engine runs to show that it gives the same bits: the conformance suite, models and random graphs on each of its
 * backends. Bundled by scripts/engines.ts; it needs nothing of Node.
 * @module
 */
import type { Backend } from '../../src/backends/backend.ts';
import {
  type ConformanceCase,
  type ConformanceDifference,
  conformanceCases,
  runConformance,
} from '../../src/conformance.ts';
import { digestOf, hex } from '../../src/core/digest.ts';
import { createGpuJs, type GpuJsMode } from '../../src/gpujs.ts';
import { type BackendName, createSession, loadModel } from '../../src/index.ts';
import { createWebGl } from '../../src/webgl.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { randomCase } from '../support/conformance-case.ts';

/** What to run. */
export interface Task {
  /** Backends, behind a colon how many threads they must take. */
  readonly backends: readonly string[];
  /** Of the suite every so manieth case, of the models these, random graphs from this seed on. */
  readonly every: number;
  readonly models: readonly ConformanceCase[];
  readonly seed: number;
  readonly graphs: number;
}

/** What a backend did. The digest is over those of the suite, the models and the graphs. */
export interface Lane {
  readonly backend: string;
  readonly device: string;
  readonly checks: number;
  readonly digest: string;
  readonly differences: readonly ConformanceDifference[];
  readonly seconds: number;
}

/** A backend that this engine cannot run, and why. */
export interface Refusal {
  readonly backend: string;
  readonly error: string;
}

/** What an engine says. */
export interface Bed {
  /** Name and version of a browser, as far as it says. */
  readonly browser?: string | undefined;
  readonly version: string;
  readonly lanes: readonly Lane[];
  readonly refused: readonly Refusal[];
}

/** A backend of this engine and what computes there. */
interface Subject {
  readonly backend: Backend | BackendName;
  readonly device: string;
}

async function webgpu(): Promise<Subject> {
  const gpu = (globalThis as { gpu?: GPU }).gpu ?? navigator.gpu;
  const adapter = await gpu?.requestAdapter();
  if (adapter == null) throw new Error('no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info ?? {};
  const { maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  const limits = `${maxStorageBufferBindingSize} bytes a binding, ${maxComputeWorkgroupStorageSize} a workgroup`;
  const packed = gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ? '' : ', no packed dots';
  const name = [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed';
  return { backend: createWebGpu({ gpu, timeout: 300_000 }), device: `${name} (${limits}${packed})` };
}

async function webgl(): Promise<Subject> {
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (context === null) throw new Error('no WebGL2');
  const names = context.getExtension('WEBGL_debug_renderer_info');
  const device = String(context.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  const side = context.getParameter(context.MAX_TEXTURE_SIZE);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return { backend: createWebGl({ timeout: 300_000 }), device: `${device} (textures of ${side})` };
}

/** gpu.js in a mode of it; scripts/engines.ts bundles the package. */
function gpujs(mode: GpuJsMode): () => Promise<Subject> {
  return async () => {
    const { default: library } = await import('gpu.js');
    return { backend: createGpuJs({ library, mode }), device: `gpu.js 2.24.1, mode ${mode}` };
  };
}

const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  reference: async () => ({ backend: 'reference', device: 'cpu' }),
  wasm: async () => ({ backend: 'wasm', device: 'cpu' }),
  webgpu,
  webgl,
  'gpujs-cpu': gpujs('cpu'),
  'gpujs-webasm': gpujs('webasm'),
  'gpujs-webgl2': gpujs('webgl2'),
  'gpujs-webgpu': gpujs('webgpu'),
};

function engineVersion(): string {
  const g = globalThis as { Deno?: { version: { deno: string } }; Bun?: { version: string }; process?: NodeJS.Process };
  if (g.Deno !== undefined) return g.Deno.version.deno;
  if (g.Bun !== undefined) return g.Bun.version;
  return g.process?.versions.node ?? /(?:Chrome|Firefox|Version)\/([\d.]+)/.exec(navigator.userAgent)?.[1] ?? 'unknown';
}

/** The browser that this page is in. */
function browserName(): string | undefined {
  if (!('document' in globalThis)) return undefined;
  const names = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' };
  const known = Object.entries(names).find(([key]) => navigator.userAgent.includes(`${key}/`));
  return known?.[1] ?? 'a browser';
}

/** @throws Error where a run does not take the threads that it was given: the suite would say nothing about them */
async function checkThreads(task: Task, backend: Subject['backend'], threads: number): Promise<void> {
  const large = task.models.reduce((a, b) => (b.sbm.length > a.sbm.length ? b : a));
  const model = loadModel(Uint8Array.from(atob(large.sbm), (c) => c.charCodeAt(0)));
  const session = await createSession(model, { backend, threads });
  const taken = session.explain().threads;
  session.dispose();
  if (taken !== threads) throw new Error(`${large.name} takes ${taken} of ${threads} threads`);
}

/** Says now and then how far a lane is. */
function reporter(what: string): (done: number, of: number) => void {
  let last = performance.now();
  return (done, of) => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    console.log(`${what}: ${done} of ${of}`);
  };
}

async function laneOf(name: string, task: Task): Promise<Lane> {
  const [kind, count = '1'] = name.split(':');
  const { backend, device } = await SUBJECTS[kind!]!();
  const threads = Number(count);
  if (threads > 1) await checkThreads(task, backend, threads);
  const begun = performance.now();
  const suite = conformanceCases().filter((_, i) => i % task.every === 0);
  const progress = reporter(name);
  const differences: ConformanceDifference[] = [];
  const digests: string[] = [];
  let checks = 0;
  const hold = async (cases: readonly ConformanceCase[]): Promise<void> => {
    const report = await runConformance(backend, { cases, threads, progress });
    checks += report.checks;
    digests.push(report.digest);
    differences.push(...report.differences);
  };
  await hold(suite);
  await hold(task.models);
  const graphs = reporter(`${name}, graphs`);
  for (let i = 0; i < task.graphs; i++) {
    graphs(i, task.graphs);
    await hold([await randomCase(task.seed + i)]);
  }
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  const digest = hex(digestOf(new TextEncoder().encode(digests.join())));
  return { backend: name, device, checks, digest, differences, seconds };
}

/** Runs the task on this engine. A backend that throws is refused. */
export async function bed(task: Task): Promise<Bed> {
  const lanes: Lane[] = [];
  const refused: Refusal[] = [];
  for (const backend of task.backends) {
    try {
      lanes.push(await laneOf(backend, task));
    } catch (e) {
      refused.push({ backend, error: String(e) });
    }
  }
  return { browser: browserName(), version: engineVersion(), lanes, refused };
}

Object.assign(globalThis, { bed });
