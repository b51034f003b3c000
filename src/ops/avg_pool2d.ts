import { defineOp, type OpDef, type Output } from './define.ts';
import { centred, checkLeastL, checkOutput, hull, magnitude, proveBound, scaled, stageRange } from './rules.ts';
import { poolCost, poolShape, WINDOW_FIELDS, type WindowAttrs } from './window.ts';

/** Attributes of avg_pool2d. `m1` is the multiplier of a window of one tap; `include_pad` counts declared padding. */
export interface AvgPoolAttrs extends WindowAttrs {
  readonly include_pad: boolean;
  readonly m1: number;
  readonly l: number;
  readonly output: Output;
}

/** Definition of avg_pool2d: x [N,H,W,C] → [N,OH,OW,C], stage of Σ x' with m = roundDiv(m1, n). */
export const avg_pool2d: OpDef<AvgPoolAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<AvgPoolAttrs, readonly [x: 1]>(
  {
    code: 17,
    since: 1,
    // stage of Σ (x − zx) over the taps inside the image with m = roundDiv(m1, n), n the valid or declared taps
    operands: [{ name: 'x', dtypes: ['i8', 'i16'] }],
    attrs: {
      ...WINDOW_FIELDS,
      include_pad: { kind: 'bool', tag: 6 },
      m1: { kind: 'int', tag: 7, min: 0, max: 2147483647 },
      l: { kind: 'int', tag: 8, min: 0, max: 24, default: 0 },
      output: { kind: 'output', tag: 9, dtypes: ['i8', 'i16'] },
    },
    type(c) {
      checkOutput(c, c.a.output);
      checkLeastL(c, c.a.m1, c.a.l, 'm1');
      return [{ dtype: c.a.output.dtype, shape: poolShape(c, c.in[0], c.a), zp: c.a.output.zp }];
    },
    bounds(c) {
      const x = centred(c, c.in[0]);
      const taps = c.a.kernel[0]! * c.a.kernel[1]!;
      const bound = taps * magnitude(x);
      proveBound(c, bound, 'the sum of a window');
      const acc = hull(x, scaled(taps, x));
      stageRange(c, { ...c.a.output, l: c.a.l, m: new Int32Array(1) }, 0, acc);
      return { y: [{ lo: c.a.output.lo, hi: c.a.output.hi }], facts: { bound, accLo: acc.lo, accHi: acc.hi } };
    },
    cost: poolCost,
  },
);
