/** Recipes of the random-graph generator: operands and shape attributes of every op. */
import type { Dim } from '../../src/core/dim.ts';
import type { DType } from '../../src/core/tensor.ts';
import type { TensorType } from '../../src/ops/define.ts';
import type { OpName } from '../../src/ops/index.ts';
import { Prng } from './prng.ts';
import { Builder, type Draft, type Ref } from './random-graph.ts';
import { MORE } from './recipes-more.ts';
import { REST } from './recipes-rest.ts';

type Recipe = (b: Builder) => Draft;

const I8_I16: readonly DType[] = ['i8', 'i16'];
const ANY: readonly DType[] = ['i8', 'i16', 'i32', 'bool'];

function dim(t: TensorType, axis: number): number {
  const d = t.shape[axis]!;
  return typeof d === 'number' ? d : 1;
}

/** Weights mostly small, sometimes at the ends. */
function weights(b: Builder, shape: readonly number[]): Ref {
  const reach = b.r.pick([1, 9, 127, 128]);
  return b.constant('i8', shape, -reach, Math.min(reach, 127));
}

function bias(b: Builder, n: number): Ref {
  const reach = b.r.pick([0, 100, 100000, 1073741823]);
  return b.constant('i32', [n], -reach, reach);
}

function conv2d(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, 4);
  const c = dim(x.type, 3);
  const depthwise = r.once(3);
  const divisors = Array.from({ length: c }, (_, i) => i + 1).filter((g) => c % g === 0);
  const groups = depthwise ? Math.max(c, 1) : divisors.length === 0 ? 1 : r.pick([1, r.pick(divisors)]);
  const outputs = groups * r.pick([1, 1, 2, 3, 9]);
  const kernel = [r.int(1, 3), r.int(1, 3)];
  const pads = r.once(2) ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => r.below(3));
  const attrs = {
    strides: [r.pick([1, 1, 2, 3]), r.pick([1, 1, 2, 3])],
    pads,
    dilations: [r.pick([1, 1, 2]), r.pick([1, 1, 2])],
    groups,
  };
  return { operands: [x, weights(b, [outputs, ...kernel, Math.floor(c / groups)]), bias(b, outputs)], attrs };
}

function dense(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, r.int(1, 3));
  const [k, o] = [dim(x.type, x.type.shape.length - 1), r.int(1, 11)];
  if (!r.once(3)) return { operands: [x, weights(b, [o, k]), bias(b, o)], attrs: { block: 0 } };
  const block = r.pick([16, 32, 64]);
  const u = b.constant('i8', [o, Math.ceil(k / block)], -127, r.pick([-120, 127]), -128);
  return { operands: [x, b.constant('i4', [o, k]), bias(b, o), u], attrs: { block } };
}

function matmul(b: Builder): Draft {
  const { r } = b;
  const a = b.tensor(I8_I16, r.int(2, 4), { zp: 0 });
  const tb = r.once(2);
  const batch = a.type.shape.slice(0, -2).map((d) => (r.once(3) ? 1 : d));
  const k = a.type.shape[a.type.shape.length - 1]!;
  const n = r.int(1, 9);
  const shape: Dim[] = [...(r.once(3) ? [] : batch), ...(tb ? [n, k] : [k, n])];
  const narrow = r.once(2) ? {} : { lo: -90, hi: 90 };
  const fixed = shape.every((d) => typeof d === 'number');
  const dtype = r.pick(I8_I16);
  const other =
    fixed && r.once(3) ? b.constant(dtype, shape as number[], -100, 100) : b.input(dtype, shape, { zp: 0, ...narrow });
  return { operands: [a, other], attrs: { tb } };
}

function linear2(b: Builder): Draft {
  const { r } = b;
  const a = b.tensor(['i8', 'i16', 'i32'], r.int(0, 4));
  const s = r.pick([0, 0, 3, 8, 14]);
  const near = Math.min(32767, 2 ** s * 2);
  const ma = r.once(3) ? (r.once(2) ? 1 : -1) : r.int(-near, near) | 1;
  if (r.once(5)) return { operands: [a], attrs: { ma, mb: 0, s } };
  const shape = a.type.shape.map((d) => (r.once(4) ? 1 : d)).slice(r.once(4) && a.type.shape.length > 0 ? 1 : 0);
  const same = b.find(
    (t) => t !== a.type && t.dtype !== 'bool' && JSON.stringify(t.shape) === JSON.stringify(a.type.shape),
  );
  const other =
    same ??
    (shape.every((d) => typeof d === 'number') && r.once(3)
      ? b.constant(r.pick(['i8', 'i16']), shape as number[])
      : b.input(r.pick(I8_I16), shape));
  return { operands: r.once(2) ? [a, other] : [other, a], attrs: { ma, mb: r.int(-near, near), s } };
}

function pool(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, 4, { static: true });
  const kernel = [r.int(1, 3), r.int(1, 3)];
  const strides = [r.int(1, 3), r.int(1, 3)];
  const dilations = [r.pick([1, 1, 2]), r.pick([1, 1, 3])];
  const pads = r.once(2) ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => r.below(3));
  return {
    operands: [x],
    attrs: { kernel, strides, dilations, pads, overhang: strides.map((s) => (r.once(3) ? r.below(s) : 0)) },
  };
}

function averagePool(b: Builder): Draft {
  const d = pool(b);
  const m1 = b.r.int(1073741824, 2147483647);
  return { ...d, attrs: { ...d.attrs, m1: b.r.once(4) ? m1 >> 3 : m1, l: b.r.once(2) ? 0 : b.r.int(1, 5) } };
}

function reshape(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(ANY, r.int(0, 4));
  const { shape } = x.type;
  if (shape.some((d) => typeof d !== 'number')) return { operands: [x], attrs: { shape: [...shape, 1] } };
  let left = (shape as readonly number[]).reduce((n, d) => n * d, 1);
  const out: number[] = [];
  for (const p of [2, 3, 5])
    if (left > 0 && left % p === 0 && r.once(2)) {
      out.push(p);
      left /= p;
    }
  return { operands: [x], attrs: { shape: r.once(2) ? [...out, left] : [left, ...out] } };
}

function transpose(b: Builder): Draft {
  const x = b.tensor(ANY, b.r.int(0, 5));
  const perm = x.type.shape.map((_, i) => i);
  for (let i = perm.length - 1; i > 0; i--) {
    const j = b.r.below(i + 1);
    [perm[i], perm[j]] = [perm[j]!, perm[i]!];
  }
  return { operands: [x], attrs: { perm } };
}

function concat(b: Builder): Draft {
  const { r } = b;
  const first = b.tensor(ANY, r.int(1, 4));
  const axis = r.below(first.type.shape.length);
  const more = Array.from({ length: r.below(3) }, () => {
    const other = b.find(
      (t) =>
        t.dtype === first.type.dtype &&
        t.zp === first.type.zp &&
        t.shape.length === first.type.shape.length &&
        t.shape.every((d, i) => i === axis || d === first.type.shape[i]),
    );
    return other !== undefined && r.once(2)
      ? other
      : b.input(
          first.type.dtype,
          first.type.shape.map((d, i) => (i === axis ? r.below(4) : d)),
          { zp: first.type.zp },
        );
  });
  return { operands: [first, ...more], attrs: { axis } };
}

function slice(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(ANY, r.int(0, 4));
  const [start, step, size]: [Dim[], number[], Dim[]] = [[], [], []];
  for (const d of x.type.shape) {
    const n = typeof d === 'number' ? d : 1;
    if (typeof d !== 'number' || n === 0 || r.once(3)) {
      start.push(0);
      step.push(1);
      size.push(d);
      continue;
    }
    const s = r.pick([1, 1, 2, 3, -1, -2]);
    const from = r.below(n);
    const most = s > 0 ? Math.floor((n - 1 - from) / s) + 1 : Math.floor(from / -s) + 1;
    const count = r.int(r.once(9) ? 0 : 1, most);
    start.push(from);
    step.push(count <= 1 ? 1 : s);
    size.push(count);
  }
  return { operands: [x], attrs: { start, step, size } };
}

function pad(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(ANY, r.int(1, 4));
  const mode = r.pick(['constant', 'edge', 'reflect']);
  const amount = (d: Dim): number =>
    r.once(2) ? 0 : r.below(mode === 'reflect' && typeof d === 'number' ? Math.max(1, Math.min(d, 3)) : 3);
  const [before, after] = [x.type.shape.map(amount), x.type.shape.map(amount)];
  const last = x.type.shape.length - 1;
  const extent = x.type.shape[last]!;
  const vector = typeof extent === 'number' && r.once(2) ? [extent + before[last]! + after[last]!] : [];
  const value = mode === 'constant' ? b.constant(x.type.dtype, vector, undefined, undefined, x.type.zp) : null;
  return { operands: value === null ? [x] : [x, value], attrs: { before, after, mode } };
}

function softmax(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(['i8', 'i16', 'i32'], r.int(1, 4));
  const shape = x.type.shape;
  const mask = r.once(3) ? b.input('bool', shape.map((d) => (r.once(3) ? 1 : d)).slice(r.once(3) ? 1 : 0)) : null;
  const causal = shape.length >= 2 && r.once(3);
  const offset = causal && r.once(2) ? b.input('i32', [1], { lo: -3, hi: 5 }) : null;
  const l = x.type.dtype === 'i8' ? r.int(8, 18) : r.int(0, 12);
  const attrs = { l, m: r.int(1073741824, 2147483647), causal, offset: causal && offset === null ? r.int(-2, 3) : 0 };
  return { operands: [x, mask, offset], attrs };
}

function lstm(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, 3);
  const [h, qh] = [r.int(1, 6), r.pick([7, 15])];
  const dtype: DType = qh === 7 ? 'i8' : 'i16';
  const state = (d: DType): Ref => {
    const shape = [x.type.shape[1]!, h];
    return shape.every((e) => typeof e === 'number') && r.once(2)
      ? b.constant(d, shape as number[])
      : b.input(d, shape, { zp: 0 });
  };
  const table = (lo: number): Ref => b.constant('i16', [513], lo, 32767);
  const [lo, hi] = [r.once(3) ? -60 : -128, r.once(3) ? 90 : 127];
  const words = (): Int32Array =>
    r.once(2)
      ? Int32Array.of(r.int(1 << 20, 2147483647))
      : Int32Array.from({ length: 4 * h }, () => r.int(1073741824, 2147483647));
  const [mx, mh] = [words(), words()];
  const shift = (m: Int32Array): number => (m.some((v) => v >= 1073741824) ? r.below(5) : 0);
  return {
    operands: [
      x,
      weights(b, [4 * h, dim(x.type, 2)]),
      weights(b, [4 * h, h]),
      b.constant('i32', [4 * h], -5000, 5000),
      state(dtype),
      state('i16'),
      table(0),
      table(-32768),
      table(-32768),
    ],
    attrs: { mx, lx: shift(mx), mh, lh: shift(mh), qh, lo, hi },
  };
}

/** A recipe for every op. */
export const RECIPES: { readonly [N in OpName]: Recipe } = {
  ...MORE,
  ...REST,
  argmax: (b) => {
    const x = b.tensor(['i8', 'i16', 'i32'], b.r.int(1, 4));
    return { operands: [x], attrs: { axis: b.r.below(x.type.shape.length) } };
  },
  avg_pool2d: averagePool,
  concat,
  conv2d,
  dense,
  linear2,
  lstm,
  lut8: (b) => {
    const dtype = b.r.pick(I8_I16);
    return {
      operands: [b.tensor(['i8'], b.r.int(0, 4)), b.constant(dtype, [256])],
      attrs: { zp: dtype === 'i8' ? b.r.edgy(-128, 127) : 0 },
    };
  },
  lut16: (b) => ({ operands: [b.tensor(['i16'], b.r.int(0, 4)), b.constant('i16', [513])] }),
  matmul,
  max_pool2d: pool,
  pad,
  rescale: (b) => ({ operands: [b.tensor(['i8', 'i16', 'i32'], b.r.int(0, 4))] }),
  reshape,
  slice,
  softmax,
  transpose,
};

const NAMES = Object.keys(RECIPES) as OpName[];

/** A random valid graph of up to `most` nodes of the ops `names`. */
export function randomGraph(seed: number, most = 5, names: readonly OpName[] = NAMES): ReturnType<Builder['finish']> {
  const r = new Prng(seed);
  const b = new Builder(r);
  if (r.once(12)) b.symbols.push({ name: 'n', min: 1, max: r.int(1, 4) });
  const rank = r.int(1, 4);
  const shape: Dim[] = b.shape(rank);
  if (b.symbols.length > 0) shape[0] = { c: 0, k: [1] };
  b.input(r.pick(['i8', 'i8', 'i16', 'i32']), shape);
  const want = r.int(1, most);
  for (let tries = 0; b.nodes.length < want && tries < 40 * want; tries++) {
    const op = r.pick(names);
    const before = b.refs.length;
    if (!b.add(op, RECIPES[op](b))) b.refs.length = before; // inputs drawn for a refused node go with it
  }
  return b.finish();
}
