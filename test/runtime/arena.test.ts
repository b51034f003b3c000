/** The allocator against its definition, block by block. */
import { describe, expect, it } from 'vitest';
import { firstFit } from '../../src/runtime/arena.ts';
import { Prng } from '../support/prng.ts';

interface Block {
  first: number;
  last: number;
  bytes: number;
}

/** The definition: the least aligned offset that overlaps no earlier block alive at the same time. */
function byDefinition(blocks: readonly Block[], align: number): { offsets: number[]; peak: number } {
  const offsets: number[] = [];
  let peak = 0;
  const size = (b: Block): number => Math.ceil(b.bytes / align) * align;
  blocks.forEach((b, i) => {
    const alive = blocks
      .slice(0, i)
      .map((o, k) => ({ o, at: offsets[k]! }))
      .filter(({ o }) => o.bytes > 0 && o.last >= b.first);
    let offset = 0;
    while (b.bytes > 0 && alive.some(({ o, at }) => at < offset + size(b) && offset < at + size(o))) offset += align;
    offsets.push(offset);
    if (b.bytes > 0) peak = Math.max(peak, offset + size(b));
  });
  return { offsets, peak };
}

describe('firstFit', () => {
  it('agrees with its definition on random lifetimes', () => {
    for (let seed = 0; seed < 400; seed++) {
      const r = new Prng(seed);
      let first = -1;
      const blocks = Array.from({ length: r.int(0, 24) }, () => {
        first += r.below(3);
        return { first, last: first + r.below(5), bytes: r.once(8) ? 0 : r.int(1, 300) };
      });
      expect(firstFit(blocks, 64), `seed ${seed}`).toEqual(byDefinition(blocks, 64));
    }
  });

  it('is fast where everything is alive at once', () => {
    const blocks = Array.from({ length: 60000 }, (_, i) => ({ first: i, last: 60000 + (i % 7), bytes: 64 }));
    expect(firstFit(blocks, 64).peak).toBe(60000 * 64);
  });
});
