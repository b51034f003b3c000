/**
 * Convolution, dense layers and pools of the float interpreter: f64, every sum over its taps in rising order, so that
 * calibration gives the same ranges on every engine.
 * @module
 */
import type { Conv2d, ConvTranspose2d, Dense, Pool } from '../float-graph.ts';
import type { Block } from './block.ts';
import { fastConv } from './fast-conv.ts';

/** Rows of weights over `count` vectors of k values, written `stride` apart. */
interface Rows {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly lo: number;
  readonly hi: number;
}

/** y[at…] of rows first…last−1 for two vectors at once: four rows by two vectors keep eight sums in registers. */
function pair(
  op: Rows,
  x: Float64Array,
  p0: number,
  p1: number,
  k: number,
  first: number,
  last: number,
  y: Float64Array,
  at0: number,
  at1: number,
): void {
  const { weight: w, bias } = op;
  let o = first;
  for (; o + 3 < last; o += 4) {
    const [q, r, s, t] = [o * k, (o + 1) * k, (o + 2) * k, (o + 3) * k];
    let [a, b, c, d] = [bias[o]!, bias[o + 1]!, bias[o + 2]!, bias[o + 3]!];
    let [e, f, g, h] = [a, b, c, d];
    for (let i = 0; i < k; i++) {
      const u = x[p0 + i]!;
      const v = x[p1 + i]!;
      const wq = w[q + i]!;
      const wr = w[r + i]!;
      const ws = w[s + i]!;
      const wt = w[t + i]!;
      a += wq * u;
      b += wr * u;
      c += ws * u;
      d += wt * u;
      e += wq * v;
      f += wr * v;
      g += ws * v;
      h += wt * v;
    }
    y[at0 + o] = a;
    y[at0 + o + 1] = b;
    y[at0 + o + 2] = c;
    y[at0 + o + 3] = d;
    y[at1 + o] = e;
    y[at1 + o + 1] = f;
    y[at1 + o + 2] = g;
    y[at1 + o + 3] = h;
  }
  for (; o < last; o++) {
    let [a, b] = [bias[o]!, bias[o]!];
    for (let i = 0; i < k; i++) {
      a += w[o * k + i]! * x[p0 + i]!;
      b += w[o * k + i]! * x[p1 + i]!;
    }
    y[at0 + o] = a;
    y[at1 + o] = b;
  }
}

/** All values cut to lo…hi. */
function clamp(y: Float64Array, lo: number, hi: number): void {
  if (lo === Number.NEGATIVE_INFINITY && hi === Number.POSITIVE_INFINITY) return;
  for (let i = 0; i < y.length; i++) {
    const v = y[i]!;
    y[i] = v < lo ? lo : v > hi ? hi : v;
  }
}

/** Dense rows over `count` consecutive vectors of k values. */
function rows(op: Rows, x: Float64Array, count: number, k: number, y: Float64Array): void {
  const o = op.bias.length;
  for (let p = 0; p < count; p += 2) {
    const q = Math.min(p + 1, count - 1);
    pair(op, x, p * k, q * k, k, 0, o, y, p * o, q * o);
  }
}

/** Dense layer over the last axis. */
export function dense(op: Dense, x: Block, y: Block): void {
  const o = op.bias.length;
  rows(op, x.data, o === 0 ? 0 : y.data.length / o, o === 0 ? 0 : op.weight.length / o, y.data);
  clamp(y.data, op.lo, op.hi);
}

/** One channel a group: each tap multiplies the whole row of channels. */
function depthwise(op: Conv2d, x: Block, y: Block): void {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [, oh, ow] = y.shape as [number, number, number, number];
  const [kh, kw] = op.kernel;
  const taps = kh * kw;
  const weight = new Float64Array(op.weight.length); // [taps, C]
  for (let ch = 0; ch < c; ch++) for (let t = 0; t < taps; t++) weight[t * c + ch] = op.weight[ch * taps + t]!;
  for (let p = 0; p < n * oh * ow; p++) {
    const ox = p % ow;
    const oy = Math.floor(p / ow) % oh;
    const b = Math.floor(p / (ow * oh));
    const to = p * c;
    for (let ch = 0; ch < c; ch++) y.data[to + ch] = op.bias[ch]!;
    for (let t = 0; t < taps; t++) {
      const iy = oy * op.strides[0] - op.pads[0] + Math.floor(t / kw) * op.dilations[0];
      const ix = ox * op.strides[1] - op.pads[1] + (t % kw) * op.dilations[1];
      if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
      const from = ((b * h + iy) * w + ix) * c;
      for (let ch = 0; ch < c; ch++) y.data[to + ch]! += weight[t * c + ch]! * x.data[from + ch]!;
    }
  }
}

/** Copies the taps of group g at output (b, oy, ox) into `patch` from `start` on, zeros for padding. */
export function gatherTaps(
  op: Conv2d,
  x: Block,
  b: number,
  oy: number,
  ox: number,
  g: number,
  patch: Float64Array,
  start: number,
): void {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const cg = c / op.groups;
  let at = start;
  for (let ky = 0; ky < op.kernel[0]; ky++) {
    const iy = oy * op.strides[0] - op.pads[0] + ky * op.dilations[0];
    for (let kx = 0; kx < op.kernel[1]; kx++) {
      const ix = ox * op.strides[1] - op.pads[1] + kx * op.dilations[1];
      const inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
      const from = ((b * h + iy) * w + ix) * c + g * cg;
      if (inside) for (let i = 0; i < cg; i++) patch[at + i] = x.data[from + i]!;
      else patch.fill(0, at, at + cg);
      at += cg;
    }
  }
}

/** Products from which the WebAssembly kernel pays for its copies. */
const FAST = 4096;

/** Convolution: the taps of two output pixels at a time become two vectors of a dense layer. */
export function conv2d(op: Conv2d, x: Block, y: Block): void {
  const [, , , c] = x.shape as [number, number, number, number];
  const [n, oh, ow, o] = y.shape as [number, number, number, number];
  const [cg, og] = [c / op.groups, o / op.groups];
  const k = op.kernel[0] * op.kernel[1] * cg;
  const whole = k === c && op.groups === 1 && op.pads.every((p) => p === 0) && op.strides.every((s) => s === 1);
  const fast = y.data.length * k >= FAST && fastConv(op, x, y);
  if (fast) {
    clamp(y.data, op.lo, op.hi);
    return;
  }
  if (cg === 1 && og === 1) depthwise(op, x, y);
  else if (whole) rows(op, x.data, n * oh * ow, k, y.data);
  else {
    const patch = new Float64Array(2 * k);
    const pixels = n * oh * ow;
    for (let p = 0; p < pixels; p += 2) {
      const q = Math.min(p + 1, pixels - 1);
      for (let g = 0; g < op.groups; g++) {
        for (const [i, pixel] of [p, q].entries())
          gatherTaps(op, x, Math.floor(pixel / (oh * ow)), Math.floor(pixel / ow) % oh, pixel % ow, g, patch, i * k);
        pair(op, patch, 0, k, k, g * og, (g + 1) * og, y.data, p * o, q * o);
      }
    }
  }
  clamp(y.data, op.lo, op.hi);
}

/** Transposed convolution: each output gathers the taps whose place divides by the strides. */
export function convTranspose2d(op: ConvTranspose2d, x: Block, y: Block): void {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [n, oh, ow, o] = y.shape as [number, number, number, number];
  const [cg, og] = [c / op.groups, o / op.groups];
  const [kh, kw] = op.kernel;
  const taps: number[] = [];
  for (let p = 0; p < n * oh * ow; p++) {
    const [b, oy, ox] = [Math.floor(p / (oh * ow)), Math.floor(p / ow) % oh, p % ow];
    taps.length = 0; // pairs of the tap and the first element of its pixel
    for (let t = 0; t < kh * kw; t++) {
      const ty = oy + op.pads[0] - Math.floor(t / kw) * op.dilations[0];
      const tx = ox + op.pads[1] - (t % kw) * op.dilations[1];
      const [iy, ix] = [ty / op.strides[0], tx / op.strides[1]];
      const inside = Number.isInteger(iy) && Number.isInteger(ix) && iy >= 0 && iy < h && ix >= 0 && ix < w;
      if (inside) taps.push(t, ((b * h + iy) * w + ix) * c);
    }
    for (let ch = 0; ch < o; ch++) {
      const first = Math.floor(ch / og) * cg;
      let acc = op.bias[ch]!;
      for (let k = 0; k < taps.length; k += 2) {
        const [row, from] = [(ch * kh * kw + taps[k]!) * cg, taps[k + 1]! + first];
        for (let i = 0; i < cg; i++) acc += op.weight[row + i]! * x.data[from + i]!;
      }
      y.data[p * o + ch] = acc;
    }
  }
  clamp(y.data, op.lo, op.hi);
}

/** Maximum or average of the window's valid taps, channel by channel beside each other. */
export function pool(op: Pool, x: Block, y: Block): void {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [n, oh, ow] = y.shape as [number, number, number];
  const [pt, pl, pb, pr] = op.pads;
  const max = op.kind === 'max_pool2d';
  for (let p = 0; p < n * oh * ow; p++) {
    const out = y.data.subarray(p * c, (p + 1) * c).fill(max ? Number.NEGATIVE_INFINITY : 0);
    const y0 = (Math.floor(p / ow) % oh) * op.strides[0] - pt;
    const x0 = (p % ow) * op.strides[1] - pl;
    let count = 0;
    for (let t = 0; t < op.kernel[0] * op.kernel[1]; t++) {
      const iy = y0 + Math.floor(t / op.kernel[1]) * op.dilations[0];
      const ix = x0 + (t % op.kernel[1]) * op.dilations[1];
      const valid = iy >= 0 && iy < h && ix >= 0 && ix < w;
      if (valid || (op.includePad && iy < h + pb && ix < w + pr)) count += 1;
      if (!valid) continue;
      const from = ((Math.floor(p / (oh * ow)) * h + iy) * w + ix) * c;
      if (max) for (let ch = 0; ch < c; ch++) out[ch] = x.data[from + ch]! > out[ch]! ? x.data[from + ch]! : out[ch]!;
      else for (let ch = 0; ch < c; ch++) out[ch]! += x.data[from + ch]!;
    }
    if (!max) for (let ch = 0; ch < c; ch++) out[ch]! /= count;
  }
}
