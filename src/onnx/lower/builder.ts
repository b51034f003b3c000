/**
 * Collects a float graph while nodes are lowered, and keeps what each ONNX value is: a constant, or a view of a stored
 * tensor. Transposes are symbolic: a view says how the ONNX axes map to stored axes, so that NCHW ↔ NHWC pairs cancel
 * and a transpose reaches the graph only where an op needs elements in ONNX order.
 * @module
 */
import {
  type Domain,
  type FloatInput,
  type FloatNode,
  type FloatOp,
  type FloatPort,
  type FloatTensor,
  sizeOf,
} from '../../quant/float-graph.ts';
import { isFloat } from '../array.ts';
import type { OnnxNode } from '../parse.ts';
import type { OnnxArray, OnnxDType } from '../tensor.ts';

/** An ONNX value as reshape(transpose(stored tensor `id`, perm)): ONNX axis i is stored axis perm[i]; `shape` where it is reshaped after. */
export interface View {
  readonly id: number;
  readonly perm: readonly number[];
  readonly shape: readonly number[] | null;
}

/** How integers q of the source stand for reals: (q − zero)·scale. */
export interface Params {
  readonly scale: number;
  readonly zero: number;
  readonly dtype: OnnxDType;
  /** The source quantizes by each input's own range: these parameters stand in for those. */
  readonly dynamic?: true;
}

/** What an ONNX value name stands for; `params` where it holds integers and the view the reals that they stand for. */
export type Value = { readonly constant: OnnxArray } | { readonly view: View; readonly params?: Params | undefined };

/** Domain of an ONNX element type: floats are real, bool is bool, integers are whole numbers. */
export function domainOf(dtype: OnnxDType): Domain {
  return dtype === 'bool' ? 'bool' : isFloat(dtype) ? 'real' : 'int';
}

/** 0, 1, … rank−1. */
export function identity(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** True where perm[i] = i throughout. */
export function isIdentity(perm: readonly number[]): boolean {
  return perm.every((p, i) => p === i);
}

/** True where a transpose by `perm` keeps the element order of `shape`: only axes of size 1 change places. */
export function keepsOrder(perm: readonly number[], shape: readonly number[]): boolean {
  const moved = perm.filter((p) => shape[p] !== 1);
  return moved.every((p, i) => i === 0 || moved[i - 1]! < p);
}

/** The graph under construction. */
export class GraphBuilder {
  readonly tensors: FloatTensor[] = [];
  readonly nodes: FloatNode[] = [];
  readonly inputs: FloatInput[] = [];
  readonly outputs: FloatPort[] = [];
  readonly values: Map<string, Value> = new Map();
  readonly #read: Set<string>;

  /** `read`: the names that a node or an output of the model reads. */
  constructor(read: Set<string>) {
    this.#read = read;
  }

  /** True where something reads the ONNX value `name`. */
  isRead(name: string): boolean {
    return this.#read.has(name);
  }

  /** Notes that something reads the ONNX value `name`. */
  read(name: string): void {
    this.#read.add(name);
  }

  /** Adds a tensor and returns its id. */
  tensor(name: string, shape: readonly number[], domain: Domain, pin?: FloatTensor['pin']): number {
    this.tensors.push({ id: this.tensors.length, name, shape, domain, ...(pin ? { pin } : {}) });
    return this.tensors.length - 1;
  }

  /** Stored shape of a tensor. */
  stored(id: number): readonly number[] {
    return this.tensors[id]!.shape;
  }

  /** What a tensor holds. */
  domain(id: number): Domain {
    return this.tensors[id]!.domain;
  }

  /** Adds an operation with an output of `shape`, in the domain of its first operand unless said; returns the output's id. */
  emit(from: OnnxNode, op: FloatOp, inputs: readonly number[], shape: readonly number[], domain?: Domain): number {
    const first = inputs[0];
    const own = domain ?? (first === undefined ? 'real' : this.domain(first));
    const output = this.tensor(from.outputs[0] ?? from.name, shape, own);
    this.nodes.push({ op, inputs, output, name: from.name, source: from.op });
    return output;
  }

  /** `id` in another shape of as many elements. */
  reshape(from: OnnxNode, id: number, shape: readonly number[]): number {
    const now = this.stored(id);
    if (now.length === shape.length && now.every((d, i) => d === shape[i])) return id;
    return this.emit(from, { kind: 'reshape' }, [id], shape);
  }

  /** `id` with its axes permuted; a reshape where that gives the same order of elements. */
  transpose(from: OnnxNode, id: number, perm: readonly number[]): number {
    if (isIdentity(perm)) return id;
    const now = this.stored(id);
    const shape = perm.map((p) => now[p]!);
    if (keepsOrder(perm, now)) return this.reshape(from, id, shape);
    return this.emit(from, { kind: 'transpose', perm }, [id], shape);
  }

  /** A constant as a tensor of the graph. */
  constant(from: OnnxNode, { dtype, data, shape }: OnnxArray): number {
    return this.emit(from, { kind: 'constant', data }, [], shape, domainOf(dtype));
  }

  /** A view with no reshape on top: its elements put in order where there is one. */
  unshaped(from: OnnxNode, view: View): View {
    if (!view.shape) return view;
    return { id: this.plain(from, view), perm: identity(view.shape.length), shape: null };
  }

  /** `id` with its stored axis i holding ONNX axis axes[i] of an unshaped view. */
  ordered(from: OnnxNode, view: View, axes: readonly number[]): number {
    return this.transpose(
      from,
      view.id,
      axes.map((a) => view.perm[a]!),
    );
  }

  /** Shape of a view as the ONNX model sees it. */
  shapeOf(view: View): readonly number[] {
    return view.shape ?? view.perm.map((p) => this.stored(view.id)[p]!);
  }

  /** The view's elements in ONNX order and shape. */
  plain(from: OnnxNode, view: View): number {
    const id = this.transpose(from, view.id, view.perm);
    return view.shape ? this.reshape(from, id, view.shape) : id;
  }

  /**
   * For a view that is [rows, columns] over a stored tensor whose first axis stays first: the stored elements as
   * [rows, columns], and where ONNX column j lies among them (null: in place). Undefined for any other view.
   */
  columns(from: OnnxNode, view: View): { id: number; order: Int32Array | null } | undefined {
    const shape = this.shapeOf(view);
    const stored = this.stored(view.id);
    if (shape.length !== 2 || view.perm[0] !== 0 || stored[0] !== shape[0]) return undefined;
    const id = this.reshape(from, view.id, [shape[0]!, sizeOf(stored.slice(1))]);
    return { id, order: isIdentity(view.perm) ? null : columnOrder(view.perm, stored) };
  }
}

/** Offset in row-major `stored`[1:] of each element of its transpose by `perm`, where perm[0] = 0. */
function columnOrder(perm: readonly number[], stored: readonly number[]): Int32Array {
  const strides = new Array<number>(stored.length);
  let n = 1;
  for (let i = stored.length - 1; i >= 0; i--) {
    strides[i] = n;
    n *= stored[i]!;
  }
  let offsets = [0];
  for (const p of perm.slice(1)) {
    const next: number[] = [];
    for (const base of offsets) for (let i = 0; i < stored[p]!; i++) next.push(base + i * strides[p]!);
    offsets = next;
  }
  return Int32Array.from(offsets);
}
