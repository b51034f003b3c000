/**
 * log_softmax over the last axis (spec/10-ops.md, "log_softmax").
 * @module
 */

import { greatest, least } from '../core/dim.ts';
import { exponent } from '../core/exp2.ts';
import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import { checkLeastL, perOutput, stagedInterval, stagedType, worst } from './rules.ts';
import { weightBits } from './softmax.ts';

/** Attributes of log_softmax: l, m of the exponent weight, and the stage of the logarithm in Q16. */
export interface LogSoftmaxAttrs {
  readonly l: number;
  readonly m: number;
  readonly stage: Stage;
}

/** Definition of log_softmax: x […,K] → stage of −(t(mx − x_j) + log2q(S) − e·2^16). */
export const log_softmax: OpDef<LogSoftmaxAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<
  LogSoftmaxAttrs,
  readonly [x: 1]
>({
  code: 26,
  since: 1,
  // acc = −(t(mx − x_j) + log2q(S) − e·2^16), S = Σ E(t(mx − x_j)); staged
  operands: [{ name: 'x', dtypes: ['i8', 'i16'] }],
  attrs: {
    l: { kind: 'int', tag: 1, min: 0, max: 24, default: 0 },
    m: { kind: 'int', tag: 2, min: 0, max: 2147483647 },
    stage: stageField(3, ['i8', 'i16'], { perChannel: false }),
  },
  type(c) {
    const { shape } = c.in[0];
    checkLeastL(c, c.a.m, c.a.l, 'm');
    const k = shape[shape.length - 1];
    if (k === undefined || least(k, c.symbols) < 1)
      c.fail('BadShape', 'the last axis of log_softmax is not empty', '≥ 1', 0);
    return [stagedType(c, c.a.stage, shape, 1)];
  },
  bounds(c) {
    const { l, m, stage } = c.a;
    const { shape } = c.in[0];
    const { lo, hi } = worst(c, c.in[0]);
    const reach = (hi - lo) * 2 ** l;
    if (reach >= 2147483648) c.fail('Overflow', `(hi − lo)·2^l can reach ${reach}`, 'below 2147483648', reach);
    const acc = { lo: -exponent(hi - lo, l, m) - 2097152, hi: 0 };
    const kmax = greatest(shape[shape.length - 1]!, c.symbols);
    return {
      y: [stagedInterval(c, stage, acc)],
      facts: { kmax, weightBits: weightBits(kmax), accLo: acc.lo, accHi: 0 },
    };
  },
  cost: perOutput('log_softmax', 6),
});
