/** Recipes of quotients, norms and ops along an axis. */
import type { DType } from '../../src/core/tensor.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Builder, Draft, Ref } from './random-graph.ts';
import { gcd, other, shuffled } from './recipes-more.ts';

type Recipe = (b: Builder) => Draft;

const I8_I16: readonly DType[] = ['i8', 'i16'];

function div(b: Builder): Draft {
  const { r } = b;
  const a = b.tensor(I8_I16, r.int(0, 4));
  const [p, q] = r.once(2) ? [1, 1] : [r.edgy(1, 65535), r.edgy(1, 65535)];
  const g = gcd(p, q);
  return { operands: shuffled(b, [a, other(b, a, I8_I16)]), attrs: { p: p / g, q: q / g } };
}

/** x of a rank with gamma and beta of its channels. */
function norm(b: Builder, rank: number, fixed: boolean): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, rank, fixed ? { static: true } : {});
  const d = x.type.shape[x.type.shape.length - 1]!;
  const n = typeof d === 'number' ? d : 1;
  const reach = r.pick([1 << 20, 1 << 28, 2147483647]);
  return {
    operands: [x, b.constant('i32', [n], -reach, reach), b.constant('i32', [n], -(1 << 24), 1 << 24)],
    attrs: { g: r.int(0, 16) },
  };
}

function groupNorm(b: Builder): Draft {
  const draft = norm(b, 4, true);
  const c = draft.operands[1]!.type.shape[0] as number;
  const divisors = Array.from({ length: c }, (_, i) => i + 1).filter((g) => c % g === 0);
  return { ...draft, attrs: { ...draft.attrs, groups: b.r.pick([1, ...divisors, c]) } };
}

function convTranspose(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, 4, { static: true });
  const c = x.type.shape[3] as number;
  const divisors = Array.from({ length: c }, (_, i) => i + 1).filter((g) => c % g === 0);
  const groups = r.once(4) ? Math.max(c, 1) : divisors.length === 0 ? 1 : r.pick([1, r.pick(divisors)]);
  const outputs = groups * r.pick([1, 1, 2, 3, 9]);
  const strides = [r.pick([1, 2, 2, 3]), r.pick([1, 2, 2, 3])];
  const dilations = [r.pick([1, 1, 2]), r.pick([1, 1, 2, 3])];
  const attrs = {
    strides,
    pads: r.once(2) ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => r.below(3)),
    dilations,
    groups,
    output_padding: strides.map((s, i) => (r.once(2) ? 0 : r.below(Math.max(s, dilations[i]!)))),
  };
  const reach = r.pick([1, 9, 127, 128]);
  const kernel = [r.int(1, 4), r.int(1, 4)];
  const weights = b.constant('i8', [outputs, ...kernel, Math.floor(c / groups)], -reach, Math.min(reach, 127));
  const bias = r.pick([0, 100, 100000, 1073741823]);
  return { operands: [x, weights, b.constant('i32', [outputs], -bias, bias)], attrs };
}

function rope(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, r.int(2, 4), { zp: 0 });
  const d = x.type.shape[x.type.shape.length - 1]!;
  const pairs = typeof d === 'number' ? Math.max(1, r.int(Math.min(1, d >> 1), d >> 1)) : 1;
  const given = r.once(2) ? b.input('i32', [1], { lo: -100, hi: 100000 }) : null;
  const step = Int32Array.from({ length: pairs }, () => r.int(-2147483648, 2147483647));
  const attrs = { step, ...(given === null ? {} : { position: 0 }) };
  return { operands: [x, given], attrs };
}

function sample(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, r.int(1, 3));
  const v = x.type.shape[x.type.shape.length - 1]!;
  const k = typeof v === 'number' && r.once(2) ? r.int(1, Math.max(1, v)) : 0;
  const l = x.type.dtype === 'i8' ? r.int(8, 14) : r.int(0, 12);
  const words = { lo: -2147483648, hi: 2147483647 };
  const attrs = { l, m: r.int(1073741824, 2147483647), k, p16: k === 0 ? 65536 : r.edgy(1, 65536) };
  return { operands: [x, b.input('i32', [2], words), b.input('i32', [1], words)], attrs };
}

function gru(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(I8_I16, 3);
  const d = x.type.shape[2]!;
  const [h, qh] = [r.int(1, 6), r.pick([7, 15])];
  const weights = (n: number): Ref => {
    const reach = r.pick([1, 9, 127, 128]);
    return b.constant('i8', [3 * h, n], -reach, Math.min(reach, 127));
  };
  const words = (): Int32Array =>
    r.once(2)
      ? Int32Array.of(r.int(1 << 20, 2147483647))
      : Int32Array.from({ length: 3 * h }, () => r.int(1073741824, 2147483647));
  const [mx, mh] = [words(), words()];
  const shift = (m: Int32Array): number => (m.some((v) => v >= 1073741824) ? r.below(5) : 0);
  const [lo, hi] = [r.once(3) ? -60 : -128, r.once(3) ? 90 : 127];
  return {
    operands: [
      x,
      weights(typeof d === 'number' ? d : 1),
      weights(h),
      b.constant('i32', [3 * h], -5000, 5000),
      b.input(qh === 7 ? 'i8' : 'i16', [x.type.shape[1]!, h], { zp: 0 }),
      b.constant('i16', [513], 0, 32767),
      b.constant('i16', [513], -32768, 32767),
      r.once(2) ? b.constant('i32', [h], -5000, 5000) : null,
    ],
    attrs: { mx, lx: shift(mx), mh, lh: shift(mh), qh, lo, hi },
  };
}

function update(b: Builder): Draft {
  const { r } = b;
  const x = b.tensor(['i8', 'i16', 'i32', 'bool'], r.int(1, 4));
  const axis = r.below(x.type.shape.length);
  const d = x.type.shape[axis]!;
  const n = typeof d === 'number' ? r.int(0, d) : 1;
  const rows = b.input(
    x.type.dtype,
    x.type.shape.map((e, i) => (i === axis ? n : e)),
    { zp: x.type.zp },
  );
  const most = typeof d === 'number' ? d - n : 0;
  return { operands: [x, rows, b.input('i32', [1], { lo: r.below(most + 1), hi: most })], attrs: { axis } };
}

function nms(b: Builder): Draft {
  const { r } = b;
  const scores = b.tensor(I8_I16, 3);
  const boxes = b.input(r.pick(['i16', 'i32']), [scores.type.shape[0]!, scores.type.shape[2]!, 4], { lo: -40, hi: 60 });
  return {
    operands: [boxes, scores],
    attrs: { t15: r.edgy(0, 32768), threshold: r.edgy(-129, 9), limit: r.int(1, 4) },
  };
}

/** Ops of this file. */
export type RestOps =
  | 'gru'
  | 'nms'
  | 'update'
  | 'conv_transpose2d'
  | 'rope'
  | 'sample'
  | 'topk'
  | 'cumsum'
  | 'div'
  | 'group_norm'
  | 'layer_norm'
  | 'log_softmax'
  | 'rms_norm';

/** Recipes of these ops. */
export const REST: { readonly [N in RestOps & OpName]: Recipe } = {
  cumsum: (b) => {
    const x = b.tensor(['i8', 'i16', 'i32'], b.r.int(1, 4));
    return { operands: [x], attrs: { axis: b.r.below(x.type.shape.length) } };
  },
  conv_transpose2d: convTranspose,
  div,
  gru,
  nms,
  update,
  group_norm: groupNorm,
  layer_norm: (b) => norm(b, b.r.int(1, 3), false),
  log_softmax: (b) => {
    const x = b.tensor(I8_I16, b.r.int(1, 4));
    const l = x.type.dtype === 'i8' ? b.r.int(8, 18) : b.r.int(0, 12);
    return { operands: [x], attrs: { l, m: b.r.int(1073741824, 2147483647) } };
  },
  rope,
  sample,
  topk: (b) => {
    const x = b.tensor(['i8', 'i16', 'i32'], b.r.int(1, 4));
    const axis = b.r.below(x.type.shape.length);
    const d = x.type.shape[axis]!;
    return { operands: [x], attrs: { axis, k: b.r.int(1, typeof d === 'number' ? Math.max(1, d) : 1) } };
  },
  rms_norm: (b) => norm(b, b.r.int(1, 3), false),
};
