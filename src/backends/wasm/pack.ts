/**
 * Weights as panels, biases and multipliers as words (spec/10-ops.md §13).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Stage } from '../../ops/define.ts';
import { type Builder, sizeOf } from './builder.ts';

/** Rows of weights: `row(o)` starts at o·k in `data`. */
export interface Rows {
  readonly data: Int8Array | Int16Array;
  readonly first: number;
  readonly count: number;
  readonly k: number;
}

/** K as panels hold it: even and at least 2. */
export function panelK(k: number): number {
  return Math.max(2, k + (k & 1));
}

/** Columns of the panels: a multiple of 8. */
export function panelColumns(count: number): number {
  return (count + 7) & ~7;
}

/** Panels [O/8][K/2][8][2] of i16, or of i8 with `bytes` 1. Returns their address. */
export function panels(b: Builder, rows: Rows, bytes: 1 | 2): number {
  const k2 = panelK(rows.k);
  const length = panelColumns(rows.count) * k2;
  return b.reserve(length * bytes, (memory, at) => {
    const out = bytes === 1 ? new Int8Array(memory, at, length) : new Int16Array(memory, at, length);
    for (let o = 0; o < rows.count; o++) packRow(out, (o >> 3) * 8 * k2 + (o & 7) * 2, rows.data, (rows.first + o) * rows.k, rows.k);
  });
}

function packRow(out: Int8Array | Int16Array, to: number, data: Int8Array | Int16Array, from: number, k: number): void {
  for (let i = 0; i < k; i += 2, to += 16) {
    out[to] = data[from + i]!;
    if (i + 1 < k) out[to + 1] = data[from + i + 1]!;
  }
}

/** `count` words from `value`, padded with zeros to a multiple of 8. */
export function words(b: Builder, count: number, value: (i: number) => number): number {
  return b.reserve(panelColumns(count) * 4, (memory, at) => {
    const out = new Int32Array(memory, at, count);
    for (let i = 0; i < count; i++) out[i] = value(i);
  });
}

/** The multipliers of channels first…first+count−1, eight a panel; zeros without a stage. */
export function multipliers(b: Builder, m: Int32Array | undefined, first: number, count: number): number {
  return words(b, count, m === undefined ? () => 0 : m.length === 1 ? () => m[0]! : (i) => m[first + i]!);
}

/** The stage words of a record: l, zp, lo, hi, output bytes. Raw: i32. */
export function stageWords(s: Stage | undefined): readonly [l: number, zp: number, lo: number, hi: number, size: number] {
  return s === undefined ? [0, 0, 0, 0, 4] : [s.l, s.zp, s.lo, s.hi, sizeOf(s)];
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
