/**
 * div: the quotient of two tensors (spec/10-ops.md, "div").
 * @module
 */
import { gcd } from '../core/int.ts';
import { defineOp, type OpDef, type Output } from './define.ts';
import { broadcast, checkOutput, perBroadcast } from './rules.ts';

/** Attributes of div: p/q is the ratio of scales sa/(sb·sy) in lowest terms. */
export interface DivAttrs {
  readonly p: number;
  readonly q: number;
  readonly output: Output;
}

/** Definition of div: a, b broadcast → clamp(zp + roundDiv(a'·p, b'·q), lo, hi). */
export const div: OpDef<DivAttrs, readonly [a: 1, b: 1]> = /* @__PURE__ */ defineOp<DivAttrs, readonly [a: 1, b: 1]>({
  code: 7,
  since: 1,
  // n = a'·p, d = b'·q, both negated where d < 0; d = 0: hi, lo or clamp(zp) by the sign of n
  operands: [
    { name: 'a', dtypes: ['i8', 'i16'] },
    { name: 'b', dtypes: ['i8', 'i16'] },
  ],
  attrs: {
    p: { kind: 'int', tag: 1, min: 1, max: 65535, default: 1 },
    q: { kind: 'int', tag: 2, min: 1, max: 65535, default: 1 },
    output: { kind: 'output', tag: 3, dtypes: ['i8', 'i16'] },
  },
  type(c) {
    const { p, q, output } = c.a;
    checkOutput(c, output);
    if (gcd(p, q) !== 1) c.fail('BadAttribute', 'p and q have no common factor', 1, gcd(p, q));
    return [{ dtype: output.dtype, shape: broadcast(c, c.in[0].shape, c.in[1].shape), zp: output.zp }];
  },
  bounds: (c) => ({ y: [{ lo: c.a.output.lo, hi: c.a.output.hi }] }),
  cost: perBroadcast('div'),
});
