/**
 * Depthwise 3×3 convolutions along rows (kernels/wasm/strips.ts).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { depthwiseRecord } from '../linear.ts';

/** Taps by columns: (row 0, row 1), then row 2 with none. */
const ORDER = [0, 3, 6, 9, 1, 4, 7, 9, 2, 5, 8, 9];

/** Whether the kernel computes a convolution: depthwise 3×3 over i8 with strides and dilations 1. */
export function stripsFit(s: Site<'conv2d'>): boolean {
  const [x, w] = s.in as readonly [Arg, Arg];
  const { strides, dilations, groups } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  const plain = [...strides, ...dilations].every((v) => v === 1);
  return x.dtype === 'i8' && cg === 1 && groups === o && kh === 3 && kw === 3 && plain;
}

/** Prepares a convolution that `stripsFit`. */
export function strips(s: Site<'conv2d'>, b: Builder): Prepared {
  const [n, oh, ow] = s.out[0]!.shape as readonly [number, number, number];
  const { record, x, y } = depthwiseRecord(s, b, ORDER, (ow + 2) * 12);
  return prepared('depthwise_i8_strips', 'strips', n * oh, record, x, y);
}
