/**
 * The one-element reference of sample (spec/10-ops.md).
 * @module
 */
import { exponent, expweight } from '../../core/exp2.ts';
import { mulhi } from '../../core/int.ts';
import { threefry } from '../../core/threefry.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import type { In, SampleAttrs } from '../sample.ts';

type SampleCell = Cell<SampleAttrs, In>;

/** The cell's row: its number, its first element, and how many entries its order has. */
function row({ in: [x], a: { k }, at }: SampleCell): { readonly r: number; readonly v: number; readonly n: number } {
  const { shape } = x;
  const v = shape[shape.length - 1]!;
  let r = 0;
  for (let d = 0; d < shape.length - 1; d++) r = r * shape[d]! + at[d]!;
  return { r, v, n: k > 0 ? k : v };
}

/** True if element i of a row comes before element j. */
function precedes(c: SampleCell, start: number, i: number, j: number): boolean {
  const [p, q] = [c.in[0].data[start + i]!, c.in[0].data[start + j]!];
  return p === q ? i < j : p > q;
}

/** Entry j of the order of a row. */
function entry(c: SampleCell, j: number): number {
  return c.a.k > 0 ? c.step['order']!.data[row(c).r * c.a.k + j]! : j;
}

/** Weight of entry j of the order. */
function weight(c: SampleCell, j: number): number {
  const { r, v } = row(c);
  const d = c.step['mx']!.data[r]! - c.in[0].data[r * v + entry(c, j)]!;
  return expweight(exponent(d, c.a.l, c.a.m), c.facts['weightBits']!);
}

const leading = (c: Omit<SampleCell, 'at'>): readonly number[] => c.in[0].shape.slice(0, -1);

/** The one-element reference of sample. */
export const sampleSteps: Reference<SampleAttrs, In> = {
  steps: [
    {
      name: 'order',
      shape: (c) => [...leading(c), c.a.k],
      element(c) {
        const { r, v } = row(c);
        const j = c.at[c.at.length - 1]!;
        const before = j === 0 ? -1 : c.step['order']!.data[r * c.a.k + j - 1]!;
        let best = -1;
        for (let i = 0; i < v; i++) {
          if (before >= 0 && !precedes(c, r * v, before, i)) continue;
          if (best < 0 || precedes(c, r * v, i, best)) best = i;
        }
        return best;
      },
    },
    {
      name: 'mx',
      shape: leading,
      ...folded({
        combine: 'max',
        terms: (c) => row(c).v,
        part(c, from, to) {
          const { r, v } = row(c);
          let mx = c.in[0].data[r * v + from]!;
          for (let j = from + 1; j < to; j++) mx = Math.max(mx, c.in[0].data[r * v + j]!);
          return mx;
        },
        finish: (_, mx) => mx,
      }),
    },
    {
      name: 'sum',
      shape: leading,
      ...folded({
        combine: 'sum',
        terms: (c) => row(c).n,
        part(c, from, to) {
          let sum = 0;
          for (let j = from; j < to; j++) sum += weight(c, j);
          return sum;
        },
        finish: (_, sum) => sum,
      }),
    },
    {
      name: 'n',
      shape: leading,
      element(c) {
        const { r, n } = row(c);
        const least = c.step['sum']!.data[r]! * c.a.p16;
        let [j, sum] = [0, 0];
        do sum += weight(c, j++);
        while (j < n && sum * 65536 < least);
        return j;
      },
    },
    {
      name: 'cut_sum',
      shape: leading,
      ...folded({
        combine: 'sum',
        terms: (c) => c.step['n']!.data[row(c).r]!,
        part(c, from, to) {
          let sum = 0;
          for (let j = from; j < to; j++) sum += weight(c, j);
          return sum;
        },
        finish: (_, sum) => sum,
      }),
    },
    {
      name: 'y',
      output: 0,
      element(c) {
        const [, seed, step] = c.in;
        const { r } = row(c);
        const draw = threefry(seed.data[0]! >>> 0, seed.data[1]! >>> 0, step.data[0]! >>> 0, r)[0];
        const bound = mulhi(draw, c.step['cut_sum']!.data[r]!);
        let [j, sum] = [0, weight(c, 0)];
        while (sum <= bound) sum += weight(c, ++j);
        return entry(c, j);
      },
    },
  ],
};
