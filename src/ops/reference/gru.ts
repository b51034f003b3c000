/**
 * The one-element reference of gru (spec/10-ops.md).
 * @module
 */
import { clamp, rsh } from '../../core/int.ts';
import { type CellAttrs, I16, table } from '../cell.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import type { In } from '../gru.ts';
import { before, bothOf, dot, final, left, type Place, type Product, products, right } from './cell.ts';

type GruCell = Cell<CellAttrs, In>;

/** Row n of h before time t. */
function hidden(c: GruCell, t: number, n: number): Place {
  return before(c.out[0]!, c.in[4], c.a.reverse, t, n);
}

/** The product of row `row` with x. */
function withX({ in: [x, wx] }: GruCell, t: number, n: number, row: number): Product {
  return { w: wx, row, v: x, start: (t * x.shape[1]! + n) * x.shape[2]! };
}

/** The product of row `row` with h of the step before, or with the row of u where the reset stands before it. */
function withH(c: GruCell, t: number, n: number, row: number): Product {
  return { w: c.in[2], row, ...hidden(c, t, n) };
}

function withU(c: GruCell, t: number, n: number, row: number): Product {
  const v = c.step['u']!;
  return { w: c.in[2], row, v, start: (t * v.shape[1]! + n) * v.shape[2]! };
}

const whole = ({ w, row, v, start }: Product): number => dot(w, row, v, start);

/** Entry (t, n, u) of a committed intermediate [T,N,width]. */
function entry(c: GruCell, step: string, t: number, n: number, u: number): number {
  const { data, shape } = c.step[step]!;
  return data[(t * shape[1]! + n) * shape[2]! + u]!;
}

const clamp16 = (v: number): number => clamp(v, I16[0], I16[1]);

/** The row of weights of n that belongs to unit u. */
function rowOfN(c: GruCell, u: number): number {
  return 2 * c.in[2].shape[1]! + u;
}

/** The reset gate of the cell's unit. */
function reset(c: GruCell): number {
  const [t, n, u] = c.at as [number, number, number];
  return table(entry(c, 'p', t, n, c.in[2].shape[1]! + u), c.in[5]);
}

/** p of both sums. */
function gate(c: GruCell, ax: number, ah: number): number {
  const r = c.at[2]!;
  return clamp16(left(c.a, c.in[3], ax, r) + right(c.a, ah, r));
}

/** pn of both sums; with bh the second is u behind its reset. */
function fresh(c: GruCell, ax: number, ah: number): number {
  const [t, n, u] = c.at as [number, number, number];
  const r = rowOfN(c, u);
  const recurrent = c.in[7] === undefined ? right(c.a, ah, r) : rsh(reset(c) * entry(c, 'u', t, n, u), 15);
  return clamp16(left(c.a, c.in[3], ax, r) + recurrent);
}

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
        return gate(c, whole(withX(c, t, n, r)), whole(withH(c, t, n, r)));
      },
      fold: {
        combine: 'sum',
        terms: (c) => c.in[1].shape[1]! + c.in[2].shape[1]!,
        part(c, from, to) {
          const [t, n, r] = c.at as [number, number, number];
          return products(withX(c, t, n, r), withH(c, t, n, r), from, to);
        },
        finish: (c, total) => gate(c, ...bothOf(BigInt(total))),
      },
    },
    {
      name: 'u',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      ...folded({
        combine: 'sum',
        terms: ({ in: [, , wh, , , , , bh] }) => (bh === undefined ? 0 : wh.shape[1]!),
        part(c, from, to) {
          const [t, n, u] = c.at as [number, number, number];
          const { w, row, v, start } = withH(c, t, n, rowOfN(c, u));
          return dot(w, row, v, start, from, to);
        },
        finish(c, ah) {
          const [t, n, u] = c.at as [number, number, number];
          const bh = c.in[7];
          if (bh !== undefined) return clamp16(right(c.a, bh.data[u]! + ah, rowOfN(c, u)));
          const { v, start } = hidden(c, t, n);
          return rsh(reset(c) * v.data[start + u]!, 15);
        },
      }),
    },
    {
      name: 'pn',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const r = rowOfN(c, u);
        const ah = c.in[7] === undefined ? whole(withU(c, t, n, r)) : 0;
        return fresh(c, whole(withX(c, t, n, r)), ah);
      },
      fold: {
        combine: 'sum',
        terms: ({ in: [, wx, wh, , , , , bh] }) => wx.shape[1]! + (bh === undefined ? wh.shape[1]! : 0),
        part(c, from, to) {
          const [t, n, u] = c.at as [number, number, number];
          const r = rowOfN(c, u);
          const second = c.in[7] === undefined ? withU(c, t, n, r) : undefined;
          return products(withX(c, t, n, r), second, from, to);
        },
        finish: (c, total) => fresh(c, ...bothOf(BigInt(total))),
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
        const next = (32768 - z) * table(entry(c, 'pn', t, n, u), tanh);
        return clamp(rsh(next + z * v.data[start + u]! * 2 ** (15 - qh), 30 - qh), lo, hi);
      },
    },
    {
      name: 'last_h',
      output: 1,
      element: (c) => final(c.out[0]!, c.in[4], c.a.reverse, c.at[0]!, c.at[1]!),
    },
  ],
};
