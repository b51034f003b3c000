/**
 * The memory layout of one executable: [control words][activations][records and packed constants][private area]. Kernels' plan
 * functions reserve areas here; the bytes are written once the memory exists.
 * @module
 */

import { type TypedArray, toBytes } from '../../core/tensor.ts';
import type { Lifetime } from '../../runtime/arena.ts';
import { firstFit } from '../../runtime/arena.ts';
import type { Plan, PlanTensor } from '../../runtime/plan.ts';
import type { Rows } from './pack.ts';

/** Bytes below the activations. */
const LOW = 64;
/** Bytes of the fixed cells that a private area starts with (kernels/wasm/simd.ts). */
const CELLS = 288;
const ALIGN = 64;
/** Readable bytes behind every area: vector loads may reach past a tensor. */
const SLACK = 64;

function aligned(n: number): number {
  return n + ((ALIGN - (n % ALIGN)) % ALIGN);
}

/** Bytes of an element: 1, 2 or 4. */
export function sizeOf(t: { readonly dtype: string }): number {
  return t.dtype === 'i16' ? 2 : t.dtype === 'i32' ? 4 : 1;
}

/** An operand or output of a node. */
export interface Arg extends PlanTensor {
  readonly id: number;
  readonly size: number;
}

/** A memory area and what fills it. */
interface Area {
  readonly at: number;
  readonly fill: (memory: ArrayBufferLike, at: number) => void;
}

/** What weights are packed from. */
export type Source = Rows | readonly number[] | number;

/** Reserves areas while a plan is prepared. */
export class Builder {
  readonly #plan: Plan;
  readonly #offsets: readonly (number | undefined)[];
  readonly #areas: Area[] = [];
  readonly #constants = new Map<number, number>();
  readonly #shared = new Map<string, number>();
  readonly activations: number;
  /** What is neither a constant nor private. */
  readonly workspaces: { readonly at: number; readonly bytes: number }[] = [];
  #end: number;
  #scratch = CELLS;

  /** @param keep true where no two activations may share bytes */
  constructor(plan: Plan, keep: boolean) {
    this.#plan = plan;
    const blocks: (Lifetime & { id: number; bytes: number })[] = [];
    plan.lifetimes.forEach((life, id) => {
      if (life !== null)
        blocks.push({
          id,
          bytes: plan.tensors[id]!.bytes,
          first: life.first,
          last: keep ? plan.nodes.length : life.last,
        });
    });
    const { offsets, peak } = firstFit(blocks, ALIGN);
    const byId: (number | undefined)[] = new Array(plan.tensors.length).fill(undefined);
    blocks.forEach((b, i) => {
      byId[b.id] = LOW + offsets[i]!;
    });
    this.#offsets = byId;
    this.activations = peak;
    this.#end = aligned(LOW + peak + SLACK);
  }

  /** A tensor as kernels see it. */
  arg(id: number): Arg {
    const t = this.#plan.tensors[id]!;
    return { ...t, id, size: sizeOf(t) };
  }

  /** Address of a tensor; a constant is placed as it is on first use. */
  at(arg: { readonly id: number }): number {
    const activation = this.#offsets[arg.id];
    if (activation !== undefined) return activation;
    let at = this.#constants.get(arg.id);
    if (at === undefined) {
      at = this.raw(this.#plan.tensors[arg.id]!.data!);
      this.#constants.set(arg.id, at);
    }
    return at;
  }

  /** Reserves zeroed bytes that `fill` writes. Returns their address. */
  reserve(bytes: number, fill: (memory: ArrayBufferLike, at: number) => void): number {
    const at = this.#end;
    this.#areas.push({ at, fill });
    this.#end = at + bytes + ((16 - (bytes % 16)) % 16);
    return at;
  }

  /**
   * Reserves `length` elements of i8 or i16 that `fill` writes; all of them lie in the range of i8 or are one value. Returns their address.
   * @param _source the rows of weights that they are panels of, the taps that they are pairs of, or the one value
   */
  packed(bytes: number, length: number, fill: (out: Int8Array | Int16Array) => void, _source?: Source): number {
    return this.reserve(length * bytes, (memory, at) =>
      fill(bytes === 1 ? new Int8Array(memory, at, length) : new Int16Array(memory, at, length)),
    );
  }

  /** Bytes that all threads share between the calls of a node; nodes take them in turn. Returns their address. */
  workspace(bytes: number): number {
    const fit = this.workspaces.find((w) => w.bytes >= bytes) ?? { at: this.reserve(bytes, () => {}), bytes };
    this.workspaces.push(fit);
    return fit.at;
  }

  /** Copies an array. */
  raw(data: TypedArray | Uint32Array): number {
    const bytes = toBytes(data as TypedArray);
    return this.reserve(bytes.length, (memory, at) => new Uint8Array(memory, at, bytes.length).set(bytes));
  }

  /** A record of 32-bit words. */
  record(words: readonly (number | boolean)[]): number {
    return this.raw(Int32Array.from(words, Number));
  }

  /** An array that several nodes share under a name. */
  shared(name: string, data: () => TypedArray | Uint32Array): number {
    let at = this.#shared.get(name);
    if (at === undefined) this.#shared.set(name, (at = this.raw(data())));
    return at;
  }

  /** Makes the scratch area hold at least `bytes`. */
  scratch(bytes: number): void {
    this.#scratch = Math.max(this.#scratch, CELLS + bytes);
  }

  /** Bytes of records and packed constants, and of a private area; where the first of those lies. */
  get figures(): { readonly constants: number; readonly area: number; readonly base: number } {
    const start = aligned(LOW + this.activations + SLACK);
    return { constants: this.#end - start, area: aligned(this.#scratch + SLACK), base: aligned(this.#end) };
  }

  /** Writes every area. */
  write(memory: ArrayBufferLike): void {
    for (const { at, fill } of this.#areas) fill(memory, at);
    this.#areas.length = 0;
  }
}
