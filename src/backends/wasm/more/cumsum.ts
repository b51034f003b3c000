/**
 * cumsum (spec/10-ops.md §4).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import { elementCount } from '../../../core/tensor.ts';
import type { Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';

/** cumsum: eight lines at a time. */
export function cumsum(s: Site<'cumsum'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { axis, exclusive, reverse } = s.attrs;
  const k = x.shape[axis]!;
  const inner = elementCount(x.shape.slice(axis + 1));
  const units = floorDiv(x.count, k * inner) * ((inner + 7) >>> 3);
  const flags = [exclusive ? 1 : 0, reverse ? 1 : 0] as const;
  return prepared(`cumsum_i${x.size * 8}`, 'cumsum', units, b.at(x), b.at(y), k, inner, x.size, x.zp, ...flags);
}
