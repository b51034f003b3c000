/**
 * lstm (spec/10-ops.md §7).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { matrixRecord } from '../linear.ts';
import { multipliers, panels, words } from '../pack.ts';

/** lstm: per step, raw products of x_t and h with panels of 4H columns, then the gates. */
export function lstm(s: Site<'lstm'>, b: Builder): Prepared {
  const [x, wx, wh, bias, h0, c0, ...tables] = s.in as readonly [Arg, Arg, Arg, Arg, Arg, Arg, ...Arg[]];
  const { mx, lx, mh, lh, kc, qh, lo, hi, reverse } = s.attrs;
  const [t, n, d] = x.shape as readonly [number, number, number];
  const [rows, h] = wh.shape as readonly [number, number];
  const gemv = n === 1 ? 1 : 0;
  const area = n * rows * 4; // one set of raw accumulators
  const product = (w: Arg, v: Arg, k: number, b0: (i: number) => number): number =>
    matrixRecord(
      b,
      { rows: n, k, size: v.size, zp: v.zp, offset: 2 * area },
      {
        k,
        count: rows,
        panels: panels(b, { data: w.data as Int8Array, groups: 1, count: rows, k, size: v.size }, gemv ? 1 : 2),
        bias: words(b, rows, b0),
        m: 0,
        stage: undefined,
        ld: rows,
      },
      gemv,
    ).at;
  const px = product(wx, x, d, (i) => bias.data![i]!);
  const ph = product(wh, h0, h, () => 0);
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
    kc,
    qh,
    lo,
    hi,
    ...tables.map((v) => b.at(v)),
    area,
    px,
    ph,
    c0.bytes,
  ]);
  const at = [x, h0, c0, ...s.out].map((v) => b.at(v)) as [number, number, number, number, number, number];
  return prepared(gemv ? 'lstm_gemv' : 'lstm_gemm', 'lstm', 1, record, ...at);
}
