/**
 * logical: and, or, xor, not of truth values (spec/10-ops.md, "logical").
 * @module
 */
import { defineOp, type OpDef } from './define.ts';
import { broadcast, perBroadcast } from './rules.ts';

/** Attributes of logical. `not` has no b. */
export interface LogicalAttrs {
  readonly op: string;
}

/** Operand slots. */
export type In = readonly [a: 1, b?: 1];

/** Definition of logical: a, b bool, broadcast → bool. */
export const logical: OpDef<LogicalAttrs, In> = /* @__PURE__ */ defineOp<LogicalAttrs, In>({
  code: 14,
  since: 1,
  // a op b on 0 and 1; not: 1 − a
  operands: [
    { name: 'a', dtypes: ['bool'] },
    { name: 'b', dtypes: ['bool'], optional: true },
  ],
  attrs: { op: { kind: 'enum', tag: 1, values: ['and', 'or', 'xor', 'not'], default: 'and' } },
  type(c) {
    const [a, b] = c.in;
    if ((c.a.op === 'not') !== (b === undefined)) c.fail('BadOperand', 'b goes with and, or, xor, and not with not');
    return [{ dtype: 'bool', shape: b === undefined ? a.shape : broadcast(c, a.shape, b.shape), zp: 0 }];
  },
  bounds: () => ({ y: [{ lo: 0, hi: 1 }] }),
  cost: perBroadcast('select'),
});
