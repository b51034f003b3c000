/**
 * Depthwise 3×3 convolutions along rows (kernels/wasm/strips.ts).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { depthwiseRecord } from '../linear.ts';

/** Taps by pairs: rows 0 and 1 of each column, row 2 of the first two, none and row 2 of the last. */
const ORDER = [0, 3, 1, 4, 2, 5, 6, 7, 9, 8];

/** Greatest shift of a weight that fits an i16. */
const MOST_SHIFT = 7;

/**
 * Whether the kernel computes a convolution: depthwise 3×3 over i8 with strides and dilations 1, whole vectors of channels, and
 * a stage whose shift the weights can take.
 */
export function stripsFit(s: Site<'conv2d'>): boolean {
  const [x, w] = s.in as readonly [Arg, Arg];
  const { strides, dilations, groups, stage } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const plain = [...strides, ...dilations].every((v) => v === 1) && o % 8 === 0;
  return (
    x.dtype === 'i8' &&
    stage !== undefined &&
    stage.l <= MOST_SHIFT &&
    cg === 1 &&
    groups === o &&
    kh === 3 &&
    kw === 3 &&
    plain
  );
}

/** Prepares a convolution that `stripsFit`. */
export function strips(s: Site<'conv2d'>, b: Builder): Prepared {
  const [n, oh, ow] = s.out[0]!.shape as readonly [number, number, number];
  const { record, x, y } = depthwiseRecord(s, b, ORDER, (ow + 2) * 12, s.attrs.stage!.l);
  return prepared('depthwise_i8_strips', 'strips', n * oh, record, x, y);
}
