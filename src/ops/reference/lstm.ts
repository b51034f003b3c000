import { clamp, mulhr, rsh } from '../../core/int.ts';
import { I16, table } from '../cell.ts';
import type { Cell, Reference } from '../define.ts';
import type { In, LstmAttrs } from '../lstm.ts';
import { before, dot, final } from './cell.ts';

function gate(c: Cell<LstmAttrs, In>, g: number): number {
  const [t, n, u] = c.at as [number, number, number];
  const [batch, h] = [c.in[4].shape[0]!, c.in[4].shape[1]!];
  return c.step['p']!.data[(t * batch + n) * 4 * h + g * h + u]!;
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
        const [t, n, r] = c.at as [number, number, number];
        const [x, wx, wh, b, h0] = c.in;
        const { mx, lx, mh, lh } = c.a;
        const ax = b.data[r]! + dot(wx, r, x, (t * x.shape[1]! + n) * x.shape[2]!);
        const prev = before(c.out[0]!, h0, c.a.reverse, t, n);
        const ah = dot(wh, r, prev.v, prev.start);
        const pick = (m: Int32Array): number => (m.length === 1 ? m[0]! : m[r]!);
        return clamp(mulhr(ax << lx, pick(mx)) + mulhr(ah << lh, pick(mh)), I16[0], I16[1]);
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
