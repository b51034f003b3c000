import { clamp, floorDiv, stage as outputStage } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import { type In, interpolated, type ResizeAttrs, type ResizeBilinearAttrs } from '../resize.ts';

/** The one-element reference of resize_nearest. */
export const resizeNearestSteps: Reference<ResizeAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x], a: { axis_y, axis_x }, at }) {
        const [n, oy, ox, ch] = at as [number, number, number, number];
        const source = (axis: readonly number[], o: number, extent: number): number =>
          clamp(floorDiv(axis[0]! * o + axis[1]!, axis[2]!), 0, extent - 1);
        const [iy, ix] = [source(axis_y, oy, x.shape[1]!), source(axis_x, ox, x.shape[2]!)];
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
