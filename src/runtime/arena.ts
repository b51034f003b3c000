/**
 * The specified liveness allocator (spec/30-execution.md §2): first fit in file order.
 * @module
 */

/** Node indices between which a tensor holds its value, both inclusive. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** Offsets and peak of an allocation, in bytes. */
export interface Allocation {
  readonly offsets: readonly number[];
  readonly peak: number;
}

interface Gap {
  from: number;
  to: number;
}

/** Index of the first gap that starts behind `offset`. */
function gapAfter(gaps: readonly Gap[], offset: number): number {
  let [lo, hi] = [0, gaps.length];
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (gaps[mid]!.from > offset) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** Gives `from…to` back: inserts a gap and joins it with its neighbours. */
function release(gaps: Gap[], from: number, to: number): void {
  const i = gapAfter(gaps, from);
  const [before, after] = [gaps[i - 1], gaps[i]!]; // the last gap is endless, so there always is one behind
  const joinsBefore = before?.to === from;
  if (after.from === to) {
    after.from = joinsBefore ? before.from : from;
    if (joinsBefore) gaps.splice(i - 1, 1);
  } else if (joinsBefore) before.to = to;
  else gaps.splice(i, 0, { from, to });
}

/**
 * Places blocks in the given order of first use, each at the least aligned offset where it overlaps no earlier block that
 * is alive at the same time. An empty block takes no room. `first` is at least −1 and must not descend.
 */
export function firstFit(blocks: readonly (Lifetime & { readonly bytes: number })[], align: number): Allocation {
  const gaps: Gap[] = [{ from: 0, to: Number.POSITIVE_INFINITY }];
  const ends = new Map<number, number[]>(); // last → blocks
  const sizes = blocks.map((b) => b.bytes + ((align - (b.bytes % align)) % align));
  const offsets: number[] = [];
  let [peak, released] = [0, -1];
  blocks.forEach((b, i) => {
    for (; released < b.first; released++) {
      for (const k of ends.get(released) ?? []) release(gaps, offsets[k]!, offsets[k]! + sizes[k]!);
    }
    const size = sizes[i]!;
    if (size === 0) {
      offsets.push(0);
      return;
    }
    const at = gaps.findIndex((g) => g.to - g.from >= size);
    const gap = gaps[at]!;
    offsets.push(gap.from);
    gap.from += size;
    if (gap.from === gap.to) gaps.splice(at, 1);
    peak = Math.max(peak, offsets[i]! + size);
    const list = ends.get(b.last);
    if (list === undefined) ends.set(b.last, [i]);
    else list.push(i);
  });
  return { offsets, peak };
}
