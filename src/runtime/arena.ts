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

/**
 * Places blocks in the given order, each at the least aligned offset where it overlaps no earlier block alive at the same
 * time. An empty block takes no room.
 */
export function firstFit(blocks: readonly (Lifetime & { readonly bytes: number })[], align: number): Allocation {
  const offsets: number[] = [];
  const live: { from: number; to: number; last: number }[] = [];
  let peak = 0;
  for (const b of blocks) {
    const size = b.bytes + ((align - (b.bytes % align)) % align);
    let offset = 0;
    for (let i = live.length - 1; i >= 0; i--) if (live[i]!.last < b.first) live.splice(i, 1);
    if (size > 0) {
      for (const other of live) {
        if (offset + size <= other.from) break;
        if (other.to > offset) offset = other.to;
      }
      const at = live.findIndex((o) => o.from > offset);
      live.splice(at < 0 ? live.length : at, 0, { from: offset, to: offset + size, last: b.last });
      peak = Math.max(peak, offset + size);
    }
    offsets.push(offset);
  }
  return { offsets, peak };
}
