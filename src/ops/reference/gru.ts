/**
 * The one-element reference of gru (spec/10-ops.md).
 * @module
 */
import { clamp, mulhr, rsh } from '../../core/int.ts';
import { type CellAttrs, I16, table } from '../cell.ts';
import type { Cell, Reference } from '../define.ts';
import type { In } from '../gru.ts';
import { before, dot, final, type Place } from './cell.ts';

type GruCell = Cell<CellAttrs, In>;

/** Row n of h before time t. */
function hidden(c: GruCell, t: number, n: number): Place {
  return before(c.out[0]!, c.in[4], c.a.reverse, t, n);
}

/** mulhr(ax·2^lx, mx) of row r. */
function left({ in: [x, wx, , b], a }: GruCell, t: number, n: number, r: number): number {
  const ax = b.data[r]! + dot(wx, r, x, (t * x.shape[1]! + n) * x.shape[2]!);
  return mulhr(ax << a.lx, a.mx[a.mx.length === 1 ? 0 : r]!);
}

/** mulhr(ah·2^lh, mh) of an accumulator of row r. */
function right({ a }: GruCell, ah: number, r: number): number {
  return mulhr(ah << a.lh, a.mh[a.mh.length === 1 ? 0 : r]!);
}

/** Entry (t, n, u) of a committed intermediate [T,N,width]. */
function entry(c: GruCell, step: string, t: number, n: number, u: number): number {
  const { data, shape } = c.step[step]!;
  return data[(t * shape[1]! + n) * shape[2]! + u]!;
}

const clamp16 = (v: number): number => clamp(v, I16[0], I16[1]);

/** The one-element reference of gru: p of z and r; u, the recurrent term of n, or v, h behind its reset; pn; h. */
export const gruSteps: Reference<CellAttrs, In> = {
  reversed: (a) => a.reverse,
  steps: [
    {
      name: 'p',
      scan: true,
      shape: (c) => [c.in[0].shape[0]!, c.in[0].shape[1]!, 2 * c.in[2].shape[1]!],
      element(c) {
        const [t, n, r] = c.at as [number, number, number];
        const { v, start } = hidden(c, t, n);
        return clamp16(left(c, t, n, r) + right(c, dot(c.in[2], r, v, start), r));
      },
    },
    {
      name: 'u',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const [, , wh, , , sigmoid, , bh] = c.in;
        const { v, start } = hidden(c, t, n);
        const h = wh.shape[1]!;
        if (bh === undefined) return rsh(table(entry(c, 'p', t, n, h + u), sigmoid) * v.data[start + u]!, 15);
        const r = 2 * h + u;
        return clamp16(right(c, bh.data[u]! + dot(wh, r, v, start), r));
      },
    },
    {
      name: 'pn',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const [, , wh, , , sigmoid, , bh] = c.in;
        const h = wh.shape[1]!;
        const row = c.step['u']!;
        const r = 2 * h + u;
        const reset =
          bh === undefined
            ? right(c, dot(wh, r, row, (t * row.shape[1]! + n) * h), r)
            : rsh(table(entry(c, 'p', t, n, h + u), sigmoid) * entry(c, 'u', t, n, u), 15);
        return clamp16(left(c, t, n, r) + reset);
      },
    },
    {
      name: 'h',
      output: 0,
      scan: true,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const [, , , , , sigmoid, tanh] = c.in;
        const { qh, lo, hi } = c.a;
        const { v, start } = hidden(c, t, n);
        const z = table(entry(c, 'p', t, n, u), sigmoid);
        const fresh = (32768 - z) * table(entry(c, 'pn', t, n, u), tanh);
        return clamp(rsh(fresh + z * v.data[start + u]! * 2 ** (15 - qh), 30 - qh), lo, hi);
      },
    },
    {
      name: 'last_h',
      output: 1,
      element: (c) => final(c.out[0]!, c.in[4], c.a.reverse, c.at[0]!, c.at[1]!),
    },
  ],
};
