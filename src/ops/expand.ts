/**
 * expand: broadcast to a shape (spec/10-ops.md, "Move").
 * @module
 */
import { type Dim, sameDim, sameShape } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { lastAxis, MOVABLE, moveCost, reshaped } from './move.ts';
import { broadcast } from './rules.ts';

/** Attributes of expand: the output shape, maybe affine in the symbols. */
export interface ExpandAttrs {
  readonly shape: readonly Dim[];
}

/** Definition of expand: x → `shape`, to which x broadcasts. */
export const expand: OpDef<ExpandAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<ExpandAttrs, readonly [x: 1]>({
  code: 36,
  since: 1,
  // x broadcast to shape
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { shape: { kind: 'dims', tag: 1, min: 0, max: 1073741824 } },
  type(c) {
    const [x] = c.in;
    if (!sameShape(broadcast(c, x.shape, c.a.shape), c.a.shape))
      c.fail('BadShape', 'x broadcasts to the shape', JSON.stringify(c.a.shape), JSON.stringify(x.shape));
    return [{ dtype: x.dtype, shape: c.a.shape, zp: x.zp }];
  },
  bounds: (c) => reshaped(c.in[0], c.a.shape),
  cost(c) {
    const { shape } = c.in[0];
    const extra = c.a.shape.length - shape.length;
    const axis = lastAxis(c.a.shape.length, (i) => i < extra || !sameDim(c.a.shape[i]!, shape[i - extra]!));
    return moveCost(c, c.out[0]!, axis < 0 ? null : { axis, share: 1 });
  },
});
