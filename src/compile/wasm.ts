/**
 * A model as one WebAssembly module without imports, which any host runs (docs/aot.md).
 * @module
 */
import { sizeOf } from '../backends/wasm/builder.ts';
import * as core from '../backends/wasm/kernels.gen.ts';
import type { More } from '../backends/wasm/kernels.ts';
import { moduleBytes, PAGE } from '../backends/wasm/module.ts';
import { MORE } from '../backends/wasm/more/index.ts';
import * as more from '../backends/wasm/more/kernels.gen.ts';
import { softmax } from '../backends/wasm/more/softmax.ts';
import { pricesOf } from '../backends/wasm/stepper.ts';
import { gasAt, SCHEDULE_1 } from '../core/cost.ts';
import { HostError, printable } from '../core/errors.ts';
import { floorDiv } from '../core/int.ts';
import { checkOptions, OBJECT, type OptionRule, oneOf, wholeFrom } from '../core/options.ts';
import { DTYPE_RANGE } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import type { OpName } from '../ops/index.ts';
import { bind, createPlan, type Plan } from '../runtime/plan.ts';
import * as bytes from './bytes.gen.ts';
import { CHUNK_EXPORTS, chunksOf, chunkTable, cutOf } from './chunks.ts';
import { ENTRY_POINTS, textWords } from './cosmwasm.ts';
import { featuresOf } from './instructions.ts';
import { type KernelCall, layOut, StaticBuilder } from './layout.ts';
import { code, type Kernel, link, type Part, part, reached } from './link.ts';
import * as mvp from './mvp.gen.ts';
import { SCALAR, WordBuilder } from './scalar.ts';

/** Which instructions a module may use: those of the first version of WebAssembly, or vectors and copies of memory, too. */
export type Profile = 'mvp' | 'simd128';

/** How a model is compiled. */
export interface WasmOptions {
  /** Default `mvp`, which every host takes. */
  readonly profile?: Profile;
  /** Entry points of a contract beside those of a module; of profile `mvp` only. */
  readonly contract?: (typeof CONTRACTS)[number] | undefined;
  /** Values of the model’s symbols by name. */
  readonly dims?: Readonly<Record<string, number>>;
}

/** How a model is compiled whose weights come in chunks. */
export interface ChunkOptions extends Omit<WasmOptions, 'contract'> {
  /** Most bytes of a chunk, from 1024. */
  readonly chunkBytes: number;
}

/** A module, and the weights that its host puts into its memory. */
export interface ChunkedWasm {
  readonly module: Uint8Array<ArrayBuffer>;
  /** In the order of `chunk_ptr`; all but the last have `chunkBytes` bytes. None where the model has no constants. */
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
}

/** Kinds of contracts. */
export const CONTRACTS = ['cosmwasm'] as const;

/** Least bytes of a chunk. */
export const LEAST_CHUNK = 1024;

const RULES: Readonly<Record<Exclude<keyof WasmOptions, 'contract'>, OptionRule>> = {
  profile: oneOf(['mvp', 'simd128']),
  dims: OBJECT,
};
const WHOLE: Readonly<Record<keyof WasmOptions, OptionRule>> = { ...RULES, contract: oneOf(CONTRACTS) };
const IN_CHUNKS: Readonly<Record<keyof ChunkOptions, OptionRule>> = { ...RULES, chunkBytes: wholeFrom(LEAST_CHUNK) };

/** Exports of the driver (kernels/mvp/driver.ts). */
const DRIVER = [
  'input_count',
  'input_ptr',
  'input_len',
  'output_count',
  'output_ptr',
  'output_len',
  'check',
  'infer',
  'step',
  'gas',
];

/** Most pages of a memory: one less than 32 bits address. */
const MAX_PAGES = 65535;
/** Bytes that the regions of a contract begin with; the memory grows for more. */
const ARENA = 16;
/** Most segments of data. */
const MAX_SEGMENTS = 1000;
/** Greatest price of a unit. */
const GREATEST_PRICE = 2 ** 31;

type Generated = { readonly TEXT: string; readonly LENGTH: number };

const parts = new Map<Generated, Part>();

function partOf(g: Generated): Part {
  let p = parts.get(g);
  if (p === undefined) parts.set(g, (p = part(moduleBytes(g.TEXT, g.LENGTH))));
  return p;
}

/** True where a kernel or what it calls computes with floating point. */
function floats({ part: p, field }: Kernel): boolean {
  return reached(p, field).some((index) => [...code(p, index)].some((i) => featuresOf(i.op).includes('floats')));
}

const found = new Map<string, Kernel | undefined>();

/** The kernel of a name: of the profile’s own modules, or the scalar one where that has floats. */
function kernelOf(profile: Profile, narrow: boolean, field: string): Kernel | undefined {
  const key = `${profile}.${narrow}.${field}`;
  if (!found.has(key)) {
    const modules: readonly Generated[] =
      profile === 'mvp' ? [mvp] : narrow ? [bytes, core, more, mvp] : [core, more, bytes, mvp];
    const candidates = modules.map(partOf).flatMap((p) => (p.exports.has(field) ? [{ part: p, field }] : []));
    found.set(
      key,
      candidates.find((s) => !floats(s)),
    );
  }
  return found.get(key);
}

/** How nodes are laid out: by which plan-time functions, and with which builder. */
const PLANS: Readonly<Record<Profile, readonly [More, (plan: Plan, room: number) => StaticBuilder]>> = {
  simd128: [{ kernels: { ...MORE.kernels, softmax }, faster: {} }, (plan, room) => new StaticBuilder(plan, room)],
  mvp: [SCALAR, (plan, room) => new WordBuilder(plan, room)],
};

/** Words of the header that a driver reads (kernels/mvp/driver.ts). */
function headerWords(plan: Plan, gas: bigint, b: StaticBuilder, calls: number, end: number): number[] {
  const words = [calls, end, plan.inputs.length, plan.outputs.length];
  words.push(Number(gas & 0xffffffffn), Number(gas >> 32n));
  plan.inputs.forEach((id, i) => {
    const t = plan.tensors[id]!;
    const [least, greatest] = DTYPE_RANGE[t.dtype];
    const every = t.dtype !== 'bool' && t.lo <= least && t.hi >= greatest;
    words.push(b.inputs[i]!, t.bytes, every ? 0 : t.count, sizeOf(t), t.lo, t.hi, b.at({ id }));
  });
  for (const id of plan.outputs) words.push(b.at({ id }), plan.tensors[id]!.bytes);
  return words;
}

/** Calls as records of the driver; `prices` in quarters of gas, one a node. */
function callWords(
  nodes: readonly (readonly KernelCall[])[],
  prices: readonly bigint[],
  fns: readonly string[],
): number[] {
  return nodes.flatMap((calls, i) => {
    const units = calls.reduce((n, c) => n + c.units, 0);
    const price = floorDiv(Number(prices[i]!) + units - 1, Math.max(1, units));
    const each = Math.max(1, Math.min(GREATEST_PRICE, price));
    return calls
      .filter((c) => c.units > 0)
      .flatMap((c) => [fns.indexOf(c.fn) + (12 + 4 * c.args.length) * 65536, c.units, each, ...c.args]);
  });
}

/** The runs of bytes that are not all zero, apart from each other by `gap` zeros at least. */
function runs(bytes: Uint8Array, gap: number): { at: number; bytes: Uint8Array }[] {
  const out: { at: number; bytes: Uint8Array }[] = [];
  for (let i = 0; i < bytes.length; ) {
    if (bytes[i] === 0) {
      i++;
      continue;
    }
    const from = i;
    let last = i;
    for (; i < bytes.length && i - last <= gap; i++) if (bytes[i] !== 0) last = i;
    out.push({ at: from, bytes: bytes.subarray(from, last + 1) });
  }
  return out;
}

function segments(bytes: Uint8Array): { at: number; bytes: Uint8Array }[] {
  for (let gap = 8; ; gap *= 2) {
    const found = runs(bytes, gap);
    if (found.length <= MAX_SEGMENTS) return found;
  }
}

/** Gas of a run, and the price of each node in quarters of gas. */
export interface Price {
  readonly gas: bigint;
  readonly nodes: readonly bigint[];
}

/** True unless a product has outputs or weights that are not i8. */
function isNarrow({ fn, args }: KernelCall, b: StaticBuilder): boolean {
  if (fn === 'conv') return b.wordsAt(args[0]!)[34] === 1;
  if (fn !== 'matrix') return true;
  const words = b.wordsAt(args[0]!);
  return words[22] === 1 && words[5] !== 4;
}

/** What a module has beside the model: entry points of a contract, or chunks of at most so many bytes. */
interface Beside {
  readonly contract?: WasmOptions['contract'];
  readonly chunkBytes?: number;
}

/** As `toWasm` and `toWasmChunks`, of a plan. */
export function compilePlan(
  plan: Plan,
  profile: Profile,
  price: Price,
  { contract, chunkBytes }: Beside = {},
): ChunkedWasm {
  const { b, nodes } = layOut(plan, ...PLANS[profile]);
  const fns = [...new Set(nodes.flatMap((calls) => calls.map((c) => c.fn)))];
  const narrow = nodes.every((list) => list.every((c) => isNarrow(c, b)));
  const kernels = fns.map((fn) => {
    const symbol = kernelOf(profile, narrow, fn);
    const node = nodes.findIndex((calls) => calls.some((c) => c.fn === fn));
    if (symbol === undefined)
      throw new HostError('NoBackend', `profile ${profile} has no kernel for ${plan.nodes[node]!.op}`, {
        node,
        op: plan.nodes[node]!.op,
      });
    return symbol;
  });
  const words = callWords(nodes, price.nodes, fns);
  const cut =
    chunkBytes === undefined
      ? undefined
      : cutOf(
          b.constants,
          b.reserve(0, () => {}),
          chunkBytes,
        );
  const chunks = cut ? chunkTable(b, cut) : 0;
  const calls = b.record(words);
  const header = b.record(headerWords(plan, price.gas, b, calls, calls + words.length * 4));
  const texts = contract ? b.record(textWords()) : 0;
  const { base, area } = b.figures;
  const arena = contract ? base + area : 0;
  const pages = floorDiv(base + area + (contract ? ARENA : 0) + PAGE - 1, PAGE);
  if (pages > MAX_PAGES)
    throw new HostError('NoMemory', 'the model needs more WebAssembly memory than an instance may have', {
      expected: `at most ${MAX_PAGES} pages`,
      actual: String(pages),
    });
  const memory = new ArrayBuffer(base);
  b.write(memory);
  const pieces = cut ? chunksOf(memory, cut) : [];
  if (cut) new Uint8Array(memory).fill(0, cut.from, cut.to);
  const driver = partOf(mvp);
  const fields = [...DRIVER, ...(cut ? CHUNK_EXPORTS : []), ...(contract ? ENTRY_POINTS : [])];
  const module = link({
    exports: fields.map((field) => ({ part: driver, field })),
    kernels,
    constants: { base, header, texts, arena, chunks },
    pages,
    grows: contract !== undefined,
    data: segments(new Uint8Array(memory)),
  });
  return { module, chunks: pieces };
}

/**
 * Bytes of the functions that each op of a model takes in a module of a profile; what several ops share is counted with each. Symbols stand at
 * their greatest values.
 */
export function codeOf(model: Model, profile: Profile): ReadonlyMap<OpName, number> {
  const plan = createPlan({ model, dims: model.symbols.map((s) => s.max) });
  const { b, nodes } = layOut(plan, ...PLANS[profile]);
  const narrow = nodes.every((list) => list.every((c) => isNarrow(c, b)));
  const functions = new Map<OpName, Map<string, number>>();
  nodes.forEach((calls, i) => {
    const { op } = plan.nodes[i]!;
    let own = functions.get(op);
    if (own === undefined) functions.set(op, (own = new Map()));
    for (const { fn } of calls) {
      const kernel = kernelOf(profile, narrow, fn)!;
      for (const index of reached(kernel.part, kernel.field)) {
        const { from, to } = kernel.part.functions[index - kernel.part.imports.length]!;
        own.set(`${[...parts.values()].indexOf(kernel.part)}.${index}`, to - from);
      }
    }
  });
  return new Map([...functions].map(([op, own]) => [op, [...own.values()].reduce((n, v) => n + v, 0)]));
}

/** As `compilePlan`, of a model. */
function compile(model: Model, { profile = 'mvp', dims }: WasmOptions, beside: Beside): ChunkedWasm {
  const names = model.symbols.map((s) => s.name);
  const unknown = Object.keys(dims ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(
      `the model has no symbol ${printable(unknown)}${names.length > 0 ? `; its symbols are ${names.map(printable).join(', ')}` : ''}`,
    );
  const plan = createPlan(bind(model, dims));
  const t = plan.dims.map((d, i) => d - model.symbols[i]!.min);
  return compilePlan(plan, profile, { gas: gasAt(model.cost, SCHEDULE_1, t), nodes: pricesOf(plan) }, beside);
}

/**
 * Compiles a model to a WebAssembly module: no imports, no floating point, one memory of fixed size, weights as data.
 * @returns its bytes, the same on every machine
 * @throws InputError `WrongShape` where a symbol has no legal value
 * @throws TypeError for an option or symbol that is none, and for a contract of another profile than `mvp`
 * @throws HostError `NoMemory` where 4 GiB do not hold it
 */
export function toWasm(model: Model, options: WasmOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions(options, WHOLE);
  const { profile = 'mvp', contract } = options;
  if (contract && profile !== 'mvp') throw new TypeError(`a ${contract} contract has profile mvp, not ${profile}`);
  return compile(model, options, { contract }).module;
}

/**
 * Compiles a model to a module without its weights, and the weights in chunks: a host writes each at `chunk_ptr(i)` and calls
 * `load_chunk(i, bytes)`, which compares its SHA-256 with the one in the module (docs/aot.md).
 * @returns module and chunks, the same on every machine
 * @throws as `toWasm`
 */
export function toWasmChunks(model: Model, options: ChunkOptions): ChunkedWasm {
  checkOptions(options, IN_CHUNKS);
  if (options.chunkBytes === undefined) throw new TypeError(`chunkBytes must be ${IN_CHUNKS.chunkBytes[1]}`);
  return compile(model, options, { chunkBytes: options.chunkBytes });
}
