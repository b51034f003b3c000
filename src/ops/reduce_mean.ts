import { defineOp, type OpDef, type Output } from './define.ts';
import { AXES, type AxesAttrs, reduceCost, reducedCounts, reducedShape, sumRange } from './reduce.ts';
import { centred, checkLeastL, checkOutput, magnitude, proveBound, stageRange } from './rules.ts';

/** Attributes of reduce_mean: `m1` is the multiplier of a single element. */
export interface ReduceMeanAttrs extends AxesAttrs {
  readonly m1: number;
  readonly l: number;
  readonly output: Output;
}

/** Definition of reduce_mean: x → stage of Σ x' with m = roundDiv(m1, n), n the elements reduced. */
export const reduce_mean: OpDef<ReduceMeanAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<
  ReduceMeanAttrs,
  readonly [x: 1]
>({
  code: 19,
  since: 1,
  // stage of Σ (x − zx) with m = roundDiv(m1, n), n the elements reduced
  operands: [{ name: 'x', dtypes: ['i8', 'i16'] }],
  attrs: {
    axes: AXES,
    m1: { kind: 'int', tag: 2, min: 0, max: 2147483647 },
    l: { kind: 'int', tag: 3, min: 0, max: 24, default: 0 },
    output: { kind: 'output', tag: 4, dtypes: ['i8', 'i16'] },
  },
  type(c) {
    checkOutput(c, c.a.output);
    checkLeastL(c, c.a.m1, c.a.l, 'm1');
    return [{ dtype: c.a.output.dtype, shape: reducedShape(c, true), zp: c.a.output.zp }];
  },
  bounds(c) {
    const x = centred(c, c.in[0]);
    const n = reducedCounts(c);
    const bound = n.hi * magnitude(x);
    proveBound(c, bound, 'the sum');
    const acc = sumRange(n, x);
    stageRange(c, { ...c.a.output, l: c.a.l, m: new Int32Array(1) }, 0, acc);
    return { y: [{ lo: c.a.output.lo, hi: c.a.output.hi }], facts: { bound, accLo: acc.lo, accHi: acc.hi } };
  },
  cost: reduceCost,
});
