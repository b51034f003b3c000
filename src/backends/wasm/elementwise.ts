/**
 * linear2, rescale, lut8 and lut16 (spec/10-ops.md §3).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Arg, Builder } from './builder.ts';
import type { Prepared, Site } from './kernels.ts';
import { multipliers } from './pack.ts';
import { strided, walkOf } from './strided.ts';

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
  return {
    kernel: x.size < 4 && y.size < 4 ? 'linear2_dot_i16' : 'linear2_mul_i32',
    run: (kernels) => kernels.linear2(nd, record),
  };
}

/** rescale: rows of C channels, or one row where all multipliers are equal. */
export function rescale(s: Site<'rescale'>, b: Builder): Prepared {
  const [x] = s.in as readonly [Arg];
  const { stage } = s.attrs;
  const out = s.out[0]!;
  const each = stage.m.length > 1;
  const c = each ? stage.m.length : x.count;
  const m = multipliers(b, stage.m, each ? c : 8);
  const record = b.record([
    floorDiv(x.count, c),
    c,
    x.size,
    x.zp,
    m,
    each ? 32 : 0,
    stage.l,
    stage.zp,
    stage.lo,
    stage.hi,
    out.size,
  ]);
  const [from, to] = [b.at(x), b.at(out)];
  return { kernel: `rescale_i${x.size * 8}`, run: (kernels) => kernels.rescale(record, from, to) };
}

/** lut8: one table read an element. */
export function lut8(s: Site<'lut8'>, b: Builder): Prepared {
  const [x, table] = s.in as readonly [Arg, Arg];
  const [from, to, at] = [b.at(x), b.at(s.out[0]!), b.at(table)];
  return { kernel: 'lut8', run: (kernels) => kernels.lut8(from, to, x.count, at, table.size) };
}

/** lut16: two nodes and an interpolation an element. */
export function lut16(s: Site<'lut16'>, b: Builder): Prepared {
  const [x, table] = s.in as readonly [Arg, Arg];
  const { s: shift, output: o } = s.attrs;
  const out = s.out[0]!;
  const [from, to, at] = [b.at(x), b.at(out), b.at(table)];
  return { kernel: 'lut16', run: (kernels) => kernels.lut16(from, to, x.count, at, shift, o.zp, o.lo, o.hi, out.size) };
}
