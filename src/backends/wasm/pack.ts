/**
 * Weights as panels, biases and multipliers as words (spec/10-ops.md §10).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { i4At, type TypedArray } from '../../core/tensor.ts';
import type { Stage } from '../../ops/define.ts';
import { type Arg, type Builder, sizeOf } from './builder.ts';

/** Rows of weights [groups·count, k]; each group has panels of its own. */
export interface Rows {
  readonly data: Int8Array;
  readonly groups: number;
  readonly count: number;
  readonly k: number;
  /** Bytes of an element that they meet. */
  readonly size: number;
}

/** K as panels hold it: even and at least 2. */
export function panelK(k: number): number {
  return Math.max(2, k + (k & 1));
}

/** Columns of the panels: a multiple of 8. */
export function panelColumns(count: number): number {
  return (count + 7) & ~7;
}

/** Panels [groups][count/8][K/2][8][2] of i16, or of i8 with `bytes` 1. Returns their address. */
export function panels(b: Builder, rows: Rows, bytes: 1 | 2): number {
  const { data, groups, count, k } = rows;
  const k2 = panelK(k);
  const columns = panelColumns(count);
  const fill = (out: Int8Array | Int16Array): void => {
    for (let g = 0; g < groups; g++) {
      const to = g * columns * k2;
      for (let o = 0; o < count; o++) packRow(out, to + (o >> 3) * 8 * k2 + (o & 7) * 2, data, (g * count + o) * k, k);
    }
  };
  return b.packed(bytes, groups * columns * k2, fill, rows);
}

function packRow(out: Int8Array | Int16Array, to: number, data: Int8Array, from: number, k: number): void {
  for (let i = 0; i < k; i += 2, to += 16) {
    out[to] = data[from + i]!;
    if (i + 1 < k) out[to + 1] = data[from + i + 1]!;
  }
}

/** Panels [O/8][K/2][8] of i4: byte i holds lane i of columns 0…3 plus 8 in its low nibble and of columns 4…7 in its high one. */
export function panels4(b: Builder, data: TypedArray, count: number, k: number): number {
  const pairs = panelK(k) >> 1;
  return b.reserve(panelColumns(count) * pairs, (memory, at) => {
    const out = new Uint8Array(memory, at, panelColumns(count) * pairs).fill(8);
    for (let o = 0, i = 0; o < count; o++) {
      const to = (o >> 3) * pairs * 8 + (o & 3) * 2;
      for (let j = 0; j < k; j++, i++) out[to + (j >> 1) * 8 + (j & 1)]! ^= (i4At(data, i) & 15) << (o & 4);
    }
  });
}

/** Block scales u [O,blocks] as bytes [O/8][blocks][8]. */
export function scaleBytes(b: Builder, u: Arg): number {
  const [count, blocks] = u.shape as readonly [number, number];
  return b.reserve(panelColumns(count) * Math.max(1, blocks), (memory, at) => {
    const out = new Uint8Array(memory, at, panelColumns(count) * blocks);
    for (let i = 0; i < count * blocks; i++) {
      const o = floorDiv(i, blocks);
      out[((o >> 3) * blocks + (i - o * blocks)) * 8 + (o & 7)] = u.data![i]! - u.zp;
    }
  });
}

/** Words from `value` for [groups][count] channels, each group padded with zeros to a multiple of 8. */
export function words(b: Builder, count: number, value: (i: number) => number, groups = 1): number {
  const columns = panelColumns(count);
  return b.reserve(groups * columns * 4, (memory, at) => {
    const out = new Int32Array(memory, at, groups * columns);
    for (let g = 0; g < groups; g++) for (let i = 0; i < count; i++) out[g * columns + i] = value(g * count + i);
  });
}

/** A zero row: `count` elements that hold zp, and some more for vector loads. */
export function zeroRow(b: Builder, x: Arg, count: number): number {
  return b.packed(x.size, count + 16, (out) => out.fill(x.zp), x.zp);
}

/** Multipliers of [groups][count] channels, eight a panel; zeros without a stage. */
export function multipliers(b: Builder, m: Int32Array | undefined, count: number, groups = 1): number {
  return words(b, count, m === undefined ? () => 0 : m.length === 1 ? () => m[0]! : (i) => m[i]!, groups);
}

/** The stage words of a record: l, zp, lo, hi, output bytes. Raw: i32. */
export function stageWords(
  s: Stage | undefined,
): readonly [l: number, zp: number, lo: number, hi: number, size: number] {
  return s === undefined ? [0, 0, 0, 0, 4] : [s.l, s.zp, s.lo, s.hi, sizeOf(s)];
}

/** The words of a stage with one multiplier (kernels/wasm/simd.ts, stage8): m, then `stageWords`; without a stage m = −1. */
export function oneStage(s: Stage | undefined, size: number): readonly number[] {
  return s === undefined ? [-1, 0, 0, 0, 0, size] : [s.m[0]!, ...stageWords(s)];
}

/** A product’s right side: panels, bias and stage of `count` columns. */
export interface Columns {
  readonly k: number;
  readonly count: number;
  readonly panels: number;
  readonly bias: number;
  readonly m: number;
  readonly stage: Stage | undefined;
  /** Output elements from row to row. */
  readonly ld: number;
}

/** The words of a matrix record G (kernels/wasm/gemm.ts). */
export function matrixWords(c: Columns): number[] {
  const [l, zp, lo, hi, size] = stageWords(c.stage);
  return [panelK(c.k), panelColumns(c.count) >> 3, c.count, c.panels, c.bias, c.m, l, zp, lo, hi, size, c.ld * size];
}

/** Rows of a block: its packed A stays within 96 kB. */
export function blockRows(k: number, rows: number): number {
  const fit = floorDiv(49152, panelK(k)) & ~3;
  return Math.max(4, Math.min(fit, 256, (rows + 3) & ~3));
}

/** Bytes of a packed block of A, with room for the last store. */
export function blockBytes(k: number, rows: number): number {
  return ((rows + 3) & ~3) * panelK(k) * 2 + 64;
}
