/** Recipes of quotients, norms and ops along an axis. */
import type { DType } from '../../src/core/tensor.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Builder, Draft } from './random-graph.ts';
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

/** Ops of this file. */
export type RestOps = 'cumsum' | 'div' | 'group_norm' | 'layer_norm' | 'log_softmax' | 'rms_norm';

/** Recipes of these ops. */
export const REST: { readonly [N in RestOps & OpName]: Recipe } = {
  cumsum: (b) => {
    const x = b.tensor(['i8', 'i16', 'i32'], b.r.int(1, 4));
    return { operands: [x], attrs: { axis: b.r.below(x.type.shape.length) } };
  },
  div,
  group_norm: groupNorm,
  layer_norm: (b) => norm(b, b.r.int(1, 3), false),
  log_softmax: (b) => {
    const x = b.tensor(I8_I16, b.r.int(1, 4));
    const l = x.type.dtype === 'i8' ? b.r.int(8, 18) : b.r.int(0, 12);
    return { operands: [x], attrs: { l, m: b.r.int(1073741824, 2147483647) } };
  },
  rms_norm: (b) => norm(b, b.r.int(1, 3), false),
};
