/**
 * Windows of 1-D and 2-D convolutions and pools over stored [N,H,W,C]: a 1-D window gets a first axis of size 1.
 * @module
 */
import { resolveSpatial, type SpatialWindow } from '../window.ts';
import type { LowerContext } from './context.ts';

/** A resolved window over H and W, and the output's extent. */
export interface ResolvedWindow {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly overhang: readonly [number, number];
  readonly out: readonly [number, number];
}

/** A spatial window of one or two axes as one over H and W. */
export function planar(w: SpatialWindow): ResolvedWindow {
  const two = (v: readonly number[], fill: number): readonly [number, number] =>
    v.length === 1 ? [fill, v[0]!] : [v[0]!, v[1]!];
  const [before, after] = [two(w.before, 0), two(w.after, 0)];
  return {
    kernel: two(w.kernel, 1),
    strides: two(w.strides, 1),
    dilations: two(w.dilations, 1),
    pads: [before[0], before[1], after[0], after[1]],
    overhang: two(w.overhang, 0),
    out: two(w.out, 1),
  };
}

/** Resolves the window of a node over the spatial extents of its input 0. */
export function resolveWindow(c: LowerContext, kernel: readonly number[]): ResolvedWindow {
  return planar(resolveSpatial(c, c.shape(0).slice(2), kernel));
}
