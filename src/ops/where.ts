/**
 * where: one of two tensors of one type by a truth value (spec/10-ops.md, "where").
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import type { NoAttrs } from './extremum.ts';
import { MOVABLE } from './move.ts';
import { broadcast, hull, perBroadcast, worst } from './rules.ts';

/** Operand slots. */
export type In = readonly [condition: 1, a: 1, b: 1];

/** Definition of where: condition bool, a and b of one type, all broadcast → condition ? a : b. */
export const where: OpDef<NoAttrs, In> = /* @__PURE__ */ defineOp<NoAttrs, In>({
  code: 15,
  since: 1,
  // condition ? a : b
  operands: [
    { name: 'condition', dtypes: ['bool'] },
    { name: 'a', dtypes: MOVABLE },
    { name: 'b', dtypes: MOVABLE },
  ],
  attrs: {},
  type(c) {
    const [condition, a, b] = c.in;
    if (a.dtype !== b.dtype || a.zp !== b.zp)
      c.fail('BadType', 'a and b have one type', `${a.dtype} zp ${a.zp}`, `${b.dtype} zp ${b.zp}`);
    return [{ dtype: a.dtype, shape: broadcast(c, condition.shape, broadcast(c, a.shape, b.shape)), zp: a.zp }];
  },
  bounds: (c) => ({ y: [hull(worst(c, c.in[1]), worst(c, c.in[2]))] }),
  cost: perBroadcast('select'),
});
