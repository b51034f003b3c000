/**
 * argmax, argmin, log_softmax, and softmax over rows of i8 (spec/10-ops.md §4, §5).
 * @module
 */
import { EXP2, exponent, expweight } from '../../../core/exp2.ts';
import { floorDiv } from '../../../core/int.ts';
import { LOG2 } from '../../../core/log2.ts';
import { elementCount } from '../../../core/tensor.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { oneStage, words } from '../pack.ts';

/** argmax and argmin over [outer, K, inner]; `flip` −1 reverses the order. */
function arg(kernel: string, flip: number) {
  return (s: Site<'argmax'>, b: Builder): Prepared => {
    const [x] = s.in as readonly [Arg];
    const { axis, select_last } = s.attrs;
    const y = s.out[0]!;
    const inner = elementCount(x.shape.slice(axis + 1));
    const last = select_last ? 1 : 0;
    return prepared(kernel, 'argmax', y.count, b.at(x), b.at(y), x.shape[axis]!, inner, x.size, last, flip);
  };
}

/** argmax: the index of the greatest value. */
export const argmax: (s: Site<'argmax'>, b: Builder) => Prepared = /* @__PURE__ */ arg('argmax', 0);

/** argmin: the index of the least value. */
export const argmin: (s: Site<'argmin'>, b: Builder) => Prepared = /* @__PURE__ */ arg('argmin', -1);

/** log_softmax: exponents and their weights, of i8 by a table, then the logarithm of the sum. */
export function log_softmax(s: Site<'log_softmax'>, b: Builder): Prepared {
  const [x, y] = [s.in[0] as Arg, s.out[0]!];
  const { l, m, stage } = s.attrs;
  const e = s.facts.weightBits!;
  const k = x.shape[x.shape.length - 1]!;
  b.scratch(((k + 7) & ~7) * 4);
  const small = x.size === 1;
  const table = small ? words(b, 256, (d) => expweight(exponent(d, l, m), e)) : 0;
  const exp2 = small ? 0 : b.shared('EXP2', () => EXP2);
  const log2 = b.shared('LOG2', () => LOG2);
  const record = b.record([k, x.size, l, m, e, exp2, table, log2, ...oneStage(stage, y.size)]);
  return prepared(`log_softmax_i${x.size * 8}`, 'logSoftmax', floorDiv(x.count, k), record, b.at(x), b.at(y));
}

/** softmax of whole rows of 16 or more i8, without a mask. */
export function softmax8(s: Site<'softmax'>, b: Builder): Prepared | undefined {
  const [x, mask] = s.in as readonly [Arg, Arg?];
  const [y] = s.out as readonly [Arg];
  const { l, m, o, output, causal } = s.attrs;
  const k = y.shape[y.shape.length - 1] ?? 1;
  if (x.dtype !== 'i8' || mask !== undefined || causal || k < 16) return undefined;
  const e = s.facts.weightBits!;
  const table = words(b, 256, (i) => expweight(exponent(255 - i, l, m), e));
  b.scratch(2048 + (k + 8) * 8);
  const record = b.record([k, o, output.zp, output.lo, output.hi, y.size, table]);
  return prepared('softmax_i8_rows', 'softmax8', floorDiv(y.count, k), record, b.at(x), b.at(y));
}
