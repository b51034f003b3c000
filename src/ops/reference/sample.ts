/**
 * The one-element reference of sample (spec/10-ops.md).
 * @module
 */
import { exponent, expweight } from '../../core/exp2.ts';
import { mulhi } from '../../core/int.ts';
import { threefry } from '../../core/threefry.ts';
import { type Cell, folded, type Reference } from '../define.ts';
import type { In, SampleAttrs } from '../sample.ts';
import { greatest, ranked, within } from './line.ts';

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
  return weightOf(c, entry(c, j));
}

/** Weight of element i of a row. */
function weightOf(c: SampleCell, i: number): number {
  const { r, v } = row(c);
  const d = c.step['mx']!.data[r]! - c.in[0].data[r * v + i]!;
  return expweight(exponent(d, c.a.l, c.a.m), c.facts['weightBits']!);
}

/** Weights of entries from … to − 1. */
function weights(c: SampleCell, from: number, to: number): number {
  let sum = 0;
  for (let j = from; j < to; j++) sum += weight(c, j);
  return sum;
}

/** What the running sum of weights has to exceed. */
function threshold(c: SampleCell): number {
  const [, seed, step] = c.in;
  const { r } = row(c);
  const draw = threefry(seed.data[0]! >>> 0, seed.data[1]! >>> 0, step.data[0]! >>> 0, r)[0];
  return mulhi(draw, c.step['cut_sum']!.data[r]!);
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
      check: ranked((c) => {
        const { r, v } = row(c);
        return { n: v, rank: c.at[c.at.length - 1]!, precedes: (i, j) => precedes(c, r * v, i, j) };
      }),
    },
    {
      name: 'mx',
      shape: leading,
      ...greatest((c) => {
        const { r, v: n } = row(c);
        return { data: c.in[0].data, start: r * n, n };
      }),
    },
    {
      name: 'sum',
      shape: leading,
      ...folded({
        combine: 'sum',
        terms: (c) => row(c).n,
        part: weights,
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
      // Claim j: the first j weights reach `least`, or are all; without the last of them they do not.
      check: {
        terms: (c) => row(c).n,
        part: (c, claim, from, to) => weights(c, from, Math.min(to, claim)),
        holds(c, claim, sum) {
          const { r, n } = row(c);
          if (!within(claim - 1, n)) return false;
          const least = c.step['sum']!.data[r]! * c.a.p16;
          const enough = claim === n || sum * 65536 >= least;
          return enough && (claim === 1 || (sum - weight(c, claim - 1)) * 65536 < least);
        },
      },
    },
    {
      name: 'cut_sum',
      shape: leading,
      ...folded({
        combine: 'sum',
        terms: (c) => row(c).n,
        part: (c, from, to) => weights(c, from, Math.min(to, c.step['n']!.data[row(c).r]!)),
        finish: (_, sum) => sum,
      }),
    },
    {
      name: 'y',
      output: 0,
      element(c) {
        const bound = threshold(c);
        let [j, sum] = [0, weight(c, 0)];
        while (sum <= bound) sum += weight(c, ++j);
        return entry(c, j);
      },
      // Claim i: the weights of all that come before it do not exceed the threshold, with its own they do.
      check: {
        terms: (c) => row(c).v,
        part(c, claim, from, to) {
          const { r, v } = row(c);
          if (!within(claim, v)) return 0;
          let sum = 0;
          for (let i = from; i < to; i++) {
            const first = c.a.k > 0 ? i !== claim && precedes(c, r * v, i, claim) : i < claim;
            if (first) sum += weightOf(c, i);
          }
          return sum;
        },
        holds(c, claim, sum) {
          const bound = threshold(c);
          return within(claim, row(c).v) && sum <= bound && bound < sum + weightOf(c, claim);
        },
      },
    },
  ],
};
