/**
 * Writes an integer graph node by node and gives it dense tensor ids at the end: inputs, then constants in order of first
 * use and without duplicates, then node outputs (spec/20-format.md §2).
 * @module
 */
import type { SymbolDecl } from '../core/dim.ts';
import type { Constant, Graph, InputDecl, Node, OutputDecl } from '../graph/ir.ts';
import type { AttrsOf, OpName } from '../ops/index.ts';

/** A tensor of a graph that is being written. */
export interface Ref {
  readonly of: 'input' | 'constant' | 'node';
  readonly index: number;
  /** Which output of a node; the first where absent. */
  readonly output?: number;
}

/** Operands of a node in order; undefined where an optional one is absent. */
type Operands = readonly (Ref | undefined)[];

/** An integer graph under construction. */
export class GraphWriter {
  readonly #inputs: InputDecl[] = [];
  readonly #constants: Constant[] = [];
  readonly #keys: Map<string, number> = new Map();
  readonly #nodes: { op: OpName; inputs: Operands; attrs: Readonly<Record<string, unknown>>; outputs: number }[] = [];
  readonly #shared: Map<string, Ref> = new Map();

  /** Declares the next input. */
  input(decl: InputDecl): Ref {
    this.#inputs.push(decl);
    return { of: 'input', index: this.#inputs.length - 1 };
  }

  /** A constant; an equal one is shared. */
  constant(dtype: Constant['dtype'], shape: readonly number[], data: Constant['data'], zp = 0): Ref {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `${dtype} ${zp} ${shape} ${fingerprint(bytes)}`;
    const known = this.#keys.get(key);
    if (known !== undefined && sameBytes(this.#constants[known]!.data, bytes)) return { of: 'constant', index: known };
    this.#constants.push({ dtype, shape, zp, data });
    this.#keys.set(key, this.#constants.length - 1);
    return { of: 'constant', index: this.#constants.length - 1 };
  }

  /** Adds a node and returns its output. */
  node<N extends OpName>(op: N, inputs: Operands, attrs: AttrsOf<N>): Ref {
    return this.#add(op, inputs, attrs as Readonly<Record<string, unknown>>, 1);
  }

  #add(op: OpName, inputs: Operands, attrs: Readonly<Record<string, unknown>>, outputs: number): Ref {
    this.#nodes.push({ op, inputs, attrs, outputs });
    return { of: 'node', index: this.#nodes.length - 1 };
  }

  /** Output k of a node of `outputs` outputs; an equal node is shared. */
  output<N extends OpName>(op: N, inputs: Operands, attrs: AttrsOf<N>, outputs: number, k: number): Ref {
    const key = JSON.stringify([op, inputs, attrs], (_, v) => (ArrayBuffer.isView(v) ? [...(v as Int32Array)] : v));
    const known = this.#shared.get(key) ?? this.#add(op, inputs, attrs as Readonly<Record<string, unknown>>, outputs);
    this.#shared.set(key, known);
    return { ...known, output: k };
  }

  /** Number of nodes so far. */
  get length(): number {
    return this.#nodes.length;
  }

  /** Constants in order of first use, and the tensor id of every reference: inputs, those constants, outputs of nodes. */
  #ids(): { readonly order: readonly number[]; readonly id: (ref: Ref) => number } {
    const used = new Set<number>();
    for (const n of this.#nodes) for (const r of n.inputs) if (r?.of === 'constant') used.add(r.index);
    const order = [...used]; // of first use
    const place = new Map(order.map((index, i) => [index, this.#inputs.length + i]));
    let next = this.#inputs.length + order.length;
    const first = this.#nodes.map(({ outputs: count }) => {
      next += count;
      return next - count;
    });
    const id = ({ of, index, output = 0 }: Ref): number =>
      of === 'input' ? index : of === 'node' ? first[index]! + output : place.get(index)!;
    return { order, id };
  }

  /** Tensor ids of references in the finished graph; undefined for a constant that nothing reads. */
  tensorIds(refs: readonly (Ref | undefined)[]): (number | undefined)[] {
    const { id } = this.#ids();
    return refs.map((ref) => ref && id(ref));
  }

  /** The graph with its outputs. */
  finish(
    outputs: readonly (Omit<OutputDecl, 'tensor'> & { readonly ref: Ref })[],
    symbols: readonly SymbolDecl[] = [],
  ): Graph {
    const { order, id } = this.#ids();
    const nodes: Node[] = this.#nodes.map((n) => ({
      op: n.op,
      inputs: n.inputs.map((r) => (r ? id(r) : -1)),
      attrs: n.attrs,
    }));
    return {
      symbols,
      inputs: this.#inputs,
      constants: order.map((index) => this.#constants[index]!),
      nodes,
      outputs: outputs.map(({ ref, ...decl }) => ({ ...decl, tensor: id(ref) })),
      states: [],
    };
  }
}

/** A 32-bit FNV-1a hash of bytes: only to find candidates for sharing. */
function fingerprint(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const b of bytes) h = Math.imul(h ^ b, 0x01000193);
  return h >>> 0;
}

function sameBytes(data: Constant['data'], bytes: Uint8Array): boolean {
  const own = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return own.length === bytes.length && own.every((v, i) => v === bytes[i]);
}
