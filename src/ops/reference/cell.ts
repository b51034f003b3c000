/**
 * Reads that the references of the recurrent cells share (spec/10-ops.md, "Sequence").
 * @module
 */
import { mulhr } from '../../core/int.ts';
import type { CellAttrs } from '../cell.ts';
import type { View } from '../define.ts';

/** Σ over row r of weights times a vector at `start`; the columns from … to − 1, all if they are not given. */
export function dot(w: View, r: number, v: View, start: number, from = 0, to: number = w.shape[1]!): number {
  const n = w.shape[1]!;
  let acc = 0;
  for (let j = from; j < to; j++) acc += w.data[r * n + j]! * (v.data[start + j]! - v.zp);
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

/** A row of weights, and the vector that it is multiplied by. */
export interface Product extends Place {
  readonly w: View;
  readonly row: number;
}

/** Terms from … to − 1 of two dot products after one another, as first·2^32 + second; one that is not there has none. */
export function products(first: Product | undefined, second: Product | undefined, from: number, to: number): bigint {
  const part = (p: Product | undefined, base: number): bigint => {
    const [a, b] = [Math.max(from - base, 0), Math.min(to - base, p?.w.shape[1] ?? 0)];
    return p === undefined || a >= b ? 0n : BigInt(dot(p.w, p.row, p.v, p.start, a, b));
  };
  return (part(first, 0) << 32n) + part(second, first?.w.shape[1] ?? 0);
}

/** Both sums of a total. */
export function bothOf(total: bigint): readonly [first: number, second: number] {
  const second = BigInt.asIntN(32, total);
  return [Number((total - second) >> 32n), Number(second)];
}

/** mulhr((b[r] + ax)·2^lx, mx) of row r. */
export function left({ lx, mx }: CellAttrs, b: View, ax: number, r: number): number {
  return mulhr((b.data[r]! + ax) << lx, mx[mx.length === 1 ? 0 : r]!);
}

/** mulhr(ah·2^lh, mh) of row r. */
export function right({ lh, mh }: CellAttrs, ah: number, r: number): number {
  return mulhr(ah << lh, mh[mh.length === 1 ? 0 : r]!);
}
