/**
 * The one-element reference of log_softmax (spec/10-ops.md).
 * @module
 */
import { exponent, expweight } from '../../core/exp2.ts';
import { log2q } from '../../core/log2.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import type { LogSoftmaxAttrs } from '../log_softmax.ts';
import { staged } from '../rules.ts';
import { greatest } from './line.ts';

type In = readonly [x: 1];

/** Index of the cell's row, and the row's length. */
function row({ in: [x], at }: Cell<LogSoftmaxAttrs, In>): { readonly r: number; readonly k: number } {
  let r = 0;
  for (let d = 0; d < x.shape.length - 1; d++) r = r * x.shape[d]! + at[d]!;
  return { r, k: x.shape[x.shape.length - 1]! };
}

const leading = ({ in: [x] }: Omit<Cell<LogSoftmaxAttrs, In>, 'at'>): readonly number[] => x.shape.slice(0, -1);

/** The one-element reference of log_softmax. */
export const logSoftmaxSteps: Reference<LogSoftmaxAttrs, In> = {
  steps: [
    {
      name: 'mx',
      shape: leading,
      ...greatest((c) => {
        const { r, k: n } = row(c);
        return { data: c.in[0].data, start: r * n, n };
      }),
    },
    {
      name: 'sum',
      shape: leading,
      ...folded({
        combine: 'sum',
        terms: (c) => row(c).k,
        part(c, from, to) {
          const { r, k } = row(c);
          const mx = c.step['mx']!.data[r]!;
          let sum = 0;
          for (let j = from; j < to; j++)
            sum += expweight(exponent(mx - c.in[0].data[r * k + j]!, c.a.l, c.a.m), c.facts['weightBits']!);
          return sum;
        },
        finish: (_, sum) => sum,
      }),
    },
    {
      name: 'y',
      output: 0,
      element(c) {
        const { r, k } = row(c);
        const t = exponent(c.step['mx']!.data[r]! - c.in[0].data[r * k + c.at[c.at.length - 1]!]!, c.a.l, c.a.m);
        const acc = c.facts['weightBits']! * 65536 - t - log2q(c.step['sum']!.data[r]!);
        return staged(acc, c.a.stage, 0);
      },
    },
  ],
};
