/**
 * Reads that the references of the recurrent cells share (spec/10-ops.md, "Sequence").
 * @module
 */
import type { View } from '../define.ts';

/** Σ over row r of weights times a vector at `start`. */
export function dot(w: View, r: number, v: View, start: number): number {
  const n = w.shape[1]!;
  let acc = 0;
  for (let j = 0; j < n; j++) acc += w.data[r * n + j]! * (v.data[start + j]! - v.zp);
  return acc;
}

/** A tensor, and where a row of it begins. */
export interface Place {
  readonly v: View;
  readonly start: number;
}

/** Row n of the state before time t: the last step’s of the sequence [T,N,H], or the initial state. */
export function before(sequence: View, initial: View, reverse: boolean, t: number, n: number): Place {
  const [steps, batch, h] = sequence.shape as readonly [number, number, number];
  const s = reverse ? t + 1 : t - 1;
  return s < 0 || s >= steps ? { v: initial, start: n * h } : { v: sequence, start: (s * batch + n) * h };
}

/** Element (n, u) of the state after the last step. */
export function final(sequence: View, initial: View, reverse: boolean, n: number, u: number): number {
  const { v, start } = before(sequence, initial, reverse, reverse ? -1 : sequence.shape[0]!, n);
  return v.data[start + u]!;
}
