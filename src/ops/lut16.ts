/**
 * lut16: any function of an i16 tensor as 513 nodes with linear interpolation (spec/10-ops.md, "lut16").
 * @module
 */
import { clamp, rsh } from '../core/int.ts';
import { defineOp, type OpDef, type Output } from './define.ts';
import { constantData } from './linear.ts';
import { checkOutput, perOutput, worst } from './rules.ts';

/** Attributes of lut16. */
export interface Lut16Attrs {
  readonly s: number;
  readonly output: Output;
}

/** Definition of lut16: x i16, table i16 [513] → clamp(zp + rsh(128·T[i] + (T[i+1] − T[i])·f, s), lo, hi). */
export const lut16: OpDef<Lut16Attrs, readonly [x: 1, table: 1]> = /* @__PURE__ */ defineOp<
  Lut16Attrs,
  readonly [x: 1, table: 1]
>({
  code: 12,
  since: 1,
  // v = x + 32768, i = v >> 7, f = v & 127: clamp(zp + rsh(128·T[i] + (T[i+1] − T[i])·f, s), lo, hi)
  operands: [
    { name: 'x', dtypes: ['i16'] },
    { name: 'table', dtypes: ['i16'], constant: true },
  ],
  attrs: {
    s: { kind: 'int', tag: 1, min: 7, max: 22, default: 7 },
    output: { kind: 'output', tag: 2, dtypes: ['i8', 'i16'] },
  },
  type(c) {
    const [x, table] = c.in;
    if (table.shape.length !== 1 || table.shape[0] !== 513)
      c.fail('BadShape', 'the table has 513 nodes', '[513]', JSON.stringify(table.shape));
    checkOutput(c, c.a.output);
    return [{ dtype: c.a.output.dtype, shape: x.shape, zp: c.a.output.zp }];
  },
  bounds(c) {
    const [x, table] = c.in;
    const { s, output } = c.a;
    const { lo, hi } = worst(c, x);
    const data = constantData(table);
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = (lo + 32768) >> 7; i <= ((hi + 32768) >> 7) + 1; i++) {
      const v = clamp(output.zp + rsh(128 * data[i]!, s), output.lo, output.hi);
      min = Math.min(min, v);
      max = Math.max(max, v);
    }
    return { y: [{ lo: min, hi: max }] };
  },
  cost: perOutput('lut16'),
});
