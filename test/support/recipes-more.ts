/** Recipes of the elementwise, reduction, move and resize ops. */
import type { Dim } from '../../src/core/dim.ts';
import type { DType } from '../../src/core/tensor.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Builder, Draft, Ref } from './random-graph.ts';

type Recipe = (b: Builder) => Draft;

const I8_I16: readonly DType[] = ['i8', 'i16'];
const ANY: readonly DType[] = ['i8', 'i16', 'i32', 'bool'];

/** A shape that broadcasts with `shape`: some dims 1, some leading ones left off. */
function partner(b: Builder, shape: readonly Dim[]): Dim[] {
  return shape.map((d) => (b.r.once(4) ? 1 : d)).slice(b.r.once(4) && shape.length > 0 ? 1 : 0);
}

/** Another tensor that broadcasts with `a`: existing, new, or constant. */
export function other(b: Builder, a: Ref, dtypes: readonly DType[], zp?: number): Ref {
  const fits = b.find(
    (t) =>
      t !== a.type &&
      dtypes.includes(t.dtype) &&
      (zp === undefined || t.zp === zp) &&
      JSON.stringify(t.shape) === JSON.stringify(a.type.shape),
  );
  if (fits !== undefined && b.r.once(2)) return fits;
  const shape = partner(b, a.type.shape);
  const dtype = b.r.pick(dtypes);
  const fixed = shape.every((d) => typeof d === 'number');
  if (fixed && dtype !== 'i32' && b.r.once(3))
    return b.constant(dtype, shape as number[], undefined, undefined, dtype === 'i8' ? (zp ?? 0) : 0);
  return b.input(dtype, shape, zp === undefined ? {} : { zp });
}

export function shuffled(b: Builder, refs: readonly Ref[]): Ref[] {
  return b.r.once(2) ? [...refs] : [...refs].reverse();
}

function sameTypePair(b: Builder): Draft {
  const a = b.tensor(['i8', 'i16', 'i32'], b.r.int(0, 4));
  return { operands: shuffled(b, [a, other(b, a, [a.type.dtype], a.type.zp)]) };
}

export function gcd(p: number, q: number): number {
  return q === 0 ? p : gcd(q, p % q);
}

function compare(b: Builder): Draft {
  const { r } = b;
  const a = b.tensor(['i8', 'i16', 'i32'], r.int(0, 4));
  const [p, q] = r.once(2) ? [1, 1] : [r.int(1, 300), r.int(1, 300)];
  const g = gcd(p, q);
  return {
    operands: shuffled(b, [a, other(b, a, ['i8', 'i16', 'i32'])]),
    attrs: { ma: p / g, mb: (r.once(4) ? -q : q) / g },
  };
}

function logical(b: Builder): Draft {
  const op = b.r.pick(['and', 'or', 'xor', 'not']);
  const a = b.tensor(['bool'], b.r.int(0, 4));
  return { operands: op === 'not' ? [a] : shuffled(b, [a, other(b, a, ['bool'])]), attrs: { op } };
}

function where(b: Builder): Draft {
  const a = b.tensor(ANY, b.r.int(0, 4));
  const condition =
    b.find((t) => t.dtype === 'bool' && JSON.stringify(t.shape) === JSON.stringify(a.type.shape)) ??
    b.input('bool', partner(b, a.type.shape));
  return { operands: [condition, ...shuffled(b, [a, other(b, a, [a.type.dtype], a.type.zp)])] };
}

function axes(b: Builder, rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i).filter(() => b.r.once(2));
}

function reduce(dtypes: readonly DType[]): Recipe {
  return (b) => {
    const x = b.tensor(dtypes, b.r.int(1, 4));
    const m1 = b.r.int(1073741824, 2147483647);
    return {
      operands: [x],
      attrs: { axes: axes(b, x.type.shape.length), m1: b.r.once(4) ? m1 >> 3 : m1, l: b.r.once(2) ? 0 : b.r.int(1, 4) },
    };
  };
}

/** A recipe without the attributes that only reduce_mean has. */
function plain(recipe: Recipe): Recipe {
  return (b) => {
    const { operands, attrs } = recipe(b);
    return { operands, attrs: { axes: attrs!['axes'] } };
  };
}

function gather(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(ANY, r.int(1, 4));
  const axis = r.below(x.type.shape.length);
  const d = x.type.shape[axis]!;
  const last = (typeof d === 'number' ? d : 1) - 1;
  const shape = Array.from({ length: r.below(3) }, () => r.int(1, 4));
  const indices = r.once(3)
    ? b.constant('i32', shape, 0, Math.max(last, 0))
    : b.input('i32', shape, { lo: r.below(Math.max(last, 0) + 1), hi: Math.max(last, 0) });
  return { operands: [x, indices], attrs: { axis } };
}

function expand(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(ANY, r.int(0, 3));
  const grown = x.type.shape.map((d): Dim => (d === 1 && r.once(2) ? r.int(1, 5) : d));
  return { operands: [x], attrs: { shape: r.once(3) ? [r.int(1, 3), ...grown] : grown } };
}

function image(b: Builder, dtypes: readonly DType[], height: number, width: number, channels: number): Ref {
  const found = b.r.once(2)
    ? b.find(
        (t) =>
          dtypes.includes(t.dtype) &&
          t.shape.length === 4 &&
          t.shape.every((d) => typeof d === 'number') &&
          (t.shape[1] as number) % height === 0 &&
          (t.shape[2] as number) % width === 0 &&
          (t.shape[3] as number) % channels === 0,
      )
    : undefined;
  return (
    found ??
    b.input(b.r.pick(dtypes), [b.r.int(1, 2), b.r.int(1, 3) * height, b.r.int(1, 3) * width, b.r.int(1, 3) * channels])
  );
}

function resize(dtypes: readonly DType[]): Recipe {
  return (b) => {
    const { r } = b;
    const x = image(b, dtypes, 1, 1, 1);
    const out = [r.int(1, 9), r.int(1, 9)];
    const axis = (extent: number, o: number): number[] => {
      const ways = [
        [2 * extent, extent - o, 2 * o],
        [extent, 0, o],
        [o === 1 ? 0 : extent - 1, 0, o === 1 ? 1 : o - 1],
        [4 * extent, 2 * (extent - o) + 2 * o - 1, 4 * o],
        [r.int(-5, 5), r.int(-9, 9), r.int(1, 7)],
      ];
      return r.pick(ways);
    };
    return {
      operands: [x],
      attrs: {
        axis_y: axis(x.type.shape[1] as number, out[0]!),
        axis_x: axis(x.type.shape[2] as number, out[1]!),
        out,
      },
    };
  };
}

/** Ops of this file. */
export type MoreOps =
  | 'argmin'
  | 'compare'
  | 'depth_to_space'
  | 'expand'
  | 'gather'
  | 'logical'
  | 'max'
  | 'min'
  | 'mul'
  | 'reduce_max'
  | 'reduce_mean'
  | 'reduce_min'
  | 'reduce_sum'
  | 'resize_bilinear'
  | 'resize_nearest'
  | 'space_to_depth'
  | 'tile'
  | 'where';

/** Recipes of these ops. */
export const MORE: { readonly [N in MoreOps & OpName]: Recipe } = {
  argmin: (b) => {
    const x = b.tensor(['i8', 'i16', 'i32'], b.r.int(1, 4));
    return { operands: [x], attrs: { axis: b.r.below(x.type.shape.length) } };
  },
  compare,
  depth_to_space: (b) => {
    const block = b.r.int(1, 3);
    return { operands: [image(b, ANY, 1, 1, block * block)], attrs: { block } };
  },
  expand,
  gather,
  logical,
  max: sameTypePair,
  min: sameTypePair,
  mul: (b) => {
    const a = b.tensor(I8_I16, b.r.int(0, 4));
    return { operands: shuffled(b, [a, other(b, a, I8_I16)]) };
  },
  reduce_max: plain(reduce(ANY)),
  reduce_mean: reduce(I8_I16),
  reduce_min: plain(reduce(ANY)),
  reduce_sum: plain(reduce(['i8', 'i16', 'bool'])),
  resize_bilinear: resize(I8_I16),
  resize_nearest: resize(ANY),
  space_to_depth: (b) => {
    const block = b.r.int(1, 3);
    return { operands: [image(b, ANY, block, block, 1)], attrs: { block } };
  },
  tile: (b) => {
    const x = b.tensor(ANY, b.r.int(0, 4));
    return { operands: [x], attrs: { repeats: x.type.shape.map(() => (b.r.once(2) ? 1 : b.r.below(4))) } };
  },
  where,
};
