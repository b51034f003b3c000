/**
 * Reductions and the index of an extremum, in levels of bounded length (spec/10-ops.md §4).
 * @module
 */
import { floorDiv, roundDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import type { Stage } from '../../ops/define.ts';
import { stridesOf } from '../../ops/rules.ts';
import type { Builder, Place, Target, Walk } from './builder.ts';
import { divisor } from './divisor.ts';
import { stageOf } from './elementwise.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

/** Elements that one invocation reduces: few where there are few outputs to keep a device busy with. */
function chunkOf(b: Builder, outputs: number): number {
  return Math.max(2, Math.min(outputs < 4096 ? 256 : 4096, b.limits.work >>> 6));
}

const KINDS = { sum: 0, max: 1, min: 2 } as const;
type Kind = keyof typeof KINDS;

/** Output o, chunk k: the reduction of elements k·chunk… of the reduced axes. */
const REDUCE = /* @__PURE__ */ elementKernel(
  'reduce',
  'x: u32, x_size: u32, zx: i32, kept: u32, kept_rank: u32, axes: u32, rank: u32, n: u32, chunk: u32, chunks: Divisor, kind: u32',
  `
fn element(i: u32) -> i32 {
  let o: u32 = quotient(i, p.chunks);
  let first: u32 = (i - o * p.chunks.n) * p.chunk;
  let end: u32 = min(first + p.chunk, p.n);
  let start: u32 = walk(p.kept, p.kept_rank, o).x;
  var sum: u32 = 0u; var least: i32 = 2147483647; var greatest: i32 = bitcast<i32>(0x80000000u);
  for (var k: u32 = first; k < end; k++) {
    let x: i32 = load(p.x, p.x_size, start + walk(p.axes, p.rank, k).x);
    sum += bitcast<u32>(x - p.zx);
    least = min(least, x);
    greatest = max(greatest, x);
  }
  if (p.kind == 0u) { return bitcast<i32>(sum); }
  return select(least, greatest, p.kind == 1u);
}`,
);

/** A tensor to reduce: `kept` walks the outputs, `axes` the n elements of each. */
interface Reduction {
  readonly x: Place;
  readonly size: number;
  readonly zp: number;
  readonly kept: Walk;
  readonly axes: Walk;
  readonly n: number;
}

/** Reduces to the target, level by level. */
function levels(b: Builder, r: Reduction, kind: Kind, y: Target): void {
  const chunk = chunkOf(b, y.count);
  const chunks = Math.max(1, floorDiv(r.n + chunk - 1, chunk));
  const to: Target = chunks === 1 ? y : { at: b.scratch(y.count * chunks), size: 2, count: y.count * chunks };
  const { kept, axes, n } = r;
  const walks = { kept: kept.axes, kept_rank: kept.rank, axes: axes.axes, rank: axes.rank };
  const own = { x: r.x, x_size: r.size, zx: r.zp, ...walks, n, chunk, chunks: divisor(chunks), kind: KINDS[kind] };
  b.elements(REDUCE, to, own, Math.min(n, chunk));
  if (chunks === 1) return;
  const next = { x: to.at, size: 2, zp: 0, kept: b.walk([y.count], [chunks]), axes: b.walk([chunks], [1]), n: chunks };
  levels(b, next, kind, y);
}

/** Reduces the axes of a node's operand. */
function reduced(s: Pick<Site<'reduce_max'>, 'in' | 'out' | 'attrs'>, b: Builder, kind: Kind, stage?: Stage): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const own = stridesOf(x.shape);
  const along = (reduce: boolean): Walk => {
    const kept = x.shape.flatMap((_, i) => (s.attrs.axes.includes(i) === reduce ? [i] : []));
    const dims = kept.map((i) => x.shape[i]!);
    return dims.includes(0)
      ? { axes: 0, rank: 0 }
      : b.walk(
          dims,
          kept.map((i) => own[i]!),
        );
  };
  const n = elementCount(s.attrs.axes.map((i) => x.shape[i]!));
  const r = { x: b.at(x), size: x.size, zp: kind === 'sum' ? x.zp : 0, kept: along(false), axes: along(true), n };
  if (stage === undefined) {
    levels(b, r, kind, b.target(y));
    return `reduce_${kind}`;
  }
  const sums = { at: b.scratch(y.count), size: 2, count: y.count };
  levels(b, r, kind, sums);
  stageOf(b, { at: sums.at, size: 2, zp: 0 }, b.target(y), 1, stage);
  return `reduce_${kind}_staged`;
}

/** reduce_max: greatest raw values. */
export const reduce_max = (s: Site<'reduce_max'>, b: Builder): string => reduced(s, b, 'max');
/** reduce_min: least raw values. */
export const reduce_min = (s: Site<'reduce_min'>, b: Builder): string => reduced(s, b, 'min');
/** reduce_sum: sums of x'. */
export const reduce_sum = (s: Site<'reduce_sum'>, b: Builder): string => reduced(s, b, 'sum', s.attrs.stage);

/** reduce_mean: a sum behind a stage whose multiplier is divided by the count. */
export function reduce_mean(s: Site<'reduce_mean'>, b: Builder): string {
  const { m1, l, output, axes } = s.attrs;
  const n = elementCount(axes.map((i) => s.in[0]!.shape[i]!));
  return reduced(s, b, 'sum', { ...output, l, m: Int32Array.of(roundDiv(m1, n)) });
}

/** Index of the extremum of chunk k of [outer, n, inner]; at later levels of the candidates that earlier ones left. */
const ARG = /* @__PURE__ */ elementKernel(
  'arg',
  'x: u32, x_size: u32, extent: u32, inner: Divisor, chunks: Divisor, n: u32, chunk: u32, candidates: u32, listed: u32, greatest: u32, last: u32',
  `
fn candidate(line: u32, k: u32) -> u32 {
  if (p.listed == 0u) { return k; }
  return arena[p.candidates + line + k * p.inner.n];
}
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let column: u32 = i - line * p.inner.n;
  let outer: u32 = quotient(line, p.chunks);
  let first: u32 = (line - outer * p.chunks.n) * p.chunk;
  let end: u32 = min(first + p.chunk, p.n);
  let list: u32 = outer * p.n * p.inner.n + column;
  let base: u32 = outer * p.extent * p.inner.n + column;
  var best: u32 = candidate(list, first);
  var top: i32 = load(p.x, p.x_size, base + best * p.inner.n);
  for (var k: u32 = first + 1u; k < end; k++) {
    let c: u32 = candidate(list, k);
    let v: i32 = load(p.x, p.x_size, base + c * p.inner.n);
    let beats: bool = select((v < top), (v > top), p.greatest == 1u) || (p.last == 1u && v == top);
    if (beats) { best = c; top = v; }
  }
  return bitcast<i32>(best);
}`,
);

function arg(greatest: boolean) {
  return (s: Site<'argmax'>, b: Builder): string => {
    const [x, y] = [s.in[0]!, s.out[0]!];
    const { axis, select_last } = s.attrs;
    const extent = x.shape[axis]!;
    const inner = elementCount(x.shape.slice(axis + 1));
    const outer = elementCount(x.shape.slice(0, axis));
    const chunk = chunkOf(b, y.count);
    let [candidates, n]: [Place | undefined, number] = [undefined, extent];
    for (;;) {
      const chunks = floorDiv(n + chunk - 1, chunk);
      const count = outer * chunks * inner;
      const to: Target = chunks === 1 ? b.target(y) : { at: b.scratch(count), size: 2, count };
      const shape = { x: b.at(x), x_size: x.size, extent, inner: divisor(inner), chunks: divisor(chunks), n, chunk };
      const list = { candidates: candidates ?? 0, listed: candidates !== undefined };
      b.elements(ARG, to, { ...shape, ...list, greatest, last: select_last }, Math.min(n, chunk));
      if (chunks === 1) return greatest ? 'argmax' : 'argmin';
      [candidates, n] = [to.at, chunks];
    }
  };
}

/** argmax: the index of the greatest value. */
export const argmax: (s: Site<'argmax'>, b: Builder) => string = /* @__PURE__ */ arg(true);
/** argmin: the index of the least value. */
export const argmin: (s: Site<'argmin'>, b: Builder) => string = /* @__PURE__ */ arg(false);
