/**
 * What the lowering of one ONNX node sees: its attributes with defaults, its inputs as constants or views, and ways to
 * emit float operations. Every refusal names the node and its op.
 * @module
 */
import type { FloatOp } from '../../quant/float-graph.ts';
import { type IMPORT_ERRORS, ImportError } from '../errors.ts';
import type { OnnxAttribute, OnnxNode } from '../parse.ts';
import type { OnnxTensor } from '../tensor.ts';
import { type GraphBuilder, identity, type View } from './builder.ts';

/** Lowers one ONNX op; `fold` computes its output where all inputs are constants. */
export interface OpLowering {
  readonly lower: (c: LowerContext) => void;
  readonly fold?: (c: LowerContext) => OnnxTensor;
}

const NHWC: readonly number[] = [0, 3, 1, 2];
const NLC: readonly number[] = [0, 2, 1];

/** One node on its way into the float graph. */
export class LowerContext {
  readonly graph: GraphBuilder;
  readonly node: OnnxNode;
  readonly opset: number;

  constructor(graph: GraphBuilder, node: OnnxNode, opset: number) {
    this.graph = graph;
    this.node = node;
    this.opset = opset;
  }

  /** Throws an `ImportError` that names this node. */
  fail(code: keyof typeof IMPORT_ERRORS, message: string, hint?: string): never {
    throw new ImportError(code, message, { node: this.node.name, op: this.node.op }, hint);
  }

  #wrongType(name: string, a: OnnxAttribute, type: string): never {
    return this.fail('BadGraph', `attribute ${name} has type ${a.type} instead of ${type}`);
  }

  #number(name: string, type: 'int' | 'float', fallback: number): number {
    const a = this.node.attributes.get(name);
    return !a ? fallback : a.type === type ? a.value : this.#wrongType(name, a, type);
  }

  /** An integer attribute. */
  int(name: string, fallback: number): number {
    return this.#number(name, 'int', fallback);
  }

  /** A float attribute (the float32 the file holds). */
  float(name: string, fallback: number): number {
    return this.#number(name, 'float', fallback);
  }

  /** A string attribute. */
  string(name: string, fallback: string): string {
    const a = this.node.attributes.get(name);
    return !a ? fallback : a.type === 'string' ? a.value : this.#wrongType(name, a, 'string');
  }

  /** A list of integers of a given length. */
  ints(name: string, fallback: readonly number[]): readonly number[] {
    const a = this.node.attributes.get(name);
    const value = !a ? fallback : a.type === 'ints' ? a.value : this.#wrongType(name, a, 'ints');
    if (value.length !== fallback.length)
      this.fail('BadGraph', `attribute ${name} has ${value.length} entries instead of ${fallback.length}`);
    return value;
  }

  /** True where the optional input i is given. */
  given(i: number): boolean {
    return (this.node.inputs[i] ?? '') !== '';
  }

  #value(i: number): { constant: OnnxTensor } | { view: View } {
    const name = this.node.inputs[i];
    if (!name) this.fail('BadGraph', `input ${i} is missing`);
    return this.graph.values.get(name) ?? this.fail('BadGraph', `input "${name}" is defined by no earlier node`);
  }

  /** Input i where it is a constant. */
  constant(i: number): OnnxTensor | undefined {
    const value = this.#value(i);
    return 'constant' in value ? value.constant : undefined;
  }

  /** Input i, which must be a constant of finite values. */
  weights(i: number, what: string): OnnxTensor {
    const tensor = this.constant(i) ?? this.fail('UnsupportedForm', `${what} must be a constant of the model`);
    if (!tensor.data.every(Number.isFinite)) this.fail('NotFinite', `${what} "${tensor.name}" holds NaN or infinity`);
    return tensor;
  }

  /** Input i as a constant integer list, e.g. the shape of a Reshape. */
  intsInput(i: number, what: string): number[] {
    return [...this.weights(i, what).data];
  }

  /** Shape of input i as the ONNX model sees it. */
  shape(i: number): readonly number[] {
    const value = this.#value(i);
    return 'constant' in value ? value.constant.shape : this.graph.shapeOf(value.view);
  }

  /** Input i as a view; a constant becomes a tensor of the graph. */
  view(i: number): View {
    const value = this.#value(i);
    if ('view' in value) return value.view;
    const { data, shape } = this.weights(i, 'an operand');
    return { id: this.graph.constant(this.node, data, shape), perm: identity(shape.length), shape: null };
  }

  /** Input i with its elements in ONNX order. */
  plain(i: number): number {
    return this.graph.plain(this.node, this.view(i));
  }

  /** A view whose stored last axis is ONNX axis `axis`, of the same ONNX value; never a reshaped one. */
  channelsLast(view: View, axis: number): View {
    const v = view.shape
      ? { id: this.graph.plain(this.node, view), perm: identity(view.shape.length), shape: null }
      : view;
    const last = v.perm[axis]!;
    const t = [...identity(v.perm.length).filter((p) => p !== last), last];
    return { id: this.graph.transpose(this.node, v.id, t), perm: v.perm.map((p) => t.indexOf(p)), shape: null };
  }

  /** Input i, an image [N,C,H,W] or signal [N,C,L], as a stored [N,H,W,C] (H = 1 for a signal). */
  image(i: number): number {
    const rank = this.shape(i).length;
    if (rank !== 3 && rank !== 4)
      this.fail('UnsupportedForm', `the input has rank ${rank}; ranks 3 and 4 are supported`);
    const view = this.view(i);
    const base = view.shape ? this.graph.plain(this.node, view) : view.id;
    const perm = view.shape ? identity(rank) : view.perm;
    const order = rank === 4 ? [0, 2, 3, 1] : [0, 2, 1];
    const id = this.graph.transpose(
      this.node,
      base,
      order.map((axis) => perm[axis]!),
    );
    const [n, h, w] = this.graph.stored(id);
    return rank === 4 ? id : this.graph.reshape(this.node, id, [n!, 1, h!, w!]);
  }

  /** Emits an operation whose output is not yet an ONNX value. */
  emit(op: FloatOp, inputs: readonly number[], shape: readonly number[]): number {
    return this.graph.emit(this.node, op, inputs, shape);
  }

  /** Defines output o as a view. */
  set(view: View, o = 0): void {
    const name = this.node.outputs[o];
    if (name) this.graph.values.set(name, { view });
  }

  /** Defines output o as a stored tensor in ONNX order. */
  setPlain(id: number, o = 0): void {
    this.set({ id, perm: identity(this.graph.stored(id).length), shape: null }, o);
  }

  /** Defines output 0 as the NHWC image `id`, of ONNX rank 4 or 3. */
  setImage(id: number, rank: number): void {
    const [n, , l, ch] = this.graph.stored(id);
    if (rank === 4) this.set({ id, perm: NHWC, shape: null });
    else this.set({ id: this.graph.reshape(this.node, id, [n!, l!, ch!]), perm: NLC, shape: null });
  }

  /** Defines output 0 as a constant. */
  setConstant(tensor: OnnxTensor): void {
    this.graph.values.set(this.node.outputs[0]!, { constant: tensor });
  }
}
