/**
 * reshape: the same elements in the same linear order (spec/10-ops.md, "Move").
 * @module
 */
import type { Dim } from '../core/dim.ts';
import { product, samePoly } from '../core/poly.ts';
import { defineOp, type OpDef } from './define.ts';
import { MOVABLE, moveCost, reshaped } from './move.ts';

/** Attributes of reshape: the output shape, maybe affine in the symbols. */
export interface ReshapeAttrs {
  readonly shape: readonly Dim[];
}

/** Definition of reshape: x → the same elements under `shape`. */
export const reshape: OpDef<ReshapeAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<ReshapeAttrs, readonly [x: 1]>({
  code: 30,
  since: 1,
  // the same linear order
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { shape: { kind: 'dims', tag: 1, min: 0, max: 1073741824 } },
  type(c) {
    const [x] = c.in;
    if (!samePoly(product(x.shape, c.symbols), product(c.a.shape, c.symbols))) {
      c.fail(
        'BadShape',
        'both shapes hold the same number of elements',
        JSON.stringify(x.shape),
        JSON.stringify(c.a.shape),
      );
    }
    return [{ dtype: x.dtype, shape: c.a.shape, zp: x.zp }];
  },
  bounds: (c) => reshaped(c.in[0], c.a.shape),
  cost: (c) => moveCost(c, c.out[0]!, null),
});
