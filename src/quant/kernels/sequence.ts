/**
 * Recurrent cells, running sums, rotations and order in the float interpreter: f64, every sum in rising order.
 * @module
 */
import type { Cell, CumSum, Gru, Lstm, Nms, Rope, TopK } from '../float-sequence.ts';
import { sigmoid, tanh } from '../math.ts';
import { cos, sin } from '../trig.ts';
import { type Block, stridesOf } from './block.ts';

/** Σ of row r of `w` times n values of v from `from` on. */
function dot(w: Float64Array, r: number, n: number, v: Float64Array, from: number): number {
  let acc = 0;
  for (let i = 0; i < n; i++) acc += w[r * n + i]! * v[from + i]!;
  return acc;
}

/** A state and where its row begins. */
type Place = readonly [data: Float64Array, from: number];

/** Row n before step t: of the step before in `sequence`, else of the initial state. */
function before(op: Cell, y: Block, initial: Float64Array, t: number, n: number): Place {
  const [steps, batch] = y.shape as readonly [number, number, number];
  const s = op.reverse ? t + 1 : t - 1;
  return s < 0 || s >= steps ? [initial, n * op.hidden] : [y.data, (s * batch + n) * op.hidden];
}

/** Calls `visit(t, n)` for every row in the order of the steps. */
function steps(op: Cell, y: Block, visit: (t: number, n: number) => void): void {
  const [count, batch] = y.shape as readonly [number, number, number];
  for (let s = 0; s < count; s++) for (let n = 0; n < batch; n++) visit(op.reverse ? count - 1 - s : s, n);
}

/** The bias and both products of row r at step t of batch row n. */
function gate(op: Cell, r: number, x: Block, at: number, [h, from]: Place): number {
  const d = x.shape[2]!;
  return op.bias[r]! + dot(op.wx, r, d, x.data, at * d) + dot(op.wh, r, op.hidden, h, from);
}

/** c of every step; h is kept beside it. */
function lstmCells(op: Lstm, x: Block, y: Block, h0: Float64Array, c0: Float64Array): void {
  const { hidden } = op;
  const h: Block = { data: new Float64Array(y.data.length), shape: y.shape };
  steps(op, y, (t, n) => {
    const at = t * y.shape[1]! + n;
    const last = before(op, h, h0, t, n);
    const [c, from] = before(op, y, c0, t, n);
    const p = (k: number, u: number): number => gate(op, k * hidden + u, x, at, last);
    for (let u = 0; u < hidden; u++) {
      const cell = sigmoid(p(1, u)) * c[from + u]! + sigmoid(p(0, u)) * tanh(p(2, u));
      y.data[at * hidden + u] = cell;
      h.data[at * hidden + u] = sigmoid(p(3, u)) * tanh(cell);
    }
  });
}

/** LSTM: its cells, its hidden values from them, or the last cells. */
export function lstm(op: Lstm, x: Block, y: Block, ...rest: readonly Block[]): void {
  const { hidden } = op;
  const states = [...rest];
  const h0 = op.h0 ?? states.shift()!.data;
  const c0 = op.c0 ?? states.shift()!.data;
  if (op.what === 'cells') {
    lstmCells(op, x, y, h0, c0);
    return;
  }
  const cells = states[0]!;
  if (op.what === 'last_c') {
    const n = y.data.length;
    const from = op.reverse ? 0 : cells.data.length - n;
    y.data.set(cells.data.length === 0 ? c0 : cells.data.subarray(from, from + n));
    return;
  }
  steps(op, y, (t, n) => {
    const at = t * y.shape[1]! + n;
    const last = before(op, y, h0, t, n);
    for (let u = 0; u < hidden; u++)
      y.data[at * hidden + u] = sigmoid(gate(op, 3 * hidden + u, x, at, last)) * tanh(cells.data[at * hidden + u]!);
  });
}

/** GRU. */
export function gru(op: Gru, x: Block, y: Block, ...rest: readonly Block[]): void {
  const { hidden, bh } = op;
  const h0 = op.h0 ?? rest[0]!.data;
  const d = x.shape[2]!;
  const reset = new Float64Array(hidden);
  steps(op, y, (t, n) => {
    const at = t * y.shape[1]! + n;
    const [h, from] = before(op, y, h0, t, n);
    const r = (u: number): number => sigmoid(gate(op, hidden + u, x, at, [h, from]));
    if (!bh) for (let u = 0; u < hidden; u++) reset[u] = r(u) * h[from + u]!;
    for (let u = 0; u < hidden; u++) {
      const row = 2 * hidden + u;
      const z = sigmoid(gate(op, u, x, at, [h, from]));
      const own = op.bias[row]! + dot(op.wx, row, d, x.data, at * d);
      const term = bh ? r(u) * (bh[u]! + dot(op.wh, row, hidden, h, from)) : dot(op.wh, row, hidden, reset, 0);
      y.data[at * hidden + u] = (1 - z) * tanh(own + term) + z * h[from + u]!;
    }
  });
}

/** Offsets of the first element of every line along an axis. */
function lines(shape: readonly number[], axis: number): Int32Array {
  const inner = stridesOf(shape)[axis]!;
  const n = shape[axis]!;
  const count = shape.reduce((a, d, i) => (i === axis ? a : a * d), 1);
  return Int32Array.from({ length: count }, (_, i) => Math.floor(i / inner) * inner * n + (i % inner));
}

/** Running sums. */
export function cumsum(op: CumSum, x: Block, y: Block): void {
  const [n, step] = [x.shape[op.axis]!, stridesOf(x.shape)[op.axis]!];
  for (const from of lines(x.shape, op.axis)) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const at = from + (op.reverse ? n - 1 - i : i) * step;
      if (op.exclusive) y.data[at] = sum;
      sum += x.data[at]!;
      if (!op.exclusive) y.data[at] = sum;
    }
  }
}

/** The first k of every line, or their indices. */
export function topk(op: TopK, x: Block, y: Block): void {
  const [n, step, k] = [x.shape[op.axis]!, stridesOf(x.shape)[op.axis]!, op.k];
  const sign = op.smallest ? 1 : -1;
  const starts = lines(y.shape, op.axis);
  lines(x.shape, op.axis).forEach((from, line) => {
    const order = Array.from({ length: n }, (_, i) => i);
    order.sort((a, b) => sign * (x.data[from + a * step]! - x.data[from + b * step]!) || a - b);
    for (let j = 0; j < k; j++)
      y.data[starts[line]! + j * step] = op.what === 'indices' ? order[j]! : x.data[from + order[j]! * step]!;
  });
}

/** Rotary position embedding. */
export function rope(op: Rope, x: Block, y: Block): void {
  const [rows, d] = x.shape.slice(-2) as [number, number];
  const pairs = op.frequencies.length;
  y.data.set(x.data);
  for (let at = 0; at < x.data.length; at += d) {
    const place = op.first + ((at / d) % rows);
    for (let i = 0; i < pairs; i++) {
      const [p, q] = op.interleaved ? [at + 2 * i, at + 2 * i + 1] : [at + i, at + i + pairs];
      const [c, s] = [cos(place * op.frequencies[i]!), sin(place * op.frequencies[i]!)];
      y.data[p] = x.data[p]! * c - x.data[q]! * s;
      y.data[q] = x.data[p]! * s + x.data[q]! * c;
    }
  }
}

/** Overlap of two boxes of corners as a share of their union; 0 where both are empty. */
export function overlap(boxes: ArrayLike<number>, i: number, j: number): number {
  let [inter, a, b] = [1, 1, 1];
  for (const axis of [0, 1]) {
    const side = (k: number): [number, number] => {
      const [p, q] = [boxes[4 * k + axis]!, boxes[4 * k + axis + 2]!];
      return p < q ? [p, q] : [q, p];
    };
    const [s, t] = [side(i), side(j)];
    inter *= Math.max(0, Math.min(s[1], t[1]) - Math.max(s[0], t[0]));
    a *= s[1] - s[0];
    b *= t[1] - t[0];
  }
  return inter <= 0 ? 0 : inter / (a + b - inter);
}

/** Boxes that are kept, by score. */
export function nms(op: Nms, boxes: Block, y: Block, scores: Block): void {
  const [, channels, n] = scores.shape as [number, number, number];
  for (let row = 0; row < y.data.length / op.limit; row++) {
    const score = scores.data.subarray(row * n, (row + 1) * n);
    const own = boxes.data.subarray(Math.floor(row / channels) * n * 4, (Math.floor(row / channels) + 1) * n * 4);
    const order = Array.from({ length: n }, (_, i) => i).filter((i) => score[i]! > op.threshold);
    order.sort((a, b) => score[b]! - score[a]! || a - b);
    const kept: number[] = [];
    for (const i of order)
      if (kept.length < op.limit && kept.every((k) => !(overlap(own, k, i) > op.overlap))) kept.push(i);
    for (let k = 0; k < op.limit; k++) y.data[row * op.limit + k] = kept[k] ?? -1;
  }
}
