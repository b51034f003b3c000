/**
 * linear2: the weighted sum of two tensors with one rounding shift; add, sub, neg (spec/10-ops.md, "linear2").
 * @module
 */
import { clamp, rsh } from '../core/int.ts';
import { defineOp, type OpDef, type Output } from './define.ts';
import { broadcast, centred, checkOutput, magnitude, perBroadcast, proveBound, scaled } from './rules.ts';

/** Attributes of linear2. s = 0 or ma or mb odd; without b, mb = 0. */
export interface Linear2Attrs {
  readonly ma: number;
  readonly mb: number;
  readonly s: number;
  readonly output: Output;
}

/** Operand slots. */
export type In = readonly [a: 1, b?: 1];

/** Definition of linear2: a, b broadcast → clamp(zp + rsh(a'·ma + b'·mb, s), lo, hi). */
export const linear2: OpDef<Linear2Attrs, In> = /* @__PURE__ */ defineOp<Linear2Attrs, In>({
  code: 5,
  since: 1,
  // clamp(zp + rsh((a − za)·ma + (b − zb)·mb, s), lo, hi)
  operands: [
    { name: 'a', dtypes: ['i8', 'i16', 'i32'] },
    { name: 'b', dtypes: ['i8', 'i16', 'i32'], optional: true },
  ],
  attrs: {
    ma: { kind: 'int', tag: 1, min: -32767, max: 32767, default: 1 },
    mb: { kind: 'int', tag: 2, min: -32767, max: 32767, default: 0 },
    s: { kind: 'int', tag: 3, min: 0, max: 30, default: 0 },
    output: { kind: 'output', tag: 4, dtypes: ['i8', 'i16', 'i32'] },
  },
  type(c) {
    const [a, b] = c.in;
    const { ma, mb, s, output } = c.a;
    checkOutput(c, output);
    if (b === undefined && mb !== 0) c.fail('BadAttribute', 'mb is 0 without b', 0, mb);
    if (s > 0 && ma % 2 === 0 && mb % 2 === 0)
      c.fail('NotCanonical', 'ma, mb and 2^s have no common factor 2', 's = 0, or ma or mb odd', `s = ${s}`);
    const shape = b === undefined ? a.shape : broadcast(c, a.shape, b.shape);
    return [{ dtype: output.dtype, shape, zp: output.zp }];
  },
  bounds(c) {
    const [a, b] = c.in;
    const { ma, mb, s, output } = c.a;
    const ra = scaled(ma, centred(c, a));
    const rb = b === undefined ? { lo: 0, hi: 0 } : scaled(mb, centred(c, b));
    const half = s === 0 ? 0 : 2 ** (s - 1);
    const bound = magnitude(ra) + magnitude(rb) + Math.abs(output.zp) * 2 ** s + half;
    proveBound(c, bound, 'the sum of both products, zero point and rounding');
    const at = (v: number): number => clamp(output.zp + rsh(v, s), output.lo, output.hi);
    return { y: [{ lo: at(ra.lo + rb.lo), hi: at(ra.hi + rb.hi) }], facts: { bound } };
  },
  cost: perBroadcast('linear2'),
});
