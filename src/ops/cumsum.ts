/**
 * cumsum: running sums along an axis (spec/10-ops.md, "cumsum").
 * @module
 */
import { greatest } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { centred, checkAxis, hull, magnitude, perOutput, proveBound, scaled } from './rules.ts';

/** Attributes of cumsum: `exclusive` leaves the element itself out, `reverse` sums from the end. */
export interface CumsumAttrs {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Definition of cumsum: x → i32 sums of x', raw. */
export const cumsum: OpDef<CumsumAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<CumsumAttrs, readonly [x: 1]>({
  code: 45,
  since: 1,
  // y_i = Σ x' over j ≤ i; exclusive j < i; reverse j ≥ i, j > i; raw
  operands: [{ name: 'x', dtypes: ['i8', 'i16', 'i32'] }],
  attrs: {
    axis: { kind: 'int', tag: 1, min: 0, max: 7, default: 0 },
    exclusive: { kind: 'bool', tag: 2 },
    reverse: { kind: 'bool', tag: 3 },
  },
  type(c) {
    const { shape } = c.in[0];
    checkAxis(c, c.a.axis, shape.length);
    return [{ dtype: 'i32', shape, zp: 0 }];
  },
  bounds(c) {
    const x = centred(c, c.in[0]);
    const n = greatest(c.in[0].shape[c.a.axis]!, c.symbols);
    const bound = n * magnitude(x);
    proveBound(c, bound, 'a running sum');
    const first = Math.min(n, c.a.exclusive ? 0 : 1);
    const last = Math.max(first, n - (c.a.exclusive ? 1 : 0));
    const { lo, hi } = hull(scaled(first, x), scaled(last, x));
    return { y: [{ lo, hi }], facts: { bound } };
  },
  cost: perOutput('cumsum', 1),
});
