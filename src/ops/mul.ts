import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import {
  broadcast,
  centred,
  hull,
  magnitude,
  perBroadcast,
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
  cost: perBroadcast('staged'),
});
