/**
 * Index maps of selections, copies and blocks of pixels (spec/10-ops.md §6).
 * @module
 */
import { elementCount } from '../../../core/tensor.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { copies, dense } from '../move.ts';
import { denseStrides, type Walk, walkOf } from '../strided.ts';

/** gather: a run of bytes an index. */
export function gather(s: Site<'gather'>, b: Builder): Prepared {
  const [x, indices] = s.in as readonly [Arg, Arg];
  const { axis } = s.attrs;
  const [outer, inner] = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis + 1)) * x.size];
  const [from, to, at] = [b.at(x), b.at(s.out[0]!), b.at(indices)];
  const { count } = indices;
  return prepared('gather', 'gather', outer * count, from, to, at, x.shape[axis]! * inner, count, inner);
}

/** update: x, then its rows from the position on. */
export function update(s: Site<'update'>, b: Builder): Prepared {
  const [x, rows, position] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { axis } = s.attrs;
  const outer = elementCount(x.shape.slice(0, axis));
  const inner = elementCount(x.shape.slice(axis + 1)) * x.size;
  const whole = (t: Arg): { at: number; strides: number[] } => ({ at: b.at(t), strides: [1] });
  const { calls } = copies(b, '', 1, [{ dims: [y.bytes], from: whole(x), to: whole(y) }]);
  const [k, n] = [x.shape[axis]!, rows.shape[axis]!];
  const put = prepared('', 'update', outer, b.at(rows), b.at(y), b.at(position), k, n, inner);
  return { kernel: 'update', calls: [...calls, ...put.calls] };
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

/**
 * pad: the value everywhere and x inside; or x inside and then, axis by axis, strips on both sides, read from y with stride
 * 0 (edge) or backwards (reflect). The strips of an axis span what earlier axes have filled.
 */
export function pad(s: Site<'pad'>, b: Builder): Prepared {
  const [x, value] = s.in as readonly [Arg, Arg?];
  const y = s.out[0]!;
  const { before, after, mode } = s.attrs;
  const to = dense(b, y);
  const offset = (index: readonly number[]): number => index.reduce((sum, v, i) => sum + v * to.strides[i]!, to.at);
  const parts: { dims: readonly number[]; from: Walk; to: Walk }[] = [];
  if (value !== undefined) {
    const last = y.shape.length - 1;
    parts.push({
      dims: y.shape,
      from: { at: b.at(value), strides: y.shape.map((_, i) => (i === last && value.shape.length === 1 ? y.size : 0)) },
      to,
    });
  }
  parts.push({ dims: x.shape, from: dense(b, x), to: { at: offset(before), strides: to.strides } });
  if (value === undefined) {
    const first = [...before];
    const dims = [...x.shape];
    x.shape.forEach((n, axis) => {
      const strip = (count: number, target: number, source: number, step: number): void => {
        const shape = dims.map((d, i) => (i === axis ? count : d));
        const index = (v: number): number[] => first.map((f, i) => (i === axis ? v : f));
        const strides = to.strides.map((v, i) => (i === axis ? v * step : v));
        parts.push({
          dims: shape,
          from: { at: offset(index(source)), strides },
          to: { at: offset(index(target)), strides: to.strides },
        });
      };
      const [p, q, mirror] = [before[axis]!, after[axis]!, mode === 'reflect' ? 1 : 0];
      strip(p, 0, p + p * mirror, -mirror);
      strip(q, p + n, p + n - 1 - mirror, -mirror);
      first[axis] = 0;
      dims[axis] = p + n + q;
    });
  }
  return copies(b, `pad_${mode}`, y.size, parts);
}
