/**
 * softmax (spec/10-ops.md §4).
 * @module
 */
import { EXP2, exponent, expweight } from '../../../core/exp2.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { words } from '../pack.ts';
import { strided, walkOf } from '../strided.ts';

/** softmax; for i8 the weights E(t(d)), d = 0…255, are a table made here. */
export function softmax(s: Site<'softmax'>, b: Builder): Prepared {
  const [x, mask, offset] = s.in as readonly [Arg, Arg?, Arg?];
  const y = s.out[0]!;
  const { l, m, o, output, causal } = s.attrs;
  const e = s.facts.weightBits!;
  const { shape } = y;
  const k = shape[shape.length - 1]!;
  b.scratch(((k + 3) & ~3) * 4);
  const small = x.size === 1;
  const table = small ? words(b, 256, (d) => expweight(exponent(d, l, m), e)) : 0;
  const exp2 = small ? 0 : b.shared('EXP2', () => EXP2);
  const none = { at: 0, strides: shape.map(() => 0) };
  const nd = strided(
    b,
    shape,
    [walkOf(b, x, shape), mask === undefined ? none : walkOf(b, mask, shape), walkOf(b, y, shape)],
    true,
  );
  const record = b.record([
    x.size,
    l,
    m,
    e,
    exp2,
    table,
    o,
    output.zp,
    output.lo,
    output.hi,
    y.size,
    mask !== undefined,
    causal,
    s.attrs.offset,
    offset === undefined ? 0 : b.at(offset),
    shape[shape.length - 2] ?? 1,
  ]);
  return prepared(`softmax_i${x.size * 8}${small ? '_table' : ''}`, 'softmax', nd.units, nd.at, record);
}
