/**
 * resize_nearest and resize_bilinear: images at another size, source positions as integer rationals (spec/10-ops.md, "Resize").
 * @module
 */

import type { Dim } from '../core/dim.ts';
import { defineOp, type IntsField, type OpDef, type RuleContext, type Stage, stageField } from './define.ts';
import { MOVABLE, moveCost } from './move.ts';
import { centred, magnitude, perOutput, proveBound, scaled, stagedInterval, stagedType, staticDim } from './rules.ts';

/** Attributes of both: (A, B, D) an axis, position (A·o + B)/D, and the output extents [OH, OW]. */
export interface ResizeAttrs {
  readonly axis_y: readonly number[];
  readonly axis_x: readonly number[];
  readonly out: readonly number[];
}

/** Attributes of resize_bilinear. */
export interface ResizeBilinearAttrs extends ResizeAttrs {
  readonly stage: Stage;
}

/** Operand slots. */
export type In = readonly [x: 1];
const AXIS = { kind: 'ints', min: -2147483648, max: 2147483647, length: 3 } as const;
const FIELDS: { readonly [K in keyof ResizeAttrs]: IntsField } = {
  axis_y: { ...AXIS, tag: 1 },
  axis_x: { ...AXIS, tag: 2 },
  out: { kind: 'ints', tag: 3, min: 1, max: 1073741824, length: 2 },
};

/** The shape rule: x [N,H,W,C], H and W ≥ 1 and static → [N,OH,OW,C]; |A·o + B| < 2^31 on both axes. */
function resizedShape(c: RuleContext<ResizeAttrs, In>): Dim[] {
  const { shape } = c.in[0];
  const { axis_y, axis_x, out } = c.a;
  if (shape.length !== 4) c.fail('BadShape', 'x has rank 4', 4, shape.length);
  for (const i of [1, 2, 3] as const)
    if (staticDim(c, shape[i]!, 'a resized axis') < 1 && i < 3) c.fail('BadShape', 'H and W are at least 1', '≥ 1', 0);
  [axis_y, axis_x].forEach((axis, i) => {
    const [a, b, d] = axis as [number, number, number];
    if (d < 1) c.fail('BadAttribute', 'D is positive', '≥ 1', d);
    const far = Math.max(Math.abs(b), Math.abs(a * (out[i]! - 1) + b));
    if (far >= 2147483648) c.fail('Overflow', '|A·o + B| must lie below 2^31', 'below 2147483648', far);
  });
  return [shape[0]!, out[0]!, out[1]!, shape[3]!];
}

/** Definition of resize_nearest: x [N,H,W,C] → [N,OH,OW,C], position floored and clamped. */
export const resize_nearest: OpDef<ResizeAttrs, In> = /* @__PURE__ */ defineOp<ResizeAttrs, In>({
  code: 40,
  since: 1,
  // x at clamp(floorDiv(A·o + B, D), 0, extent − 1) on both axes
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: FIELDS,
  type: (c) => [{ dtype: c.in[0].dtype, shape: resizedShape(c), zp: c.in[0].zp }],
  bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi }] }),
  cost: (c) => moveCost(c, c.out[0]!, { axis: 2, share: 1 }),
});

/** Weight bits Q and the shift s1 between both axes. */
function precision(dtype: string): { readonly q: number; readonly s1: number } {
  return dtype === 'i16' ? { q: 14, s1: 13 } : { q: 10, s1: 0 };
}

/** Definition of resize_bilinear: x [N,H,W,C] → stage of the interpolated x' [N,OH,OW,C]. */
export const resize_bilinear: OpDef<ResizeBilinearAttrs, In> = /* @__PURE__ */ defineOp<ResizeBilinearAttrs, In>({
  code: 41,
  since: 1,
  // acc = bilinear sum of four x − zx with weights in Q10 (i8) or Q14 (i16); stage (m of length 1)
  operands: [{ name: 'x', dtypes: ['i8', 'i16'] }],
  attrs: { ...FIELDS, stage: stageField(4, ['i8', 'i16'], { perChannel: false }) },
  type: (c) => [stagedType(c, c.a.stage, resizedShape(c), 1)],
  bounds(c) {
    const { q, s1 } = precision(c.in[0].dtype);
    const acc = scaled(2 ** (2 * q - s1), centred(c, c.in[0]));
    proveBound(c, magnitude(acc), 'the accumulator');
    return {
      y: [stagedInterval(c, c.a.stage, acc)],
      facts: { bound: magnitude(acc), accLo: acc.lo, accHi: acc.hi, q, s1 },
    };
  },
  cost: perOutput('bilinear', 3),
});
