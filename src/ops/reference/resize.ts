/**
 * The one-element references of resize_nearest and resize_bilinear (spec/10-ops.md).
 * @module
 */
import { clamp, floorDiv, stage as outputStage, roundDiv, rsh } from '../../core/int.ts';
import type { Cell, Reference, View } from '../define.ts';
import type { In, ResizeAttrs, ResizeBilinearAttrs } from '../resize.ts';

/** Both source indices of output `o` on an axis, and the weight of the second in Q(q). */
export function source(
  axis: readonly number[],
  o: number,
  extent: number,
  q: number,
): { readonly i0: number; readonly i1: number; readonly w: number } {
  const [a, b, d] = axis as [number, number, number];
  const n = a * o + b;
  const i = floorDiv(n, d);
  return { i0: clamp(i, 0, extent - 1), i1: clamp(i + 1, 0, extent - 1), w: roundDiv((n - i * d) * 2 ** q, d) };
}

/** The bilinear sum of a cell. */
function interpolated(c: Cell<ResizeBilinearAttrs, In>, q: number, s1: number): number {
  const [x] = c.in;
  const [n, oy, ox, ch] = c.at as [number, number, number, number];
  const y = source(c.a.axis_y, oy, x.shape[1]!, q);
  const column = source(c.a.axis_x, ox, x.shape[2]!, q);
  const at = (v: View, iy: number, ix: number): number =>
    v.data[n * v.strides[0]! + iy * v.strides[1]! + ix * v.strides[2]! + ch]! - v.zp;
  const vertical = (ix: number): number => rsh(at(x, y.i0, ix) * (2 ** q - y.w) + at(x, y.i1, ix) * y.w, s1);
  return vertical(column.i0) * (2 ** q - column.w) + vertical(column.i1) * column.w;
}

/** The one-element reference of resize_nearest. */
export const resizeNearestSteps: Reference<ResizeAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x], a: { axis_y, axis_x }, at }) {
        const [n, oy, ox, ch] = at as [number, number, number, number];
        const [iy, ix] = [source(axis_y, oy, x.shape[1]!, 0).i0, source(axis_x, ox, x.shape[2]!, 0).i0];
        return x.data[n * x.strides[0]! + iy * x.strides[1]! + ix * x.strides[2]! + ch]!;
      },
    },
  ],
};

/** The one-element reference of resize_bilinear. */
export const resizeBilinearSteps: Reference<ResizeBilinearAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element(c) {
        const acc = interpolated(c, c.facts['q']!, c.facts['s1']!);
        const s = c.a.stage;
        return outputStage(acc, s.m[0]!, s.l, s.zp, s.lo, s.hi);
      },
    },
  ],
};
