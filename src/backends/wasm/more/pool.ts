/**
 * avg_pool2d (spec/10-ops.md §4).
 * @module
 */
import type { Builder } from '../builder.ts';
import type { Prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { pooled, windowWords } from '../pool.ts';

/** avg_pool2d: i32 sums, then the stage with the multiplier divided by the tap count. */
export function avg_pool2d(s: Site<'avg_pool2d'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { include_pad, m1, l, output: o } = s.attrs;
  return pooled('avg_pool', x, y, b, [
    ...windowWords(x, y, s.attrs),
    x.zp,
    include_pad,
    m1,
    l,
    o.zp,
    o.lo,
    o.hi,
    y.size,
  ]);
}
