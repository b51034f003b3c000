/**
 * What the lowering of one ONNX node sees: its attributes with defaults, its inputs as constants or views, and ways to
 * emit float operations. Every refusal names the node and its op.
 * @module
 */
import type { Domain, FloatOp } from '../../quant/float-graph.ts';
import { NodeReader } from '../node.ts';
import type { OnnxNode } from '../parse.ts';
import type { OnnxArray, OnnxDType } from '../tensor.ts';
import { domainOf, type GraphBuilder, identity, type Params, type Value, type View } from './builder.ts';

/** Lowers one ONNX op: emits float operations and defines the node's outputs. */
export type OpLowering = (c: LowerContext) => void;

const NHWC: readonly number[] = [0, 3, 1, 2];
const NLC: readonly number[] = [0, 2, 1];

/** One node on its way into the float graph. */
export class LowerContext extends NodeReader {
  readonly graph: GraphBuilder;

  constructor(graph: GraphBuilder, node: OnnxNode, opset: number) {
    super(node, opset);
    this.graph = graph;
  }

  /** The same place, for another node. */
  as(node: OnnxNode): LowerContext {
    return new LowerContext(this.graph, node, this.opset);
  }

  #value(i: number): Value {
    const name = this.node.inputs[i];
    if (!name) this.fail('BadGraph', `input ${i} is missing`);
    return this.graph.values.get(name) ?? this.fail('BadGraph', `input "${name}" is defined by no earlier node`);
  }

  /** Input i where it is given and a constant. */
  constant(i: number): OnnxArray | undefined {
    if (!this.given(i)) return undefined;
    const value = this.#value(i);
    return 'constant' in value ? value.constant : undefined;
  }

  /** Input i, which must be a constant of finite values. */
  weights(i: number, what: string): OnnxArray {
    const value = this.#value(i);
    if (!('constant' in value)) return this.fail('UnsupportedForm', `${what} must be a constant of the model`);
    if (!value.constant.data.every(Number.isFinite)) this.fail('NotFinite', `${what} holds NaN or infinity`);
    return value.constant;
  }

  /** Input i as a constant integer list, e.g. the shape of a Reshape. */
  intsInput(i: number, what: string): number[] {
    return [...this.weights(i, what).data];
  }

  /** As `intsInput`; undefined where the input is left out. */
  optionalInts(i: number, what: string): number[] | undefined {
    return this.given(i) ? this.intsInput(i, what) : undefined;
  }

  /** Shape of input i as the ONNX model sees it. */
  shape(i: number): readonly number[] {
    const value = this.#value(i);
    return 'constant' in value ? value.constant.shape : this.graph.shapeOf(value.view);
  }

  /** Element type of input i; undefined for reals, whose width is lost. */
  dtype(i: number): OnnxDType | undefined {
    const value = this.#value(i);
    if ('constant' in value) return value.constant.dtype;
    const domain = this.graph.domain(value.view.id);
    return domain === 'bool' ? 'bool' : domain === 'int' ? 'int64' : undefined;
  }

  /** What input i holds. */
  domain(i: number): Domain {
    const value = this.#value(i);
    return 'constant' in value ? domainOf(value.constant.dtype) : this.graph.domain(value.view.id);
  }

  /** Input i as a view; a constant becomes a tensor of the graph, infinities included. */
  view(i: number): View {
    const value = this.#value(i);
    if ('view' in value) return value.view;
    const { shape } = value.constant;
    return { id: this.graph.constant(this.node, value.constant), perm: identity(shape.length), shape: null };
  }

  /** Input i as a view without a reshape. */
  unshaped(i: number): View {
    return this.graph.unshaped(this.node, this.view(i));
  }

  /** Input i with its elements in ONNX order. */
  plain(i: number): number {
    return this.graph.plain(this.node, this.view(i));
  }

  /** A view whose stored last axis is ONNX axis `axis`, of the same ONNX value; never a reshaped one. */
  channelsLast(view: View, axis: number): View {
    const v = this.graph.unshaped(this.node, view);
    const last = v.perm[axis]!;
    const t = [...identity(v.perm.length).filter((p) => p !== last), last];
    return { id: this.graph.transpose(this.node, v.id, t), perm: v.perm.map((p) => t.indexOf(p)), shape: null };
  }

  /** Input i, an image [N,C,H,W] or signal [N,C,L], as a stored [N,H,W,C] (H = 1 for a signal). */
  image(i: number): number {
    const rank = this.shape(i).length;
    if (rank !== 3 && rank !== 4)
      this.fail('UnsupportedForm', `the input has rank ${rank}; ranks 3 and 4 are supported`);
    const id = this.graph.ordered(this.node, this.unshaped(i), rank === 4 ? [0, 2, 3, 1] : [0, 2, 1]);
    const [n, h, w] = this.graph.stored(id);
    return rank === 4 ? id : this.graph.reshape(this.node, id, [n!, 1, h!, w!]);
  }

  /** Emits an operation whose output is not yet an ONNX value; `domain` where it is not that of the first operand. */
  emit(op: FloatOp, inputs: readonly number[], shape: readonly number[], domain?: Domain): number {
    return this.graph.emit(this.node, op, inputs, shape, domain);
  }

  /** How the integers of input i stand for reals; undefined where it holds none that do. */
  params(i: number): Params | undefined {
    const value = this.given(i) ? this.#value(i) : undefined;
    return value && 'view' in value ? value.params : undefined;
  }

  /** Defines output o as a view; `params` where the source has integers there. */
  set(view: View, o = 0, params?: Params): void {
    const name = this.node.outputs[o];
    if (name) this.graph.values.set(name, { view, params });
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

  /** The view that output 0 is defined as so far. */
  result(): View {
    const value = this.graph.values.get(this.node.outputs[0] ?? '');
    return value && 'view' in value ? value.view : this.fail('BadGraph', 'the output is not defined');
  }

  /** Defines output o as a constant. */
  setConstant(array: OnnxArray, o = 0): void {
    const name = this.node.outputs[o];
    if (name) this.graph.values.set(name, { constant: array });
  }

  /** Refuses an output that is asked for beyond the first. */
  onlyOutput(what: string): void {
    if (this.node.outputs.slice(1).some((o) => o !== '' && this.graph.isRead(o)))
      this.fail('UnsupportedForm', `the output ${what} is not supported`);
  }
}
