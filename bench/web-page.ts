/**
 * What bench/web.ts runs in a page: samebit’s backends and ONNX Runtime’s WebGPU by turns on one adapter, and the parts of a
 * run. It needs nothing of Node.
 * @module
 */
import * as ort from 'onnxruntime-web/webgpu';
import type { Backend } from '../src/backends/backend.ts';
import { createGpuJs, type GpuJsMode } from '../src/gpujs.ts';
import { type BackendName, createSession, loadModel } from '../src/index.ts';
import { createWebGl } from '../src/webgl.ts';
import { createWebGpu } from '../src/webgpu.ts';
import { interleave, quantile, type Times } from './measure.ts';

/** A case whose files are served below its name. */
export interface WebCase {
  readonly name: string;
  readonly macs: number;
  readonly shape: readonly number[];
}

/** What to run: samebit’s backends by name, behind a colon the threads, behind a hyphen gpu.js’s mode; the peer’s files by form. */
export interface WebTask {
  readonly cases: readonly WebCase[];
  readonly backends: readonly string[];
  readonly forms: readonly ('f32' | 'u8s8')[];
  readonly budget: number;
}

/** Milliseconds of the parts of a run, each awaited: bytes to the device, the graph there, results back. */
interface Parts {
  readonly upload: number;
  readonly run: number;
  readonly readback: number;
}

interface Subject {
  readonly name: string;
  /** From the file to a first result. */
  readonly compile: number;
  readonly run: () => Promise<unknown>;
  readonly parts?: () => Promise<Parts>;
  readonly dispose: () => unknown;
}

/** A row of the table. */
export interface WebRow {
  readonly case: string;
  readonly subject: string;
  readonly compile: number;
  readonly times: Times;
  readonly parts?: Parts | undefined;
}

async function file(c: WebCase, kind: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(`${c.name}/${kind}`)).arrayBuffer());
}

const ROUNDS = 5;
const now = (): number => performance.now();
const middle = (times: readonly number[]): number => quantile(times, 0.5);

/** Milliseconds that so many bytes take to an idle device. */
async function uploadOf(device: GPUDevice, bytes: number): Promise<number> {
  const buffer = device.createBuffer({
    size: (bytes + 3) & ~3,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE,
  });
  const data = new Uint8Array((bytes + 3) & ~3);
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = now();
    device.queue.writeBuffer(buffer, 0, data);
    await device.queue.onSubmittedWorkDone();
    times.push(now() - start);
  }
  buffer.destroy();
  return middle(times);
}

/** Marks of the last run on a device: when its work was done, when its results were here. */
const marks = { device: undefined as GPUDevice | undefined, done: 0, here: 0 };

/** This engine’s WebGPU, its readbacks marked while `parts` asks for it. */
function marked(asked: () => boolean): GPU {
  const bind = <T extends object>(target: T, own: Record<string, unknown>): T =>
    new Proxy(target, {
      get(t, key) {
        if (typeof key === 'string' && key in own) return own[key];
        const v = Reflect.get(t, key, t) as unknown;
        return typeof v === 'function' ? v.bind(t) : v;
      },
    });
  const deviceOf = (device: GPUDevice): GPUDevice => {
    marks.device = device;
    const createBuffer = (d: GPUBufferDescriptor): GPUBuffer => {
      const buffer = device.createBuffer(d);
      const map = buffer.mapAsync.bind(buffer);
      buffer.mapAsync = async (...args) => {
        if (asked()) await device.queue.onSubmittedWorkDone();
        marks.done = now();
        await map(...args);
        marks.here = now();
        return undefined;
      };
      return buffer;
    };
    return bind(device, { createBuffer });
  };
  const requestAdapter = async (o?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await navigator.gpu.requestAdapter(o);
    if (adapter === null) return null;
    return bind(adapter, { requestDevice: async (d: GPUDeviceDescriptor) => deviceOf(await adapter.requestDevice(d)) });
  };
  return bind(navigator.gpu, { requestAdapter });
}

let marking = false;
const webgpu = createWebGpu({ gpu: marked(() => marking), timeout: 600_000 });

async function backendOf(name: string): Promise<Backend | BackendName> {
  if (name === 'webgpu') return webgpu;
  if (name === 'webgl') return createWebGl({ timeout: 600_000 });
  const [kind, mode] = name.split('-');
  if (kind !== 'gpujs') return name as BackendName;
  const { default: library } = await import('gpu.js'); // bundled: it is found beside the engines
  return createGpuJs({ library, mode: (mode ?? 'webgpu') as GpuJsMode });
}

async function samebit(name: string, c: WebCase): Promise<Subject> {
  const model = loadModel(await file(c, 'sbm'));
  const [kind = '', threads = '1'] = name.split(':');
  const start = now();
  const backend = await backendOf(kind);
  const session = await createSession(model, { backend, threads: Number(threads) });
  const input = model.inputs[0]!;
  const bytes = await file(c, 'integers');
  const inputs = { [input.name]: input.u8 ? bytes : new Int8Array(bytes.buffer) };
  await session.run(inputs);
  const compile = now() - start;
  const parts = async (): Promise<Parts> => {
    marking = true;
    const rounds: Parts[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const from = now();
      await session.run(inputs);
      rounds.push({ upload: 0, run: marks.done - from, readback: marks.here - marks.done });
    }
    marking = false;
    const upload = await uploadOf(marks.device!, bytes.length);
    const run = middle(rounds.map((r) => r.run)) - upload;
    return { upload, run, readback: middle(rounds.map((r) => r.readback)) };
  };
  const dispose = (): void => session.dispose();
  const own = { name: `samebit ${name}`, compile, run: () => session.run(inputs), dispose };
  return kind === 'webgpu' ? { ...own, parts } : own;
}

if ('document' in globalThis) ort.env.wasm.wasmPaths = '/ort/';
ort.env.wasm.numThreads = 1;

async function peer(form: 'f32' | 'u8s8', c: WebCase): Promise<Subject> {
  const model = await file(c, `${form}.onnx`);
  const floats = new Float32Array((await file(c, 'floats')).buffer);
  const data = form === 'f32' ? floats : Uint8Array.from(floats, (v) => Math.round(v * 255));
  const create = (location: 'cpu' | 'gpu-buffer') =>
    ort.InferenceSession.create(model, {
      executionProviders: ['webgpu'],
      preferredOutputLocation: location,
      logSeverityLevel: 3,
    });
  const start = now();
  const session = await create('cpu');
  const type = form === 'f32' ? 'float32' : 'uint8';
  const feeds = { x: new ort.Tensor(type, data, c.shape) };
  await session.run(feeds);
  const compile = now() - start;
  const parts = async (): Promise<Parts> => {
    const device = await ort.env.webgpu.device;
    const resident = await create('gpu-buffer');
    const rounds: Parts[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const from = now();
      const y = (await resident.run(feeds))[resident.outputNames[0]!]!;
      await device.queue.onSubmittedWorkDone();
      const done = now();
      await y.getData();
      rounds.push({ upload: 0, run: done - from, readback: now() - done });
      y.dispose();
    }
    await resident.release();
    const upload = await uploadOf(device, data.byteLength);
    return {
      upload,
      run: middle(rounds.map((r) => r.run)) - upload,
      readback: middle(rounds.map((r) => r.readback)),
    };
  };
  const dispose = (): unknown => session.release();
  return { name: `onnxruntime-web webgpu ${form}`, compile, run: () => session.run(feeds), parts, dispose };
}

async function benchCase(c: WebCase, task: WebTask): Promise<WebRow[]> {
  const subjects: Subject[] = [];
  for (const b of task.backends) subjects.push(await samebit(b, c));
  for (const f of task.forms) subjects.push(await peer(f, c));
  console.log(`${c.name}: ${subjects.map((s) => `${s.name} ready in ${s.compile.toFixed(0)} ms`).join(', ')}`);
  const times = await interleave(subjects, task.budget, ROUNDS);
  const rows: WebRow[] = [];
  for (const [i, s] of subjects.entries()) {
    rows.push({ case: c.name, subject: s.name, compile: s.compile, times: times[i]!, parts: await s.parts?.() });
    await s.dispose();
  }
  return rows;
}

/** Times all cases. */
async function bench(task: WebTask): Promise<{ adapter: string; rows: WebRow[] }> {
  const info = (await navigator.gpu.requestAdapter())?.info;
  const rows: WebRow[] = [];
  for (const c of task.cases) rows.push(...(await benchCase(c, task)));
  return { adapter: [info?.vendor, info?.architecture, info?.description].filter(Boolean).join(' '), rows };
}

Object.assign(globalThis, { bench });
