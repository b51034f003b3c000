/**
 * The gpujs backend: dense, conv2d and matmul by gpu.js, an optional package, where 32-bit floats are exact; everything else
 * by WebAssembly (spec/30-execution.md §3). It is there to interoperate, not to be fast.
 * @module
 */
import { assert, HostError } from '../../core/errors.ts';
import { checkOptions, OBJECT, oneOf } from '../../core/options.ts';
import type { TypedArray } from '../../core/tensor.ts';
import type { Plan } from '../../runtime/plan.ts';
import { turn } from '../../runtime/turn.ts';
import type { Backend, Executable, KernelChoice, Mode } from '../backend.ts';
import { wasm } from '../wasm/index.ts';
import { Gemm, type GpuJsInstance, type GpuJsLibrary, MOST_REACH, shapeOf } from './gemm.ts';
import { linearOf, runLinear } from './linear.ts';
import { segmentOf } from './segment.ts';

/** Modes of gpu.js that are held against known answers. */
export type GpuJsMode = 'cpu' | 'webasm' | 'webgl2' | 'webgpu';
const MODES: readonly GpuJsMode[] = ['cpu', 'webasm', 'webgl2', 'webgpu'];

/** Which gpu.js, and where it computes. */
export interface GpuJsOptions {
  /** The package: `{ GPU, input }`; default: the installed `gpu.js`. */
  readonly library?: GpuJsLibrary;
  /** Default `webasm`. */
  readonly mode?: GpuJsMode;
}

/** An instance that gave the right answers. */
interface Probed {
  readonly gpu: GpuJsInstance;
  readonly input: GpuJsLibrary['input'];
}

/** A part of a run: reads and adds values by tensor id. */
interface Part {
  run(values: Map<number, TypedArray>, signal: AbortSignal | undefined): Promise<void>;
  readonly kernels: readonly string[];
  readonly bytes: number;
  dispose(): void;
}

async function segment(plan: Plan, first: number, end: number, keep: boolean): Promise<Part> {
  const own = segmentOf(plan, first, end, keep);
  const executable = await wasm.prepare(own, { mode: 'run' });
  return {
    async run(values, signal) {
      const outputs = await executable.run(
        own.inputs.map((id) => values.get(id)!),
        { signal },
      );
      own.outputs.forEach((id, i) => values.set(id, outputs[i]!));
    },
    kernels: executable.explain().map(({ kernel }) => kernel),
    bytes: executable.memory.total,
    dispose: () => executable.dispose(),
  };
}

/** The parts of a plan: linear nodes by floats, the nodes between them together. */
async function partsOf({ gpu, input }: Probed, plan: Plan, keep: boolean): Promise<Part[]> {
  const parts: Part[] = [];
  let begun = 0;
  const close = async (end: number): Promise<void> => {
    if (end > begun) parts.push(await segment(plan, begun, end, keep));
  };
  for (const [i, node] of plan.nodes.entries()) {
    const linear = linearOf(node, plan);
    if (linear === undefined) continue;
    await close(i);
    begun = i + 1;
    const gemm = new Gemm(gpu, input, linear.shape);
    const [x, b] = node.inputs as readonly [number, number];
    const y = node.outputs[0]!;
    parts.push({
      async run(values, signal) {
        const sums = async (rows: Float32Array, columns: Float32Array): Promise<Int32Array> => {
          signal?.throwIfAborted();
          if (signal !== undefined) await turn();
          return gemm.sums(rows, columns);
        };
        values.set(y, await runLinear(linear, plan.tensors[y]!, values.get(x)!, values.get(b), sums));
      },
      kernels: [`gpujs_${gpu.mode}`],
      bytes: 4 * linear.shape.length * (linear.shape.rows + linear.shape.n),
      dispose: () => gemm.dispose(),
    });
  }
  await close(plan.nodes.length);
  return parts;
}

class GpuJsExecutable implements Executable {
  readonly memory: Executable['memory'];
  readonly #plan: Plan;
  readonly #keep: boolean;
  #parts: readonly Part[] | undefined;
  #values: ReadonlyMap<number, TypedArray> = new Map();

  constructor(plan: Plan, mode: Mode, parts: readonly Part[]) {
    this.#plan = plan;
    this.#keep = mode === 'trace';
    this.#parts = parts;
    const { constants, peak } = plan.memory;
    const total = parts.reduce((n, p) => n + p.bytes, constants + peak);
    this.memory = { constants, activations: peak, scratch: total - constants - peak, total };
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    assert(this.#parts !== undefined, 'a disposed executable runs');
    const { tensors, outputs } = this.#plan;
    const values = new Map<number, TypedArray>();
    tensors.forEach((t, id) => t.data !== undefined && values.set(id, t.data));
    this.#plan.inputs.forEach((id, i) => values.set(id, inputs[i]!.slice() as TypedArray));
    for (const part of this.#parts) await part.run(values, signal);
    signal?.throwIfAborted();
    if (this.#keep) this.#values = values;
    return outputs.map((id) => values.get(id)!.slice() as TypedArray);
  }

  trace(): ReadonlyMap<number, TypedArray> {
    return this.#values;
  }

  explain(): readonly KernelChoice[] {
    const kernels = (this.#parts ?? []).flatMap((p) => p.kernels);
    return kernels.map((kernel, node) => ({ node, op: this.#plan.nodes[node]!.op, kernel }));
  }

  dispose(): void {
    for (const p of this.#parts ?? []) p.dispose();
    this.#parts = undefined;
    this.#values = new Map();
  }
}

/** Odd products, chunks that are not full, sums that no float holds, and a loop of more than 65,536 turns. */
const PROBES = [
  { name: 'products of one chunk', m: 3, k: 1024, n: 5, reach: 128 },
  { name: 'products of elements of 11 bits', m: 3, k: 200, n: 3, reach: MOST_REACH },
  { name: 'a single output', m: 1, k: 9, n: 1, reach: 128 },
  { name: 'a column of outputs', m: 3, k: 2, n: 1, reach: 128 },
  { name: 'a row of outputs', m: 1, k: 1, n: 3, reach: 128 },
  { name: 'products of a short chunk', m: 5, k: 1025, n: 2, reach: 128 },
  { name: 'products whose sums no float holds', m: 4, k: 16384, n: 3, reach: 128 },
  { name: 'a loop of more than 65,536 turns', m: 2, k: 70_001, n: 2, reach: 128 },
] as const;

/** Elements near ±reach, most of them odd. */
function operand(count: number, seed: number, reach: number): Int16Array {
  const out = new Int16Array(count);
  for (let i = 0, s = seed; i < count; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    out[i] = [reach, reach - 2, -reach - 1, reach, -reach, reach, reach - 4, s >>> 25][(s >>> 16) & 7]!;
  }
  return out;
}

/** Name of the first probe with a wrong answer. */
async function wrongProduct({ gpu, input }: Probed): Promise<string | undefined> {
  for (const { name, m, k, n, reach } of PROBES) {
    const shape = shapeOf(m, k, n, 128, reach)!;
    const gemm = new Gemm(gpu, input, shape);
    try {
      const [a, b] = [operand(m * k, 1, 127), operand(n * k, 2, reach - 1)];
      const floats = (from: Int16Array, lines: number): Float32Array => {
        const out = new Float32Array(lines * shape.length);
        for (let i = 0; i * k < from.length; i++) out.set(from.subarray(i * k, (i + 1) * k), i * shape.length);
        return out;
      };
      const sums = await gemm.sums(floats(a, shape.rows), floats(b, n));
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let e = 0; e < k; e++) sum += a[i * k + e]! * b[j * k + e]!;
          if (sums[i * n + j] !== sum) return name;
        }
    } finally {
      gemm.dispose();
    }
  }
  return undefined;
}

async function installed(): Promise<GpuJsLibrary> {
  const name = 'gpu.js'; // a variable: bundlers leave the import alone
  try {
    const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as GpuJsLibrary & {
      default: GpuJsLibrary;
    };
    return module.GPU === undefined ? module.default : module;
  } catch {
    throw new HostError('NoBackend', 'the package gpu.js is not installed');
  }
}

/** Makes an instance and holds it against known answers. */
async function acquire({ library, mode = 'webasm' }: GpuJsOptions): Promise<Probed> {
  const { GPU, input } = library ?? (await installed());
  let gpu: GpuJsInstance;
  try {
    gpu = new GPU({ mode });
  } catch (e) {
    throw new HostError('NoBackend', `gpu.js has no mode ${mode} here: ${String((e as Error).message)}`);
  }
  if (gpu.mode !== mode) throw new HostError('NoBackend', `gpu.js has no mode ${mode} here, but ${gpu.mode}`);
  const probed = { gpu, input };
  const wrong = await wrongProduct(probed);
  if (wrong !== undefined) throw new HostError('SelfTest', `gpu.js computes ${wrong} wrongly`);
  return probed;
}

/** A gpujs backend; the instance is probed on first use. */
export function createGpuJs(options: GpuJsOptions = {}): Backend {
  checkOptions(options, { library: OBJECT, mode: oneOf(MODES) });
  let probed: Promise<Probed> | undefined;
  const current = async (): Promise<Probed> => {
    probed ??= acquire(options);
    try {
      return await probed;
    } catch (e) {
      probed = undefined;
      throw e;
    }
  };
  const prepare: Backend['prepare'] = async (plan, { mode }) =>
    new GpuJsExecutable(plan, mode, await partsOf(await current(), plan, mode === 'trace'));
  return { name: 'gpujs', prepare };
}

/** The gpujs backend over the installed package, in its mode `webasm`. */
export const gpujs: Backend = /* @__PURE__ */ createGpuJs();
