/**
 * min and max of two tensors of one type, on raw integers (spec/10-ops.md, "min, max").
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import { broadcast, perBroadcast, worst } from './rules.ts';

/** min and max have no attributes. */
export type NoAttrs = Record<never, never>;
/** Operand slots. */
export type In = readonly [a: 1, b: 1];

/* @__NO_SIDE_EFFECTS__ */
function extremum(code: number, choose: (p: number, q: number) => number): OpDef<NoAttrs, In> {
  return defineOp<NoAttrs, In>({
    code,
    since: 1,
    operands: [
      { name: 'a', dtypes: ['i8', 'i16', 'i32'] },
      { name: 'b', dtypes: ['i8', 'i16', 'i32'] },
    ],
    attrs: {},
    type(c) {
      const [a, b] = c.in;
      if (a.dtype !== b.dtype || a.zp !== b.zp)
        c.fail('BadType', 'both operands have one type', `${a.dtype} zp ${a.zp}`, `${b.dtype} zp ${b.zp}`);
      return [{ dtype: a.dtype, shape: broadcast(c, a.shape, b.shape), zp: a.zp }];
    },
    bounds(c) {
      const [a, b] = [worst(c, c.in[0]), worst(c, c.in[1])];
      return { y: [{ lo: choose(a.lo, b.lo), hi: choose(a.hi, b.hi) }] };
    },
    cost: perBroadcast('select'),
  });
}

/** Definition of min: a, b of one type, broadcast → the lesser raw integer. */
export const min: OpDef<NoAttrs, In> = /* @__PURE__ */ extremum(8, Math.min);
/** Definition of max: a, b of one type, broadcast → the greater raw integer. */
export const max: OpDef<NoAttrs, In> = /* @__PURE__ */ extremum(9, Math.max);
