/**
 * What the quantization of one float node sees: its operands as typed integer tensors, the ranges, and the writer.
 * @module
 */
import { type IMPORT_ERRORS, ImportError } from '../../onnx/errors.ts';
import type { FloatGraph, FloatKind, FloatNode, FloatOp, Limits } from '../float-graph.ts';
import type { GraphWriter, Ref } from '../graph-writer.ts';
import type { Ranges } from '../observe.ts';
import { i8Type, i16Type, type QType, type Range, withLimits } from '../scales.ts';

/** How wide i16 types are made beyond the observed range: values outside calibration do not saturate. */
export const HEADROOM = 2;

/** An integer tensor with its type. */
export interface Quantized {
  readonly ref: Ref;
  readonly type: QType;
}

/** Quantizes one kind of float operation. */
export type Emit<K extends FloatKind> = (c: EmitContext, op: Extract<FloatOp, { kind: K }>) => Quantized;

/** One float node on its way into the integer graph. */
export class EmitContext {
  readonly writer: GraphWriter;
  readonly graph: FloatGraph;
  readonly node: FloatNode;
  /** True where the output shall be i16: it reaches a model output or feeds a table or softmax that does. */
  readonly wide: boolean;
  readonly #ranges: Ranges;
  readonly #tensors: readonly (Quantized | undefined)[];

  constructor(
    writer: GraphWriter,
    graph: FloatGraph,
    node: FloatNode,
    wide: boolean,
    ranges: Ranges,
    tensors: readonly (Quantized | undefined)[],
  ) {
    this.writer = writer;
    this.graph = graph;
    this.node = node;
    this.wide = wide;
    this.#ranges = ranges;
    this.#tensors = tensors;
  }

  /** Throws an `ImportError` that names the source node. */
  fail(code: keyof typeof IMPORT_ERRORS, message: string, hint?: string): never {
    throw new ImportError(code, message, { node: this.node.name, op: this.node.source }, hint);
  }

  /** Operand i. */
  input(i = 0): Quantized {
    return (
      this.#tensors[this.node.inputs[i]!] ??
      this.fail('BadGraph', `operand ${i} is integer data that this op cannot take`)
    );
  }

  /** Float range of operand i. */
  inputRange(i = 0): Range {
    return this.#ranges[this.node.inputs[i]!]!;
  }

  /** Shape of operand i. */
  inputShape(i = 0): readonly number[] {
    return this.graph.tensors[this.node.inputs[i]!]!.shape;
  }

  /** Float range of the output. */
  get range(): Range {
    return this.#ranges[this.node.output]!;
  }

  /** Shape of the output. */
  get shape(): readonly number[] {
    return this.graph.tensors[this.node.output]!.shape;
  }

  /** Type of the output from its range: i16 where wide, else asymmetric i8; `limits` fold into lo and hi. */
  outputType(limits?: Limits): QType {
    const type = this.wide ? i16Type(this.range, HEADROOM) : i8Type(this.range);
    return limits ? withLimits(type, limits) : type;
  }
}

/** Interval of x − zp of a type. */
export function centred(type: QType): Range {
  return { lo: type.lo - type.zp, hi: type.hi - type.zp };
}

/** Largest |x − zp| of a type. */
export function reach(type: QType): number {
  return Math.max(Math.abs(type.lo - type.zp), Math.abs(type.hi - type.zp));
}

/** The fields of an output record. */
export function output(type: QType): { dtype: 'i8' | 'i16'; zp: number; lo: number; hi: number } {
  return { dtype: type.dtype, zp: type.zp, lo: type.lo, hi: type.hi };
}
