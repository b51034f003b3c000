/**
 * conv2d, dense and matmul over the shared tile (spec/10-ops.md §3).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { i4At } from '../../core/tensor.ts';
import type { Arg, Builder } from './builder.ts';
import type { Prepared, Site } from './kernels.ts';
import { blockBytes, blockRows, type Columns, matrixWords, multipliers, panelColumns, panelK, panels, stageWords, words } from './pack.ts';
import { broadcastStrides, strided } from './strided.ts';

/** Left side of a product: contiguous rows. */
export interface Left {
  readonly rows: number;
  readonly k: number;
  readonly size: number;
  readonly zp: number;
  /** Bytes of its packed block’s offset in the scratch area. */
  readonly offset: number;
}

/** Weight bytes of a product of one row, else 0. */
type Gemv = 0 | 1 | 2;

/** The record of `matrix` (kernels/wasm/gemm.ts); `gemv`: bytes of a weight of the one-row kernel. Returns its address and scratch end. */
export function matrixRecord(b: Builder, x: Left, c: Columns, gemv: Gemv): { readonly at: number; readonly end: number } {
  const block = blockRows(x.k, x.rows);
  const bytes = gemv > 0 ? panelK(x.k) * 2 + 64 : blockBytes(x.k, block);
  b.scratch(x.offset + bytes);
  const at = b.record(x.rows, x.k * x.size, x.size, x.zp, block, gemv, x.offset, 0, ...matrixWords(c));
  return { at, end: x.offset + bytes };
}

/** Bias words, all zero without data. */
function biasWords(b: Builder, bias: ArrayLike<number> | undefined, first: number, count: number): number {
  return words(b, count, bias === undefined ? () => 0 : (i) => bias[first + i]!);
}

/** conv2d: depthwise, one product of rows for 1×1, or implicit im2col. */
export function conv2d(s: Site<'conv2d'>, b: Builder): Prepared {
  const [x, w] = s.in as readonly [Arg, Arg];
  const { groups, strides, pads } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  if (cg === 1 && groups === o) return depthwise(s, b);
  const plain = groups === 1 && kh * kw === 1 && strides.every((v) => v === 1) && pads.every((v) => v === 0);
  return plain ? rowsTimes(s, b, x, o, cg, w.data as Int8Array, 'conv1x1') : im2col(s, b);
}

/** A zero row: `count` elements that hold zp, and some more for vector loads. */
function zeroRow(b: Builder, x: Arg, count: number): number {
  const length = count + 16;
  return b.reserve(length * x.size, (memory, at) => (x.size === 1 ? new Int8Array(memory, at, length) : new Int16Array(memory, at, length)).fill(x.zp));
}

function im2col(s: Site<'conv2d'>, b: Builder): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { strides, pads, dilations, groups, stage } = s.attrs;
  const [n, oh, ow, o] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width, channels] = x.shape as readonly [number, number, number, number];
  const [, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const k = kh * kw * cg;
  const og = floorDiv(o, groups);
  const block = blockRows(k, n * oh * ow);
  const rowsAt = blockBytes(k, block);
  b.scratch(rowsAt + 4 * (panelK(k) + 16) * 2 + 64);
  const perGroup = Array.from({ length: groups }, (_, g) =>
    matrixWords({
      k,
      count: og,
      panels: panels(b, { data: w.data as Int8Array, first: g * og, count: og, k }, 2),
      bias: biasWords(b, bias.data, g * og, og),
      m: multipliers(b, stage?.m, g * og, og),
      stage,
      ld: o,
    }),
  );
  const record = b.record(
    n * oh * ow, oh, ow, h, width, channels, cg, kh, kw, strides[0]!, strides[1]!, dilations[0]!, dilations[1]!, pads[0]!, pads[1]!,
    x.size, x.zp, zeroRow(b, x, channels), block, groups, panelK(k), og * stageWords(stage)[4], 0, rowsAt, ...perGroup.flat(),
  );
  const [from, to] = [b.at(x), b.at(s.out[0]!)];
  return { kernel: `conv_im2col_i${x.size * 8}`, run: (kernels) => kernels.conv(record, from, to) };
}

function depthwise(s: Site<'conv2d'>, b: Builder): Prepared {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { strides, pads, dilations, stage } = s.attrs;
  const [n, oh, ow, c] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width] = x.shape as readonly [number, number, number];
  const [, kh, kw] = w.shape as readonly [number, number, number];
  const taps = kh * kw;
  const pairs = (taps + 1) >> 1;
  const data = w.data as Int8Array;
  const packed = b.reserve(panelColumns(c) * pairs * 4, (memory, at) => {
    const out = new Int16Array(memory, at, panelColumns(c) * pairs * 2);
    for (let i = 0; i < c; i++) {
      for (let t = 0; t < taps; t++) out[((i >> 3) * pairs + (t >> 1)) * 16 + (i & 7) * 2 + (t & 1)] = data[i * taps + t]!;
    }
  });
  const folded = words(b, c, (i) => {
    let sum = 0;
    for (let t = 0; t < taps; t++) sum += data[i * taps + t]!;
    return bias.data![i]! - x.zp * sum; // wraps mod 2^32
  });
  b.scratch((taps + 2) * 4);
  const record = b.record(
    n, oh, ow, h, width, c, kh, kw, strides[0]!, strides[1]!, dilations[0]!, dilations[1]!, pads[0]!, pads[1]!, x.size,
    zeroRow(b, x, c), packed, folded, multipliers(b, stage?.m, 0, c), ...stageWords(stage),
  );
  const [from, to] = [b.at(x), b.at(s.out[0]!)];
  return { kernel: `depthwise_i${x.size * 8}${x.size === 1 && kh === 3 && kw === 3 ? '_3x3' : ''}`, run: (kernels) => kernels.depthwise(record, from, to) };
}

/** Contiguous rows of K times constant weights [O,K]. */
function rowsTimes(s: Site<'conv2d'> | Site<'dense'>, b: Builder, x: Arg, o: number, k: number, w: Int8Array | Int16Array, name: string): Prepared {
  const { stage } = s.attrs;
  const rows = floorDiv(s.out[0]!.count, o);
  const gemv: Gemv = rows > 1 ? 0 : w instanceof Int8Array ? 1 : 2;
  const columns: Columns = {
    k,
    count: o,
    panels: panels(b, { data: w, first: 0, count: o, k }, gemv === 1 ? 1 : 2),
    bias: biasWords(b, (s.in[2] as Arg).data, 0, o),
    m: multipliers(b, stage?.m, 0, o),
    stage,
    ld: o,
  };
  const { at } = matrixRecord(b, { rows, k, size: x.size, zp: x.zp, offset: 0 }, columns, gemv);
  const [from, to] = [b.at(x), b.at(s.out[0]!)];
  return { kernel: `${name}_${gemv ? 'gemv' : 'gemm'}_i${x.size * 8}`, run: (kernels) => kernels.matrix(at, from, to) };
}

/** i4 weights times their block scale: |w·u| ≤ 8·255 fits an i16. */
function scaledWeights(w: Arg, u: Arg, block: number): Int16Array {
  const [o, k] = w.shape as readonly [number, number];
  const width = u.shape[1]!;
  const out = new Int16Array(o * k);
  for (let i = 0, at = 0; i < o; i++) {
    for (let j = 0; j < k; j++, at++) out[at] = i4At(w.data!, at) * (u.data![i * width + floorDiv(j, block)]! - u.zp);
  }
  return out;
}

/** dense: i8 weights, or i4 weights widened with their block scales at load. */
export function dense(s: Site<'dense'>, b: Builder): Prepared {
  const [x, w, , u] = s.in as readonly [Arg, Arg, Arg, Arg?];
  const [o, k] = w.shape as readonly [number, number];
  const weights = u === undefined ? (w.data as Int8Array) : scaledWeights(w, u, s.attrs.block);
  return rowsTimes(s, b, x, o, k, weights, u === undefined ? 'dense_w8' : 'dense_w4');
}

/** matmul: the right operand is packed into panels as the run goes. */
export function matmul(s: Site<'matmul'>, b: Builder): Prepared {
  const [x, y] = s.in as readonly [Arg, Arg];
  const out = s.out[0]!;
  const { tb, stage } = s.attrs;
  const [rows, count] = out.shape.slice(-2) as [number, number];
  const k = x.shape[x.shape.length - 1]!;
  const columns: Columns = { k, count, panels: 0, bias: words(b, count, () => 0), m: multipliers(b, stage?.m, 0, count), stage, ld: count };
  const left = matrixRecord(b, { rows, k, size: x.size, zp: 0, offset: 0 }, columns, rows === 1 ? 2 : 0);
  b.scratch(left.end + panelColumns(count) * panelK(k) * 2 + 64);
  const right = b.record(k, count, y.size, tb, left.end);
  const batch = out.shape.slice(0, -2);
  const matrices = (t: Arg): { at: number; strides: number[] } => {
    const [p, q] = t.shape.slice(-2) as [number, number];
    return { at: b.at(t), strides: [...broadcastStrides({ shape: t.shape.slice(0, -2), size: p * q * t.size }, batch), 0] };
  };
  const nd = strided(b, [...batch, 1], [x, y, out].map(matrices), true);
  return { kernel: `matmul_${rows === 1 ? 'gemv' : 'gemm'}_i${x.size * 8}_i${y.size * 8}`, run: (kernels) => kernels.matmul(nd, right, left.at) };
}
