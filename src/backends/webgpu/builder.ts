/**
 * The layout of one executable and its dispatches. Arena: [activations][constants read as tensors][scratch]; constants:
 * [packed weights, tables, walks][records]. All offsets are in 32-bit words (spec/30-execution.md §3).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { type TypedArray, toBytes } from '../../core/tensor.ts';
import { firstFit, type Lifetime } from '../../runtime/arena.ts';
import type { Plan, PlanTensor } from '../../runtime/plan.ts';
import { broadcastStrides, collapse } from '../wasm/strided.ts';
import { type Divisor, divisor } from './divisor.ts';
import { type ElementField, ITEM_GROUP, type ItemField, type Kernel, ROW_GROUPS } from './kernel.ts';
import { RECORD_WORDS } from './prelude.ts';

/** Alignment of tensors in bytes. */
const ALIGN = 64;

/** An operand or output of a node; `size` is log2 of an element's bytes. */
export interface Arg extends PlanTensor {
  readonly id: number;
  readonly size: number;
}

/** A word offset into the scratch area, whose place is known when the plan is laid out. */
export class Scratch {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
  /** The place `words` behind. */
  plus(words: number): Scratch {
    return new Scratch(this.at + words);
  }
}

/** Where a tensor is: words of the arena. */
export type Place = number | Scratch;

/** What a device may run. */
export interface Limits {
  /** It has `dot4I8Packed`, and that is right. */
  readonly dot4: boolean;
  /** Most elementary steps (a product, a visited element) that one dispatch carries, so that none holds it for long. */
  readonly work: number;
  /** Fewest items of a dispatch, however much work they are. */
  readonly least: number;
}

/** The value of a field. */
export type Value = Place | Divisor | boolean;

/** A word of a record. */
type Word = number | Scratch;

/** One dispatch: pipeline, record, workgroups, elementary steps. */
export interface Dispatch {
  readonly kernel: Kernel;
  /** Byte offset of the record in the constants, the records behind them. */
  readonly record: number;
  readonly groups: readonly [x: number, y: number, z: number];
  readonly work: number;
}

/** A target of a kernel over elements. */
export interface Target {
  readonly at: Place;
  readonly size: number;
  readonly count: number;
}

/** A walk over dims: word offset of its axes in the constants, and their number. */
export interface Walk {
  readonly axes: number;
  readonly rank: number;
}

function wordsOf(bytes: number): number {
  return (bytes + 3) >>> 2;
}

/** Collects constants and dispatches while a plan is prepared. */
export class Builder {
  readonly #plan: Plan;
  readonly #offsets: readonly (number | undefined)[];
  readonly #resident: Uint8Array[] = [];
  readonly #placed = new Map<number, number>();
  readonly #packed: Uint8Array[] = [];
  readonly #shared = new Map<string, number>();
  readonly #records: Word[][] = [];
  readonly #dispatches: (Omit<Dispatch, 'record'> & { readonly index: number })[] = [];
  readonly activations: number;
  /** What the device does right, and what a dispatch may carry. */
  readonly limits: Limits;
  #constantWords = 0;
  #end: number;
  #scratch = 0;
  #scratchMost = 0;

  /** @param keep true where no two activations may share bytes */
  constructor(plan: Plan, keep: boolean, limits: Limits) {
    this.#plan = plan;
    this.limits = limits;
    const blocks: (Lifetime & { id: number; bytes: number })[] = [];
    plan.lifetimes.forEach((life, id) => {
      const last = keep ? plan.nodes.length : life?.last;
      if (life !== null) blocks.push({ id, bytes: plan.tensors[id]!.bytes, first: life.first, last: last! });
    });
    const { offsets, peak } = firstFit(blocks, ALIGN);
    const byId: (number | undefined)[] = new Array(plan.tensors.length).fill(undefined);
    blocks.forEach((b, i) => {
      byId[b.id] = offsets[i]! >>> 2;
    });
    this.#offsets = byId;
    this.activations = peak;
    this.#end = peak >>> 2;
  }

  /** A tensor as kernels see it. */
  arg(id: number): Arg {
    const t = this.#plan.tensors[id]!;
    return { ...t, id, size: t.dtype === 'i16' ? 1 : t.dtype === 'i32' ? 2 : 0 };
  }

  /** Word of a tensor in the arena; a constant is placed there on first use. */
  at(arg: { readonly id: number }): number {
    const known = this.#offsets[arg.id] ?? this.#placed.get(arg.id);
    if (known !== undefined) return known;
    const at = this.#end;
    const bytes = toBytes(this.#plan.tensors[arg.id]!.data!);
    const padding = -bytes.length & 15;
    this.#resident.push(bytes, new Uint8Array(padding));
    this.#end += (bytes.length + padding) >>> 2;
    this.#placed.set(arg.id, at);
    return at;
  }

  /** An output as the target of a kernel over elements. */
  target(y: Arg): Target {
    return { at: this.at(y), size: y.size, count: y.count };
  }

  /** Copies an array into the constants. Returns its word. */
  constant(data: TypedArray | Uint32Array): number {
    const at = this.#constantWords;
    const bytes = toBytes(data as TypedArray);
    this.#packed.push(bytes, new Uint8Array(-bytes.length & 3));
    this.#constantWords += wordsOf(bytes.length);
    return at;
  }

  /** As `constant`, from a multiple of four words. */
  quads(data: Uint32Array): number {
    const padding = -this.#constantWords & 3;
    this.#packed.push(new Uint8Array(4 * padding));
    this.#constantWords += padding;
    return this.constant(data);
  }

  /** Elements of a table as one word each. */
  table(values: ArrayLike<number>): number {
    return this.constant(Int32Array.from(values));
  }

  /** A constant that several nodes share under a name. */
  shared(name: string, data: () => TypedArray | Uint32Array): number {
    let at = this.#shared.get(name);
    if (at === undefined) this.#shared.set(name, (at = this.constant(data())));
    return at;
  }

  /** Scratch words that live until the node's last dispatch, from a multiple of four words behind the constants. */
  scratch(words: number): Scratch {
    const at = this.#scratch;
    this.#scratch += (words + 3) & ~3;
    this.#scratchMost = Math.max(this.#scratchMost, this.#scratch);
    return new Scratch(at);
  }

  /** Word of a place in the scratch area, once all is laid out. */
  word(place: Scratch): number {
    return this.#end + place.at;
  }

  /** Ends a node: its scratch is free again. */
  endNode(): void {
    this.#scratch = 0;
  }

  /** A walk over `dims` with the strides in elements of one to three operands; neighbours that allow it are merged. */
  walk(dims: readonly number[], ...strides: readonly (readonly number[])[]): Walk {
    const axes = collapse(
      dims,
      strides.map((s) => ({ at: 0, strides: s })),
    ).reverse();
    const words = axes.flatMap(({ n, s }) => {
      const d = divisor(n);
      return [n, d.mul | 0, d.shift, s[0] ?? 0, s[1] ?? 0, s[2] ?? 0];
    });
    return { axes: words.length === 0 ? 0 : this.constant(Int32Array.from(words)), rank: axes.length };
  }

  /** A walk over the dims of `y` that reads operands with NumPy broadcasting. */
  broadcast(y: Arg, ...operands: readonly Arg[]): Walk {
    return this.walk(y.shape, ...operands.map((t) => broadcastStrides({ shape: t.shape, size: 1 }, y.shape)));
  }

  /** One dispatch of `groups` workgroups. */
  dispatch<F extends string>(
    kernel: Kernel<F>,
    values: { readonly [K in F]: Value },
    groups: readonly [x: number, y: number, z: number],
    work: number,
  ): void {
    const words = kernel.fields.flatMap(([name]): Word[] => {
      const v = values[name];
      if (typeof v === 'object' && 'mul' in v) return [v.n, v.mul, v.shift];
      return [typeof v === 'boolean' ? Number(v) : v];
    });
    this.#dispatches.push({ kernel: kernel as Kernel, groups, work, index: this.#records.push(words) - 1 });
  }

  /** Every element of a target, an element costing `work` steps. */
  elements<F extends string>(
    kernel: Kernel<F>,
    y: Target,
    values: { readonly [K in Exclude<F, ElementField>]: Value },
    work = 1,
  ): void {
    const lanes = 4 >> y.size;
    const own = { ...values, count: y.count, y: y.at, y_size: y.size };
    this.items(kernel as Kernel, floorDiv(y.count + lanes - 1, lanes), own, lanes * Math.max(1, work));
  }

  /** One invocation for each of `count` items of `work` steps; split so that a dispatch stays within its bound. */
  items<F extends string>(
    kernel: Kernel<F>,
    count: number,
    values: { readonly [K in Exclude<F, ItemField>]: Value },
    work: number,
  ): void {
    const most = Math.max(this.limits.least, floorDiv(this.limits.work, work));
    for (let first = 0; first < count; first += most) {
      const end = Math.min(count, first + most);
      const groups = floorDiv(end - first + ITEM_GROUP - 1, ITEM_GROUP);
      const rows = floorDiv(groups + ROW_GROUPS - 1, ROW_GROUPS);
      const fields = { ...values, first, end } as unknown as { readonly [K in F]: Value };
      this.dispatch(kernel, fields, [Math.min(groups, ROW_GROUPS), rows, 1], (end - first) * work);
    }
  }

  /** Words of the arena, of its scratch area and of the constants with the records. */
  get figures(): { readonly arena: number; readonly scratch: number; readonly constants: number } {
    const records = Math.max(1, this.#records.length) * RECORD_WORDS;
    // one word at least, and slack for loads that reach behind the last tensor
    return {
      arena: this.#end + this.#scratchMost + 16,
      scratch: this.#scratchMost,
      constants: this.#recordsAt() + records,
    };
  }

  /** Bytes behind the activations that are written once: constants read as tensors. */
  resident(): { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> } {
    return { at: this.activations, bytes: joined(this.#resident, this.#end * 4 - this.activations) };
  }

  /** Byte of the constants from which on they are records. */
  get recordsAt(): number {
    return this.#recordsAt() * 4;
  }

  /** The constants with the records behind them. */
  constants(): Uint8Array<ArrayBuffer> {
    const out = joined(this.#packed, this.figures.constants * 4);
    const view = new DataView(out.buffer);
    this.#records.forEach((words, i) => {
      const at = (this.#recordsAt() + i * RECORD_WORDS) * 4;
      words.forEach((w, k) => view.setInt32(at + 4 * k, typeof w === 'number' ? w | 0 : this.#end + w.at, true));
    });
    return out;
  }

  /** The dispatches in order. */
  dispatches(): readonly Dispatch[] {
    const first = this.#recordsAt();
    return this.#dispatches.map(({ index, ...d }) => ({ ...d, record: (first + index * RECORD_WORDS) * 4 }));
  }

  /** Number of dispatches so far. */
  get count(): number {
    return this.#dispatches.length;
  }

  /** First word of the records: a multiple of their size, which is the alignment of dynamic offsets. */
  #recordsAt(): number {
    return floorDiv(this.#constantWords + RECORD_WORDS - 1, RECORD_WORDS) * RECORD_WORDS;
  }
}

/** Byte strings one after another. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
