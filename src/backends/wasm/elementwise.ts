/**
 * linear2, rescale and lut8 (spec/10-ops.md §3).
 * @module
 */
import type { Arg, Builder } from './builder.ts';
import { type Prepared, prepared } from './call.ts';
import type { Site } from './kernels.ts';
import { multipliers } from './pack.ts';
import { denseStrides, strided, type Walk, walkOf } from './strided.ts';

/** linear2: (a·Ma + b·Mb + C) >> s with C = zp·2^s + ⌊2^(s−1)⌋ − Ma·za − Mb·zb mod 2^32; without b, Mb = 0 on a itself. */
export function linear2(s: Site<'linear2'>, b: Builder): Prepared {
  const [x, second] = s.in as readonly [Arg, Arg?];
  const y = second ?? x;
  const out = s.out[0]!;
  const { ma, mb, s: shift, output } = s.attrs;
  const half = shift === 0 ? 0 : 2 ** (shift - 1);
  const c = output.zp * 2 ** shift + half - ma * x.zp - mb * y.zp;
  const nd = strided(
    b,
    out.shape,
    [x, y, out].map((t) => walkOf(b, t, out.shape)),
  );
  const record = b.record([x.size, y.size, ma, mb, c, shift, output.lo, output.hi, out.size]);
  const kernel = x.size < 4 && y.size < 4 ? 'linear2_dot_i16' : 'linear2_mul_i32';
  return prepared(kernel, 'linear2', nd.units, nd.at, record);
}

/** rescale: multipliers as an operand along the channels, or one of stride 0 where all are equal. */
export function rescale(s: Site<'rescale'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { m, l, zp, lo, hi } = s.attrs.stage;
  const each = m.length > 1;
  const own = (t: Arg): Walk => ({ at: b.at(t), strides: denseStrides(x.shape, t.size) });
  const last = x.shape.length - 1;
  const walks = [
    own(x),
    { at: multipliers(b, m, each ? m.length : 8), strides: x.shape.map((_, i) => (each && i === last ? 4 : 0)) },
    own(y),
  ];
  const nd = strided(b, x.shape, walks);
  const record = b.record([x.size, x.zp, l, zp, lo, hi, y.size]);
  return prepared(`rescale_i${x.size * 8}`, 'rescale', nd.units, nd.at, record);
}

/** lut8: one table read an element. */
export function lut8(s: Site<'lut8'>, b: Builder): Prepared {
  const [x, table] = s.in as readonly [Arg, Arg];
  return prepared('lut8', 'lut8', blocks(x), b.at(x), b.at(s.out[0]!), x.count, b.at(table), table.size);
}

/** Units of 64 elements. */
export function blocks(t: Arg): number {
  return (t.count + 63) >>> 6;
}
