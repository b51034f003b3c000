import { exponent, expweight } from '../../core/exp2.ts';
import { clamp, divq } from '../../core/int.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import { type In, kept, row, type SoftmaxAttrs } from '../softmax.ts';

/** Value of `mx` in a row of which nothing is kept. */
const NOTHING = -2147483648;

/** Index of the cell's row in a tensor of rows. */
function rowIndex(c: Cell<SoftmaxAttrs, In>): number {
  const { shape } = c.in[0];
  let i = 0;
  for (let d = 0; d < shape.length - 1; d++) i = i * shape[d]! + c.at[d]!;
  return i;
}

function weight(c: Cell<SoftmaxAttrs, In>, value: number, mx: number): number {
  return expweight(exponent(mx - value, c.a.l, c.a.m), c.facts['weightBits']!);
}

/** The one-element reference of softmax. */
export const softmaxSteps: Reference<SoftmaxAttrs, In> = {
  steps: [
    {
      name: 'mx',
      shape: (c) => c.in[0].shape.slice(0, -1),
      ...folded({
        combine: 'max',
        terms: (c) => row(c).k,
        part(c, from, to) {
          const { start } = row(c);
          let mx = NOTHING;
          for (let j = from; j < to; j++) if (kept(c, j)) mx = Math.max(mx, c.in[0].data[start + j]!);
          return mx;
        },
        finish: (_, mx) => mx,
      }),
    },
    {
      name: 'sum',
      shape: (c) => c.in[0].shape.slice(0, -1),
      ...folded({
        combine: 'sum',
        terms: (c) => row(c).k,
        part(c, from, to) {
          const { start } = row(c);
          const mx = c.step['mx']!.data[rowIndex(c)]!;
          let sum = 0;
          for (let j = from; j < to; j++) if (kept(c, j)) sum += weight(c, c.in[0].data[start + j]!, mx);
          return sum;
        },
        finish: (_, sum) => sum,
      }),
    },
    {
      name: 'y',
      output: 0,
      element(c) {
        const { output, o } = c.a;
        const j = c.at[c.at.length - 1]!;
        const r = rowIndex(c);
        const sum = c.step['sum']!.data[r]!;
        if (sum === 0 || !kept(c, j)) return output.zp;
        const e = weight(c, c.in[0].data[row(c).start + j]!, c.step['mx']!.data[r]!);
        return clamp(output.zp + divq(e, sum, o), output.lo, output.hi);
      },
    },
  ],
};
