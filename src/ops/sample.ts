/**
 * sample: draws an index by its weight (spec/10-ops.md, "sample").
 * @module
 */
import { addDim, type Dim, greatest, least } from '../core/dim.ts';
import { product } from '../core/poly.ts';
import { defineOp, type OpDef } from './define.ts';
import { checkLeastL, counts, orderCost, rows } from './rules.ts';
import { weightBits } from './softmax.ts';

/** Attributes of sample: l, m of the exponent weight; k > 0 keeps the first k of topk, p16 the least prefix of p16/2^16. */
export interface SampleAttrs {
  readonly l: number;
  readonly m: number;
  readonly k: number;
  readonly p16: number;
}

/** Operand slots. */
export type In = readonly [x: 1, seed: 1, step: 1];

/** Definition of sample: logits x […,V], seed i32 [2], step i32 [1] → i32 […]. */
export const sample: OpDef<SampleAttrs, In> = /* @__PURE__ */ defineOp<SampleAttrs, In>({
  code: 46,
  since: 1,
  // the first index of the order whose running sum of weights exceeds mulhi(threefry(seed, step, row), S')
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'] },
    { name: 'seed', dtypes: ['i32'] },
    { name: 'step', dtypes: ['i32'] },
  ],
  attrs: {
    l: { kind: 'int', tag: 1, min: 0, max: 24, default: 0 },
    m: { kind: 'int', tag: 2, min: 0, max: 2147483647 },
    k: { kind: 'int', tag: 3, min: 0, max: 1073741824, default: 0 },
    p16: { kind: 'int', tag: 4, min: 1, max: 65536, default: 65536 },
  },
  type(c) {
    const [x, ...words] = c.in;
    const { l, m, k, p16 } = c.a;
    checkLeastL(c, m, l, 'm');
    const v: Dim = x.shape[x.shape.length - 1] ?? 0;
    if (least(v, c.symbols) < Math.max(k, 1))
      c.fail('BadShape', 'the last axis has at least k elements, and one', `≥ ${Math.max(k, 1)}`, least(v, c.symbols));
    if (k === 0 && p16 !== 65536) c.fail('BadAttribute', 'p16 below 65536 needs k', 65536, p16);
    words.forEach((t, i) => {
      if (t.shape.length !== 1 || t.shape[0] !== 2 - i)
        c.fail('BadShape', 'seed has shape [2] and step [1]', `[${2 - i}]`, JSON.stringify(t.shape));
    });
    return [{ dtype: 'i32', shape: x.shape.slice(0, -1), zp: 0 }];
  },
  bounds(c) {
    const v = c.in[0].shape[c.in[0].shape.length - 1]!;
    const kmax = c.a.k > 0 ? c.a.k : greatest(v, c.symbols);
    return { y: [{ lo: 0, hi: addDim(v, -1) }], facts: { kmax, weightBits: weightBits(kmax) } };
  },
  cost(c) {
    const { shape } = c.in[0];
    const lines = shape.slice(0, -1);
    const v = shape[shape.length - 1]!;
    const { k } = c.a;
    return {
      counts: counts(
        ['sample', product([...lines, k === 0 ? v : k], c.symbols)],
        orderCost(c, lines, v, k),
        rows(c, lines, 10),
      ),
    };
  },
});
