/**
 * Quantizes a float graph: every tensor gets an integer type from its range, every node its integer form; from here on
 * there are only integers (spec/10-ops.md §12).
 * @module
 */
import type { Graph } from '../graph/ir.ts';
import { type Emit, EmitContext, type EmitScope, type Parts, type Quantized } from './emit/context.ts';
import * as elements from './emit/elementwise.ts';
import { emitAffine, emitConv2d, emitConvTranspose2d, emitDense, emitMatmul } from './emit/layers.ts';
import * as moves from './emit/moves.ts';
import { emitGroupNorm, emitLayerNorm } from './emit/norm.ts';
import { emitArg, emitAvgPool, emitMaxPool, emitReduce } from './emit/reduce.ts';
import * as sequence from './emit/sequence.ts';
import { emitClamp, emitLogSoftmax, emitQuant, emitSoftmax, emitUnary } from './emit/tables.ts';
import type { FloatGraph, FloatKind, FloatNode, FloatOp } from './float-graph.ts';
import { GraphWriter } from './graph-writer.ts';
import type { LayerStats } from './layer-stats.ts';
import type { Ranges } from './observe.ts';
import { isMove, planTypes, type Width } from './plan.ts';
import type { Rounding, WeightType } from './rounding.ts';
import { type LayerForms, type QType, type Range, toScale } from './scales.ts';

/**
 * How a model input is written: its type in the graph's reals, the scale it stores (in the caller's units), and whether
 * the caller's bytes are q + 128. A `free` input takes floats, so that its type may be wider. `index` inputs are i32 (or
 * bool) and have no scale.
 */
export type InputForm =
  | { readonly type: QType; readonly storedScale: number; readonly u8: boolean; readonly free?: boolean }
  | { readonly index: Range };

/** What quantization may choose. */
export interface QuantPolicy {
  /** Form of each model input, by position. */
  readonly inputs: readonly InputForm[];
  /** Tensors that get more than 8 bits, besides those that reach an output. */
  readonly widths?: ReadonlyMap<number, Width> | undefined;
  /** Statistics of the inputs of layers by output tensor, for weight rounding and bias correction. */
  readonly stats?: ReadonlyMap<number, LayerStats> | undefined;
  /** How weights are rounded; each to its nearest integer by default. */
  readonly rounding?: Rounding | undefined;
  /** Element type of the weights of dense layers and of convolutions without groups; i8 by default. */
  readonly weights?: WeightType | undefined;
  /** Layers and tables in two parts; none by default. */
  readonly parts?: Parts | undefined;
  /** What the weights of layers became before, with the same ranges, widths and kind of rounding; filled where it is empty. */
  readonly forms?: Map<number, LayerForms> | undefined;
}

/** One layer of the report: source node, kind, output type and observed range. */
export interface LayerReport {
  readonly name: string;
  readonly source: string;
  readonly kind: FloatKind;
  readonly dtype: QType['dtype'];
  readonly scale: number;
  readonly zp: number;
  readonly range: Range;
}

/** The integer graph and what became of each float node. */
export interface QuantizeResult {
  readonly graph: Graph;
  readonly layers: readonly LayerReport[];
  /** Type of every tensor of the float graph by id, as it was written. */
  readonly types: readonly (QType | undefined)[];
  /** Tensor of the integer graph that stands for each tensor of the float graph; undefined where none does. */
  readonly tensors: readonly (number | undefined)[];
  /** Nodes of the integer graph that each float node became, by position in both: first and one behind the last. */
  readonly became: readonly (readonly [first: number, end: number])[];
}

const EMITTERS: { readonly [K in FloatKind]: Emit<K> } = {
  conv2d: emitConv2d,
  conv_transpose2d: emitConvTranspose2d,
  dense: emitDense,
  matmul: emitMatmul,
  max_pool2d: emitMaxPool,
  avg_pool2d: emitAvgPool,
  reduce: emitReduce,
  arg: emitArg,
  linear: elements.emitLinear,
  mul: elements.emitMul,
  div: elements.emitDiv,
  extremum: elements.emitExtremum,
  compare: elements.emitCompare,
  logical: elements.emitLogical,
  where: elements.emitWhere,
  cast: elements.emitCast,
  affine: emitAffine,
  clamp: emitClamp,
  unary: emitUnary,
  quant: emitQuant,
  softmax: emitSoftmax,
  layer_norm: emitLayerNorm,
  group_norm: emitGroupNorm,
  lstm: sequence.emitLstm,
  gru: sequence.emitGru,
  cumsum: sequence.emitCumSum,
  topk: sequence.emitTopK,
  rope: sequence.emitRope,
  nms: sequence.emitNms,
  log_softmax: emitLogSoftmax,
  reshape: moves.emitReshape,
  transpose: moves.emitTranspose,
  concat: moves.emitConcat,
  slice: moves.emitSlice,
  gather: moves.emitGather,
  expand: moves.emitExpand,
  tile: moves.emitTile,
  depth_to_space: moves.emitDepthToSpace,
  space_to_depth: moves.emitSpaceToDepth,
  resize: moves.emitResize,
  pad: moves.emitPad,
  constant: moves.emitConstant,
};

/** Tables of one saturating function from which a shared one of 16 bits is smaller than one of 8 bits each. */
const SHARED_TABLES = 3;

/** What feeds a sigmoid or tanh, where there are many: in 16 bits they share one table. */
function tableOperands(graph: FloatGraph): number[] {
  const of = (fn: string): number[] =>
    graph.nodes.flatMap(({ op, inputs }) =>
      op.kind === 'unary' && op.fns[0]!.fn === fn && op.fns.length === 1 ? [inputs[0]!] : [],
    );
  return [of('sigmoid'), of('tanh')].filter((ids) => ids.length >= SHARED_TABLES).flat();
}

/** What a transformer carries in 16 bits: the stream that its normalisations read, and what its softmaxes weigh. */
function streams(graph: FloatGraph): number[] {
  return graph.nodes.flatMap(({ op, inputs }) => {
    if (op.kind === 'nms') return inputs; // overlaps and the order of scores are decisions
    return op.kind === 'layer_norm' || op.kind === 'softmax' ? [inputs[0]!] : [];
  });
}

/** True where more precision of what a node reads costs no arithmetic: its result has the operand's type, or sums of it. */
function passesWidth(node: FloatNode): boolean {
  const { op } = node;
  if (op.kind === 'unary') return op.fns.length === 1 && op.fns[0]!.fn === 'affine';
  return isMove(node) || op.kind === 'concat' || op.kind === 'linear';
}

/**
 * Tensors of 16 bits by default: the model's outputs, the streams of a transformer and what tables share, back through what
 * keeps a type. A sum passes its width on to operands that only sums and normalisations read.
 */
export function outputWidths(graph: FloatGraph): Map<number, Width> {
  const outputs = graph.outputs.map((o) => o.tensor);
  const wide = streams(graph);
  const widths = new Map<number, Width>([...outputs, ...tableOperands(graph), ...wide].map((id) => [id, 16]));
  const summed = new Set(wide);
  const heavy = new Set(
    graph.nodes.flatMap(({ op, inputs }) => (op.kind === 'linear' || op.kind === 'layer_norm' ? [] : inputs)),
  );
  for (const node of [...graph.nodes].reverse()) {
    if (!widths.has(node.output) || !passesWidth(node)) continue;
    const sum = node.op.kind === 'linear';
    if (sum && !summed.has(node.output)) continue;
    const moved = isMove(node) ? node.inputs.slice(0, 1) : node.inputs;
    for (const id of moved) {
      if (sum && heavy.has(id)) continue;
      widths.set(id, 16);
      if (summed.has(node.output)) summed.add(id);
    }
  }
  return widths;
}

function emitNode(scope: EmitScope, node: FloatNode): Quantized {
  const emit = EMITTERS[node.op.kind] as (c: EmitContext, op: FloatOp) => Quantized;
  return emit(new EmitContext(scope, node), node.op);
}

function declareInputs(scope: EmitScope, policy: QuantPolicy): void {
  const { graph, writer, tensors } = scope;
  graph.inputs.forEach((input, i) => {
    const form = policy.inputs[i]!;
    const { domain, dims } = graph.tensors[input.tensor]!;
    const shape = dims ?? graph.tensors[input.tensor]!.shape;
    if ('index' in form) {
      const type: QType = { ...scope.types[input.tensor]!, ...form.index };
      const decl =
        domain === 'bool' ? { dtype: 'bool' as const, lo: 0, hi: 1 } : { dtype: 'i32' as const, ...form.index };
      tensors[input.tensor] = { ref: writer.input({ name: input.name, shape, zp: 0, ...decl }), type };
      return;
    }
    const { dtype, zp, lo, hi } = form.type;
    const scale = toScale(form.storedScale);
    const ref = writer.input({ name: input.name, dtype, shape, zp, lo, hi, scale, ...(form.u8 ? { u8: true } : {}) });
    tensors[input.tensor] = { ref, type: form.type };
  });
}

/**
 * Quantizes `graph` with the observed `ranges`. Throws `ImportError` with node and op where a node has no exact proof or
 * no integer form.
 */
export function quantize(graph: FloatGraph, ranges: Ranges, policy: QuantPolicy): QuantizeResult {
  const inputs = policy.inputs.map((f) => ('index' in f ? undefined : f.type));
  const widths = new Map([...outputWidths(graph), ...(policy.widths ?? [])]);
  const types = planTypes(graph, ranges, { inputs, widths });
  const tensors = graph.tensors.map((): Quantized | undefined => undefined);
  const scope: EmitScope = {
    writer: new GraphWriter(),
    graph,
    ranges,
    types,
    tensors,
    stats: policy.stats ?? new Map(),
    rounding: policy.rounding ?? { fit: false, correct: false, fine: 0 },
    weights: policy.weights ?? 'i8',
    parts: policy.parts ?? { layers: new Set(), tables: new Set() },
    forms: policy.forms ?? new Map(),
  };
  declareInputs(scope, policy);
  const became: [number, number][] = [];
  const layers = graph.nodes.map((node): LayerReport => {
    const first = scope.writer.length;
    const result = emitNode(scope, node);
    became.push([first, scope.writer.length]);
    tensors[node.output] = result;
    const { dtype, scale, zp } = result.type;
    return { name: node.name, source: node.source, kind: node.op.kind, dtype, scale, zp, range: ranges[node.output]! };
  });
  const outputs = graph.outputs.map((o) => {
    const { ref, type } = tensors[o.tensor]!;
    const real = type.dtype === 'i8' || type.dtype === 'i16';
    const u8 = o.integers?.u8 && type.dtype === 'i8' ? { u8: true } : {};
    return { name: o.name, ref, ...(real ? { scale: toScale(type.scale) } : {}), ...u8 };
  });
  const ids = scope.writer.tensorIds(tensors.map((t) => t?.ref));
  return {
    graph: scope.writer.finish(outputs, graph.symbols),
    layers,
    types: tensors.map((t) => t?.type),
    tensors: ids,
    became,
  };
}
