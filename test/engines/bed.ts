/**
 * What an engine runs to show that it gives the same bits: the conformance suite, models and random graphs on each of its
 * backends. Bundled by scripts/engines.ts; it needs nothing of Node.
 * @module
 */
import {
  type ConformanceCase,
  type ConformanceDifference,
  conformanceCases,
  runConformance,
} from '../../src/conformance.ts';
import { digestOf, hex } from '../../src/core/digest.ts';
import { createGpuJs, type GpuJsMode } from '../../src/gpujs.ts';
import { createSession, loadModel } from '../../src/index.ts';
import { randomCase } from '../support/conformance-case.ts';
import { browserName, engineVersion, type Subject, webgl, webgpu } from './devices.ts';

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

/** @throws Error where a run does not take the threads that it was given: the suite would say nothing about them */
async function checkThreads(task: Task, backend: Subject['backend'], threads: number): Promise<void> {
  const large = task.models.reduce((a, b) => (b.sbm.length > a.sbm.length ? b : a));
  const model = loadModel(Uint8Array.from(atob(large.sbm), (c) => c.charCodeAt(0)));
  const session = await createSession(model, { backend, threads });
  const taken = session.explain().threads;
  session.dispose();
  if (taken !== threads) throw new Error(`${large.name} takes ${taken} of ${threads} threads`);
}

/** Hears how far a lane is: the part of the task at hand, done of so many. */
export type Hear = (what: string, done: number, of: number) => void;

/** A line now and then. */
function printing(): Hear {
  let last = performance.now();
  return (what, done, of) => {
    if (performance.now() - last < 10_000) return;
    last = performance.now();
    console.log(`${what}: ${done} of ${of}`);
  };
}

async function laneOf(name: string, task: Task, hear: Hear): Promise<Lane> {
  const [kind, count = '1'] = name.split(':');
  const { backend, device } = await SUBJECTS[kind!]!();
  const threads = Number(count);
  if (threads > 1) await checkThreads(task, backend, threads);
  const begun = performance.now();
  const suite = conformanceCases().filter((_, i) => i % task.every === 0);
  const differences: ConformanceDifference[] = [];
  const digests: string[] = [];
  let checks = 0;
  const hold = async (cases: readonly ConformanceCase[]): Promise<void> => {
    const report = await runConformance(backend, {
      cases,
      threads,
      progress: (done, of) => cases.length > 1 && hear(name, done, of),
    });
    checks += report.checks;
    digests.push(report.digest);
    differences.push(...report.differences);
  };
  await hold(suite);
  await hold(task.models);
  for (let i = 0; i < task.graphs; i++) {
    hear(`${name}, graphs`, i, task.graphs);
    await hold([await randomCase(task.seed + i)]);
  }
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  const digest = hex(digestOf(new TextEncoder().encode(digests.join())));
  return { backend: name, device, checks, digest, differences, seconds };
}

/** Runs the task on this engine. A backend that throws is refused. */
export async function bed(task: Task, hear: Hear = printing()): Promise<Bed> {
  const lanes: Lane[] = [];
  const refused: Refusal[] = [];
  for (const backend of task.backends) {
    try {
      lanes.push(await laneOf(backend, task, hear));
    } catch (e) {
      refused.push({ backend, error: String(e) });
    }
  }
  return { browser: browserName(), version: engineVersion(), lanes, refused };
}

Object.assign(globalThis, { bed });
