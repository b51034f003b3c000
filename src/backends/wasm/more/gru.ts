/**
 * gru (spec/10-ops.md §7).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { multipliers } from '../pack.ts';
import { gateProduct } from './gates.ts';

/** gru: per step, raw products with panels of gate rows; where the reset comes first, those of n by themselves. */
export function gru(s: Site<'gru'>, b: Builder): Prepared {
  const [x, wx, wh, bias, h0, sigmoid, tanh, bh] = s.in as readonly [Arg, Arg, Arg, Arg, Arg, Arg, Arg, Arg?];
  const { mx, lx, mh, lh, qh, lo, hi, reverse } = s.attrs;
  const [t, n, d] = x.shape as readonly [number, number, number];
  const [rows, h] = wh.shape as readonly [number, number];
  const gemv = n === 1 ? 1 : 0;
  const area = n * rows * 4; // accumulators of all gate rows; behind two of these those of n, and r·h
  const tail = n * h * 4 + n * h * h0.size;
  const product = (w: Arg, first: number, count: number, v: Arg, b0: (i: number) => number): number =>
    gateProduct(b, { w, first, count, v, rows: n, offset: 2 * area + tail + 64, bias: b0 });
  const px = product(wx, 0, rows, x, (i) => bias.data![i]!);
  const ph =
    bh === undefined
      ? product(wh, 0, 2 * h, h0, () => 0)
      : product(wh, 0, rows, h0, (i) => (i < 2 * h ? 0 : bh.data![i - 2 * h]!));
  const pn = bh === undefined ? product(wh, 2 * h, h, h0, () => 0) : 0;
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
