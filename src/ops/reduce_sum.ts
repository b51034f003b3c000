import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import { AXES, type AxesAttrs, reduceCost, reducedCounts, reducedShape, sumRange } from './reduce.ts';
import { centred, magnitude, proveBound, stagedInterval, stagedType } from './rules.ts';

/** Attributes of reduce_sum. */
export interface ReduceSumAttrs extends AxesAttrs {
  readonly stage?: Stage;
}

/** Definition of reduce_sum: x → stage(Σ x') without the axes; an empty sum is 0. */
export const reduce_sum: OpDef<ReduceSumAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<
  ReduceSumAttrs,
  readonly [x: 1]
>({
  code: 18,
  since: 1,
  // acc = Σ (x − zx) over the axes; staged (m of length 1) or raw
  operands: [{ name: 'x', dtypes: ['i8', 'i16', 'bool'] }],
  attrs: { axes: AXES, stage: stageField(2, ['i8', 'i16'], { raw: true, perChannel: false }) },
  type: (c) => [stagedType(c, c.a.stage, reducedShape(c, false), 1)],
  bounds(c) {
    const x = centred(c, c.in[0]);
    const n = reducedCounts(c);
    const bound = n.hi * magnitude(x);
    proveBound(c, bound, 'the sum');
    const acc = sumRange(n, x);
    return { y: [stagedInterval(c, c.a.stage, acc)], facts: { bound, accLo: acc.lo, accHi: acc.hi } };
  },
  cost: reduceCost,
});
