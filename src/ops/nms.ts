/**
 * nms: non-maximum suppression of boxes by score (spec/10-ops.md, "nms").
 * @module
 */
import { addDim, greatest, sameDim } from '../core/dim.ts';
import { bitlen } from '../core/int.ts';
import { times } from '../core/poly.ts';
import { defineOp, type OpDef } from './define.ts';
import { counts, elements, rows, worst } from './rules.ts';

/** Attributes of nms: t15 is the greatest overlap in Q15, threshold the score that candidates exceed, limit the most kept. */
export interface NmsAttrs {
  readonly t15: number;
  readonly threshold: number;
  readonly limit: number;
}

/** Operand slots. */
export type In = readonly [boxes: 1, scores: 1];

/** Definition of nms: boxes [B,N,4] corners, scores [B,C,N] → indices i32 [B,C,limit], −1 behind the kept; count i32 [B,C]. */
export const nms: OpDef<NmsAttrs, In> = /* @__PURE__ */ defineOp<NmsAttrs, In>({
  code: 48,
  since: 1,
  // candidates by score; one is kept iff fewer than limit are, and none of them overlaps it by more than t15/2^15
  operands: [
    { name: 'boxes', dtypes: ['i16', 'i32'] },
    { name: 'scores', dtypes: ['i8', 'i16'] },
  ],
  attrs: {
    t15: { kind: 'int', tag: 1, min: 0, max: 32768, default: 16384 },
    threshold: { kind: 'int', tag: 2, min: -32769, max: 32767, default: -32769 },
    limit: { kind: 'int', tag: 3, min: 1, max: 1073741824 },
  },
  type(c) {
    const [boxes, scores] = c.in;
    const [b, channels] = scores.shape;
    const n = boxes.shape[1];
    const fits =
      boxes.shape.length === 3 &&
      scores.shape.length === 3 &&
      boxes.shape[2] === 4 &&
      sameDim(boxes.shape[0]!, b!) &&
      sameDim(n!, scores.shape[2]!);
    if (!fits)
      return c.fail(
        'BadShape',
        'boxes is [B,N,4] and scores [B,C,N]',
        JSON.stringify([b, scores.shape[2], 4]),
        JSON.stringify(boxes.shape),
      );
    return [
      { dtype: 'i32', shape: [b!, channels!, c.a.limit], zp: 0 },
      { dtype: 'i32', shape: [b!, channels!], zp: 0 },
    ];
  },
  bounds(c) {
    const [boxes] = c.in;
    const { lo, hi } = worst(c, boxes);
    const area = (hi - lo) ** 2;
    if (area >= 2147483648) c.fail('Overflow', 'the area of a box can leave 31 bits', 'below 2147483648', area);
    const n = boxes.shape[1]!;
    const kept = Math.min(c.a.limit, greatest(n, c.symbols));
    return {
      y: [
        { lo: -1, hi: addDim(n, -1) },
        { lo: 0, hi: kept },
      ],
    };
  },
  cost(c) {
    const [boxes, scores] = c.in;
    const n = greatest(boxes.shape[1]!, c.symbols);
    const candidates = elements(c, scores);
    return {
      counts: counts(
        ['order', times(candidates, 2 * bitlen(n))],
        ['nms', times(candidates, Math.min(n, c.a.limit))],
        ['move', elements(c, c.out[0]!)],
        rows(c, scores.shape.slice(0, 2), 2),
      ),
    };
  },
});
