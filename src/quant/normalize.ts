/**
 * Input normalisation (x − mean)/std, folded into the model so that it takes raw values: into the input's scale and zero
 * point where one mean and one deviation serve all channels, else into the first convolution or an affine
 * (spec/10-ops.md §12, "u8 images").
 * @module
 */
import { addDim } from '../core/dim.ts';
import { ImportError } from '../onnx/errors.ts';
import type { AffineOp, Conv2d, FloatGraph, FloatNode } from './float-graph.ts';

/** Normalisation of an input: one value, or one a channel (the graph's last axis). */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * What the graph's input r holds after folding: r = (raw − zero)·scale in the caller's raw units, and
 * (raw − mean)/std = r·factor + shift per channel.
 */
export interface FoldedInput {
  readonly graph: FloatGraph;
  readonly zero: number;
  readonly scale: number;
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

/** One value where all are equal, else one a channel. */
function perChannel(v: readonly number[], channels: number, what: string): Float64Array {
  if (v.length !== 1 && v.length !== channels)
    throw new ImportError('BadOption', `${what} has ${v.length} values`, {
      expected: `1 or ${channels}`,
      actual: `${v.length}`,
    });
  return Float64Array.from({ length: channels }, (_, i) => v[v.length === 1 ? 0 : i]!);
}

/** Conv after x·scale + shift per input channel: w·scale, b + Σ w·shift. Exact where the shift is 0 or there are no pads. */
function foldIntoConv(op: Conv2d, scale: Float64Array, shift: Float64Array): Conv2d {
  const rows = op.bias.length;
  const k = op.weight.length / rows;
  const cg = k / (op.kernel[0] * op.kernel[1]);
  const perGroup = rows / op.groups;
  const weight = new Float64Array(op.weight.length);
  const bias = op.bias.slice();
  for (let o = 0; o < rows; o++)
    for (let i = 0; i < k; i++) {
      const channel = Math.floor(o / perGroup) * cg + (i % cg);
      weight[o * k + i] = op.weight[o * k + i]! * scale[channel]!;
      bias[o]! += op.weight[o * k + i]! * shift[channel]!;
    }
  return { ...op, weight, bias };
}

/** The raw value per channel that normalises to 0, which padding must hold. */
function zeroPoint(scale: Float64Array, shift: Float64Array): Float64Array {
  return scale.map((s, c) => -shift[c]! / s);
}

/** Puts x·scale + shift behind input `id`: into its only consumer, a convolution, or as a node of its own. */
function insertAffine(graph: FloatGraph, id: number, scale: Float64Array, shift: Float64Array): FloatGraph {
  const users = graph.nodes.filter((n) => n.inputs.includes(id));
  const { shape, dims } = graph.tensors[id]!;
  const only = users.length === 1 && !graph.outputs.some((o) => o.tensor === id) ? users[0]! : undefined;
  const affine: AffineOp = { kind: 'affine', scale, shift };
  const fresh = graph.tensors.length;
  const from = { name: 'input', source: 'normalisation' };
  const redirect = (n: FloatNode): FloatNode => ({ ...n, inputs: n.inputs.map((i) => (i === id ? fresh : i)) });
  if (only?.op.kind !== 'conv2d') {
    const tensors = [...graph.tensors, { id: fresh, name: 'normalised', shape, dims, domain: 'real' as const }];
    return {
      ...graph,
      tensors,
      nodes: [{ op: affine, inputs: [id], output: fresh, ...from }, ...graph.nodes.map(redirect)],
    };
  }
  const conv = foldIntoConv(only.op, scale, shift);
  const [pt, pl, pb, pr] = conv.pads;
  if (conv.pads.every((p) => p === 0) || shift.every((v) => v === 0))
    return { ...graph, nodes: graph.nodes.map((n) => (n === only ? { ...n, op: conv } : n)) };
  const padded = [shape[0]!, shape[1]! + pt + pb, shape[2]! + pl + pr, shape[3]!];
  const pad = {
    kind: 'pad',
    mode: 'constant',
    before: [0, pt, pl, 0],
    after: [0, pb, pr, 0],
    value: zeroPoint(scale, shift),
  } as const;
  const unpadded: Conv2d = { ...conv, pads: [0, 0, 0, 0] };
  const nodes = graph.nodes.flatMap((n) =>
    n === only ? [{ op: pad, inputs: [id], output: fresh, ...from }, redirect({ ...n, op: unpadded })] : [n],
  );
  return {
    ...graph,
    tensors: [
      ...graph.tensors,
      {
        id: fresh,
        name: 'padded',
        shape: padded,
        dims: dims?.map((d, i) => addDim(d, padded[i]! - shape[i]!)),
        domain: 'real',
      },
    ],
    nodes,
  };
}

/**
 * Folds (raw − mean)/std behind input `index`, so that the graph takes raw values. `least`…`greatest` are the raw integers
 * (0…255 for u8): one whole mean among them becomes the zero point, one deviation the scale; what is left goes into the
 * graph. Throws `ImportError` BadOption on a deviation that is not positive or a wrong number of values.
 */
export function foldNormalization(
  graph: FloatGraph,
  index: number,
  n: Normalization,
  least: number,
  greatest: number,
): FoldedInput {
  const id = graph.inputs[index]!.tensor;
  const channels = graph.tensors[id]!.shape.at(-1) ?? 1;
  const mean = perChannel(n.mean, channels, '--mean');
  const std = perChannel(n.std, channels, '--std');
  if (!std.every((s) => s > 0 && Number.isFinite(1 / s)) || !mean.every(Number.isFinite))
    throw new ImportError('BadOption', '--std must be positive and --mean finite');
  const first = mean[0]!;
  const one = mean.every((m) => m === first) && Number.isInteger(first) && first >= least && first <= greatest;
  const zero = one ? first : 0;
  const scale = std.every((s) => s === std[0]) ? 1 / std[0]! : 1;
  const factor = std.map((s) => (scale === 1 ? 1 / s : 1));
  const shift = mean.map((m, c) => (zero - m) / std[c]!);
  if (factor.every((f) => f === 1) && shift.every((v) => v === 0)) return { graph, zero, scale, factor, shift };
  return { graph: insertAffine(graph, id, factor, shift), zero, scale, factor, shift };
}
