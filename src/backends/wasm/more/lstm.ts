/**
 * lstm (spec/10-ops.md §7).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { multipliers } from '../pack.ts';
import { gateProduct } from './gates.ts';

/** lstm: per step, raw products of x_t and h with panels of 4H columns, then the gates. */
export function lstm(s: Site<'lstm'>, b: Builder): Prepared {
  const [x, wx, wh, bias, h0, c0, ...tables] = s.in as readonly [Arg, Arg, Arg, Arg, Arg, Arg, ...Arg[]];
  const { mx, lx, mh, lh, kc, qh, lo, hi, reverse } = s.attrs;
  const [t, n, d] = x.shape as readonly [number, number, number];
  const [rows, h] = wh.shape as readonly [number, number];
  const gemv = n === 1 ? 1 : 0;
  const area = n * rows * 4; // one set of raw accumulators
  const product = (w: Arg, v: Arg, b0: (i: number) => number): number =>
    gateProduct(b, { w, v, rows: n, offset: 2 * area, bias: b0 });
  const px = product(wx, x, (i) => bias.data![i]!);
  const ph = product(wh, h0, () => 0);
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
