/**
 * Expansions: ONNX ops that are other ONNX ops in other words. The float interpreter and the lowering both read the nodes
 * that an expansion gives in place of its own.
 * @module
 */
import { NodeReader } from '../node.ts';
import type { OnnxAttribute, OnnxNode } from '../parse.ts';
import type { OnnxArray, OnnxDType } from '../tensor.ts';

/** Opset that the nodes of expansions are written in. */
export const EXPANDED_OPSET = 22;

/** What an expansion may ask of its operands. */
export interface Operands {
  /** Shape of operand i. */
  shape(i: number): readonly number[];
  /** Operand i where it is a constant. */
  constant(i: number): OnnxArray | undefined;
  /** Element type of operand i; undefined where only its domain is known. */
  dtype(i: number): OnnxDType | undefined;
}

/** Expands one op: adds nodes that define the outputs of its own. */
export type Expand = (e: Expansion) => void;

/** Attributes of an added node: whole numbers are ints, `{ float }` is a float. */
export type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

function attribute(v: Attributes[string]): OnnxAttribute {
  if (typeof v === 'number') return { type: 'int', value: v };
  if (typeof v === 'string') return { type: 'string', value: v };
  return 'float' in v ? { type: 'float', value: v.float } : { type: 'ints', value: v };
}

/** One node on its way into others. */
export class Expansion extends NodeReader {
  readonly nodes: OnnxNode[] = [];
  readonly constants: Map<string, OnnxArray> = new Map();
  readonly #operands: Operands;

  constructor(node: OnnxNode, opset: number, operands: Operands) {
    super(node, opset);
    this.#operands = operands;
  }

  /** Name of input i. */
  input(i: number): string {
    return this.given(i) ? this.node.inputs[i]! : this.fail('BadGraph', `input ${i} is missing`);
  }

  /** Shape of input i. */
  shape(i: number): readonly number[] {
    this.input(i);
    return this.#operands.shape(i);
  }

  /** Element type of input i; undefined where only its domain is known. */
  dtype(i: number): OnnxDType | undefined {
    return this.#operands.dtype(i);
  }

  /** Input i where it is given and a constant. */
  constant(i: number): OnnxArray | undefined {
    return this.given(i) ? this.#operands.constant(i) : undefined;
  }

  /** Input i, which must be a constant. */
  fixed(i: number, what: string): OnnxArray {
    return this.constant(i) ?? this.fail('UnsupportedForm', `${what} must be a constant of the model`);
  }

  /** True where output o is asked for. */
  wanted(o: number): boolean {
    return (this.node.outputs[o] ?? '') !== '';
  }

  #fresh(): string {
    const own = this.node.outputs.find((o) => o !== '') ?? this.node.name;
    return `${own}/${this.nodes.length + this.constants.size}`;
  }

  /** A constant as an input name. */
  array(array: OnnxArray): string {
    const name = this.#fresh();
    this.constants.set(name, array);
    return name;
  }

  /** A constant of floats as an input name; a number is a scalar. */
  real(values: number | ArrayLike<number>, shape?: readonly number[]): string {
    const data = typeof values === 'number' ? Float64Array.of(values) : Float64Array.from(values);
    return this.array({ dtype: 'float32', shape: shape ?? (typeof values === 'number' ? [] : [data.length]), data });
  }

  /** A constant of 64-bit integers as an input name; a number is a scalar. */
  whole(values: number | readonly number[], shape?: readonly number[]): string {
    const data = typeof values === 'number' ? Float64Array.of(values) : Float64Array.from(values);
    return this.array({ dtype: 'int64', shape: shape ?? (typeof values === 'number' ? [] : [data.length]), data });
  }

  /** Adds a node of the ONNX domain and gives its first output; an input '' is left out. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const out = this.#fresh();
    this.#add(op, inputs, [out], attributes);
    return out;
  }

  /** As `op`, giving the first `count` outputs. */
  ops(op: string, inputs: readonly string[], count: number): string[] {
    const first = this.#fresh();
    const outputs = Array.from({ length: count }, (_, i) => `${first}:${i}`);
    this.#add(op, inputs, outputs, {});
    return outputs;
  }

  /** As `op`, with the attributes of this node but for those to `drop`. */
  like(op: string, inputs: readonly string[], drop: readonly string[] = []): string {
    const out = this.#fresh();
    const attributes = new Map([...this.node.attributes].filter(([name]) => !drop.includes(name)));
    this.nodes.push({ name: this.node.name, op, domain: '', inputs, outputs: [out], attributes });
    return out;
  }

  /** Adds a node of the ONNX domain that defines every output, with the attributes of this node. */
  become(op: string, inputs: readonly string[]): void {
    const { name, outputs, attributes } = this.node;
    this.nodes.push({ name, op, domain: '', inputs, outputs, attributes });
  }

  /** Adds a node that defines output o; nothing where it is not asked for. */
  give(o: number, op: string, inputs: readonly string[], attributes: Attributes = {}): void {
    if (this.wanted(o)) this.#add(op, inputs, [this.node.outputs[o]!], attributes);
  }

  #add(op: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes): void {
    const own = new Map(Object.entries(attributes).map(([k, v]) => [k, attribute(v)]));
    this.nodes.push({ name: this.node.name, op, domain: '', inputs, outputs, attributes: own });
  }

  /** Output o is the value `name`. */
  set(o: number, name: string): void {
    this.give(o, 'Identity', [name]);
  }

  /** `name` in another shape. */
  reshape(name: string, shape: readonly number[]): string {
    return this.op('Reshape', [name, this.whole(shape)], { allowzero: 1 });
  }
}
