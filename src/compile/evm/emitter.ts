/**
 * What the lowerings of ops share: where each tensor lies, memory, data, and the layout that its reader wants.
 * @module
 */
import { elementCount, i4At } from '../../core/tensor.ts';
import type { Model } from '../../graph/ir.ts';
import type { TensorType } from '../../ops/define.ts';
import { Assembler, type Blob, type Ptr } from './asm.ts';
import { CompileError } from './errors.ts';
import { byteLayout, flat, imageDims, interleave, Memory, type Packed, packed, packedWords } from './layout.ts';
import { inputLayout, type LinearNode, linearNode, type Patch } from './linear.ts';
import { INVALID } from './opcodes.ts';
import { bitLength } from './rows.ts';

/** A type without symbols. */
export interface StaticType extends TensorType {
  readonly shape: readonly number[];
  readonly lo: number;
  readonly hi: number;
}

/** What a compilation chooses for one linear node. */
export interface Choice {
  /** Rows whose weights lie in data; the others are in the code. */
  readonly dataRows: number;
}

/** Rows whose data lie together. */
export interface Segment {
  readonly blob: Blob;
  readonly rows: number;
}

/** What data contracts hold: their bytes so far. */
export interface DataContracts {
  readonly limit: number;
  readonly contracts: number[][];
}

interface Placed {
  readonly base: number;
  readonly bytes: number;
  readonly at: number;
}

/** Ops that write a packed output; others write one element a word. */
const PACKS = new Set(['dense', 'conv2d', 'max_pool2d']);

/** The state of one compilation. */
export class Emitter {
  readonly a: Assembler = new Assembler();
  readonly memory: Memory = new Memory();
  readonly model: Model;
  readonly choices: readonly (Choice | undefined)[];
  /** Where weights in data go; undefined: behind the code. */
  readonly data: DataContracts | undefined;
  /** Rows in data by their layout and bytes. */
  readonly rows: Map<string, readonly Segment[]> = new Map();
  /** Tensor that holds the bytes of each tensor: reshape moves nothing. */
  readonly roots: number[];
  readonly #readers = new Map<number, { readonly node: number; readonly slot: number; readonly tensor: number }[]>();
  readonly #producers: (number | undefined)[] = [];
  readonly #placed = new Map<number, Placed>();
  readonly #layouts = new Map<number, Packed | undefined>();
  readonly #linear: (LinearNode | undefined)[] = [];

  constructor(model: Model, choices: readonly (Choice | undefined)[], data: DataContracts | undefined) {
    this.model = model;
    this.choices = choices;
    this.data = data;
    this.roots = model.tensors.map((_, t) => t);
    model.nodes.forEach((n, i) => {
      const [y] = model.info[i]!.outputs as [number];
      for (const t of model.info[i]!.outputs) this.#producers[t] = i;
      if (n.op === 'reshape') this.roots[y] = this.roots[n.inputs[0]!]!;
      else
        n.inputs.forEach((t, slot) => {
          if (t >= 0) this.#read(t, i, slot);
        });
    });
    for (const o of model.outputs) this.#read(o.tensor, model.nodes.length, 0);
  }

  #read(tensor: number, node: number, slot: number): void {
    const root = this.roots[tensor]!;
    const list = this.#readers.get(root) ?? [];
    list.push({ node, slot, tensor });
    this.#readers.set(root, list);
  }

  /** The type of a tensor; its shape is static. */
  type(tensor: number): StaticType {
    return this.model.tensors[tensor] as StaticType;
  }

  /** Elements of a tensor. */
  count(tensor: number): number {
    return elementCount(this.type(tensor).shape);
  }

  /** A linear node, read once. */
  linear(node: number): LinearNode {
    return (this.#linear[node] ??= linearNode(this.model, node));
  }

  /** The layout of a tensor; undefined: one element a word. */
  layout(tensor: number): Packed | undefined {
    const root = this.roots[tensor]!;
    if (!this.#layouts.has(root)) this.#layouts.set(root, this.#wanted(root));
    return this.#layouts.get(root);
  }

  #wanted(root: number): Packed | undefined {
    const readers = this.#readers.get(root) ?? [];
    const [r] = readers;
    if (r === undefined || readers.length !== 1 || r.slot !== 0) return undefined;
    const producer = this.#producers[root];
    if (r.node >= this.model.nodes.length) return this.#returned(root, producer);
    if (producer === undefined && root >= this.model.inputs.length) return undefined; // a constant
    if (producer !== undefined && !PACKS.has(this.model.nodes[producer]!.op)) return undefined;
    const { op } = this.model.nodes[r.node]!;
    const from = this.type(root).shape;
    const to = this.type(r.tensor).shape;
    const same = producer === undefined || (from.length === to.length && from.every((d, i) => d === to[i]));
    if (op === 'max_pool2d') return same ? this.poolLayout(r.node) : undefined;
    if (op !== 'dense' && op !== 'conv2d') return undefined;
    const n = this.linear(r.node);
    if (op === 'conv2d') return same ? inputLayout(n, this.type(r.tensor), n.channels).layout : undefined;
    const run = producer === undefined ? n.channels : (from[from.length - 1] ?? 1);
    if (run === 0 || n.channels % run !== 0) return undefined;
    const { layout } = inputLayout(n, this.type(r.tensor), run);
    const bytes = producer === undefined && this.type(root).dtype === 'i8';
    return (bytes && run === n.channels && run > 0 ? interleave(layout, n.rows) : undefined) ?? layout;
  }

  /** The layout of an output: bytes, where one row of a dense makes them. */
  #returned(root: number, producer: number | undefined): Packed | undefined {
    const { dtype, shape } = this.type(root);
    if (producer === undefined || this.model.nodes[producer]!.op !== 'dense' || dtype !== 'i8') return undefined;
    const count = elementCount(shape);
    return count === shape[shape.length - 1] ? byteLayout(count) : undefined;
  }

  /** The layout of a max_pool2d's input: that of its output with the pool's padding. */
  poolLayout(node: number): Packed {
    const { attrs } = this.model.nodes[node]!;
    const x = this.type(this.model.nodes[node]!.inputs[0]!);
    const out = this.layout(this.model.info[node]!.outputs[0]!);
    const [top, left, bottom, right] = attrs.pads as [number, number, number, number];
    const [ob, or] = attrs.overhang as [number, number];
    const pads = { top, left, bottom: bottom + ob, right: right + or, fill: 0 };
    const run = x.shape[3]!;
    const { bits, lo, span } =
      out !== undefined && out.run === run
        ? out
        : { bits: Math.max(8, bitLength(x.hi - x.lo) + 1), lo: x.lo, span: x.hi - x.lo };
    const outside = Object.values(pads).some((p) => p > 0);
    return packed({ bits, lo, span, run, dims: imageDims(x.shape), ...(outside ? { pads } : {}) });
  }

  /** Where a tensor lies; it is given its place when it is first asked for. */
  place(tensor: number): number {
    const root = this.roots[tensor]!;
    let p = this.#placed.get(root);
    if (p === undefined) {
      const layout = this.layout(root);
      p = this.reserve(layout, this.count(root));
      this.#placed.set(root, p);
      if (this.model.tensors[root]!.data !== undefined) this.#constant(root, p.base);
    }
    return p.base;
  }

  /** Room for a tensor of this layout, its padding filled. */
  reserve(layout: Packed | undefined, count: number): Placed {
    const slack = 32 * (layout?.slack ?? 0);
    const bytes = slack + 32 * (layout === undefined ? count : packedWords(layout));
    const from = this.memory.take(bytes);
    const base = from + slack;
    const pads = layout?.pads;
    if (pads !== undefined) {
      let word = 0n;
      for (let k = 0; k < layout!.per; k++) word |= BigInt(pads.fill) << BigInt(256 - layout!.bits * (k + 1));
      const slot = this.a.push(word);
      this.a.grid(
        [packedWords(layout!)],
        [flat(base)],
        ([p]) => {
          this.a.dup(slot);
          this.a.store(p!);
        },
        8,
      );
      this.a.drop(slot);
    }
    return { base, bytes, at: from };
  }

  /** Room for the time of `body`. */
  temporary<T>(bytes: number, body: (base: number) => T): T {
    const base = this.memory.take(bytes);
    const result = body(base);
    this.memory.give(base, bytes);
    return result;
  }

  /** Gives back what no node from `node` on reads. */
  release(node: number): void {
    for (const [root, p] of this.#placed) {
      if ((this.#readers.get(root) ?? []).some((r) => r.node >= node)) continue;
      if (root < this.model.tensors.length && this.#placed.delete(root)) this.memory.give(p.at, p.bytes);
    }
  }

  /** Elements of a constant. */
  elements(tensor: number): ArrayLike<number> {
    const t = this.type(tensor);
    if (t.dtype !== 'i4') return t.data!;
    return Int32Array.from({ length: this.count(tensor) }, (_, i) => i4At(t.data!, i));
  }

  /** Writes a constant, one element a word. */
  #constant(tensor: number, base: number): void {
    const { a } = this;
    const data = Array.from(this.elements(tensor));
    if (data.length <= 8) {
      data.forEach((v, i) => {
        a.push(v);
        a.store({ base: base + 32 * i });
      });
      return;
    }
    this.table(data, 4, (p) => {
      a.grid([data.length], [{ ...p, strides: [4] }, flat(base)], ([from, to]) => {
        a.load(from!);
        a.push(224);
        a.op('SAR');
        a.store(to!);
      });
    });
  }

  /** Bytes behind the code or in a data contract. */
  blob(bytes: Uint8Array): Blob {
    const { data } = this;
    if (data === undefined) return this.a.blob(bytes);
    let contract = data.contracts.findIndex((c) => c.length + bytes.length <= data.limit);
    if (contract < 0) contract = data.contracts.push([INVALID]) - 1;
    const into = data.contracts[contract]!;
    if (into.length + bytes.length > data.limit)
      throw new CompileError(
        'TooLarge',
        `a row of weights exceeds ${data.limit} bytes`,
        'Split the layer into smaller ones, or raise codeBudget on a chain without the limit.',
      );
    const blob: Blob = { bytes, contract, offset: into.length };
    for (const b of bytes) into.push(b);
    return blob;
  }

  /** Room left in the data contract that is filled next; unbounded behind the code. */
  room(): number {
    const { data } = this;
    if (data === undefined) return Number.MAX_SAFE_INTEGER;
    return data.limit - (data.contracts[data.contracts.length - 1]?.length ?? 1);
  }

  /** Loads a table of signed big-endian integers of `width` bytes into memory for the time of `body`. */
  table(values: readonly number[], width: number, body: (p: Ptr) => void): void {
    const bytes = new Uint8Array(values.length * width);
    values.forEach((v, i) => {
      for (let k = 0; k < width; k++) bytes[i * width + k] = (v >> (8 * (width - 1 - k))) & 255;
    });
    const blob = this.a.blob(bytes);
    this.temporary(bytes.length + 64, (base) => {
      this.a.copy(blob, () => this.a.blobOffset(blob, 0), bytes.length, base + 32);
      body({ base: base + 32 });
    });
  }
}

/** The patch that a conv2d makes of the pixels of its input. */
export function patchOf(e: Emitter, node: number, run: number): { readonly layout: Packed; readonly patch: Patch } {
  const n = e.linear(node);
  return inputLayout(n, e.type(n.x), run);
}
