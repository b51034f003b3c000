/**
 * lut8: any function of an i8 tensor as a table of 256 entries (spec/10-ops.md, "lut8").
 * @module
 */

import { DTYPE_RANGE } from '../core/tensor.ts';
import { defineOp, type OpDef } from './define.ts';
import { constantData } from './linear.ts';
import { checkOutput, perOutput, worst } from './rules.ts';

/** Attributes of lut8: the zero point of its output. */
export interface Lut8Attrs {
  readonly zp: number;
}

/** Definition of lut8: x i8, table [256] → table[x + 128], in the table's dtype. */
export const lut8: OpDef<Lut8Attrs, readonly [x: 1, table: 1]> = /* @__PURE__ */ defineOp<
  Lut8Attrs,
  readonly [x: 1, table: 1]
>({
  code: 11,
  since: 1,
  // table[x + 128]
  operands: [
    { name: 'x', dtypes: ['i8'] },
    { name: 'table', dtypes: ['i8', 'i16'], constant: true, symmetric: true },
  ],
  attrs: { zp: { kind: 'int', tag: 1, min: -128, max: 127, default: 0 } },
  type(c) {
    const [x, table] = c.in;
    if (table.shape.length !== 1 || table.shape[0] !== 256)
      c.fail('BadShape', 'the table has 256 entries', '[256]', JSON.stringify(table.shape));
    const [lo, hi] = DTYPE_RANGE[table.dtype];
    checkOutput(c, { dtype: table.dtype, zp: c.a.zp, lo, hi });
    return [{ dtype: table.dtype, shape: x.shape, zp: c.a.zp }];
  },
  bounds(c) {
    const [x, table] = c.in;
    const { lo, hi } = worst(c, x);
    const data = constantData(table);
    let [min, max] = [data[lo + 128]!, data[lo + 128]!];
    for (let i = lo + 128; i <= hi + 128; i++) {
      min = Math.min(min, data[i]!);
      max = Math.max(max, data[i]!);
    }
    return { y: [{ lo: min, hi: max }] };
  },
  cost: perOutput('lut8'),
});
