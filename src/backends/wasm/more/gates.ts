/**
 * Raw products of the recurrent ops (spec/10-ops.md §7).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { matrixRecord } from '../linear.ts';
import { panels, words } from '../pack.ts';

/** Rows of a weight matrix whose products with the rows of `v` are kept as accumulators. */
export interface GateRows {
  readonly w: Arg;
  /** The first row and their number; all of `w` by default. */
  readonly first?: number;
  readonly count?: number;
  readonly v: Arg;
  /** Rows of `v`. */
  readonly rows: number;
  /** Where the accumulators lie behind those of the private area. */
  readonly offset: number;
  readonly bias: (i: number) => number;
}

/** The record of such a product: by vectors where `v` is one row, else by tiles. */
export function gateProduct(b: Builder, { w, first = 0, count, v, rows, offset, bias }: GateRows): number {
  const [all, k] = w.shape as readonly [number, number];
  const own = count ?? all;
  const data = (w.data as Int8Array).subarray(first * k, (first + own) * k);
  const gemv = rows === 1 ? 1 : 0;
  const weights = { data, groups: 1, count: own, k, size: v.size };
  return matrixRecord(
    b,
    { rows, k, size: v.size, zp: v.zp, offset },
    {
      k,
      count: own,
      panels: panels(b, weights, gemv ? 1 : 2),
      bias: words(b, own, bias),
      m: 0,
      stage: undefined,
      ld: own,
    },
    gemv,
  ).at;
}
