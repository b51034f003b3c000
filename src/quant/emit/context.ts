/**
 * What the quantization of one float node sees: its operands as typed integer tensors, the planned types, and the writer.
 * @module
 */
import type { Dim } from '../../core/dim.ts';
import { type IMPORT_ERRORS, ImportError } from '../../onnx/errors.ts';
import type { Stage } from '../../ops/define.ts';
import type { FloatGraph, FloatKind, FloatNode, OpOf } from '../float-graph.ts';
import type { GraphWriter, Ref } from '../graph-writer.ts';
import type { LayerStats } from '../layer-stats.ts';
import type { Ranges } from '../observe.ts';
import type { Rounding, WeightType } from '../rounding.ts';
import { type LayerForms, LIMIT, multiplier, type QType, type Range, sameType, withLimits } from '../scales.ts';

/** An integer tensor with its type. */
export interface Quantized {
  readonly ref: Ref;
  readonly type: QType;
}

/** Quantizes one kind of float operation. */
export type Emit<K extends FloatKind> = (c: EmitContext, op: OpOf<K>) => Quantized;

/** Nodes in two parts, by output tensor: layers whose weights have 16 bits, and tables with finer nodes near zero. */
export interface Parts {
  readonly layers: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
}

/** What all nodes of one quantization share. */
export interface EmitScope {
  readonly writer: GraphWriter;
  readonly graph: FloatGraph;
  readonly ranges: Ranges;
  /** Planned type of every tensor by id. */
  readonly types: readonly (QType | undefined)[];
  /** What each tensor became, by id. */
  readonly tensors: (Quantized | undefined)[];
  /** Statistics of the inputs of layers, by the layer's output tensor. */
  readonly stats: ReadonlyMap<number, LayerStats>;
  /** How weights are rounded. */
  readonly rounding: Rounding;
  /** Element type of the weights of layers that can have either. */
  readonly weights: WeightType;
  /** Which layers and tables come in two parts. */
  readonly parts: Parts;
  /** What each layer's weights may become, by output tensor. */
  readonly forms: Map<number, LayerForms>;
}

/** One float node on its way into the integer graph. */
export class EmitContext {
  readonly scope: EmitScope;
  readonly node: FloatNode;

  constructor(scope: EmitScope, node: FloatNode) {
    this.scope = scope;
    this.node = node;
  }

  /** Where nodes are written. */
  get writer(): GraphWriter {
    return this.scope.writer;
  }

  /** Throws an `ImportError` that names the source node. */
  fail(code: keyof typeof IMPORT_ERRORS, message: string, hint?: string): never {
    throw new ImportError(code, message, { node: this.node.name, op: this.node.source }, hint);
  }

  /** Operand i. */
  input(i = 0): Quantized {
    return (
      this.scope.tensors[this.node.inputs[i]!] ??
      this.fail('BadGraph', `operand ${i} is integer data that this op cannot take`)
    );
  }

  /** Operand i, which must stand for reals. */
  real(i = 0): Quantized {
    const x = this.input(i);
    if (x.type.dtype === 'i32' || x.type.dtype === 'bool')
      this.fail('UnsupportedForm', 'the op has no integer form for integer data');
    return x;
  }

  /** Operand i in a given type: as it is, or rescaled. */
  inputAs(i: number, type: QType): Quantized {
    return this.as(this.input(i), type);
  }

  /** x in a given type: as it is, or rescaled. */
  as(x: Quantized, type: QType): Quantized {
    return sameType(x.type, type) ? x : this.rescaled(x, type);
  }

  /** Attributes of the rescale of x into `type`. */
  #rescale(x: Quantized, type: QType): { readonly stage: Stage } {
    if (type.dtype !== 'i8' && type.dtype !== 'i16')
      return this.fail('UnsupportedForm', 'integer data cannot be rescaled');
    const { m, l } = multiplier(x.type.scale / type.scale);
    if (l > 24 || reach(x.type) * 2 ** l >= LIMIT)
      this.fail('UnsupportedForm', 'the ranges of its operands are too far apart');
    return { stage: { m: Int32Array.of(m), l, ...output(type) } };
  }

  /** x rescaled into `type`. */
  rescaled(x: Quantized, type: QType): Quantized {
    return { ref: this.writer.node('rescale', [x.ref], this.#rescale(x, type)), type };
  }

  /** As `as`, for an operand that several nodes take in the same type. */
  shared(x: Quantized, type: QType): Quantized {
    if (sameType(x.type, type)) return x;
    return { ref: this.writer.output('rescale', [x.ref], this.#rescale(x, type), 1, 0), type };
  }

  /** True where the source model gives the output's type. */
  get pinned(): boolean {
    return this.scope.graph.tensors[this.node.output]!.pin !== undefined;
  }

  /** Float range of operand i. */
  inputRange(i = 0): Range {
    return this.scope.ranges[this.node.inputs[i]!]!;
  }

  /** Shape of operand i. */
  inputShape(i = 0): readonly number[] {
    return this.scope.graph.tensors[this.node.inputs[i]!]!.shape;
  }

  /** Float range of the output. */
  get range(): Range {
    return this.scope.ranges[this.node.output]!;
  }

  /** Shape of the output. */
  get shape(): readonly number[] {
    return this.scope.graph.tensors[this.node.output]!.shape;
  }

  /** Shape of the output in the model's symbols. */
  get dims(): readonly Dim[] {
    const { shape, dims } = this.scope.graph.tensors[this.node.output]!;
    return dims ?? shape;
  }

  /** Shape of operand i in the model's symbols. */
  inputDims(i = 0): readonly Dim[] {
    const { shape, dims } = this.scope.graph.tensors[this.node.inputs[i]!]!;
    return dims ?? shape;
  }

  /** The first `dims` of a constant along every axis; the constant itself where it has that shape. */
  sized(ref: Ref, dims: readonly Dim[]): Ref {
    if (dims.every((d) => typeof d === 'number')) return ref;
    const [start, step] = [dims.map(() => 0), dims.map(() => 1)];
    return this.writer.node('slice', [ref], { start, step, size: dims });
  }

  /** Planned type of the output, `limits` folded into lo and hi. */
  outputType(limits?: Range): QType {
    const type = this.scope.types[this.node.output] ?? this.fail('BadGraph', 'the output has no type');
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
export function output(type: QType): { dtype: QType['dtype']; zp: number; lo: number; hi: number } {
  return { dtype: type.dtype, zp: type.zp, lo: type.lo, hi: type.hi };
}
