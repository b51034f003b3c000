/**
 * Index maps of selections, copies and blocks of pixels (spec/10-ops.md §6).
 * @module
 */
import { elementCount } from '../../../core/tensor.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { copies, dense } from '../move.ts';
import { denseStrides, walkOf } from '../strided.ts';

/** gather: a run of bytes an index. */
export function gather(s: Site<'gather'>, b: Builder): Prepared {
  const [x, indices] = s.in as readonly [Arg, Arg];
  const { axis } = s.attrs;
  const [outer, inner] = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis + 1)) * x.size];
  const [from, to, at] = [b.at(x), b.at(s.out[0]!), b.at(indices)];
  const { count } = indices;
  return prepared('gather', 'gather', outer * count, from, to, at, x.shape[axis]! * inner, count, inner);
}

/** expand: stride 0 along the axes that grow. */
export function expand(s: Site<'expand'>, b: Builder): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  return copies(b, 'move', x.size, [{ dims: y.shape, from: walkOf(b, x, y.shape), to: dense(b, y) }]);
}

/** Copies x as y seen with `dims`, along which x has `strides` in elements. */
function regrouped(
  s: Site<'tile' | 'depth_to_space' | 'space_to_depth'>,
  b: Builder,
  dims: readonly number[],
  strides: readonly number[],
): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const from = { at: b.at(x), strides: strides.map((v) => v * x.size) };
  return copies(b, 'move', x.size, [{ dims, from, to: { at: b.at(y), strides: denseStrides(dims, x.size) } }]);
}

/** tile: every axis as repeats × dim, stride 0 along the repeats. */
export function tile(s: Site<'tile'>, b: Builder): Prepared {
  const { shape } = s.in[0]!;
  const own = denseStrides(shape, 1);
  return regrouped(
    s,
    b,
    shape.flatMap((d, i) => [s.attrs.repeats[i]!, d]),
    own.flatMap((v) => [0, v]),
  );
}

/** depth_to_space: y as [N,H,b,W,b,C]. */
export function depth_to_space(s: Site<'depth_to_space'>, b: Builder): Prepared {
  const [n, h, w, c] = s.in[0]!.shape as readonly [number, number, number, number];
  const { block, mode } = s.attrs;
  const out = s.out[0]!.shape[3]!;
  const [one, channel] = mode === 'DCR' ? [out, 1] : [1, block * block];
  return regrouped(s, b, [n, h, block, w, block, out], [h * w * c, w * c, block * one, c, one, channel]);
}

/** space_to_depth: y as [N,H,W,b,b,C]. */
export function space_to_depth(s: Site<'space_to_depth'>, b: Builder): Prepared {
  const [n, h, w] = s.out[0]!.shape as readonly [number, number, number, number];
  const { block } = s.attrs;
  const c = s.in[0]!.shape[3]!;
  const row = w * block * c;
  return regrouped(s, b, [n, h, w, block, block, c], [h * block * row, block * row, block * c, row, c, 1]);
}
