/**
 * The check of an index that an order gives: of topk, argmax, argmin and sample (spec/40-consensus.md §5).
 * @module
 */
import type { Cell, Check, Slots } from '../define.ts';

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
