/**
 * The float operations of the interpreter: f64 + − × ÷ and √ only, summed in a fixed order, so that calibration gives the
 * same ranges on every engine. Nothing is allocated in a loop over elements.
 * @module
 */
import type { AffineOp, Conv2d, Dense, Linear, Mean, Pad, Pool, Transpose } from './float-graph.ts';
import { exp } from './math.ts';

/** Row-major elements with their shape. */
export interface Block {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** out[at…at+O) = clamp(bias + Σ_k w[o,k]·x[from+k]); every sum runs over k in rising order; rows o = first…last−1 of the weight. */
function rows(
  x: Float64Array,
  from: number,
  k: number,
  op: Conv2d | Dense,
  first: number,
  last: number,
  out: Float64Array,
  at: number,
): void {
  const { weight: w, bias, lo, hi } = op;
  let o = first;
  for (; o + 3 < last; o += 4) {
    let [a, b, c, d] = [bias[o]!, bias[o + 1]!, bias[o + 2]!, bias[o + 3]!];
    const [p, q, r, s] = [o * k, (o + 1) * k, (o + 2) * k, (o + 3) * k];
    for (let i = 0; i < k; i++) {
      const v = x[from + i]!;
      a += w[p + i]! * v;
      b += w[q + i]! * v;
      c += w[r + i]! * v;
      d += w[s + i]! * v;
    }
    out[at + o] = a;
    out[at + o + 1] = b;
    out[at + o + 2] = c;
    out[at + o + 3] = d;
  }
  for (; o < last; o++) {
    let a = bias[o]!;
    for (let i = 0; i < k; i++) a += w[o * k + i]! * x[from + i]!;
    out[at + o] = a;
  }
  for (o = first; o < last; o++) {
    out[at + o] = Math.min(Math.max(out[at + o]!, lo), hi);
  }
}

/** Dense layer over the last axis. */
export function dense(op: Dense, x: Block, y: Block): void {
  const o = op.bias.length;
  const k = op.weight.length / o;
  for (let row = 0; row * o < y.data.length; row++) rows(x.data, row * k, k, op, 0, o, y.data, row * o);
}

/** Convolution: each output pixel gathers its taps of one group into `patch`, then is a dense row. */
export function conv2d(op: Conv2d, x: Block, y: Block): void {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [, oh, ow, o] = y.shape as [number, number, number, number];
  const [kh, kw] = op.kernel;
  const [cg, og] = [c / op.groups, o / op.groups];
  const patch = new Float64Array(kh * kw * cg);
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let g = 0; g < op.groups; g++) {
          let at = 0;
          for (let ky = 0; ky < kh; ky++) {
            const iy = oy * op.strides[0] - op.pads[0] + ky * op.dilations[0];
            for (let kx = 0; kx < kw; kx++) {
              const ix = ox * op.strides[1] - op.pads[1] + kx * op.dilations[1];
              const inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
              const from = ((b * h + iy) * w + ix) * c + g * cg;
              for (let i = 0; i < cg; i++) patch[at++] = inside ? x.data[from + i]! : 0;
            }
          }
          rows(patch, 0, patch.length, op, g * og, (g + 1) * og, y.data, ((b * oh + oy) * ow + ox) * o);
        }
}

/** Maximum or average of the window's valid taps. */
export function pool(op: Pool, x: Block, y: Block): void {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [, oh, ow] = y.shape as [number, number, number, number];
  const [pt, pl, pb, pr] = op.pads;
  const max = op.kind === 'max_pool2d';
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let ch = 0; ch < c; ch++) {
          let acc = max ? Number.NEGATIVE_INFINITY : 0;
          let count = 0;
          for (let ky = 0; ky < op.kernel[0]; ky++) {
            const iy = oy * op.strides[0] - pt + ky * op.dilations[0];
            for (let kx = 0; kx < op.kernel[1]; kx++) {
              const ix = ox * op.strides[1] - pl + kx * op.dilations[1];
              const valid = iy >= 0 && iy < h && ix >= 0 && ix < w;
              if (valid || (op.includePad && iy < h + pb && ix < w + pr)) count += 1;
              if (!valid) continue;
              const v = x.data[((b * h + iy) * w + ix) * c + ch]!;
              acc = max ? Math.max(v, acc) : acc + v;
            }
          }
          y.data[((b * oh + oy) * ow + ox) * c + ch] = max ? acc : acc / count;
        }
}

/** Row-major strides. */
function stridesOf(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]!) out[i] = n;
  return out;
}

/** Calls `visit(i, at)` for the elements of `shape` in order, `at` the sum of index·strides. */
function walk(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (i: number, at: number) => void,
): void {
  const index = new Int32Array(shape.length);
  const total = shape.reduce((n, d) => n * d, 1);
  let at = start;
  for (let i = 0; i < total; i++) {
    visit(i, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
}

/** Mean over axes, in row-major order of the input. */
export function mean(op: Mean, x: Block, y: Block): void {
  const kept = stridesOf(y.shape);
  let k = 0;
  const strides = x.shape.map((_, axis) => (op.axes.includes(axis) ? 0 : kept[k++]!));
  y.data.fill(0);
  walk(x.shape, strides, 0, (i, at) => {
    y.data[at]! += x.data[i]!;
  });
  const n = x.data.length / y.data.length;
  for (let i = 0; i < y.data.length; i++) y.data[i]! /= n;
}

/** y's axis i is x's axis perm[i]. */
export function transpose(op: Transpose, x: Block, y: Block): void {
  const from = stridesOf(x.shape);
  const strides = op.perm.map((p) => from[p]!);
  walk(y.shape, strides, 0, (i, at) => {
    y.data[i] = x.data[at]!;
  });
}

/** Constant padding. */
export function pad(op: Pad, x: Block, y: Block): void {
  const c = op.value.length;
  for (let i = 0; i < y.data.length; i++) y.data[i] = op.value[i % c]!;
  const to = stridesOf(y.shape);
  const start = op.before.reduce((n, b, axis) => n + b * to[axis]!, 0);
  walk(x.shape, to, start, (i, at) => {
    y.data[at] = x.data[i]!;
  });
}

/** Strides of a broadcast operand: 0 along axes it repeats. */
function broadcastStrides(x: Block, y: Block): number[] {
  const own = stridesOf(x.shape);
  const skip = y.shape.length - x.shape.length;
  return y.shape.map((_, axis) => (axis < skip || x.shape[axis - skip] === 1 ? 0 : own[axis - skip]!));
}

/** clamp(ca·a + cb·b) with broadcasting. */
export function linear(op: Linear, a: Block, b: Block, y: Block): void {
  walk(y.shape, broadcastStrides(a, y), 0, (i, at) => {
    y.data[i] = op.ca * a.data[at]!;
  });
  walk(y.shape, broadcastStrides(b, y), 0, (i, at) => {
    const v = y.data[i]! + op.cb * b.data[at]!;
    y.data[i] = Math.min(Math.max(v, op.lo), op.hi);
  });
}

/** x·scale + shift along the last axis. */
export function affine(op: AffineOp, x: Block, y: Block): void {
  const [p, q] = [op.scale.length, op.shift.length];
  for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i]! * op.scale[i % p]! + op.shift[i % q]!;
}

/** Softmax over the last axis, its greatest element subtracted. */
export function softmax(x: Block, y: Block): void {
  const k = x.shape.at(-1)!;
  for (let from = 0; from < x.data.length; from += k) {
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < k; i++) max = Math.max(max, x.data[from + i]!);
    let sum = 0;
    for (let i = 0; i < k; i++) sum += y.data[from + i] = exp(x.data[from + i]! - max);
    for (let i = 0; i < k; i++) y.data[from + i]! /= sum;
  }
}
