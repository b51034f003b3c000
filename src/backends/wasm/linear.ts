/**
 * conv2d, dense and matmul over the shared tile (spec/10-ops.md §2).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Arg, Builder } from './builder.ts';
import { type Prepared, prepared } from './call.ts';
import type { Site } from './kernels.ts';
import {
  blockBytes,
  blockRows,
  type Columns,
  matrixWords,
  multipliers,
  panelColumns,
  panelK,
  panels,
  panels4,
  scaleBytes,
  stageWords,
  words,
  zeroRow,
} from './pack.ts';

/** Left side of a product: contiguous rows. */
export interface Left {
  readonly rows: number;
  readonly k: number;
  readonly size: number;
  readonly zp: number;
  /** Bytes of its packed block’s offset in the scratch area. */
  readonly offset: number;
}

/** How a product reads its panels: i16 tiles (0), one row of i8 (1), i4 (4). */
type PanelKind = 0 | 1 | 4;

/** Block scales of i4 panels. */
interface Scales {
  readonly block: number;
  readonly at: number;
}

/** Units of a product: panels where rows are few or panels are unpacked; else four rows. */
function unitsOf(
  rows: number,
  count: number,
  panelsOnly: boolean,
): { readonly byPanels: boolean; readonly units: number } {
  const [tiles, columns] = [(rows + 3) >> 2, panelColumns(count) >> 3];
  const byPanels = panelsOnly || (tiles < 16 && columns > tiles);
  return { byPanels, units: byPanels ? columns : tiles };
}

/** The record of `matrix` (kernels/wasm/gemm.ts): its address, the end of its scratch area, its units. */
export function matrixRecord(
  b: Builder,
  x: Left,
  c: Columns,
  kind: PanelKind,
  scales?: Scales,
): { readonly at: number; readonly end: number; readonly units: number } {
  const { byPanels, units } = unitsOf(x.rows, c.count, kind > 0);
  const block = blockRows(x.k, x.rows);
  const panelAt = x.offset + (x.rows === 1 && kind > 0 ? panelK(x.k) * 2 + 64 : blockBytes(x.k, block));
  // Block sums; or a panel, and as many bytes behind it, which gemm reads ahead
  const room = x.rows === 1 ? floorDiv(panelK(x.k), scales?.block ?? 1) * 4 + 4 : panelK(x.k) * 32;
  const end = panelAt + (scales === undefined ? 0 : room);
  b.scratch(end);
  const g = matrixWords(c);
  const head = [
    x.rows,
    x.k * x.size,
    x.size,
    x.zp,
    block,
    kind,
    x.offset,
    scales?.block ?? 0,
    scales?.at ?? 0,
    panelAt,
    byPanels,
    0,
  ];
  return { at: b.record([...head, ...g]), end, units };
}

/** Bias words of [groups][count] channels. */
function biasWords(b: Builder, bias: Arg, count: number, groups = 1): number {
  return words(b, count, (i) => bias.data![i]!, groups);
}

/** conv2d: depthwise, one product of rows for 1×1, or implicit im2col; y at `to`. */
export function conv2d(s: Site<'conv2d'>, b: Builder, to: number = b.at(s.out[0]!)): Prepared {
  const w = s.in[1]!;
  const { groups, strides, pads } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  if (cg === 1 && groups === o) return depthwise(s, b, to);
  const plain = groups === 1 && kh * kw === 1 && strides.every((v) => v === 1) && pads.every((v) => v === 0);
  return plain ? rowsTimes(s, b, o, cg, 'conv1x1', to) : im2col(s, b, to);
}

/** conv2d as implicit im2col; y at `to`. */
export function im2col(s: Site<'conv2d'>, b: Builder, to: number): Prepared {
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
  const matrix = {
    k,
    count: og,
    panels: panels(b, { data: w.data as Int8Array, groups, count: og, k, size: x.size }, 2),
    bias: biasWords(b, bias, og, groups),
    m: multipliers(b, stage?.m, og, groups),
    stage,
    ld: o,
  };
  const [area, channelArea] = [panelColumns(og) * panelK(k) * 2, panelColumns(og) * 4];
  const perGroup = Array.from({ length: groups }, (_, g) =>
    matrixWords({
      ...matrix,
      panels: matrix.panels + g * area,
      bias: matrix.bias + g * channelArea,
      m: matrix.m + g * channelArea,
    }),
  );
  const { byPanels, units } = unitsOf(n * oh * ow, og, false);
  const record = b.record([
    n * oh * ow,
    oh,
    ow,
    h,
    width,
    channels,
    cg,
    kh,
    kw,
    strides[0]!,
    strides[1]!,
    dilations[0]!,
    dilations[1]!,
    pads[0]!,
    pads[1]!,
    x.size,
    x.zp,
    zeroRow(b, x, channels),
    block,
    groups,
    panelK(k),
    og * stageWords(stage)[4],
    byPanels ? units : 0,
    rowsAt,
    ...perGroup.flat(),
  ]);
  return prepared(`conv_im2col_i${x.size * 8}`, 'conv', units, record, b.at(x), to);
}

/**
 * The record of a depthwise convolution (kernels/wasm/depthwise.ts). `order` lists the taps by pairs; one that is not a tap has
 * weight 0. `scratch` is in bytes. Weights and biases are times 2^`shift`, in place of as much of the shift of the stage.
 */
export function depthwiseRecord(
  s: Site<'conv2d'>,
  b: Builder,
  order: readonly number[],
  scratch: number,
  shift = 0,
): { readonly record: number; readonly x: number; readonly y: number } {
  const [x, w, bias] = s.in as readonly [Arg, Arg, Arg];
  const { strides, pads, dilations, stage } = s.attrs;
  const [n, oh, ow, c] = s.out[0]!.shape as readonly [number, number, number, number];
  const [, h, width] = x.shape as readonly [number, number, number];
  const [, kh, kw] = w.shape as readonly [number, number, number];
  const taps = kh * kw;
  const pairs = (order.length + 1) >> 1;
  const data = w.data as Int8Array;
  const fill = (out: Int8Array | Int16Array): void => {
    for (let i = 0; i < c; i++) {
      order.forEach((tap, t) => {
        if (tap < taps)
          out[((i >> 3) * pairs + (t >> 1)) * 16 + (i & 7) * 2 + (t & 1)] = data[i * taps + tap]! << shift;
      });
    }
  };
  const packed = b.packed(2, panelColumns(c) * pairs * 2, fill, order);
  const folded = words(b, c, (i) => {
    let sum = 0;
    for (let t = 0; t < taps; t++) sum += data[i * taps + t]!;
    return (bias.data![i]! - x.zp * sum) << shift; // wraps mod 2^32
  });
  b.scratch(scratch);
  const record = b.record([
    n,
    oh,
    ow,
    h,
    width,
    c,
    kh,
    kw,
    strides[0]!,
    strides[1]!,
    dilations[0]!,
    dilations[1]!,
    pads[0]!,
    pads[1]!,
    x.size,
    zeroRow(b, x, c),
    packed,
    folded,
    multipliers(b, stage?.m, c),
    ...stageWords(stage && { ...stage, l: stage.l - shift }),
  ]);
  return { record, x: b.at(x), y: b.at(s.out[0]!) };
}

function depthwise(s: Site<'conv2d'>, b: Builder, to: number): Prepared {
  const [, kh, kw] = s.in[1]!.shape as readonly [number, number, number];
  const [n, oh, ow] = s.out[0]!.shape as readonly [number, number, number];
  const taps = Array.from({ length: kh * kw }, (_, t) => t);
  const { record, x } = depthwiseRecord(s, b, taps, (taps.length + 2) * 4);
  const size = s.in[0]!.size;
  const kernel = `depthwise_i${size * 8}${size === 1 && kh === 3 && kw === 3 ? '_3x3' : ''}`;
  return prepared(kernel, 'depthwise', n * oh * ow, record, x, to);
}

/** Contiguous rows of K times constant weights [O,K]. */
function rowsTimes(
  s: Site<'conv2d'> | Site<'dense'>,
  b: Builder,
  o: number,
  k: number,
  name: string,
  to: number,
): Prepared {
  const [x, w, bias, u] = s.in as readonly [Arg, Arg, Arg, Arg?];
  const { stage } = s.attrs;
  const rows = floorDiv(s.out[0]!.count, o);
  const kind: PanelKind = u !== undefined ? 4 : rows === 1 ? 1 : 0;
  const columns: Columns = {
    k,
    count: o,
    panels:
      u === undefined
        ? panels(b, { data: w.data as Int8Array, groups: 1, count: o, k, size: x.size }, kind === 1 ? 1 : 2)
        : panels4(b, w.data!, o, k),
    bias: biasWords(b, bias, o),
    m: multipliers(b, stage?.m, o),
    stage,
    ld: o,
  };
  const scales = u === undefined ? undefined : { block: (s as Site<'dense'>).attrs.block, at: scaleBytes(b, u) };
  const { at, units } = matrixRecord(b, { rows, k, size: x.size, zp: x.zp, offset: 0 }, columns, kind, scales);
  const kernel = `${name}_${rows === 1 ? 'gemv' : 'gemm'}_i${x.size * 8}`;
  return prepared(kernel, 'matrix', units, at, b.at(x), to);
}

/** dense: i8 weights, or i4 weights with block scales. */
export function dense(s: Site<'dense'>, b: Builder): Prepared {
  const [o, k] = s.in[1]!.shape as readonly [number, number];
  return rowsTimes(s, b, o, k, s.in[3] === undefined ? 'dense_w8' : 'dense_w4', b.at(s.out[0]!));
}
