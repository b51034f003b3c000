import { clamp, rsh } from '../../core/int.ts';
import { I16, table } from '../cell.ts';
import type { Cell, Reference } from '../define.ts';
import type { In, LstmAttrs } from '../lstm.ts';
import { before, bothOf, dot, final, left, type Product, products, right } from './cell.ts';

function gate(c: Cell<LstmAttrs, In>, g: number): number {
  const [t, n, u] = c.at as [number, number, number];
  const [batch, h] = [c.in[4].shape[0]!, c.in[4].shape[1]!];
  return c.step['p']!.data[(t * batch + n) * 4 * h + g * h + u]!;
}

/** The products of a gate: with x, and with h of the step before. */
function gateProducts(c: Cell<LstmAttrs, In>): readonly [Product, Product] {
  const [t, n, row] = c.at as [number, number, number];
  const [x, wx, wh, , h0] = c.in;
  const start = (t * x.shape[1]! + n) * x.shape[2]!;
  return [
    { w: wx, row, v: x, start },
    { w: wh, row, ...before(c.out[0]!, h0, c.a.reverse, t, n) },
  ];
}

/** A gate of both sums. */
function gateOf(c: Cell<LstmAttrs, In>, ax: number, ah: number): number {
  const r = c.at[2]!;
  return clamp(left(c.a, c.in[3], ax, r) + right(c.a, ah, r), I16[0], I16[1]);
}

/** The one-element reference of lstm. */
export const lstmSteps: Reference<LstmAttrs, In> = {
  reversed: (a) => a.reverse,
  steps: [
    {
      name: 'p',
      scan: true,
      shape: (c) => [c.in[0].shape[0]!, c.in[0].shape[1]!, c.in[1].shape[0]!],
      element(c) {
        const [ax, ah] = gateProducts(c).map((p) => dot(p.w, p.row, p.v, p.start)) as [number, number];
        return gateOf(c, ax, ah);
      },
      fold: {
        combine: 'sum',
        terms: (c) => c.in[1].shape[1]! + c.in[2].shape[1]!,
        part: (c, from, to) => products(...gateProducts(c), from, to),
        finish: (c, total) => gateOf(c, ...bothOf(BigInt(total))),
      },
    },
    {
      name: 'c',
      scan: true,
      shape: (c) => c.out[0]!.shape,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const [, , , , , c0, sigmoid, tanh] = c.in;
        const [i, f, g] = [table(gate(c, 0), sigmoid), table(gate(c, 1), sigmoid), table(gate(c, 2), tanh)];
        const prev = before(c.step['c']!, c0, c.a.reverse, t, n);
        return clamp(rsh(f * prev.v.data[prev.start + u]! + rsh(i * g, c.a.kc), 15), I16[0], I16[1]);
      },
    },
    {
      name: 'h',
      output: 0,
      scan: true,
      element(c) {
        const [t, n, u] = c.at as [number, number, number];
        const state = c.step['c']!;
        const [batch, h] = [c.in[4].shape[0]!, c.in[4].shape[1]!];
        const o = table(gate(c, 3), c.in[6]);
        const squashed = table(state.data[(t * batch + n) * h + u]!, c.in[8]);
        return clamp(rsh(o * squashed, 30 - c.a.qh), c.a.lo, c.a.hi);
      },
    },
    { name: 'last_h', output: 1, element: (c) => final(c.out[0]!, c.in[4], c.a.reverse, c.at[0]!, c.at[1]!) },
    { name: 'last_c', output: 2, element: (c) => final(c.step['c']!, c.in[5], c.a.reverse, c.at[0]!, c.at[1]!) },
  ],
};
