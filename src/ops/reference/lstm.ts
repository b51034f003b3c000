import { clamp, mulhr, rsh } from '../../core/int.ts';
import type { Cell, Reference, View } from '../define.ts';
import { I16, type In, type LstmAttrs, table } from '../lstm.ts';

/** Σ over a row of weights times a vector at `start`. */
function dot(w: View, r: number, v: View, start: number): number {
  const n = w.shape[1]!;
  let acc = 0;
  for (let j = 0; j < n; j++) acc += w.data[r * n + j]! * (v.data[start + j]! - v.zp);
  return acc;
}

/** The tensor and offset that hold row n of the state before time t: the last step’s, or the initial state. */
function before(
  c: Cell<LstmAttrs, In>,
  sequence: View,
  initial: View,
  t: number,
  n: number,
): { v: View; start: number } {
  const [steps, batch, h] = [c.in[0].shape[0]!, c.in[4].shape[0]!, c.in[4].shape[1]!];
  const s = c.a.reverse ? t + 1 : t - 1;
  return s < 0 || s >= steps ? { v: initial, start: n * h } : { v: sequence, start: (s * batch + n) * h };
}

/** Row n of the state after the last step. */
function final(c: Cell<LstmAttrs, In>, sequence: View, initial: View): number {
  const [n, u] = c.at as [number, number];
  const steps = c.in[0].shape[0]!;
  const { v, start } = before(c, sequence, initial, c.a.reverse ? -1 : steps, n);
  return v.data[start + u]!;
}

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
        const prev = before(c, c.out[0]!, h0, t, n);
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
        const prev = before(c, c.step['c']!, c0, t, n);
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
    { name: 'last_h', output: 1, element: (c) => final(c, c.out[0]!, c.in[4]) },
    { name: 'last_c', output: 2, element: (c) => final(c, c.step['c']!, c.in[5]) },
  ],
};
