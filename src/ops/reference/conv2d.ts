import { floorDiv } from '../../core/int.ts';
import type { Conv2dAttrs, In } from '../conv2d.ts';
import type { Cell, Reference, View } from '../define.ts';
import { weighted } from './weighted.ts';

/** Σ w[wi + j]·(x[xi + j] − zp) over j < n: an int32 in any order, as the bounds rule proves. */
function dot(w: View, wi: number, x: View, xi: number, n: number): number {
  const [weights, pixels, zp] = [w.data, x.data, x.zp];
  let sum = 0;
  for (let j = 0; j < n; j++) sum = (sum + Math.imul(weights[wi + j]!, pixels[xi + j]! - zp)) | 0;
  return sum;
}

/** Terms from … to − 1 of the sum over (ky, kx, j) without the bias; taps outside the image add 0. */
function part({ in: [x, w], a, at }: Cell<Conv2dAttrs, In>, from: number, to: number): number {
  const [n, oy, ox, o] = at as [number, number, number, number];
  const [sh, sw] = a.strides as [number, number];
  const [pt, pl] = a.pads as [number, number];
  const [dh, dw] = a.dilations as [number, number];
  const [, h, width] = x.shape as [number, number, number];
  const [outputs, kh, kw, cg] = w.shape as [number, number, number, number];
  const firstChannel = floorDiv(o, floorDiv(outputs, a.groups)) * cg;
  let acc = 0;
  for (let ky = 0; ky < kh; ky++) {
    const iy = oy * sh - pt + ky * dh;
    if (iy < 0 || iy >= h) continue;
    for (let kx = 0; kx < kw; kx++) {
      const ix = ox * sw - pl + kx * dw;
      if (ix < 0 || ix >= width) continue;
      const term = (ky * kw + kx) * cg;
      const [first, last] = [Math.max(from - term, 0), Math.min(to - term, cg)];
      if (first >= last) continue;
      const xi = n * x.strides[0]! + iy * x.strides[1]! + ix * x.strides[2]! + firstChannel;
      const wi = o * w.strides[0]! + ky * w.strides[1]! + kx * w.strides[2]!;
      acc += dot(w, wi + first, x, xi + first, last - first);
    }
  }
  return acc;
}

/** The one-element reference of conv2d. */
export const conv2dSteps: Reference<Conv2dAttrs, In> = weighted(part, (c) => c.a.stage);
