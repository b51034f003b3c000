/**
 * argmin and layer_norm (spec/10-ops.md §4, §5).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { arg } from '../rows.ts';

/** argmin: the index of the least value. */
export const argmin: (s: Site<'argmin'>, b: Builder) => Prepared = /* @__PURE__ */ arg('argmin', -1);

/** layer_norm: 64-bit row facts, then elements eight at a time. */
export function layer_norm(s: Site<'layer_norm'>, b: Builder): Prepared {
  const [x, gamma, beta] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { eps, g, output: o } = s.attrs;
  const n = x.shape[x.shape.length - 1]!;
  const record = b.record([
    0,
    n,
    x.size,
    x.zp,
    s.facts.fraction!,
    Number(eps & 0xffffffffn),
    Number(eps >> 32n),
    b.at(gamma),
    b.at(beta),
    g,
    o.zp,
    o.lo,
    o.hi,
    y.size,
  ]);
  return prepared(`layer_norm_i${x.size * 8}`, 'layerNorm', floorDiv(x.count, n), record, b.at(x), b.at(y));
}
