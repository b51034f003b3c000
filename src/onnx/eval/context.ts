/**
 * What the evaluation of one ONNX node sees: its attributes and its inputs as arrays. An op gives its outputs in order.
 * @module
 */
import { broadcastShapes } from '../array.ts';
import { NodeReader } from '../node.ts';
import type { OnnxNode } from '../parse.ts';
import type { OnnxArray } from '../tensor.ts';

/** Evaluates one ONNX op: its output, or its outputs in order. */
export type EvalOp = (c: EvalContext) => OnnxArray | readonly OnnxArray[];

/** One node and its operands. */
export class EvalContext extends NodeReader {
  readonly inputs: readonly (OnnxArray | undefined)[];

  constructor(node: OnnxNode, opset: number, inputs: readonly (OnnxArray | undefined)[]) {
    super(node, opset);
    this.inputs = inputs;
  }

  /** Input i. */
  get(i: number): OnnxArray {
    return this.inputs[i] ?? this.fail('BadGraph', `input ${i} is missing`);
  }

  /** All inputs, none of which may be left out. */
  all(): OnnxArray[] {
    return this.node.inputs.map((_, i) => this.get(i));
  }

  /** Elements of input i as a list, e.g. axes. */
  numbers(i: number): number[] {
    return [...this.get(i).data];
  }

  /** The one element of input i. */
  scalar(i: number): number {
    const x = this.get(i);
    if (x.data.length !== 1) this.fail('BadGraph', `input ${i} has ${x.data.length} elements instead of 1`);
    return x.data[0]!;
  }

  /** Axes from input i (where `since` or later) or the attribute `axes`; undefined where neither is given. */
  axes(i: number, since: number): readonly number[] | undefined {
    if (this.opset >= since) return this.inputs[i] ? this.numbers(i) : undefined;
    return this.list('axes');
  }

  /** NumPy broadcast of shapes. */
  broadcast(...shapes: readonly (readonly number[])[]): number[] {
    return (
      broadcastShapes(shapes) ??
      this.fail('BadGraph', `shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`)
    );
  }
}
