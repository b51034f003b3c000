/**
 * transpose: axes permuted (spec/10-ops.md, "Move").
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import { lastAxis, MOVABLE, moveCost } from './move.ts';

/** Attributes of transpose: output axis i is input axis perm[i]. */
export interface TransposeAttrs {
  readonly perm: readonly number[];
}

/** Definition of transpose: y[i] = x at the permuted index. */
export const transpose: OpDef<TransposeAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<
  TransposeAttrs,
  readonly [x: 1]
>({
  code: 31,
  since: 1,
  // output axis i is input axis perm[i]
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { perm: { kind: 'ints', tag: 1, min: 0, max: 7, maxLength: 8 } },
  type(c) {
    const [x] = c.in;
    const { perm } = c.a;
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length || perm.some((p) => p >= x.shape.length)) {
      c.fail('BadAttribute', 'perm is a permutation of the axes', `0…${x.shape.length - 1} once each`, perm.join());
    }
    return [{ dtype: x.dtype, shape: perm.map((p) => x.shape[p]!), zp: x.zp }];
  },
  bounds(c) {
    const [x] = c.in;
    const last = c.a.perm.length - 1;
    return { y: [{ lo: x.lo, hi: x.hi, rowSum: c.a.perm[last] === last ? x.rowSum : undefined }] };
  },
  cost(c) {
    const axis = lastAxis(c.a.perm.length, (i) => c.a.perm[i] !== i);
    return moveCost(c, c.out[0]!, axis < 0 ? null : { axis, share: 1 });
  },
});
