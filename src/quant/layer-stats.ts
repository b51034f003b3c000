/**
 * What calibration learns of the inputs of each layer: mean and second moments of the vectors that its rows are multiplied
 * with (a pixel's taps, padding as 0). Weight rounding and bias correction use them.
 * @module
 */
import type { Conv2d, Dense, FloatGraph, FloatNode } from './float-graph.ts';
import type { Block } from './kernels/block.ts';
import { product } from './kernels/fast-conv.ts';
import { gatherTaps } from './kernels/window.ts';

/** Moments of one group's input vectors of k values: mean [k] and Σ xxᵀ / count [k,k]. */
export interface Moments {
  readonly mean: Float64Array;
  readonly second: Float64Array;
}

/** Moments of a layer by group; a dense layer has one. `count` vectors were seen. */
export interface LayerStats {
  readonly count: number;
  readonly groups: readonly Moments[];
}

/** Vectors that are looked at, over all samples; longer vectors than `LONGEST` give no second moments. */
const VECTORS = 2048;
const LONGEST = 1200;

interface Gathering {
  readonly node: FloatNode;
  readonly op: Conv2d | Dense;
  readonly k: number;
  readonly groups: readonly { readonly sum: Float64Array; readonly second: Float64Array }[];
  count: number;
}

/** A dense layer as a convolution over an image of one row. */
function asConv(op: Conv2d | Dense, k: number): Conv2d {
  if (op.kind === 'conv2d') return op;
  const one = [1, 1] as const;
  const window = { kernel: one, strides: one, dilations: one, pads: [0, 0, 0, 0] as const, groups: 1 };
  return { ...op, ...window, kind: 'conv2d', weight: op.weight.subarray(0, k) };
}

/** Collects moments of all layers of a graph, sample by sample. */
export class StatsCollector {
  readonly #layers: readonly Gathering[];
  readonly #graph: FloatGraph;
  readonly #perSample: number;

  constructor(graph: FloatGraph, samples: number) {
    this.#graph = graph;
    this.#perSample = Math.max(8, Math.ceil(VECTORS / samples));
    this.#layers = graph.nodes.flatMap((node): Gathering[] => {
      const { op } = node;
      if ((op.kind !== 'conv2d' && op.kind !== 'dense') || op.bias.length === 0) return [];
      const k = op.weight.length / op.bias.length;
      const n = op.kind === 'conv2d' ? op.groups : 1;
      const size = k > LONGEST ? 0 : k * k;
      const groups = Array.from({ length: n }, () => ({ sum: new Float64Array(k), second: new Float64Array(size) }));
      return [{ node, op, k, groups, count: 0 }];
    });
  }

  /** Looks at the values of one run. */
  add(values: readonly Float64Array[]): void {
    for (const layer of this.#layers) this.#addLayer(layer, values);
  }

  #addLayer(layer: Gathering, values: readonly Float64Array[]): void {
    const { node, k } = layer;
    const op = asConv(layer.op, k);
    const id = node.inputs[0]!;
    const dense = layer.op.kind === 'dense';
    const data = values[id]!;
    const x: Block = { data, shape: dense ? [1, 1, data.length / k, k] : this.#graph.tensors[id]!.shape };
    const out = this.#graph.tensors[node.output]!.shape;
    const [oh, ow] = dense ? [1, data.length / k] : [out[1]!, out[2]!];
    const pixels = (dense ? 1 : out[0]!) * oh * ow;
    const n = Math.min(pixels, this.#perSample);
    const rows = new Float64Array(n * k);
    for (const [g, group] of layer.groups.entries()) {
      for (let i = 0; i < n; i++) {
        const p = Math.floor(((i + 0.5) * pixels) / n);
        gatherTaps(op, x, Math.floor(p / (oh * ow)), Math.floor(p / ow) % oh, p % ow, g, rows, i * k);
      }
      addMoments(group, rows, n, k);
    }
    layer.count += n;
  }

  /** Statistics by the layer's output tensor. */
  finish(): ReadonlyMap<number, LayerStats> {
    return new Map(
      this.#layers.map(({ node, groups, count }) => [
        node.output,
        {
          count,
          groups: groups.map((g) => ({ mean: g.sum.map((v) => v / count), second: g.second.map((v) => v / count) })),
        },
      ]),
    );
  }
}

/** Adds n vectors of k values to the sums. */
function addMoments(
  group: { sum: Float64Array; second: Float64Array },
  rows: Float64Array,
  n: number,
  k: number,
): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) group.sum[j]! += rows[i * k + j]!;
  if (group.second.length === 0) return;
  const columns = new Float64Array(rows.length); // [k, n]
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) columns[j * n + i] = rows[i * k + j]!;
  const square = product(columns, columns, k, n, k);
  for (let i = 0; i < square.length; i++) group.second[i]! += square[i]!;
}
