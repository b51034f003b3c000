/**
 * How much error 8 bits at each group of tensors bring into each output, measured in floats: one group at a time is rounded
 * to its integers and only what depends on it is computed again. Groups that matter most get 16 bits until every output is
 * predicted to reach its target.
 * @module
 */
import { type FloatGraph, type FloatNode, type FloatOp, sizeOf } from './float-graph.ts';
import { execute } from './interpret.ts';
import type { Block } from './kernels/block.ts';
import { groupsOf, isMove, type Width } from './plan.ts';
import type { SampleReader } from './samples.ts';
import { clampReal, type QType, round } from './scales.ts';

/** A group that was given more bits: its tensors, the name of its first node, and its share of the worst output's error. */
export interface Widened {
  readonly name: string;
  readonly source: string;
  readonly bits: Width;
  readonly share: number;
}

/** Error power of one group in every output, and where it is rounded. */
interface Group {
  readonly root: number;
  readonly nodes: readonly FloatNode[];
  readonly noise: Float64Array;
}

/** Work in products that the scan may spend, which sets its number of samples. */
const BUDGET = 2e10;
const MOST_SAMPLES = 4;

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

  /** Values with the outputs of `rounded` cut to their types; unchanged tensors are the base's. */
  run(rounded: ReadonlySet<FloatNode>, types: readonly (QType | undefined)[]): readonly Block[] {
    const now = [...this.#base];
    const dirty = new Set<number>();
    for (const node of this.#graph.nodes) {
      const moved = node.inputs.some((id) => dirty.has(id));
      if (!moved && !rounded.has(node)) continue;
      const y = this.#buffer(node.output);
      const [first, ...rest] = node.inputs.map((id) => now[id]!);
      if (moved) execute(node.op, first ?? y, y, rest);
      const from = moved ? y.data : this.#base[node.output]!.data;
      if (rounded.has(node)) roundTo(from, types[node.output]!, y.data);
      now[node.output] = y;
      dirty.add(node.output);
    }
    return now;
  }
}

/**
 * Where errors are measured: at the outputs, but for what saturates them. Probabilities of samples that are certain hide every
 * error before them, so a last softmax, sigmoid or tanh is passed over.
 */
function measuredAt(graph: FloatGraph): number[] {
  const makers = new Map(graph.nodes.map((n) => [n.output, n]));
  const before = (id: number): number => {
    const node = makers.get(id);
    const last = node?.op.kind === 'unary' && node.op.fns.length === 1 ? node.op.fns[0]!.fn : undefined;
    const flat = node?.op.kind === 'softmax' || last === 'sigmoid' || last === 'tanh';
    return node && (flat || isMove(node)) ? before(node.inputs[0]!) : id;
  };
  return graph.outputs.map((o) => before(o.tensor));
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
}

/** A step of the scan: tensors that get more bits, and what the report says of them. */
export interface Promotion {
  readonly tensors: readonly number[];
  readonly widened: Widened;
}

/** Runs the scan; gives the groups to widen, in order. */
export function scanSensitivity(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  options: ScanOptions,
): readonly Promotion[] {
  const groups = collect(graph, options.settled);
  const { count } = readers[0]!;
  const { types } = options;
  const passes = Math.floor(BUDGET / (workOf(graph) * (groups.length / 2 + 1)));
  const samples = Math.min(count, Math.max(1, Math.min(MOST_SAMPLES, passes)));
  const base = graph.tensors.map((t): Block => ({ data: new Float64Array(sizeOf(t.shape)), shape: t.shape }));
  const rerun = new Rerun(graph, base);
  const measured = measuredAt(graph);
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
    for (const group of groups) {
      const now = rerun.run(new Set(group.nodes), types);
      measured.forEach((id, k) => {
        const [a, b] = [now[id]!.data, base[id]!.data];
        if (a !== b) for (let i = 0; i < a.length; i++) group.noise[k]! += (a[i]! - b[i]!) * (a[i]! - b[i]!);
      });
    }
  }
  return promote(graph, groups, signal, options.target);
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

/** What widening a group adds: products of 16 bits count twice, its own elements a quarter. */
function costOf(graph: FloatGraph, members: ReadonlySet<number>): number {
  let cost = 1;
  for (const { op, inputs, output } of graph.nodes) {
    const size = sizeOf(graph.tensors[output]!.shape);
    if (members.has(output)) cost += size / 4;
    if (!inputs.some((id) => members.has(id)) || members.has(output)) continue;
    if (op.kind === 'conv2d' || op.kind === 'dense') cost += (size * op.weight.length) / Math.max(1, op.bias.length);
    else if (op.kind === 'matmul') cost += size * (graph.tensors[inputs[0]!]!.shape.at(-1) ?? 1);
    else cost += size;
  }
  return cost;
}

/** Widens the group that takes most of the worst output's error for what it costs, until every output reaches the target. */
function promote(
  graph: FloatGraph,
  groups: readonly Group[],
  signal: Float64Array,
  target: number,
): readonly Promotion[] {
  const root = groupsOf(graph);
  const members = new Map<Group, ReadonlySet<number>>();
  const cost = new Map<Group, number>();
  for (const g of groups) {
    const own = new Set(graph.tensors.filter((t) => root[t.id] === g.root).map((t) => t.id));
    members.set(g, own);
    cost.set(g, costOf(graph, own));
  }
  const left = new Set(groups);
  const order: Promotion[] = [];
  const limit = 10 ** (-target / 10);
  for (;;) {
    const noise = signal.map((s, k) => [...left].reduce((sum, g) => sum + g.noise[k]!, 0) / (s === 0 ? 1 : s));
    const worst = noise.reduce((best, v, k) => (v > noise[best]! ? k : best), 0);
    if (!(noise[worst]! > limit)) return order;
    const gain = (g: Group): number => g.noise[worst]! / cost.get(g)!;
    const next = [...left].reduce<Group | undefined>(
      (best, g) => (!best || gain(g) > gain(best) ? g : best),
      undefined,
    );
    if (!next) return order;
    left.delete(next);
    const bits = widthFor(graph, members.get(next)!);
    const { name, source } = next.nodes[0]!;
    const share = next.noise[worst]! / (noise[worst]! * (signal[worst] || 1));
    order.push({ tensors: next.nodes.map((n) => n.output), widened: { name, source, bits, share } });
  }
}

/** Widths of the first `count` promotions. */
export function widthsOf(order: readonly Promotion[], count: number): Map<number, Width> {
  const widths = new Map<number, Width>();
  for (const { tensors, widened } of order.slice(0, count)) for (const id of tensors) widths.set(id, widened.bits);
  return widths;
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
