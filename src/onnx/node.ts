/**
 * Reading an ONNX node: its attributes with defaults, and refusals that name the node and its op.
 * @module
 */
import { type IMPORT_ERRORS, ImportError } from './errors.ts';
import type { OnnxAttribute, OnnxNode } from './parse.ts';
import type { OnnxTensor } from './tensor.ts';

/** One node with the opset its ops are read by. */
export class NodeReader {
  readonly node: OnnxNode;
  readonly opset: number;

  constructor(node: OnnxNode, opset: number) {
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

  /** True where the attribute is present. */
  has(name: string): boolean {
    return this.node.attributes.has(name);
  }

  /** True where the optional input i is given. */
  given(i: number): boolean {
    return (this.node.inputs[i] ?? '') !== '';
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

  /** A list of strings, or of floats, as the file has it; undefined where it is absent. */
  strings(name: string): readonly string[] | undefined {
    const a = this.node.attributes.get(name);
    return !a ? undefined : a.type === 'strings' ? a.value : this.#wrongType(name, a, 'strings');
  }

  /** A list of floats; undefined where it is absent. */
  floats(name: string): readonly number[] | undefined {
    const a = this.node.attributes.get(name);
    return !a ? undefined : a.type === 'floats' ? a.value : this.#wrongType(name, a, 'floats');
  }

  /** A list of integers of any length; undefined where it is absent. */
  list(name: string): readonly number[] | undefined {
    const a = this.node.attributes.get(name);
    return !a ? undefined : a.type === 'ints' ? a.value : this.#wrongType(name, a, 'ints');
  }

  /** A list of integers of a given length. */
  ints(name: string, fallback: readonly number[]): readonly number[] {
    const value = this.list(name) ?? fallback;
    if (value.length !== fallback.length)
      this.fail('BadGraph', `attribute ${name} has ${value.length} entries instead of ${fallback.length}`);
    return value;
  }

  /** A tensor attribute; undefined where it is absent. */
  tensor(name: string): OnnxTensor | undefined {
    const a = this.node.attributes.get(name);
    return !a ? undefined : a.type === 'tensor' ? a.value : this.#wrongType(name, a, 'tensor');
  }

  /** `axis` of a tensor of `rank` made non-negative; refused outside −rank…rank−1. */
  axisIn(axis: number, rank: number): number {
    const a = axis < 0 ? axis + rank : axis;
    if (!(a >= 0 && a < rank)) this.fail('BadGraph', `axis ${axis} is outside rank ${rank}`);
    return a;
  }

  /** Axes made non-negative, each at most once. */
  axesIn(axes: readonly number[], rank: number): number[] {
    const out = axes.map((a) => this.axisIn(a, rank));
    if (new Set(out).size !== out.length) this.fail('BadGraph', `axes [${axes}] repeat an axis`);
    return out;
  }
}
