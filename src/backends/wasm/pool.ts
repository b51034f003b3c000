/**
 * max_pool2d, and what it shares with avg_pool2d (spec/10-ops.md §4).
 * @module
 */
import type { WindowAttrs } from '../../ops/window.ts';
import type { Arg, Builder } from './builder.ts';
import { type Prepared, prepared } from './call.ts';
import type { Site } from './kernels.ts';

/** Words of a window. */
export function windowWords(x: Arg, y: Arg, a: WindowAttrs): number[] {
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

/** A call over output rows. */
export function pooled(kernel: string, x: Arg, y: Arg, b: Builder, record: readonly (number | boolean)[]): Prepared {
  const fn = kernel === 'max_pool' ? 'maxPool' : 'avgPool';
  const rows = y.shape[0]! * y.shape[1]!;
  return prepared(`${kernel}_i${x.size * 8}`, fn, rows, b.record(record), b.at(x), b.at(y));
}

/** max_pool2d: vector maxima over the taps inside the image. */
export function max_pool2d(s: Site<'max_pool2d'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  return pooled('max_pool', x, y, b, windowWords(x, y, s.attrs));
}
