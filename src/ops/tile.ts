/**
 * tile: x repeated along each axis (spec/10-ops.md, "Move").
 * @module
 */
import { type Dim, least } from '../core/dim.ts';
import { defineOp, type OpDef } from './define.ts';
import { lastAxis, MOVABLE, moveCost } from './move.ts';

/** Attributes of tile, one entry an axis. */
export interface TileAttrs {
  readonly repeats: readonly number[];
}

function repeated(d: Dim, n: number): Dim {
  return typeof d === 'number' ? d * n : n === 0 ? 0 : { c: d.c * n, k: d.k.map((k) => k * n) };
}

/** Definition of tile: y[i] = x[i mod dim]. */
export const tile: OpDef<TileAttrs, readonly [x: 1]> = /* @__PURE__ */ defineOp<TileAttrs, readonly [x: 1]>({
  code: 37,
  since: 1,
  // x[i mod dim] on every axis
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: { repeats: { kind: 'ints', tag: 1, min: 0, max: 1048576, maxLength: 8 } },
  type(c) {
    const [x] = c.in;
    const { repeats } = c.a;
    if (repeats.length !== x.shape.length)
      c.fail('BadAttribute', 'repeats has one entry an axis', x.shape.length, repeats.length);
    return [{ dtype: x.dtype, shape: x.shape.map((d, i) => repeated(d, repeats[i]!)), zp: x.zp }];
  },
  bounds(c) {
    const [x] = c.in;
    return { y: [{ lo: x.lo, hi: x.hi, rowSum: c.a.repeats[c.a.repeats.length - 1] === 1 ? x.rowSum : undefined }] };
  },
  cost(c) {
    const axis = lastAxis(c.a.repeats.length, (i) => c.a.repeats[i] !== 1);
    return moveCost(c, c.out[0]!, axis < 0 ? null : { axis, share: least(c.in[0].shape[axis]!, c.symbols) });
  },
});
