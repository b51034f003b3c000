/**
 * compare: an exact comparison of scaled integers (spec/10-ops.md, "compare").
 * @module
 */
import { gcd } from '../core/int.ts';
import { defineOp, type OpDef } from './define.ts';
import { broadcast, centred, magnitude, perBroadcast, proveBound } from './rules.ts';

/** Attributes of compare: a'·ma op b'·mb, ma > 0, mb ≠ 0, without a common factor. */
export interface CompareAttrs {
  readonly op: string;
  readonly ma: number;
  readonly mb: number;
}

/** Operand slots. */
export type In = readonly [a: 1, b: 1];

/** Definition of compare: a, b broadcast → bool. */
export const compare: OpDef<CompareAttrs, In> = /* @__PURE__ */ defineOp<CompareAttrs, In>({
  code: 13,
  since: 1,
  // 1 if (a − za)·ma op (b − zb)·mb, else 0
  operands: [
    { name: 'a', dtypes: ['i8', 'i16', 'i32'] },
    { name: 'b', dtypes: ['i8', 'i16', 'i32'] },
  ],
  attrs: {
    op: { kind: 'enum', tag: 1, values: ['lt', 'le', 'gt', 'ge', 'eq', 'ne'], default: 'lt' },
    ma: { kind: 'int', tag: 2, min: 1, max: 32767, default: 1 },
    mb: { kind: 'int', tag: 3, min: -32767, max: 32767, default: 1 },
  },
  type(c) {
    const { ma, mb } = c.a;
    if (mb === 0) c.fail('BadAttribute', 'mb is not 0', '≠ 0', 0);
    if (gcd(ma, Math.abs(mb)) !== 1)
      c.fail('NotCanonical', 'ma and mb have no common factor', 1, gcd(ma, Math.abs(mb)));
    return [{ dtype: 'bool', shape: broadcast(c, c.in[0].shape, c.in[1].shape), zp: 0 }];
  },
  bounds(c) {
    proveBound(c, magnitude(centred(c, c.in[0])) * c.a.ma, 'a’·ma');
    proveBound(c, magnitude(centred(c, c.in[1])) * Math.abs(c.a.mb), 'b’·mb');
    return { y: [{ lo: 0, hi: 1 }] };
  },
  cost: perBroadcast('select'),
});
