/**
 * Moves scale between layers, channel by channel, where that lowers the error of 8 bits: a channel of small values grows and
 * the weights that read it shrink. Between convolutions it is known as cross-layer equalisation, behind a normalisation as
 * SmoothQuant. How far to go is chosen per tensor by the error that the observed values predict.
 * @module
 */
import type { ChannelStats } from './channels.ts';
import type { Conv2d, Dense, FloatGraph, FloatNode } from './float-graph.ts';
import type { LayerStats } from './layer-stats.ts';
import type { Ranges } from './observe.ts';
import { isMove } from './plan.ts';
import type { Range } from './scales.ts';

/** What calibration learnt, for a graph and its equalised form alike. */
export interface Calibration {
  readonly graph: FloatGraph;
  readonly ranges: Ranges;
  readonly stats: ReadonlyMap<number, LayerStats>;
  readonly channels: ReadonlyMap<number, ChannelStats>;
}

/** A tensor whose channels were scaled: the node that makes it, and by how many dB the predicted error fell. */
export interface Equalised {
  readonly name: string;
  readonly source: string;
  readonly gain: number;
}

/** Shares of a channel's range that its scale takes; the rest of it is the weights'. */
const SHARES: readonly number[] = [0.25, 0.5, 0.75, 1];
/** Least fall of the predicted error that is worth a change, in dB. */
const LEAST_GAIN = 0.5;

type Layer = Conv2d | Dense;

function isLayer(node: FloatNode): node is FloatNode & { readonly op: Layer } {
  return node.op.kind === 'conv2d' || node.op.kind === 'dense';
}

/** v^share from square roots alone, so that every engine agrees. */
function power(v: number, share: number): number {
  if (share === 1) return v;
  const half = Math.sqrt(v);
  const quarter = Math.sqrt(half);
  return share === 0.5 ? half : share === 0.25 ? quarter : half * quarter;
}

/** Channel of the input that weight i of row o reads. */
function channelOf(op: Layer, o: number, i: number): number {
  if (op.kind === 'dense') return i;
  const cg = op.weight.length / op.bias.length / (op.kernel[0] * op.kernel[1]);
  return Math.floor(o / (op.bias.length / op.groups)) * cg + (i % cg);
}

/** True where scaling channels before the node scales them behind it, by the same factors. */
function passes({ op, inputs }: FloatNode): boolean {
  if (inputs.length !== 1) return false;
  if (op.kind === 'unary') return op.fns.every((f) => f.fn === 'leaky_relu');
  return op.kind === 'avg_pool2d' || op.kind === 'max_pool2d' || op.kind === 'resize';
}

/** True where the factors of a node's outputs can be scaled. */
function scalable({ op }: FloatNode): boolean {
  if (op.kind === 'layer_norm') return true;
  if (op.kind !== 'conv2d' && op.kind !== 'dense') return false;
  return !op.steps && (op.lo === 0 || op.lo === Number.NEGATIVE_INFINITY) && op.hi === Number.POSITIVE_INFINITY;
}

/** A run of tensors from the node that makes the first to the layers that read the last. */
interface Path {
  readonly maker: FloatNode;
  readonly tensors: readonly number[];
  readonly readers: readonly (FloatNode & { readonly op: Layer })[];
}

function pathFrom(
  graph: FloatGraph,
  readers: ReadonlyMap<number, readonly FloatNode[]>,
  maker: FloatNode,
): Path | undefined {
  const outputs = new Set(graph.outputs.map((o) => o.tensor));
  const tensors: number[] = [];
  for (let at = maker.output; ; ) {
    if (outputs.has(at) || graph.tensors[at]!.pin) return undefined;
    tensors.push(at);
    const own = readers.get(at) ?? [];
    if (own.length === 1 && passes(own[0]!)) at = own[0]!.output;
    else if (own.length > 0 && own.every(isLayer) && own.every((n) => !(n.op as Layer).steps))
      return { maker, tensors, readers: own as Path['readers'] };
    else return undefined;
  }
}

/** Predicted error power behind the readers where the path's channels are divided by `s`: that of values, and of weights. */
function predicted(path: Path, c: ChannelStats, s: Float64Array): number {
  let [lo, hi] = [0, 0];
  for (let i = 0; i < s.length; i++) {
    lo = Math.min(lo, c.lo[i]! / s[i]!);
    hi = Math.max(hi, c.hi[i]! / s[i]!);
  }
  const step = (hi - lo) / 255;
  let error = 0;
  for (const { op } of path.readers) {
    const rows = op.bias.length;
    const k = op.weight.length / rows;
    for (let o = 0; o < rows; o++) {
      let [most, squares, power2] = [0, 0, 0];
      for (let i = 0; i < k; i++) {
        const ch = channelOf(op, o, i);
        const w = op.weight[o * k + i]! * s[ch]!;
        most = Math.max(most, Math.abs(w));
        squares += w * w;
        power2 += c.square[ch]! / (s[ch]! * s[ch]!);
      }
      const weightStep = most / 127;
      error += (step * step * squares + weightStep * weightStep * power2) / 12;
    }
  }
  return error;
}

/** Greatest |weight| that reads each channel. */
function weightReach(path: Path, channels: number): Float64Array {
  const out = new Float64Array(channels);
  for (const { op } of path.readers) {
    const k = op.weight.length / op.bias.length;
    for (let j = 0; j < op.weight.length; j++) {
      const ch = channelOf(op, Math.floor(j / k), j % k);
      out[ch] = Math.max(out[ch]!, Math.abs(op.weight[j]!));
    }
  }
  return out;
}

/** The divisors of the channels with the least predicted error, and how far it falls; undefined where it hardly does. */
function bestScales(path: Path, c: ChannelStats): { s: Float64Array; gain: number } | undefined {
  const n = c.lo.length;
  const reach = c.lo.map((v, i) => Math.max(Math.abs(v), Math.abs(c.hi[i]!)));
  const weights = weightReach(path, n);
  const top = reach.reduce((a, b) => Math.max(a, b), 0);
  const heavy = weights.reduce((a, b) => Math.max(a, b), 0);
  if (!(top > 0 && heavy > 0)) return undefined;
  const now = predicted(path, c, new Float64Array(n).fill(1));
  let [best, least]: [Float64Array | undefined, number] = [undefined, now];
  for (const share of SHARES) {
    const s = reach.map((r, i) => {
      const own = Math.max(
        power(Math.max(r / top, 1e-4), share) / power(Math.max(weights[i]! / heavy, 1e-4), 1 - share),
        1e-3,
      );
      return Math.min(own, 1e3);
    });
    const error = predicted(path, c, s);
    if (error < least) [best, least] = [s, error];
  }
  const gain = now > 0 && least > 0 ? log10dB(now / least) : 0;
  return best && gain >= LEAST_GAIN ? { s: best, gain } : undefined;
}

/** 10·log10 to a hundredth, by halving: a figure for reports and one threshold. */
function log10dB(ratio: number): number {
  let [dB, r] = [0, ratio];
  while (r >= 1.2589254117941673) [dB, r] = [dB + 1, r / 1.2589254117941673];
  return dB + Math.floor(((r - 1) / 0.2589254117941673) * 100) / 100;
}

function scaledMaker({ op }: FloatNode, s: Float64Array): FloatNode['op'] {
  if (op.kind === 'layer_norm')
    return { ...op, gamma: op.gamma.map((v, i) => v / s[i]!), beta: op.beta.map((v, i) => v / s[i]!) };
  const layer = op as Layer;
  const k = layer.weight.length / layer.bias.length;
  return {
    ...layer,
    weight: layer.weight.map((w, i) => w / s[Math.floor(i / k)]!),
    bias: layer.bias.map((b, o) => b / s[o]!),
  };
}

function scaledReader(op: Layer, s: Float64Array): Layer {
  const k = op.weight.length / op.bias.length;
  return { ...op, weight: op.weight.map((w, i) => w * s[channelOf(op, Math.floor(i / k), i % k)]!) };
}

/** Moments of a reader's input vectors after its channels are divided. */
function scaledStats(op: Layer, stats: LayerStats, s: Float64Array): LayerStats {
  const perGroup = op.bias.length / stats.groups.length;
  const groups = stats.groups.map(({ mean, second }, g) => {
    const k = mean.length;
    const d = mean.map((_, i) => s[channelOf(op, g * perGroup, i)]!);
    return {
      mean: mean.map((v, i) => v / d[i]!),
      second: second.map((v, i) => v / (d[Math.floor(i / k)]! * d[i % k]!)),
    };
  });
  return { ...stats, groups };
}

function scaledChannels(c: ChannelStats, s: Float64Array): ChannelStats {
  return {
    lo: c.lo.map((v, i) => v / s[i]!),
    hi: c.hi.map((v, i) => v / s[i]!),
    square: c.square.map((v, i) => v / (s[i]! * s[i]!)),
  };
}

function rangeOf(c: ChannelStats): Range {
  return { lo: c.lo.reduce((a, b) => Math.min(a, b), 0), hi: c.hi.reduce((a, b) => Math.max(a, b), 0) };
}

/** Equalises every path that gains from it, in order; what it computes stays the same. */
export function equalise(from: Calibration): Calibration & { readonly equalised: readonly Equalised[] } {
  const { graph } = from;
  const nodes = [...graph.nodes];
  const ranges = [...from.ranges];
  const [stats, channels] = [new Map(from.stats), new Map(from.channels)];
  const equalised: Equalised[] = [];
  const place = new Map(nodes.map((n, i) => [n.output, i]));
  for (const { output } of graph.nodes) {
    const readers = new Map<number, FloatNode[]>();
    for (const n of nodes) for (const id of n.inputs) readers.set(id, [...(readers.get(id) ?? []), n]);
    const maker = nodes[place.get(output)!]!;
    const path = scalable(maker) && !isMove(maker) ? pathFrom(graph, readers, maker) : undefined;
    const own = path && channels.get(path.tensors.at(-1)!);
    const all = path?.tensors.every((id) => channels.get(id)?.lo.length === own?.lo.length);
    const found = path && own && all ? bestScales(path, own) : undefined;
    if (!path || !found) continue;
    const { s, gain } = found;
    nodes[place.get(output)!] = { ...maker, op: scaledMaker(maker, s) };
    for (const reader of path.readers) {
      const at = place.get(reader.output)!;
      const layer = nodes[at]!.op as Layer;
      nodes[at] = { ...nodes[at]!, op: scaledReader(layer, s) };
      const moments = stats.get(reader.output);
      if (moments) stats.set(reader.output, scaledStats(layer, moments, s));
    }
    for (const id of path.tensors) {
      channels.set(id, scaledChannels(channels.get(id)!, s));
      ranges[id] = rangeOf(channels.get(id)!);
    }
    equalised.push({ name: maker.name, source: maker.source, gain });
  }
  return { graph: { ...graph, nodes }, ranges, stats, channels, equalised };
}
