/**
 * Tables of functions over i16: 513 nodes with straight lines between them (spec/10-ops.md, "lut16"). Where the input reaches
 * far and the function bends near zero, what the lines leave out is measured, and a second table of finer nodes adds it.
 * @module
 */
import type { FloatGraph } from './float-graph.ts';
import { createInterpreter } from './interpret.ts';
import { exp2i } from './math.ts';
import type { SampleReader } from './samples.ts';
import { clampReal, type QType, type Range } from './scales.ts';
import { applyChain, type UnaryFn } from './unary.ts';

/** Cells of a table, and the integers of one. */
const CELLS = 512;
const CELL = 128;
/** Finest second table: a cell of the first in 2^7 of its own. */
const FINEST = 7;
/** Share of a table's power that its lines may leave out before it gets a second one. */
const NOISE = 1e-5;
/** Samples that tables are judged by. */
const JUDGED = 2;

/**
 * f at x, an integer times `scale`. Where f is undefined outside the observed range, its value at the nearest observed point;
 * where that point is 0, an end of a range of one sign, its value half a step inside: what the integer stands for there.
 */
export function valueAt(range: Range, fns: readonly UnaryFn[], x: number, scale: number): number | undefined {
  const nearest = clampReal(x, range.lo, range.hi);
  const inside = range.lo === 0 ? scale / 2 : range.hi === 0 ? -scale / 2 : 0;
  return [x, nearest, nearest + inside].map((v) => applyChain(fns, v)).find(Number.isFinite);
}

/** f at the nodes of a table over all integers of an i16 type of `scale`. */
export function nodesOf(f: (x: number) => number, scale: number): Float64Array {
  return Float64Array.from({ length: CELLS + 1 }, (_, j) => f((CELL * j - 32768) * scale));
}

/** The straight line between nodes at q, an integer or a fraction within i16. */
function lineAt(nodes: Float64Array, q: number): number {
  const at = (clampReal(q, -32768, 32768) + 32768) / CELL;
  const j = Math.min(Math.floor(at), CELLS - 1);
  return nodes[j]! + (nodes[j + 1]! - nodes[j]!) * (at - j);
}

/** Greatest error of the lines over each cell, at three points of it; 0 outside the range. */
function cellErrors(f: (x: number) => number, nodes: Float64Array, scale: number, range: Range): Float64Array {
  return Float64Array.from({ length: CELLS }, (_, j) => {
    const q = CELL * j - 32768;
    if ((q + CELL) * scale < range.lo || q * scale > range.hi) return 0;
    const error = (d: number): number => Math.abs(lineAt(nodes, q + d) - f((q + d) * scale));
    return Math.max(error(CELL / 4), error(CELL / 2), error((3 * CELL) / 4));
  });
}

/**
 * Nodes of f over all of an i16 type, and of what their lines leave out where the input times 2^k fits i16: the k ≤ 7 with
 * the least sum of the greatest errors inside and outside.
 */
export function nearTable(
  f: (x: number) => number,
  { scale }: QType,
  range: Range,
): readonly [all: Float64Array, near: { readonly k: number; readonly nodes: Float64Array }] {
  const all = nodesOf(f, scale);
  const far = cellErrors(f, all, scale, range);
  let best: { readonly k: number; readonly nodes: Float64Array } = { k: 0, nodes: new Float64Array(CELLS + 1) };
  let least = Number.POSITIVE_INFINITY;
  for (let k = 1; k <= FINEST; k++) {
    const own = scale * exp2i(-k);
    const left = (x: number): number => f(x) - lineAt(all, x / scale);
    const nodes = nodesOf(left, own);
    const half = exp2i(8 - k);
    const outside = far.reduce((m, e, j) => (Math.abs(j + 0.5 - CELLS / 2) > half ? Math.max(m, e) : m), 0);
    const inside = cellErrors(left, nodes, own, range).reduce((m, e) => Math.max(m, e), 0);
    if (outside + inside < least) [best, least] = [{ k, nodes }, outside + inside];
  }
  return [all, best];
}

/** Outputs of tables over i16 whose lines leave out more than the accepted share of their power over some samples. */
export function coarseTables(
  graph: FloatGraph,
  readers: readonly SampleReader[],
  types: readonly (QType | undefined)[],
  ranges: readonly (Range | undefined)[],
): ReadonlySet<number> {
  const tables = graph.nodes.flatMap(({ op, inputs, output }) => {
    const [x, type] = [inputs[0]!, types[inputs[0]!]];
    if (op.kind !== 'unary' || type?.dtype !== 'i16') return [];
    const nodes = nodesOf((v) => valueAt(ranges[x]!, op.fns, v, type.scale) ?? Number.NaN, type.scale);
    return nodes.every(Number.isFinite) ? [{ x, output, nodes, scale: type.scale, signal: 0, noise: 0 }] : [];
  });
  if (tables.length === 0) return new Set();
  const { run, values } = createInterpreter(graph);
  const { count } = readers[0]!;
  const samples = Math.min(count, JUDGED);
  for (let s = 0; s < samples; s++) {
    const at = Math.floor(((s + 0.5) * count) / samples);
    run(readers.map((r) => r.read(at)));
    for (const t of tables) {
      const [x, y] = [values[t.x]!, values[t.output]!];
      for (let i = 0; i < y.length; i++) {
        t.signal += y[i]! * y[i]!;
        t.noise += (lineAt(t.nodes, x[i]! / t.scale) - y[i]!) ** 2;
      }
    }
  }
  return new Set(tables.filter((t) => t.noise > t.signal * NOISE).map((t) => t.output));
}
