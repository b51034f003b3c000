/**
 * concat: tensors of one type joined along an axis (spec/10-ops.md, "Move").
 * @module
 */
import { addDim, type Dim, least, sameDim } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { MOVABLE, moveCost } from './move.ts';
import { checkAxis, hull, rows, worst } from './rules.ts';

/** Attributes of concat. */
export interface ConcatAttrs {
  readonly axis: number;
}

/** Definition of concat: x… of equal dtype, zero point and other extents → their elements in order along `axis`. */
export const concat: OpDef<ConcatAttrs, readonly 1[]> = /* @__PURE__ */ defineOp<ConcatAttrs, readonly 1[]>({
  code: 32,
  since: 1,
  // inputs of one type, in order along axis
  operands: [{ name: 'x', dtypes: MOVABLE, variadic: true }],
  attrs: { axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 } },
  type(c) {
    const first = c.in[0]!;
    const { axis } = c.a;
    checkAxis(c, axis, first.shape.length);
    let extent: Dim = 0;
    for (const x of c.in) {
      if (x.dtype !== first.dtype || x.zp !== first.zp)
        c.fail('BadType', 'inputs of concat have one type', `${first.dtype} zp ${first.zp}`, `${x.dtype} zp ${x.zp}`);
      if (x.shape.length !== first.shape.length || x.shape.some((d, i) => i !== axis && !sameDim(d, first.shape[i]!))) {
        c.fail(
          'BadShape',
          'inputs of concat agree on every other axis',
          JSON.stringify(first.shape),
          JSON.stringify(x.shape),
        );
      }
      extent = addDim(extent, x.shape[axis]!);
    }
    return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? extent : d)), zp: first.zp }];
  },
  bounds(c) {
    const y = c.in.map((x) => worst(c, x)).reduce(hull);
    const otherAxis = c.a.axis !== c.in[0]!.shape.length - 1;
    const sums = c.in.map((x) => x.rowSum);
    const rowSum = otherAxis && sums.every((s) => s !== undefined) ? Math.max(...(sums as number[])) : undefined;
    return { y: [{ ...y, rowSum }] };
  },
  cost(c) {
    const { axis } = c.a;
    const share = Math.min(...c.in.map((x) => least(x.shape[axis]!, c.symbols)));
    return moveCost(c, c.out[0]!, { axis, share }, rows(c, [c.in.length], 20));
  },
});
