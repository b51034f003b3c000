/**
 * lut16 (spec/10-ops.md §3).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import { blocks } from '../elementwise.ts';
import type { Site } from '../kernels.ts';

/** lut16: two nodes and an interpolation an element. */
export function lut16(s: Site<'lut16'>, b: Builder): Prepared {
  const [x, table] = s.in as readonly [Arg, Arg];
  const { s: shift, output: o } = s.attrs;
  const y = s.out[0]!;
  const [from, to, at] = [b.at(x), b.at(y), b.at(table)];
  return prepared('lut16', 'lut16', blocks(x), from, to, x.count, at, shift, o.zp, o.lo, o.hi, y.size);
}
