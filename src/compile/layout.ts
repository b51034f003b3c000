/**
 * The memory of a compiled model: that of the wasm backend, with inputs and outputs in areas of their own, and one area more for
 * what a node unpacks before it runs.
 * @module
 */
import { Builder, type Source } from '../backends/wasm/builder.ts';
import type { Call } from '../backends/wasm/call.ts';
import { type More, prepareNode } from '../backends/wasm/kernels.ts';
import { floorDiv } from '../core/int.ts';
import type { Plan } from '../runtime/plan.ts';

/** A call by the name of its kernel. */
export interface KernelCall extends Omit<Call, 'fn'> {
  readonly fn: string;
}

/** A builder that keeps weights as they are in the model’s file, and expands those of a node before it runs. */
export class StaticBuilder extends Builder {
  #before: KernelCall[] = [];
  #used = 0;
  readonly #area: number;
  readonly #records = new Map<number, readonly (number | boolean)[]>();
  /** Bytes of the greatest area that a node takes. */
  most = 0;

  /** @param room bytes of the area that nodes take in turn */
  constructor(plan: Plan, room: number) {
    super(plan, false);
    this.#area = this.reserve(room, () => {});
  }

  /** Begins a node. */
  begin(): void {
    this.#before = [];
    this.#used = 0;
  }

  /** Calls that come before those of the node at hand. */
  get before(): readonly KernelCall[] {
    return this.#before;
  }

  /** Bytes that only the node at hand has, filled by a call that comes before its own. Returns their address. */
  expanded(bytes: number, fn: string, units: number, args: (to: number) => readonly number[]): number {
    const at = this.#area + this.#used;
    this.#used += bytes + ((64 - (bytes % 64)) % 64);
    this.most = Math.max(this.most, this.#used);
    this.#before.push({ fn, units, args: args(at) });
    return at;
  }

  override packed(bytes: number, length: number, fill: (out: Int8Array | Int16Array) => void, source?: Source): number {
    if (typeof source === 'number') return this.filled(length, bytes, source);
    if (Array.isArray(source)) return this.#pairs(length, fill, source.length);
    const from = super.packed(1, length, fill);
    return bytes === 1 ? from : this.expanded(length * 2, 'widen', (length + 1023) >>> 10, (to) => [from, to, length]);
  }

  override record(words: readonly (number | boolean)[]): number {
    const at = super.record(words);
    this.#records.set(at, words);
    return at;
  }

  /** The words of a record. */
  wordsAt(at: number): readonly (number | boolean)[] {
    return this.#records.get(at)!;
  }

  /** Depthwise weights, without the zeros of an odd number of taps. */
  #pairs(length: number, fill: (out: Int8Array) => void, taps: number): number {
    const row = (taps + (taps & 1)) * 8;
    const blocks = floorDiv(length, row);
    const from = this.reserve(blocks * taps * 8, (memory, at) => {
      const all = new Int8Array(length);
      fill(all);
      const out = new Int8Array(memory, at, blocks * taps * 8);
      for (let i = 0; i < out.length; i++) {
        const t = floorDiv(i, 8);
        const block = floorDiv(t, taps);
        const tap = t - block * taps;
        out[i] = all[block * row + (tap >> 1) * 16 + (i & 7) * 2 + (tap & 1)]!;
      }
    });
    return this.expanded(length * 2, 'pairs', blocks, (to) => [from, to, taps]);
  }

  /** Elements of one value. */
  protected filled(length: number, bytes: number, value: number): number {
    const pair = bytes === 1 ? (value & 255) * 257 : value & 65535;
    const words = (length * bytes + 3) >>> 2;
    return this.expanded(words * 4, 'fill', 1, (to) => [to, words, pair * 65537]);
  }
}

/** The calls of every node, and the areas that they name. */
export interface Layout {
  readonly b: StaticBuilder;
  readonly nodes: readonly (readonly KernelCall[])[];
}

/** A plan whose inputs and outputs share no bytes with anything else. */
export function apart(plan: Plan): Plan {
  const kept = new Set([...plan.inputs, ...plan.outputs]);
  const all = { first: -1, last: plan.nodes.length };
  return { ...plan, lifetimes: plan.lifetimes.map((l, id) => (l !== null && kept.has(id) ? all : l)) };
}

/** Lays a plan out, twice: first to learn how great the area that nodes take in turn must be. */
export function layOut(plan: Plan, more: More, make: (plan: Plan, room: number) => StaticBuilder): Layout {
  const once = (room: number): Layout => {
    const b = make(plan, room);
    const nodes = plan.nodes.map((n) => {
      b.begin();
      const { calls } = prepareNode(n, b, more);
      return [...b.before, ...calls];
    });
    return { b, nodes };
  };
  return once(once(0).b.most);
}
