/**
 * The one-element reference of depth_to_space and space_to_depth (spec/10-ops.md).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Reference } from '../define.ts';
import type { DepthToSpaceAttrs, In, SpaceToDepthAttrs } from '../depth_to_space.ts';

/** The one-element reference of depth_to_space. */
export const depthToSpaceSteps: Reference<DepthToSpaceAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x], a: { block: b, mode }, out, at }) {
        const [n, oy, ox, c] = at as [number, number, number, number];
        const channels = out[0]!.shape[3]!;
        const within = (oy % b) * b + (ox % b);
        const channel = mode === 'DCR' ? within * channels + c : c * b * b + within;
        return x.data[n * x.strides[0]! + floorDiv(oy, b) * x.strides[1]! + floorDiv(ox, b) * x.strides[2]! + channel]!;
      },
    },
  ],
};

/** The one-element reference of space_to_depth. */
export const spaceToDepthSteps: Reference<SpaceToDepthAttrs, In> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [x], a: { block: b }, at }) {
        const [n, h, w, channel] = at as [number, number, number, number];
        const c = channel % x.shape[3]!;
        const within = floorDiv(channel, x.shape[3]!);
        const [iy, ix] = [h * b + floorDiv(within, b), w * b + (within % b)];
        return x.data[n * x.strides[0]! + iy * x.strides[1]! + ix * x.strides[2]! + c]!;
      },
    },
  ],
};
