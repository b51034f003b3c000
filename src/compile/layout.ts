/**
 * The memory of a compiled model: that of the wasm backend, with areas from which inputs are taken when a run begins, and one area more for
 * what a node unpacks before it runs.
 * @module
 */
import { Builder, type Source } from '../backends/wasm/builder.ts';
import type { Call } from '../backends/wasm/call.ts';
import { type More, prepareNode } from '../backends/wasm/kernels.ts';
import { digestOf, hex } from '../core/digest.ts';
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
  /** Where a host writes each input. */
  readonly inputs: readonly number[];
  /** Where constants begin, which a run never writes. */
  readonly constants: number;
  readonly #records = new Map<number, readonly (number | boolean)[]>();
  /** Bytes of the greatest area that a node takes. */
  most = 0;
  /** True while what is reserved is never written by a run: equal contents have one address then. */
  sharing = false;
  readonly #held = new Map<string, number>();

  /** @param room bytes of the area that nodes take in turn */
  constructor(plan: Plan, room: number) {
    super(plan, false);
    this.inputs = plan.inputs.map((id) => this.reserve(plan.tensors[id]!.bytes, () => {}));
    this.#area = this.reserve(room, () => {});
    this.constants = this.reserve(0, () => {});
  }

  override reserve(bytes: number, fill: (memory: ArrayBufferLike, at: number) => void): number {
    if (!this.sharing) return super.reserve(bytes, fill);
    const contents = new Uint8Array(bytes);
    fill(contents.buffer, 0);
    const key = `${bytes} ${hex(digestOf(contents))}`;
    let at = this.#held.get(key);
    if (at === undefined) this.#held.set(key, (at = super.reserve(bytes, fill)));
    return at;
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

  override workspace(bytes: number): number {
    const at = this.#area + this.#used;
    this.#used += bytes + ((64 - (bytes % 64)) % 64);
    this.most = Math.max(this.most, this.#used);
    return at;
  }

  /** Bytes that only the node at hand has, filled by a call that comes before its own. Returns their address. */
  expanded(bytes: number, fn: string, units: number, args: (to: number) => readonly number[]): number {
    const at = this.workspace(bytes);
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

/** Lays a plan out, twice: first to learn how great the area that nodes take in turn must be. */
export function layOut(plan: Plan, more: More, make: (plan: Plan, room: number) => StaticBuilder): Layout {
  const once = (room: number, sharing: boolean): Layout => {
    const b = make(plan, room);
    b.sharing = sharing;
    const nodes = plan.nodes.map((n) => {
      b.begin();
      const { calls } = prepareNode(n, b, more);
      return [...b.before, ...calls];
    });
    b.sharing = false;
    return { b, nodes };
  };
  return once(once(0, false).b.most, true);
}
