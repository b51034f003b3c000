/**
 * The one-element reference of conv_transpose2d (spec/10-ops.md).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { ConvTranspose2dAttrs } from '../conv_transpose2d.ts';
import type { In } from '../conv2d.ts';
import type { Cell, Reference } from '../define.ts';
import { weighted } from './weighted.ts';

/** Terms from … to − 1 of the sum over (ky, kx, j) without the bias; taps that meet no pixel add 0. */
function part({ in: [x, w], a, at }: Cell<ConvTranspose2dAttrs, In>, from: number, to: number): number {
  const [n, oy, ox, o] = at as [number, number, number, number];
  const [sh, sw] = a.strides as [number, number];
  const [pt, pl] = a.pads as [number, number];
  const [dh, dw] = a.dilations as [number, number];
  const [, h, width] = x.shape as [number, number, number];
  const [outputs, kh, kw, cg] = w.shape as [number, number, number, number];
  const firstChannel = floorDiv(o, floorDiv(outputs, a.groups)) * cg;
  let acc = 0;
  for (let ky = 0; ky < kh; ky++) {
    const ty = oy + pt - ky * dh;
    if (ty < 0 || ty % sh !== 0 || ty >= h * sh) continue;
    for (let kx = 0; kx < kw; kx++) {
      const tx = ox + pl - kx * dw;
      if (tx < 0 || tx % sw !== 0 || tx >= width * sw) continue;
      const term = (ky * kw + kx) * cg;
      const xi = n * x.strides[0]! + floorDiv(ty, sh) * x.strides[1]! + floorDiv(tx, sw) * x.strides[2]! + firstChannel;
      const wi = o * w.strides[0]! + term;
      for (let j = Math.max(from - term, 0); j < Math.min(to - term, cg); j++)
        acc += w.data[wi + j]! * (x.data[xi + j]! - x.zp);
    }
  }
  return acc;
}

/** The one-element reference of conv_transpose2d. */
export const convTranspose2dSteps: Reference<ConvTranspose2dAttrs, In> = weighted(part, (c) => c.a.stage);
