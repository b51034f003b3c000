/**
 * What the kernels without vectors take (kernels/mvp): weights as they are in the model, expanded to words before a node runs, with
 * the zero point of the input in the bias.
 * @module
 */
import type { Arg, Builder, Source } from '../backends/wasm/builder.ts';
import { type Call, type Prepared, prepared } from '../backends/wasm/call.ts';
import type { More, Site } from '../backends/wasm/kernels.ts';
import { matrixRecord } from '../backends/wasm/linear.ts';
import { gru } from '../backends/wasm/more/gru.ts';
import { MORE } from '../backends/wasm/more/index.ts';
import { lstm } from '../backends/wasm/more/lstm.ts';
import { softmax } from '../backends/wasm/more/softmax.ts';
import { transposedBy } from '../backends/wasm/more/transposed.ts';
import {
  matrixWords,
  multipliers,
  panelColumns,
  type Rows,
  stageWords,
  words,
  zeroRow,
} from '../backends/wasm/pack.ts';
import { broadcastStrides, strided } from '../backends/wasm/strided.ts';
import { floorDiv } from '../core/int.ts';
import { StaticBuilder } from './layout.ts';

/** Most rows whose weights are taken as they are: to expand them would cost more. */
const FEW = 2;

/** Bytes of a row of K values in words of `per` (kernels/mvp/words.ts). */
function rowBytes(k: number, per: number): number {
  return ((floorDiv(k + per - 1, per) + 3) & ~3) * 8;
}

/** Bytes of a row of any K values in words, with the most that K is rounded up. */
function rowMost(k: number): number {
  return k * 4 + 64;
}

function isRows(source: Source | undefined): source is Rows {
  return typeof source === 'object' && 'groups' in source;
}

/** A builder whose panels are rows of words. */
export class WordBuilder extends StaticBuilder {
  /** Rows of weights. */
  words({ data, groups, count, k, size }: Rows): number {
    const per = size === 1 ? 3 : 2;
    const rows = groups * count;
    const from = this.raw(data.subarray(0, rows * k));
    return this.expanded(rows * rowBytes(k, per), 'expand', rows, (to) => [from, to, k, per]);
  }

  override packed(bytes: number, length: number, fill: (out: Int8Array | Int16Array) => void, source?: Source): number {
    return isRows(source) ? this.words(source) : super.packed(bytes, length, fill, source);
  }
}

/** A call of a kernel that only compiled models have. */
function own(kernel: string, fn: string, units: number, ...args: readonly number[]): Prepared {
  return { kernel, calls: [{ fn: fn as Call['fn'], units, args }] };
}

/** Biases less zx times the sum of the weights, mod 2^32. */
function folded(b: Builder, x: Arg, w: Arg, bias: Arg, k: number): number {
  const data = w.data as Int8Array;
  return words(b, bias.count, (o) => {
    let sum = 0;
    if (x.zp !== 0) for (let i = o * k; i < (o + 1) * k; i++) sum += data[i]!;
    return bias.data![o]! - x.zp * sum;
  });
}

function conv2d(s: Site<'conv2d'>, b: Builder, to: number): Prepared {
  const [o, kh, kw, cg] = s.in[1]!.shape as readonly [number, number, number, number];
  const { groups, strides, pads } = s.attrs;
  if (cg === 1 && groups === o) return depthwise(s, b, to);
  const plain = groups === 1 && kh * kw === 1 && strides.every((v) => v === 1) && pads.every((v) => v === 0);
  return plain ? rowsTimes(s, b, o, cg, to) : gathered(s, b, to);
}

/** The words of a convolution’s geometry. */
function geometry(s: Site<'conv2d'>): number[] {
  const { strides, pads, dilations } = s.attrs;
  return [...strides, ...dilations, pads[0]!, pads[1]!];
}

function gathered(s: Site<'conv2d'>, b: Builder, to: number): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { groups, stage } = s.attrs;
  const [n, oh, ow, o] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width, channels] = x.shape as readonly [number, number, number, number];
  const [, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const k = kh * kw * cg;
  const count = floorDiv(o, groups);
  const panels = (b as WordBuilder).words({ data: w.data as Int8Array, groups, count, k, size: x.size });
  const row = k * x.size + 64;
  b.scratch(row + 4 * rowMost(k));
  const g = matrixWords({
    k,
    count,
    panels,
    bias: folded(b, x, w, bias, k),
    m: multipliers(b, stage?.m, o),
    stage,
    ld: o,
  });
  const head = [
    n * oh * ow,
    oh,
    ow,
    h,
    width,
    channels,
    cg,
    kh,
    kw,
    ...geometry(s),
    x.size,
    0,
    zeroRow(b, x, channels),
  ];
  const record = b.record([...head, groups, row, k, ...g.slice(1)]);
  return prepared(`conv_i${x.size * 8}`, 'conv', (n * oh * ow + 3) >>> 2, record, b.at(x), to);
}

function depthwise(s: Site<'conv2d'>, b: Builder, to: number): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { stage } = s.attrs;
  const [n, oh, ow, c] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width] = x.shape as readonly [number, number, number];
  const [, kh, kw] = w.shape as readonly [number, number, number];
  const weights = b.raw((w.data as Int8Array).subarray(0, c * kh * kw));
  b.scratch((Math.max(9, kh * kw) + 2) * 4);
  const head = [n, oh, ow, h, width, c, kh, kw, ...geometry(s), x.size, zeroRow(b, x, c), weights];
  const tail = [folded(b, x, w, bias, kh * kw), multipliers(b, stage?.m, c), ...stageWords(stage)];
  return prepared(`depthwise_i${x.size * 8}`, 'depthwise', n * oh * ow, b.record([...head, ...tail]), b.at(x), to);
}

/** Contiguous rows of K times constant weights [O,K]. */
function rowsTimes(s: Site<'conv2d'> | Site<'dense'>, b: Builder, o: number, k: number, to: number): Prepared {
  const [x, w, bias, u] = s.in as readonly [Arg, Arg, Arg, Arg?];
  const { stage } = s.attrs;
  const rows = floorDiv(s.out[0]!.count, o);
  const columns = (panels: number, folds: number): Parameters<typeof matrixWords>[0] => ({
    k,
    count: o,
    panels,
    bias: folds,
    m: multipliers(b, stage?.m, o),
    stage,
    ld: o,
  });
  if (u === undefined && rows <= FEW) {
    const weights = b.raw((w.data as Int8Array).map((v) => v ^ 128));
    b.scratch(((k + 15) >> 4) * 64);
    const g = matrixWords(columns(0, folded(b, x, w, bias, k)));
    const record = b.record([rows, k * x.size, x.size, k, weights, ...g]);
    return own(`gemv_i${x.size * 8}`, 'gemv', o, record, b.at(x), to);
  }
  b.scratch(4 * rowMost(k));
  const left = { rows, k, size: x.size, zp: u === undefined ? 0 : x.zp, offset: 0 };
  if (u === undefined) {
    const panels = (b as WordBuilder).words({ data: w.data as Int8Array, groups: 1, count: o, k, size: x.size });
    const { at, units } = matrixRecord(b, left, columns(panels, folded(b, x, w, bias, k)), 0);
    return prepared(`matrix_i${x.size * 8}`, 'matrix', units, at, b.at(x), to);
  }
  const { block } = (s as Site<'dense'>).attrs;
  const blocks = u.shape[1]!;
  const scales = b.reserve(o * blocks + 1, (memory, at) => {
    new Uint8Array(memory, at, o * blocks).set(Array.from({ length: o * blocks }, (_, i) => u.data![i]! - u.zp));
  });
  const weights = b.raw(w.data!);
  const panels = (b as StaticBuilder).expanded(o * rowBytes(k, 2), 'expand4', o, (at) => [
    b.record([weights, scales, at, k, block]),
  ]);
  const biases = words(b, o, (i) => bias.data![i]!);
  const { at, units } = matrixRecord(b, left, columns(panels, biases), 4);
  return prepared(`matrix_w4_i${x.size * 8}`, 'matrix', units, at, b.at(x), to);
}

function dense(s: Site<'dense'>, b: Builder): Prepared {
  const [o, k] = s.in[1]!.shape as readonly [number, number];
  return rowsTimes(s, b, o, k, b.at(s.out[0]!));
}

function matmul(s: Site<'matmul'>, b: Builder): Prepared {
  const [x, y] = s.in as readonly [Arg, Arg];
  const out = s.out[0]!;
  const { tb, stage } = s.attrs;
  const [rows, count] = out.shape.slice(-2) as [number, number];
  const k = x.shape[x.shape.length - 1]!;
  b.scratch(12 * (k * 8 + 64) + k * 2 + 64);
  const g = matrixWords({
    k,
    count,
    panels: 0,
    bias: words(b, count, () => 0),
    m: multipliers(b, stage?.m, count),
    stage,
    ld: count,
  });
  const panels = panelColumns(count) >> 3;
  const left = b.record([rows, x.size, panels, ...g]);
  const right = b.record([k, count, y.size, tb]);
  const batch = out.shape.slice(0, -2);
  const matrices = (t: Arg): { at: number; strides: number[] } => {
    const [p, q] = t.shape.slice(-2) as [number, number];
    const each = { shape: t.shape.slice(0, -2), size: p * q * t.size };
    return { at: b.at(t), strides: [...broadcastStrides(each, batch), 0] };
  };
  const nd = strided(b, [...batch, 1], [x, y, out].map(matrices), true);
  return prepared(`matmul_i${x.size * 8}_i${y.size * 8}`, 'matmul', nd.units * panels, nd.at, right, left);
}

/** Room for four rows of words behind what a recurrent kernel keeps in scratch. */
function recurrent(b: Builder, x: Arg, wx: Arg, wh: Arg): void {
  const n = x.shape[1]!;
  const [gates, d] = wx.shape as readonly [number, number];
  const h = wh.shape[1]!;
  b.scratch(n * gates * 8 + n * h * 8 + 128 + 4 * rowMost(Math.max(d, h)));
}

const kernels: More['kernels'] & { readonly [N in 'conv2d' | 'dense']: (s: Site<N>, b: Builder) => Prepared } = {
  ...MORE.kernels,
  conv2d: (s, b) => conv2d(s, b, b.at(s.out[0]!)),
  conv_transpose2d: (s, b) => transposedBy(s, b, conv2d, gathered),
  dense,
  gru: (s, b) => {
    recurrent(b, s.in[0]!, s.in[1]!, s.in[2]!);
    return gru(s, b);
  },
  lstm: (s, b) => {
    recurrent(b, s.in[0]!, s.in[1]!, s.in[2]!);
    return lstm(s, b);
  },
  matmul,
  softmax,
};

/** The plan-time functions of all ops for kernels without vectors. */
export const SCALAR: More = { kernels, faster: {} };
