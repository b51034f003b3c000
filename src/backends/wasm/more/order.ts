/**
 * topk, nms and sample (spec/10-ops.md §4, §7, §8).
 * @module
 */
import { EXP2 } from '../../../core/exp2.ts';
import { floorDiv } from '../../../core/int.ts';
import { elementCount } from '../../../core/tensor.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';

/** Bytes of a key: an element above its index. */
const KEY = 8;

/** topk: a heap of the first k of a line. */
export function topk(s: Site<'topk'>, b: Builder): Prepared {
  const x = s.in[0]!;
  const [values, indices] = s.out as readonly [Arg, Arg];
  const { axis, k, smallest } = s.attrs;
  const n = x.shape[axis]!;
  const inner = elementCount(x.shape.slice(axis + 1));
  b.scratch(k * KEY);
  const lines = floorDiv(x.count, n);
  const flip = smallest ? 0x80000000 : 0x7fffffff;
  return prepared('topk', 'topk', lines, b.at(x), b.at(values), b.at(indices), n, k, inner, x.size, flip);
}

/** nms: all keys in order, each box against those kept. */
export function nms(s: Site<'nms'>, b: Builder): Prepared {
  const [boxes, scores] = s.in as readonly [Arg, Arg];
  const [indices, count] = s.out as readonly [Arg, Arg];
  const { t15, threshold, limit } = s.attrs;
  const [, channels, n] = scores.shape as readonly [number, number, number];
  b.scratch(n * KEY);
  const record = b.record([n, channels, boxes.size, scores.size, t15, threshold, limit]);
  return prepared('nms', 'nms', count.count, record, b.at(boxes), b.at(scores), b.at(indices), b.at(count));
}

/** sample: the order where it takes one, then its running sums. */
export function sample(s: Site<'sample'>, b: Builder): Prepared {
  const [x, seed, step] = s.in as readonly [Arg, Arg, Arg];
  const y = s.out[0]!;
  const { l, m, k, p16 } = s.attrs;
  b.scratch(k * KEY);
  const exp2 = b.shared('EXP2', () => EXP2);
  const v = x.shape[x.shape.length - 1]!;
  const record = b.record([v, x.size, l, m, s.facts.weightBits!, exp2, k, p16, b.at(seed), b.at(step)]);
  return prepared('sample', 'sample', y.count, record, b.at(x), b.at(y));
}
