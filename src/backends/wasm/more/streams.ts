/**
 * One row times weights beyond the caches (kernels/wasm/streams.ts).
 * @module
 */
import type { Arg, Builder } from '../builder.ts';
import type { Prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { dense } from '../linear.ts';

/** Weights from which four streams are faster than one. */
const LEAST = 4194304;

/** Whether the kernel computes a layer and gains: one row of i8, many i8 weights. */
export function streamsFit(s: Site<'dense'>): boolean {
  const [x, w, , scales] = s.in as readonly [Arg, Arg, Arg, Arg?];
  return x.dtype === 'i8' && scales === undefined && s.out[0]!.count === w.shape[0] && w.count >= LEAST;
}

/** Prepares a layer that `streamsFit`. */
export function streams(s: Site<'dense'>, b: Builder): Prepared {
  const { calls } = dense(s, b);
  return { kernel: 'dense_w8_streams_i8', calls: calls.map((c) => ({ ...c, fn: 'streams' })) };
}
