/**
 * What ops over lines share: the greatest element, and the check of an index that an order gives: of topk, argmax, argmin and
 * sample (spec/40-consensus.md §5).
 * @module
 */
import { type Cell, type Check, folded, type Slots, type Step } from '../define.ts';

/** Elements start … start + n − 1. */
export interface Stretch {
  readonly data: ArrayLike<number>;
  readonly start: number;
  readonly n: number;
}

/** The fields of a step whose element is the greatest of a stretch. */
/* @__NO_SIDE_EFFECTS__ */
export function greatest<A, I extends Slots>(
  stretchOf: (c: Cell<A, I>) => Stretch,
): Pick<Step<A, I>, 'element' | 'fold'> {
  return folded({
    combine: 'max',
    terms: (c) => stretchOf(c).n,
    part(c, from, to) {
      const { data, start } = stretchOf(c);
      let most = data[start + from]!;
      for (let j = from + 1; j < to; j++) most = Math.max(most, data[start + j]!);
      return most;
    },
    finish: (_, most) => most,
  });
}

/** A line of elements, which of two comes first, and how many come before the index of the cell. */
export interface Line {
  readonly n: number;
  readonly rank: number;
  precedes(i: number, j: number): boolean;
}

/** Index e of a line is right iff it is one, and `rank` elements come before it. */
/* @__NO_SIDE_EFFECTS__ */
export function ranked<A, I extends Slots>(lineOf: (c: Cell<A, I>) => Line): Check<A, I> {
  return {
    terms: (c) => lineOf(c).n,
    part(c, claim, from, to) {
      const line = lineOf(c);
      if (!within(claim, line.n)) return 0;
      let before = 0;
      for (let i = from; i < to; i++) if (i !== claim && line.precedes(i, claim)) before++;
      return before;
    },
    holds(c, claim, before) {
      const { n, rank } = lineOf(c);
      return within(claim, n) && before === rank;
    },
  };
}

/** True if `claim` is an index below n. */
export function within(claim: number, n: number): boolean {
  return claim >= 0 && claim < n;
}
