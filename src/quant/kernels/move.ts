/**
 * Reductions, products of activations and data movement of the float interpreter.
 * @module
 */
import type {
  Arg,
  Concat,
  Gather,
  Matmul,
  Pad,
  Reduce,
  Resize,
  ResizeCoefficients,
  Shuffle,
  Slice,
  Tile,
  Transpose,
} from '../float-graph.ts';
import { type Block, broadcastStrides, stridesOf, take, walk } from './block.ts';

/** Strides in the reduced tensor of every axis of x: 0 along the reduced ones. */
function reducedStrides(x: Block, y: Block, axes: readonly number[]): number[] {
  const kept = stridesOf(y.shape);
  let k = 0;
  return x.shape.map((_, axis) => (axes.includes(axis) ? 0 : kept[k++]!));
}

/** Sum, mean or extremum, in row-major order of the input. */
export function reduce(op: Reduce, x: Block, y: Block): void {
  const strides = reducedStrides(x, y, op.axes);
  const adds = op.how === 'sum' || op.how === 'mean';
  y.data.fill(adds ? 0 : op.how === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  const combine = op.how === 'max' ? Math.max : op.how === 'min' ? Math.min : (a: number, b: number): number => a + b;
  walk(x.shape, strides, 0, (i, at) => {
    y.data[at] = combine(y.data[at]!, x.data[i]!);
  });
  const n = x.data.length / y.data.length;
  if (op.how === 'mean') for (let i = 0; i < y.data.length; i++) y.data[i]! /= n;
}

/** Index of the extremum. */
export function arg(op: Arg, x: Block, y: Block): void {
  const inner = stridesOf(x.shape)[op.axis]!;
  const n = x.shape[op.axis]!;
  const sign = op.how === 'max' ? 1 : -1;
  for (let i = 0; i < y.data.length; i++) {
    const from = Math.floor(i / inner) * inner * n + (i % inner);
    let best = 0;
    for (let j = 1; j < n; j++) {
      const d = sign * (x.data[from + j * inner]! - x.data[from + best * inner]!);
      if (d > 0 || (op.last && d === 0)) best = j;
    }
    y.data[i] = best;
  }
}

/** Batched product of activations. */
export function matmul(op: Matmul, a: Block, y: Block, b: Block): void {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = y.shape.at(-1)!;
  const batch = { data: y.data, shape: y.shape.slice(0, -2) };
  const lead = (x: Block): Int32Array => {
    const own = { data: x.data, shape: x.shape.slice(0, -2) };
    const out = new Int32Array(y.data.length / (m * n) || 0);
    walk(batch.shape, broadcastStrides(own, batch), 0, (i, at) => {
      out[i] = at;
    });
    return out;
  };
  const [pa, pb] = [lead(a), lead(b)];
  const [step, next] = op.tb ? [1, k] : [n, 1];
  for (let t = 0, to = 0; t < pa.length; t++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let acc = 0;
        const [p, q] = [(pa[t]! * m + i) * k, pb[t]! * k * n + j * next];
        for (let z = 0; z < k; z++) acc += a.data[p + z]! * b.data[q + z * step]!;
        y.data[to++] = Math.min(Math.max(acc, op.lo), op.hi);
      }
}

/** y's axis i is x's axis perm[i]. */
export function transpose(op: Transpose, x: Block, y: Block): void {
  const from = stridesOf(x.shape);
  take(
    x,
    y,
    op.perm.map((p) => from[p]!),
  );
}

/** Inputs in order along an axis. */
export function concat(op: Concat, inputs: readonly Block[], y: Block): void {
  const inner = y.shape.slice(op.axis + 1).reduce((n, d) => n * d, 1);
  const outer = y.shape.slice(0, op.axis).reduce((n, d) => n * d, 1);
  const row = y.shape[op.axis]! * inner;
  let at = 0;
  for (const x of inputs) {
    const block = x.shape[op.axis]! * inner;
    for (let r = 0; r < outer; r++) y.data.set(x.data.subarray(r * block, (r + 1) * block), r * row + at);
    at += block;
  }
}

/** A regular part. */
export function slice(op: Slice, x: Block, y: Block): void {
  const from = stridesOf(x.shape);
  const start = op.start.reduce((n, s, i) => n + s * from[i]!, 0);
  take(
    x,
    y,
    op.step.map((s, i) => s * from[i]!),
    start,
  );
}

/** Elements by index along an axis. */
export function gather(op: Gather, x: Block, y: Block, index: Block): void {
  const n = x.shape[op.axis]!;
  const inner = x.shape.slice(op.axis + 1).reduce((a, d) => a * d, 1);
  const count = index.data.length;
  for (let i = 0; i < y.data.length; i++) {
    const row = Math.floor(i / (inner * count));
    y.data[i] = x.data[(row * n + index.data[Math.floor(i / inner) % count]!) * inner + (i % inner)]!;
  }
}

/** x broadcast to y's shape. */
export function expand(x: Block, y: Block): void {
  take(x, y, broadcastStrides(x, y));
}

/** x repeated: an axis of size d becomes (repeats, d). */
export function tile(op: Tile, x: Block, y: Block): void {
  const from = stridesOf(x.shape);
  const shape = x.shape.flatMap((d, i) => [op.repeats[i]!, d]);
  take(
    x,
    { data: y.data, shape },
    from.flatMap((s) => [0, s]),
  );
}

/** Blocks of channels to space and back. */
export function shuffle(op: Shuffle, x: Block, y: Block): void {
  const b = op.block;
  const deep = op.kind === 'depth_to_space' ? x : y;
  const [n, h, w, c] = deep.shape as [number, number, number, number];
  const ch = c / (b * b);
  const [sn, sh, sw] = stridesOf(deep.shape) as [number, number, number];
  const [si, sj, sc] = op.mode === 'DCR' ? [b * ch, ch, 1] : [b, 1, b * b];
  const spaced = { data: (op.kind === 'depth_to_space' ? y : x).data, shape: [n, h, b, w, b, ch] };
  const strides = [sn, sh, si, sw, sj, sc];
  if (op.kind === 'depth_to_space') take(x, spaced, strides);
  else
    walk(spaced.shape, strides, 0, (i, at) => {
      y.data[at] = x.data[i]!;
    });
}

/** Both neighbours of each output index of an axis and the weight of the second. */
function taps(
  { a, b, d }: ResizeCoefficients,
  from: number,
  to: number,
  linear: boolean,
): { i: Int32Array; j: Int32Array; w: Float64Array } {
  const cut = (v: number): number => Math.min(Math.max(v, 0), from - 1);
  const [i, j, w] = [new Int32Array(to), new Int32Array(to), new Float64Array(to)];
  for (let o = 0; o < to; o++) {
    const base = Math.floor((a * o + b) / d);
    i[o] = cut(base);
    j[o] = cut(base + 1);
    w[o] = linear ? (a * o + b) / d - base : 0;
  }
  return { i, j, w };
}

/** Axes 1 and 2 resampled. */
export function resize(op: Resize, x: Block, y: Block): void {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [, oh, ow] = y.shape as [number, number, number, number];
  const linear = op.mode === 'linear';
  const [ty, tx] = [taps(op.y, h, oh, linear), taps(op.x, w, ow, linear)];
  let to = 0;
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++) {
        const [r0, r1] = [(b * h + ty.i[oy]!) * w, (b * h + ty.j[oy]!) * w];
        const [p, q] = [tx.i[ox]! * c, tx.j[ox]! * c];
        const [wy, wx] = [ty.w[oy]!, tx.w[ox]!];
        for (let ch = 0; ch < c; ch++) {
          const left = x.data[r0 * c + p + ch]! * (1 - wy) + x.data[r1 * c + p + ch]! * wy;
          const right = x.data[r0 * c + q + ch]! * (1 - wy) + x.data[r1 * c + q + ch]! * wy;
          y.data[to++] = left * (1 - wx) + right * wx;
        }
      }
}

/** A border of one value (or one a channel), of the nearest elements, or mirrored. */
export function pad(op: Pad, x: Block, y: Block): void {
  const to = stridesOf(y.shape);
  if (op.mode === 'constant') {
    const c = op.value.length;
    for (let i = 0; i < y.data.length; i++) y.data[i] = op.value[i % c]!;
    const start = op.before.reduce((n, b, axis) => n + b * to[axis]!, 0);
    walk(x.shape, to, start, (i, at) => {
      y.data[at] = x.data[i]!;
    });
    return;
  }
  const from = stridesOf(x.shape);
  const index = y.shape.map((d, axis) =>
    Int32Array.from({ length: d }, (_, o) => sourceIndex(o - op.before[axis]!, x.shape[axis]!, op.mode)),
  );
  for (let i = 0; i < y.data.length; i++) {
    let at = 0;
    for (let axis = 0; axis < to.length; axis++)
      at += index[axis]![Math.floor(i / to[axis]!) % y.shape[axis]!]! * from[axis]!;
    y.data[i] = x.data[at]!;
  }
}

function sourceIndex(i: number, n: number, mode: 'edge' | 'reflect' | 'constant'): number {
  if (mode === 'edge') return Math.min(Math.max(i, 0), n - 1);
  return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}
