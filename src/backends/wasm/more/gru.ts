/**
 * gru (spec/10-ops.md §7).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { matrixRecord } from '../linear.ts';
import { multipliers, panels, words } from '../pack.ts';

/** gru: per step, raw products with panels of gate rows; where the reset comes first, those of n by themselves. */
export function gru(s: Site<'gru'>, b: Builder): Prepared {
  const [x, wx, wh, bias, h0, sigmoid, tanh, bh] = s.in as readonly [Arg, Arg, Arg, Arg, Arg, Arg, Arg, Arg?];
  const { mx, lx, mh, lh, qh, lo, hi, reverse } = s.attrs;
  const [t, n, d] = x.shape as readonly [number, number, number];
  const [rows, h] = wh.shape as readonly [number, number];
  const gemv = n === 1 ? 1 : 0;
  const area = n * rows * 4; // accumulators of all gate rows; behind two of these those of n, and r·h
  const tail = n * h * 4 + n * h * h0.size;
  const product = (w: Arg, first: number, count: number, v: Arg, k: number, b0: (i: number) => number): number =>
    matrixRecord(
      b,
      { rows: n, k, size: v.size, zp: v.zp, offset: 2 * area + tail + 64 },
      {
        k,
        count,
        panels: panels(
          b,
          { data: (w.data as Int8Array).subarray(first * k, (first + count) * k), groups: 1, count, k, size: v.size },
          gemv ? 1 : 2,
        ),
        bias: words(b, count, b0),
        m: 0,
        stage: undefined,
        ld: count,
      },
      gemv,
    ).at;
  const px = product(wx, 0, rows, x, d, (i) => bias.data![i]!);
  const ph =
    bh === undefined
      ? product(wh, 0, 2 * h, h0, h, () => 0)
      : product(wh, 0, rows, h0, h, (i) => (i < 2 * h ? 0 : bh.data![i - 2 * h]!));
  const pn = bh === undefined ? product(wh, 2 * h, h, h0, h, () => 0) : 0;
  const record = b.record([
    t,
    n,
    h,
    n * d * x.size,
    h0.size,
    reverse,
    multipliers(b, mx, rows),
    multipliers(b, mh, rows),
    lx,
    lh,
    qh,
    lo,
    hi,
    b.at(sigmoid),
    b.at(tanh),
    px,
    ph,
    pn,
    area,
    2 * area,
    2 * area + n * h * 4,
  ]);
  const kernel = `gru_${gemv ? 'gemv' : 'gemm'}${bh === undefined ? '_reset_first' : ''}`;
  return prepared(kernel, 'gru', 1, record, b.at(x), b.at(h0), b.at(s.out[0]!), b.at(s.out[1]!));
}
