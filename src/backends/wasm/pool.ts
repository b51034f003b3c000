/**
 * max_pool2d and avg_pool2d (spec/10-ops.md §4).
 * @module
 */
import type { WindowAttrs } from '../../ops/window.ts';
import type { Arg, Builder } from './builder.ts';
import type { Prepared, Site } from './kernels.ts';

function windowWords(x: Arg, y: Arg, a: WindowAttrs): number[] {
  const [n, oh, ow] = y.shape as readonly [number, number, number];
  return [
    n,
    oh,
    ow,
    x.shape[1]!,
    x.shape[2]!,
    x.shape[3]!,
    ...a.kernel,
    ...a.strides,
    ...a.dilations,
    ...a.pads,
    x.size,
  ];
}

/** max_pool2d: vector maxima over the taps inside the image. */
export function max_pool2d(s: Site<'max_pool2d'>, b: Builder): Prepared {
  const [x] = s.in as readonly [Arg];
  const record = b.record([...windowWords(x, s.out[0]!, s.attrs)]);
  const [from, to] = [b.at(x), b.at(s.out[0]!)];
  return { kernel: `max_pool_i${x.size * 8}`, run: (kernels) => kernels.pool(record, from, to, 0) };
}

/** avg_pool2d: i32 sums, then the stage with the multiplier divided by the tap count. */
export function avg_pool2d(s: Site<'avg_pool2d'>, b: Builder): Prepared {
  const [x] = s.in as readonly [Arg];
  const { include_pad, m1, l, output: o } = s.attrs;
  const y = s.out[0]!;
  const record = b.record([...windowWords(x, y, s.attrs), x.zp, include_pad, m1, l, o.zp, o.lo, o.hi, y.size, m1]);
  const [from, to] = [b.at(x), b.at(y)];
  return { kernel: `avg_pool_i${x.size * 8}`, run: (kernels) => kernels.pool(record, from, to, 1) };
}
