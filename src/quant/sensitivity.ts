/**
 * How much error 8 bits at each group of tensors, and in the weights of each layer, bring into each output, measured in
 * floats: one at a time is rounded to its integers and only what depends on it is computed again. What matters most for its
 * cost gets 16 bits until every output is predicted to reach its target.
 * @module
 */
import { SCHEDULE_1 } from '../core/cost.ts';
import { type FloatGraph, type FloatInput, type FloatNode, type FloatOp, type Layer, sizeOf } from './float-graph.ts';
import { execute } from './interpret.ts';
import type { Block } from './kernels/block.ts';
import { groupsOf, isMove, type Width } from './plan.ts';
import type { SampleReader } from './samples.ts';
import { clampReal, type QType, round } from './scales.ts';

/** What was given more bits: the values of a group by its first node or the weights of a layer, and its share of the worst output's error. */
export interface Widened {
  readonly name: string;
  readonly source: string;
  readonly what: 'values' | 'weights';
  readonly bits: Width;
  readonly share: number;
}

/** Error power of one group in every output, and where it is rounded: at nodes, or at an input. */
interface Group {
  readonly root: number;
  readonly nodes: readonly FloatNode[];
  readonly input?: FloatInput;
  readonly noise: Float64Array;
}

/** Error power of a layer's weights in every output, and the layer with the weights that its integers stand for. */
interface RoughLayer {
  readonly node: FloatNode;
  readonly op: Layer;
  readonly noise: Float64Array;
}

/** What may get more bits: its error power in every output, its cost in quarters of gas and of spare bytes, and the step. */
interface Candidate {
  readonly noise: Float64Array;
  readonly cost: number;
  readonly bytes: number;
  readonly step: (share: number) => Promotion;
}

/** Work in products that the scan may spend, which sets its number of samples. */
const BUDGET = 1e10;
const MOST_SAMPLES = 8;

function workOf(graph: FloatGraph): number {
  return graph.nodes.reduce((sum, { op, output }) => {
    const size = sizeOf(graph.tensors[output]!.shape);
    return (
      sum + size * (op.kind === 'conv2d' || op.kind === 'dense' ? op.weight.length / Math.max(1, op.bias.length) : 4)
    );
  }, 1);
}

/** v cut to the integers of a type, as reals, into `out`. */
export function roundTo(v: Float64Array, type: QType, out: Float64Array): void {
  for (let i = 0; i < v.length; i++)
    out[i] = (clampReal(round(v[i]! / type.scale) + type.zp, type.lo, type.hi) - type.zp) * type.scale;
}

/** Recomputes what depends on rounded tensors, from and into buffers that are kept between groups. */
class Rerun {
  readonly #graph: FloatGraph;
  readonly #base: readonly Block[];
  readonly #own: (Block | undefined)[];

  constructor(graph: FloatGraph, base: readonly Block[]) {
    this.#graph = graph;
    this.#base = base;
    this.#own = graph.tensors.map(() => undefined);
  }

  #buffer(id: number): Block {
    return (this.#own[id] ??= { data: new Float64Array(this.#base[id]!.data.length), shape: this.#base[id]!.shape });
  }

  /** Values with a group cut to its types, or a layer in its place; unchanged tensors are the base's. */
  run({ nodes, input }: Partial<Group>, types: readonly (QType | undefined)[], layer?: RoughLayer): readonly Block[] {
    const now = [...this.#base];
    const dirty = new Set<number>();
    const rounded = new Set(nodes);
    if (input) {
      now[input.tensor] = this.#buffer(input.tensor);
      roundTo(this.#base[input.tensor]!.data, types[input.tensor]!, now[input.tensor]!.data);
      dirty.add(input.tensor);
    }
    for (const node of this.#graph.nodes) {
      const rough = layer?.node === node ? layer.op : undefined;
      const moved = rough !== undefined || node.inputs.some((id) => dirty.has(id));
      if (!moved && !rounded.has(node)) continue;
      const y = this.#buffer(node.output);
      const [first, ...rest] = node.inputs.map((id) => now[id]!);
      if (moved) execute(rough ?? node.op, first ?? y, y, rest);
      const from = moved ? y.data : this.#base[node.output]!.data;
      if (rounded.has(node)) roundTo(from, types[node.output]!, y.data);
      now[node.output] = y;
      dirty.add(node.output);
    }
    return now;
  }
}

/**
 * Where errors are measured: at the outputs, and before a last softmax, sigmoid or tanh. Probabilities of samples that are
 * certain hide every error before them; those near a threshold show errors that the power of what comes before hides.
 */
function measuredAt(graph: FloatGraph): number[] {
  const makers = new Map(graph.nodes.map((n) => [n.output, n]));
  const before = (id: number): number => {
    const node = makers.get(id);
    const last = node?.op.kind === 'unary' && node.op.fns.length === 1 ? node.op.fns[0]!.fn : undefined;
    const flat = node?.op.kind === 'softmax' || last === 'sigmoid' || last === 'tanh';
    return node && (flat || isMove(node)) ? before(node.inputs[0]!) : id;
  };
  return [...new Set(graph.outputs.flatMap((o) => [o.tensor, before(o.tensor)]))];
}

/** Nodes whose results are rounded anew, by group: all that are not moves and stand for reals. */
function collect(graph: FloatGraph, fixed: ReadonlyMap<number, Width>): Group[] {
  const root = groupsOf(graph);
  const wide = new Set([...fixed.keys()].map((id) => root[id]!));
  for (const input of graph.inputs) wide.add(root[input.tensor]!);
  for (const t of graph.tensors) if (t.pin) wide.add(root[t.id]!);
  const found = new Map<number, FloatNode[]>();
  for (const node of graph.nodes) {
    const key = root[node.output]!;
    const skip = isMove(node) || node.op.kind === 'constant' || graph.tensors[node.output]!.domain !== 'real';
    if (!skip && !wide.has(key)) found.set(key, [...(found.get(key) ?? []), node]);
  }
  return [...found].map(([r, nodes]) => ({ root: r, nodes, noise: new Float64Array(measuredAt(graph).length) }));
}

/** Bits for a promoted group: 16 where only tables read it, else what sums over the longest reading row allow. */
function widthFor(graph: FloatGraph, members: ReadonlySet<number>): Width {
  const readers = graph.nodes.filter((n) => n.inputs.some((id) => members.has(id)) && !members.has(n.output));
  if (readers.every((n) => n.op.kind === 'unary' || n.op.kind === 'softmax')) return 16;
  const rows = readers.map(({ op }) =>
    op.kind === 'conv2d' || op.kind === 'dense' ? op.weight.length / op.bias.length : 1,
  );
  const longest = Math.max(1, ...rows);
  for (const w of [14, 13] as const) if (longest * 127 * 2 ** (w - 1) < 2 ** 31) return w;
  return 12;
}

/** What the scan starts from. */
export interface ScanOptions {
  /** Types of all tensors at 8 bits. */
  readonly types: readonly (QType | undefined)[];
  /** Tensors whose width is settled (those that reach an output). */
  readonly settled: ReadonlyMap<number, Width>;
  /** Wanted ratio of signal to rounding error at every output, in dB. */
  readonly target: number;
  /** Layers whose weights may have 16 bits, with the weights that their 8 bits stand for, by output tensor. */
  readonly layers: ReadonlyMap<number, Layer>;
  /** Inputs whose type may be wider. */
  readonly inputs: readonly FloatInput[];
  /** What a byte of weights costs, in quarters of gas. */
  readonly bytePrice: number;
  /** Bytes that second parts of weights may take, all together. */
  readonly spare: number;
}

/** A step of the scan: tensors and layers (by output tensor) that get more bits, and what the report says of them. */
export interface Promotion {
  readonly tensors: readonly number[];
  readonly layers: readonly number[];
  readonly widened: Widened;
}

/** Runs the scan; gives what to widen, in order. */
export function scanSensitivity(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  options: ScanOptions,
): readonly Promotion[] {
  const root = groupsOf(graph);
  const measured = measuredAt(graph);
  const noise = (): Float64Array => new Float64Array(measured.length);
  const groups = [
    ...options.inputs.map((input): Group => ({ root: root[input.tensor]!, nodes: [], input, noise: noise() })),
    ...collect(graph, options.settled),
  ];
  const { count } = readers[0]!;
  const { types } = options;
  const layers = graph.nodes.flatMap((node): RoughLayer[] => {
    const op = options.layers.get(node.output);
    return op ? [{ node, op, noise: noise() }] : [];
  });
  const passes = Math.floor(BUDGET / (workOf(graph) * ((groups.length + layers.length) / 2 + 1)));
  const samples = Math.min(count, Math.max(1, Math.min(MOST_SAMPLES, passes)));
  const base = graph.tensors.map((t): Block => ({ data: new Float64Array(sizeOf(t.shape)), shape: t.shape }));
  const rerun = new Rerun(graph, base);
  const signal = new Float64Array(measured.length);
  for (let s = 0; s < samples; s++) {
    const at = Math.floor(((s + 0.5) * count) / samples);
    for (const [i, input] of graph.inputs.entries()) base[input.tensor]!.data.set(readers[i]!.read(at));
    for (const { op, inputs, output } of graph.nodes) {
      const [first, ...rest] = inputs.map((id) => base[id]!);
      execute(op, first ?? base[output]!, base[output]!, rest);
    }
    measured.forEach((id, k) => {
      for (const v of base[id]!.data) signal[k]! += v * v;
    });
    const add = (noise: Float64Array, now: readonly Block[]): void =>
      measured.forEach((id, k) => {
        const [a, b] = [now[id]!.data, base[id]!.data];
        if (a !== b) for (let i = 0; i < a.length; i++) noise[k]! += (a[i]! - b[i]!) * (a[i]! - b[i]!);
      });
    for (const group of groups) add(group.noise, rerun.run(group, types));
    for (const layer of layers) add(layer.noise, rerun.run({}, types, layer));
  }
  const candidates = [
    ...groups.map((g) => valuesOf(graph, g, options.bytePrice)),
    ...layers.map((l) => weightsOf(graph, l, options.bytePrice)),
  ];
  return promote(candidates, signal, options);
}

/** The layer with each row's weights in 127 steps of its greatest one. */
function roughWeights(op: FloatOp): FloatOp {
  if ((op.kind !== 'conv2d' && op.kind !== 'dense') || op.steps) return op;
  const k = op.weight.length / Math.max(1, op.bias.length);
  const weight = op.weight.slice();
  for (let from = 0; from < weight.length; from += k) {
    const row = weight.subarray(from, from + k);
    const step = row.reduce((m, w) => Math.max(m, Math.abs(w)), 0) / 127;
    if (step > 0) for (let i = 0; i < k; i++) row[i] = round(row[i]! / step) * step;
  }
  return { ...op, weight };
}

/**
 * Greatest share of an output's power that is lost where all groups and weights are rounded to 8 bits, over some samples:
 * what candidates are compared by.
 */
export function simulate(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  { types, settled }: Pick<ScanOptions, 'types' | 'settled'>,
): number {
  const rounded = new Set(collect(graph, settled).flatMap((g) => g.nodes.map((n) => n.output)));
  const { count } = readers[0]!;
  const samples = Math.min(count, MOST_SAMPLES);
  const make = (): Block[] => graph.tensors.map((t) => ({ data: new Float64Array(sizeOf(t.shape)), shape: t.shape }));
  const [exact, rough] = [make(), make()];
  const nodes = graph.nodes.map((n) => ({ ...n, rough: roughWeights(n.op) }));
  const measured = measuredAt(graph);
  const [signal, noise] = [measured.map(() => 0), measured.map(() => 0)];
  const step = (blocks: readonly Block[], op: FloatOp, { inputs, output }: FloatNode): void => {
    const [first, ...rest] = inputs.map((id) => blocks[id]!);
    execute(op, first ?? blocks[output]!, blocks[output]!, rest);
  };
  for (let s = 0; s < samples; s++) {
    const at = Math.floor(((s + 0.5) * count) / samples);
    for (const [i, { tensor }] of graph.inputs.entries())
      for (const blocks of [exact, rough]) blocks[tensor]!.data.set(readers[i]!.read(at));
    for (const node of nodes) {
      step(exact, node.op, node);
      step(rough, node.rough, node);
      const { data } = rough[node.output]!;
      if (rounded.has(node.output)) roundTo(data, types[node.output]!, data);
    }
    measured.forEach((id, k) => {
      exact[id]!.data.forEach((v, i) => {
        signal[k]! += v * v;
        noise[k]! += (rough[id]!.data[i]! - v) ** 2;
      });
    });
  }
  return noise.reduce((worst, v, k) => Math.max(worst, v / (signal[k] || 1)), 0);
}

/** Bytes that a table of 513 nodes takes more than one of 256 entries. */
const TABLE = 2 * 513 - 256;

/** What widening a group adds, in quarters of gas: bytes written and read, products of 16 bits, tables with nodes between. */
function costOf(graph: FloatGraph, members: ReadonlySet<number>, bytePrice: number): number {
  const { byte, mac_i8_i8, mac_i16_i8, mac_i16_i16, lut8, lut16 } = SCHEDULE_1.weights;
  let cost = 1;
  for (const { op, inputs, output } of graph.nodes) {
    const size = sizeOf(graph.tensors[output]!.shape);
    if (members.has(output)) cost += size * byte;
    const read = inputs.filter((id) => members.has(id));
    for (const id of read) cost += sizeOf(graph.tensors[id]!.shape) * byte;
    if (read.length === 0 || members.has(output)) continue;
    if (
      op.kind === 'dense' ||
      (op.kind === 'conv2d' && op.weight.length > op.bias.length * op.kernel[0] * op.kernel[1])
    )
      cost += ((size * op.weight.length) / Math.max(1, op.bias.length)) * (mac_i16_i8 - mac_i8_i8);
    else if (op.kind === 'matmul')
      cost += size * (graph.tensors[inputs[0]!]!.shape.at(-1) ?? 1) * (mac_i16_i16 - mac_i8_i8);
    else if (op.kind === 'unary') cost += size * (lut16 - lut8) + TABLE * bytePrice;
  }
  return cost;
}

/** The values of a group as a candidate. */
function valuesOf(graph: FloatGraph, { root: own, nodes, input, noise }: Group, bytePrice: number): Candidate {
  const root = groupsOf(graph);
  const members = new Set(graph.tensors.filter((t) => root[t.id] === own).map((t) => t.id));
  const { name, source } = nodes[0] ?? { name: input!.name, source: 'input' };
  const step = (share: number): Promotion => {
    const widened = { name, source, what: 'values', bits: widthFor(graph, members), share } as const;
    return { tensors: input ? [input.tensor] : nodes.map((n) => n.output), layers: [], widened };
  };
  return { noise, cost: costOf(graph, members, bytePrice), bytes: 0, step };
}

/** Bytes that the second part of a layer's weights takes: as many weights, a bias and a multiplier a row. */
export function partBytes({ weight, bias }: Layer): number {
  return weight.length + 8 * bias.length;
}

/** The weights of a layer as a candidate: a second part of as many products and bytes, and the sum of both. */
function weightsOf(graph: FloatGraph, { node, op, noise }: RoughLayer, bytePrice: number): Candidate {
  const { byte, linear2, mac_depthwise, mac_i16_i8, op: each } = SCHEDULE_1.weights;
  const size = sizeOf(graph.tensors[node.output]!.shape);
  const k = op.weight.length / Math.max(1, op.bias.length);
  const product = op.kind === 'conv2d' && k === op.kernel[0] * op.kernel[1] ? mac_depthwise : mac_i16_i8;
  const gas = size * (k * product + linear2 + 8 * byte) + 2 * each;
  const step = (share: number): Promotion => {
    const widened = { name: node.name, source: node.source, what: 'weights', bits: 16, share } as const;
    return { tensors: [], layers: [node.output], widened };
  };
  const bytes = partBytes(op);
  return { noise, cost: gas + bytes * bytePrice, bytes, step };
}

/** Takes what has most of the worst output's error for its cost and fits the bytes, until every output reaches the target. */
function promote(
  candidates: readonly Candidate[],
  signal: Float64Array,
  { target, spare }: Pick<ScanOptions, 'target' | 'spare'>,
): readonly Promotion[] {
  const left = new Set(candidates);
  let room = spare;
  const order: Promotion[] = [];
  const limit = 10 ** (-target / 10);
  for (;;) {
    const noise = signal.map((s, k) => [...left].reduce((sum, c) => sum + c.noise[k]!, 0) / (s === 0 ? 1 : s));
    const worst = noise.reduce((best, v, k) => (v > noise[best]! ? k : best), 0);
    if (!(noise[worst]! > limit)) return order;
    const gain = (c: Candidate): number => c.noise[worst]! / c.cost;
    const next = [...left].reduce<Candidate | undefined>(
      (best, c) => (c.bytes <= room && (!best || gain(c) > gain(best)) ? c : best),
      undefined,
    );
    if (!next) return order;
    left.delete(next);
    room -= next.bytes;
    order.push(next.step(next.noise[worst]! / (noise[worst]! * (signal[worst] || 1))));
  }
}

/** Widths of the first `count` promotions. */
export function widthsOf(order: readonly Promotion[], count: number): Map<number, Width> {
  const widths = new Map<number, Width>();
  for (const { tensors, widened } of order.slice(0, count)) for (const id of tensors) widths.set(id, widened.bits);
  return widths;
}

/** Layers of the first `count` promotions, by output tensor. */
export function layersOf(order: readonly Promotion[], count: number): Set<number> {
  return new Set(order.slice(0, count).flatMap((p) => p.layers));
}

/** The most promotions, in their order, whose cost `of` stays within `most`; it grows with each. */
export function withinBudget(order: readonly Promotion[], most: number, of: (count: number) => number): number {
  if (order.length === 0 || of(order.length) <= most) return order.length;
  let [good, bad] = [0, order.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (of(middle) <= most) good = middle;
    else bad = middle;
  }
  return good;
}
