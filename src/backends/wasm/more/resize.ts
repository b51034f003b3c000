/**
 * resize_nearest and resize_bilinear (spec/10-ops.md §6).
 * @module
 */
import { clamp, floorDiv, roundDiv } from '../../../core/int.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { oneStage } from '../pack.ts';

type Axis = readonly number[];

/** For every output of an axis: both source indices, and the weight of the second in units of 2^−q. */
function sources(
  axis: Axis,
  out: number,
  extent: number,
  q: number,
): (readonly [first: number, second: number, weight: number])[] {
  const [a, b, d] = axis as readonly [number, number, number];
  return Array.from({ length: out }, (_, o) => {
    const n = a * o + b;
    const i = floorDiv(n, d);
    return [clamp(i, 0, extent - 1), clamp(i + 1, 0, extent - 1), roundDiv((n - i * d) * 2 ** q, d)];
  });
}

/** resize_nearest: a gather of pixels an output row. */
export function resize_nearest(s: Site<'resize_nearest'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const [n, h, w, c] = x.shape as readonly [number, number, number, number];
  const { axis_y, axis_x, out } = s.attrs;
  const pixel = c * x.size;
  const columns = b.record(sources(axis_x, out[1]!, w, 0).map((v) => v[0]));
  const rows = b.record(sources(axis_y, out[0]!, h, 0).map((v) => v[0] * w * pixel));
  const [oh, ow] = out as readonly [number, number];
  const image = h * w * pixel;
  return prepared('gather', 'nearest', n * oh, b.at(x), b.at(y), image, rows, oh, columns, ow, pixel);
}

/** resize_bilinear: four pixels an output, eight channels at once. */
export function resize_bilinear(s: Site<'resize_bilinear'>, b: Builder): Prepared {
  const [x] = s.in as readonly [Arg];
  const [n, h, w, c] = x.shape as readonly [number, number, number, number];
  const { axis_y, axis_x, out, stage } = s.attrs;
  const q = s.facts.q!;
  const s1 = s.facts.s1!;
  const pixel = c * x.size;
  const table = (axis: Axis, o: number, extent: number, bytes: number): number =>
    b.record(sources(axis, o, extent, q).flatMap(([i, k, weight]) => [i * bytes, k * bytes, weight]));
  const [rows, columns] = [table(axis_y, out[0]!, h, w * pixel), table(axis_x, out[1]!, w, pixel)];
  const head = [n, out[0]!, out[1]!, c, x.size, h * w * pixel, rows, columns, 2 ** q, s1, -x.zp * 2 ** (2 * q - s1)];
  const record = b.record([...head, ...oneStage(stage, 0)]);
  return prepared(`bilinear_i${x.size * 8}`, 'bilinear', n * out[0]!, record, b.at(x), b.at(s.out[0]!));
}
