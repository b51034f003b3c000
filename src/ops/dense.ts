/**
 * dense: activation × constant weights, i8 or block-scaled i4 (spec/10-ops.md, "dense").
 * @module
 */
import { floorDiv } from '../core/int.ts';
import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import { type Blocks, chargedMacs, checkBias, constantData, macClass, proveRows, rowSums } from './linear.ts';
import { centred, counts, elements, rows, stagedType, staticDim } from './rules.ts';

/** Attributes of dense. `block`: 0 for i8 weights, else the number of i4 weights that share one scale. */
export interface DenseAttrs {
  readonly block: number;
  readonly stage?: Stage;
}

/** Operand slots. */
export type In = readonly [x: 1, w: 1, b: 1, u?: 1];

const BLOCKS = [16, 32, 64, 128, 256];

/** Definition of dense: x […,K], w [O,K], b [O], u [O,⌈K/block⌉] → […,O]. */
export const dense: OpDef<DenseAttrs, In> = /* @__PURE__ */ defineOp<DenseAttrs, In>({
  code: 3,
  since: 1,
  // acc = b[o] + Σ w[o,k]·(x[k] − zx), i4 weights times their block scale u; staged or raw
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'] },
    { name: 'w', dtypes: ['i8', 'i4'], constant: true, symmetric: true },
    { name: 'b', dtypes: ['i32'], constant: true },
    { name: 'u', dtypes: ['i8'], constant: true, optional: true },
  ],
  attrs: {
    block: { kind: 'int', tag: 1, min: 0, max: 256, default: 0 },
    stage: stageField(2, ['i8', 'i16'], { raw: true }),
  },
  type(c) {
    const [x, w, b, u] = c.in;
    const { block, stage } = c.a;
    if (x.shape.length < 1 || w.shape.length !== 2)
      c.fail('BadShape', 'x has rank ≥ 1 and w rank 2', '≥ 1, 2', `${x.shape.length}, ${w.shape.length}`);
    const [o, k] = w.shape as readonly number[] as [number, number];
    if (o < 1) c.fail('BadShape', 'O is at least 1', '≥ 1', o);
    if (k > 16777216) c.fail('BadShape', 'K exceeds 2^24', 16777216, k);
    if (staticDim(c, x.shape[x.shape.length - 1]!, 'K') !== k)
      c.fail('BadShape', 'the last axis of x is K', k, String(x.shape[x.shape.length - 1]));
    if (b.shape.length !== 1 || b.shape[0] !== o)
      c.fail('BadShape', 'b has shape [O]', `[${o}]`, JSON.stringify(b.shape));
    checkBias(c, b);
    if ((w.dtype === 'i4') !== block > 0 || (u !== undefined) !== block > 0)
      c.fail('BadAttribute', 'i4 weights, block scales u and block > 0 go together');
    if (block > 0 && !BLOCKS.includes(block))
      c.fail('BadAttribute', 'block is one of 16, 32, 64, 128, 256', BLOCKS.join(), block);
    if (u !== undefined) {
      const width = floorDiv(k + block - 1, block);
      if (u.shape.length !== 2 || u.shape[0] !== o || u.shape[1] !== width)
        c.fail('BadShape', 'u has shape [O,⌈K/block⌉]', `[${o},${width}]`, JSON.stringify(u.shape));
      if (u.zp !== -128 || u.data?.some((v) => v === -128))
        c.fail('BadConstant', 'u holds 1…255 as i8 with zero point −128', '1…255', 0);
    }
    return [stagedType(c, stage, [...x.shape.slice(0, -1), o], o)];
  },
  bounds(c) {
    const [x, w, b, u] = c.in;
    const blocks: Blocks | undefined = u === undefined ? undefined : { size: c.a.block, u };
    const { y, facts } = proveRows(
      c,
      rowSums(w, w.shape[0] as number, blocks),
      constantData(b),
      centred(c, x),
      c.a.stage,
    );
    return { y: [y], facts };
  },
  cost(c) {
    const [x, w] = c.in;
    const [o, k] = w.shape as readonly number[] as [number, number];
    const macs = chargedMacs(c.symbols, x.shape.slice(0, -1), o, k);
    return {
      counts: counts(
        [macClass(x.dtype, w.dtype), macs],
        ['staged', elements(c, c.out[0]!)],
        rows(c, x.shape.slice(0, -1), 2),
      ),
    };
  },
});
