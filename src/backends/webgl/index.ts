/**
 * The WebGL2 backend: the whole graph on the device, one upload and one readback a run; integers only
 * (spec/30-execution.md §3).
 * @module
 */
import { assert, HostError } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { checkOptions } from '../../core/options.ts';
import { type TypedArray, toBytes } from '../../core/tensor.ts';
import type { Plan } from '../../runtime/plan.ts';
import { turn } from '../../runtime/turn.ts';
import type { Backend, BackendMemory, Executable, KernelChoice, Mode } from '../backend.ts';
import { Builder, type Dispatch } from '../webgpu/builder.ts';
import { cast } from '../webgpu/elementwise.ts';
import { prepareNode } from '../webgpu/kernels.ts';
import { batched, inputArea, type Part, partsOf, renewed, resultsOf, SLOWEST } from '../webgpu/transfer.ts';
import { Area } from './area.ts';
import { contextFailed, type Gl, type Program } from './context.ts';
import { GL_KERNELS } from './kernels.ts';
import { type Answers, acquire, GL_OPTIONS, type GlOptions } from './probe.ts';

/** A draw: its program, its record, and the words of the arena that it makes. */
interface Draw extends Dispatch {
  readonly program: Program;
  readonly first: number;
  readonly end: number;
}

/** What a plan becomes on a context. */
interface Ready {
  readonly gl: Gl;
  readonly area: Area;
  readonly batches: readonly (readonly Draw[])[];
  readonly work: number;
  readonly inputs: Uint8Array<ArrayBuffer>;
  readonly inputsAt: readonly number[];
  readonly parts: readonly Part[];
  /** What is read back: the parts, and behind them the seal. */
  readonly asked: readonly { readonly from: number; readonly to: number; readonly bytes: number }[];
  /**
   * The last draw of every run: it copies a texel that the run has written at byte `at`, whose copy must come back at byte
   * `to` of the results. So draws and readbacks worked to the end.
   */
  readonly seal: { readonly draw: Draw; readonly at: number; readonly to: number };
  readonly memory: BackendMemory;
  readonly kernels: readonly string[];
}

class WebGlExecutable implements Executable {
  readonly memory: BackendMemory;
  readonly #plan: Plan;
  readonly #keep: boolean;
  readonly #kernels: readonly string[];
  #ready: Ready | undefined;
  #runs = 0;
  #trace: ReadonlyMap<number, TypedArray> | undefined;

  constructor(plan: Plan, mode: Mode, ready: Ready) {
    this.#plan = plan;
    this.#keep = mode === 'trace';
    this.#ready = ready;
    this.#kernels = ready.kernels;
    this.memory = ready.memory;
  }

  async run(
    inputs: readonly TypedArray[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly TypedArray[]> {
    const ready = this.#ready;
    assert(ready !== undefined, 'a disposed executable runs');
    const { gl, area, batches, seal } = ready;
    const allowance = floorDiv(ready.work, SLOWEST);
    const mark = Uint32Array.of(++this.#runs, 0x5a3eb175, 0xa5c14e8a, ~this.#runs);
    ready.inputsAt.forEach((at, i) => ready.inputs.set(toBytes(inputs[i]!), at));
    gl.checked('upload', () => area.upload(0, ready.inputs));
    for (const batch of batches) {
      signal?.throwIfAborted();
      gl.checked('run', () => drawAll(ready, batch));
      if (signal === undefined) continue;
      await gl.settled('run', allowance);
      await turn();
    }
    signal?.throwIfAborted();
    gl.checked('run', () => {
      area.upload(seal.at, new Uint8Array(mark.buffer));
      drawAll(ready, [seal.draw]);
      area.ask(ready.asked);
    });
    await gl.settled('run', allowance);
    const bytes = gl.checked('run', () => area.answer());
    if (new Uint32Array(bytes.buffer, seal.to, 4).some((v, i) => v !== mark[i]))
      throw contextFailed('run: the context did not do the last of its work');
    const { outputs, trace } = resultsOf(this.#plan, ready.parts, bytes, this.#keep);
    this.#trace = trace;
    return outputs;
  }

  /** True where its context has failed: the next run makes the plan anew on another one. */
  get lost(): boolean {
    return this.#ready?.gl.failure !== undefined;
  }

  trace(): ReadonlyMap<number, TypedArray> {
    return this.#trace ?? new Map();
  }

  explain(): readonly KernelChoice[] {
    return this.#plan.nodes.map(({ op }, node) => ({ node, op, kernel: this.#kernels[node]! }));
  }

  dispose(): void {
    this.#ready?.area.dispose();
    this.#ready = undefined;
    this.#trace = undefined;
  }
}

function drawAll({ area }: Ready, draws: readonly Draw[]): void {
  area.begin();
  for (const { program, record, first, end } of draws) area.draw(program, record, first, end);
}

/** The words that a dispatch makes, from its record: of y, or of as many fours. */
function wordsOf(
  { kernel, record }: Dispatch,
  constants: Uint8Array,
): { readonly first: number; readonly end: number } {
  const view = new DataView(constants.buffer, constants.byteOffset + record);
  const fields: Record<string, number> = {};
  let at = 0;
  for (const [name, type] of kernel.fields) {
    fields[name] = view.getUint32(at, true);
    at += type === 'Divisor' ? 12 : 4;
  }
  const { y, y_size, first, end } = fields as { [K in 'y' | 'y_size' | 'first' | 'end']: number };
  const shift = kernel.body!.fours ? y_size : 0;
  return { first: y + (first << shift), end: y + (end << shift) };
}

function checkRoom(gl: Gl, bytes: number, what: string): void {
  if (bytes > gl.room)
    throw new HostError('NoMemory', `${what} of the plan exceed what the context holds in a texture`, {
      expected: `at most ${gl.room} bytes`,
      actual: String(bytes),
    });
}

/** Lays a plan out, compiles its programs side by side and fills its textures. */
async function assemble({ gl, limits }: Answers, plan: Plan, mode: Mode): Promise<Ready> {
  const b = new Builder(plan, mode === 'trace', limits);
  const kernels = plan.nodes.map((n) => prepareNode(n, b, GL_KERNELS));
  const mark = b.scratch(8);
  cast(b, { at: mark, size: 2 }, { at: mark.plus(4), size: 2, count: 4 });
  const { parts, bytes } = partsOf(plan, b, mode === 'trace');
  const figures = b.figures;
  checkRoom(gl, figures.arena * 4, 'the tensors');
  checkRoom(gl, figures.constants * 4, 'the constants');
  const constants = b.constants();
  const dispatches = b.dispatches();
  const programs = await gl.programs(dispatches.map(({ kernel }) => kernel));
  const area = new Area(gl, figures.arena * 4, constants, bytes + 16); // its errors are seen with those of the upload
  const { at, bytes: resident } = b.resident();
  try {
    gl.checked('prepare', () => area.upload(at, resident));
  } catch (e) {
    area.dispose();
    throw e;
  }
  const draws = dispatches.map((d) => ({ ...d, program: programs.get(d.kernel.code)!, ...wordsOf(d, constants) }));
  const asked = parts.map(({ id, from, to }) => ({ from, to, bytes: plan.tensors[id]!.bytes }));
  const memory = {
    constants: constants.length + resident.length,
    activations: b.activations,
    scratch: figures.scratch * 4,
    total: figures.arena * 4 + constants.length + area.targetBytes + bytes + 16,
  };
  return {
    gl,
    area,
    batches: batched(draws.slice(0, -1)),
    work: draws.reduce((n, d) => n + d.work, 0),
    ...inputArea(plan, b),
    parts,
    asked: [...asked, { from: 4 * b.word(mark.plus(4)), to: bytes, bytes: 16 }],
    seal: { draw: draws[draws.length - 1]!, at: 4 * b.word(mark), to: bytes },
    memory,
    kernels,
  };
}

/**
 * A WebGL2 backend. The context is probed on first use; after a failure the next `prepare` or run asks for another one.
 */
export function createWebGl(options: GlOptions = {}): Backend {
  checkOptions(options, GL_OPTIONS);
  const current = renewed(
    () => acquire(options),
    ({ gl }) => gl.failure !== undefined,
  );
  const prepare: Backend['prepare'] = async (plan, { mode }) =>
    new WebGlExecutable(plan, mode, await assemble(await current(), plan, mode));
  return { name: 'webgl', prepare };
}

/** The WebGL2 backend of this engine. */
export const webgl: Backend = /* @__PURE__ */ createWebGl();
