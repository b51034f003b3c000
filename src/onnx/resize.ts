/**
 * Attributes and inputs of Resize and Upsample, resolved: output extents and, for each axis, where an output coordinate lies
 * in the input.
 * @module
 */
import type { NodeReader } from './node.ts';

/** One resized axis: input and output extent, the scale, and the coordinate transform's name. */
export interface ResizeAxis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Region of interest, for `tf_crop_and_resize`. */
  readonly roi: readonly [number, number];
}

/** A resolved Resize. */
export interface ResolvedResize {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly transform: string;
  readonly nearest: string;
  readonly axes: readonly ResizeAxis[];
}

/** Input coordinate of output index o. */
export function sourceCoordinate(transform: string, a: ResizeAxis, o: number): number {
  switch (transform) {
    case 'asymmetric':
      return o / a.scale;
    case 'align_corners':
      return a.to === 1 ? 0 : (o * (a.from - 1)) / (a.scale * a.from - 1);
    case 'pytorch_half_pixel':
      return a.to === 1 ? 0 : (o + 0.5) / a.scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjust = a.to / (a.scale * a.from);
      return (a.from / 2) * (1 - adjust) + (o + 0.5) / a.scale - 0.5;
    }
    case 'tf_crop_and_resize': {
      const [start, end] = a.roi;
      const span = (a.from - 1) * (end - start);
      return a.to > 1 ? start * (a.from - 1) + (o * span) / (a.to - 1) : 0.5 * (start + end) * (a.from - 1);
    }
    default:
      return (o + 0.5) / a.scale - 0.5;
  }
}

/** Index that a nearest mode gives coordinate x, before it is cut to the axis. */
export function nearestIndex(mode: string, x: number): number {
  const f = Math.floor(x);
  if (mode === 'floor') return f;
  if (mode === 'ceil') return Math.ceil(x);
  const rest = x - f;
  return rest > 0.5 || (rest === 0.5 && mode === 'round_prefer_ceil') ? f + 1 : f;
}

/** What the node's inputs say, each undefined where it is left out. */
export interface ResizeInputs {
  readonly shape: readonly number[];
  readonly roi?: readonly number[] | undefined;
  readonly scales?: readonly number[] | undefined;
  readonly sizes?: readonly number[] | undefined;
}

/** Extents and scale of the resized axes: `sizes` keep the aspect ratio where a policy says so. */
function extents(c: NodeReader, i: ResizeInputs, axes: readonly number[]): { scale: number; to: number }[] {
  if (i.scales && i.scales.length > 0)
    return axes.map((a, k) => ({ scale: i.scales![k]!, to: Math.floor(i.shape[a]! * i.scales![k]!) }));
  const sizes = i.sizes ?? c.fail('BadGraph', 'neither scales nor sizes are given');
  const ratios = axes.map((a, k) => sizes[k]! / i.shape[a]!);
  const policy = c.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return axes.map((_, k) => ({ scale: ratios[k]!, to: sizes[k]! }));
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((a) => ({ scale, to: Math.floor(scale * i.shape[a]! + 0.5) }));
}

/** Resolves a Resize (opset 10 on) or Upsample from its concrete inputs. */
export function resolveResize(c: NodeReader, i: ResizeInputs): ResolvedResize {
  const rank = i.shape.length;
  const mode = c.string('mode', 'nearest');
  const old = c.node.op === 'Upsample' || c.opset < 11;
  const name = mode === 'bilinear' ? 'linear' : mode;
  if (name !== 'nearest' && name !== 'linear' && name !== 'cubic')
    c.fail('UnsupportedForm', `mode "${mode}" is not supported`);
  const axes = c.axesIn(c.list('axes') ?? i.shape.map((_, a) => a), rank);
  const found = extents(c, i, axes);
  const all: ResizeAxis[] = i.shape.map((d) => ({ from: d, to: d, scale: 1, roi: [0, 1] }));
  axes.forEach((a, k) => {
    all[a] = { from: i.shape[a]!, ...found[k]!, roi: [i.roi?.[k] ?? 0, i.roi?.[k + axes.length] ?? 1] };
  });
  return {
    mode: name,
    transform: old ? 'asymmetric' : c.string('coordinate_transformation_mode', 'half_pixel'),
    nearest: old ? 'floor' : c.string('nearest_mode', 'round_prefer_floor'),
    axes: all,
  };
}
