/**
 * Quantizes a float graph: every tensor gets an integer type from its range, every node its integer form; from here on
 * there are only integers (spec/10-ops.md §12).
 * @module
 */
import type { Graph } from '../graph/ir.ts';
import { type Emit, EmitContext, type Quantized } from './emit/context.ts';
import { emitAffine, emitConv2d, emitDense } from './emit/layers.ts';
import {
  emitAvgPool,
  emitConstant,
  emitLinear,
  emitMaxPool,
  emitMean,
  emitPad,
  emitReshape,
  emitTranspose,
} from './emit/moves.ts';
import { emitClamp, emitSoftmax, emitUnary } from './emit/tables.ts';
import type { FloatGraph, FloatKind, FloatNode, FloatOp } from './float-graph.ts';
import { GraphWriter } from './graph-writer.ts';
import type { Ranges } from './observe.ts';
import { type QType, type Range, toScale } from './scales.ts';

/**
 * How a model input is written: its type in the graph's reals, the scale it stores (in the caller's units), and whether
 * the caller's bytes are q + 128. `index` inputs are i32 and have no type.
 */
export type InputForm =
  | { readonly type: QType; readonly storedScale: number; readonly u8: boolean }
  | { readonly index: Range };

/** What quantization may choose. `inputs`: the form of each model input, by position. */
export interface QuantPolicy {
  readonly inputs: readonly InputForm[];
}

/** One layer of the report: source node, kind, output type and observed range. */
export interface LayerReport {
  readonly name: string;
  readonly source: string;
  readonly kind: FloatKind;
  readonly dtype: 'i8' | 'i16';
  readonly scale: number;
  readonly zp: number;
  readonly range: Range;
}

/** The integer graph and what became of each float node. */
export interface QuantizeResult {
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
}

const EMITTERS: { readonly [K in FloatKind]: Emit<K> } = {
  conv2d: emitConv2d,
  dense: emitDense,
  max_pool2d: emitMaxPool,
  avg_pool2d: emitAvgPool,
  mean: emitMean,
  linear: emitLinear,
  affine: emitAffine,
  clamp: emitClamp,
  unary: emitUnary,
  softmax: emitSoftmax,
  reshape: emitReshape,
  transpose: emitTranspose,
  pad: emitPad,
  constant: emitConstant,
};

/** Kinds whose output has the type of their input. */
const SAME_TYPE: ReadonlySet<FloatKind> = new Set(['reshape', 'transpose', 'max_pool2d', 'pad']);
/** Kinds that profit from an i16 operand when their own output is i16. */
const TABLES: ReadonlySet<FloatKind> = new Set(['unary', 'clamp', 'softmax']);

/**
 * The tensors that become i16: model outputs, back through ops that keep the type, and what feeds a table or softmax
 * among them. More precision there costs nothing, and logits and regressions need it.
 */
function wideTensors(graph: FloatGraph): ReadonlySet<number> {
  const wide = new Set(graph.outputs.map((o) => o.tensor));
  for (const node of [...graph.nodes].reverse()) {
    if (!wide.has(node.output)) continue;
    if (SAME_TYPE.has(node.op.kind) || TABLES.has(node.op.kind)) wide.add(node.inputs[0]!);
  }
  return wide;
}

function emitNode(context: EmitContext, node: FloatNode): Quantized {
  const emit = EMITTERS[node.op.kind] as (c: EmitContext, op: FloatOp) => Quantized;
  return emit(context, node.op);
}

/**
 * Quantizes `graph` with the observed `ranges`. Throws `ImportError` with node and op where a node has no exact proof or
 * no integer form.
 */
export function quantize(graph: FloatGraph, ranges: Ranges, policy: QuantPolicy): QuantizeResult {
  const writer = new GraphWriter();
  const tensors: (Quantized | undefined)[] = graph.tensors.map(() => undefined);
  graph.inputs.forEach((input, i) => {
    const form = policy.inputs[i]!;
    const { shape } = graph.tensors[input.tensor]!;
    if ('index' in form) {
      writer.input({ name: input.name, dtype: 'i32', shape, zp: 0, ...form.index });
      return;
    }
    const { dtype, zp, lo, hi } = form.type;
    const scale = toScale(form.storedScale);
    const ref = writer.input({ name: input.name, dtype, shape, zp, lo, hi, scale, ...(form.u8 ? { u8: true } : {}) });
    tensors[input.tensor] = { ref, type: form.type };
  });
  const wide = wideTensors(graph);
  const layers = graph.nodes.map((node): LayerReport => {
    const context = new EmitContext(writer, graph, node, wide.has(node.output), ranges, tensors);
    const result = emitNode(context, node);
    tensors[node.output] = result;
    const { dtype, scale, zp } = result.type;
    return { name: node.name, source: node.source, kind: node.op.kind, dtype, scale, zp, range: ranges[node.output]! };
  });
  const outputs = graph.outputs.map((o) => {
    const { ref, type } = tensors[o.tensor]!;
    return { name: o.name, ref, scale: toScale(type.scale) };
  });
  return { graph: writer.finish(outputs), layers };
}
