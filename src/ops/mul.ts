/**
 * mul: the product of two tensors (spec/10-ops.md, "mul").
 * @module
 */
import { stage as outputStage } from '../core/int.ts';
import { defineOp, type OpDef, type Reference, type Stage, stageField } from './define.ts';
import { broadcastAt } from './elementwise.ts';
import {
  broadcast,
  centred,
  hull,
  magnitude,
  perOutput,
  proveBound,
  scaled,
  stagedInterval,
  stagedType,
} from './rules.ts';

/** Attributes of mul. `stage` absent: the raw i32 product. */
export interface MulAttrs {
  readonly stage?: Stage;
}

/** Definition of mul: a, b broadcast → stage(a'·b'). */
export const mul: OpDef<MulAttrs, readonly [a: 1, b: 1]> = /* @__PURE__ */ defineOp<MulAttrs, readonly [a: 1, b: 1]>({
  code: 6,
  since: 1,
  // acc = (a − za)·(b − zb); staged (m of length 1) or raw
  operands: [
    { name: 'a', dtypes: ['i8', 'i16'] },
    { name: 'b', dtypes: ['i8', 'i16'] },
  ],
  attrs: { stage: stageField(1, ['i8', 'i16'], { raw: true, perChannel: false }) },
  type: (c) => [stagedType(c, c.a.stage, broadcast(c, c.in[0].shape, c.in[1].shape), 1)],
  bounds(c) {
    const [a, b] = [centred(c, c.in[0]), centred(c, c.in[1])];
    const bound = magnitude(a) * magnitude(b);
    proveBound(c, bound, 'the product');
    const acc = hull(scaled(a.lo, b), scaled(a.hi, b));
    return { y: [stagedInterval(c, c.a.stage, acc)], facts: { bound, accLo: acc.lo, accHi: acc.hi } };
  },
  cost: perOutput('staged'),
});

/** The one-element reference of mul. */
export const mulSteps: Reference<MulAttrs, readonly [a: 1, b: 1]> = {
  steps: [
    {
      name: 'y',
      output: 0,
      element({ in: [a, b], a: { stage: s }, at }) {
        const acc = (broadcastAt(a, at) - a.zp) * (broadcastAt(b, at) - b.zp) + 0;
        return s === undefined ? acc : outputStage(acc, s.m[0]!, s.l, s.zp, s.lo, s.hi);
      },
    },
  ],
};
