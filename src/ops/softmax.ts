/**
 * softmax over the last axis, with masks (spec/10-ops.md, "softmax").
 * @module
 */
import { addDim, type Dim, greatest, least, sameShape } from '../core/dim.ts';
import { bitlen } from '../core/int.ts';
import { type Cell, defineOp, type OpDef, type Output, type RuleContext } from './define.ts';
import { broadcastAt } from './elementwise.ts';
import { broadcast, checkLeastL, checkOutput, perOutput, worst } from './rules.ts';

/** Attributes of softmax. `causal` keeps j ≤ i + offset, i the index on axis −2; the offset is the attribute or an operand. */
export interface SoftmaxAttrs {
  readonly l: number;
  readonly m: number;
  readonly o: number;
  readonly output: Output;
  readonly causal: boolean;
  readonly offset: Dim;
}

/** Operand slots. */
export type In = readonly [x: 1, mask?: 1, offset?: 1];

/** Weight bits e = min(22, 31 − bitlen(Kmax)), so that a row's sum stays below 2^31. */
export function weightBits(kmax: number): number {
  return Math.min(22, 31 - bitlen(kmax));
}

function checkMasks(c: RuleContext<SoftmaxAttrs, In>): void {
  const [x, mask, offset] = c.in;
  const { causal } = c.a;
  if (mask !== undefined && !sameShape(broadcast(c, x.shape, mask.shape), x.shape))
    c.fail('BadShape', 'the mask broadcasts to x', JSON.stringify(x.shape), JSON.stringify(mask.shape));
  const given = offset !== undefined;
  if (given && (offset.shape.length !== 1 || offset.shape[0] !== 1))
    c.fail('BadShape', 'offset has shape [1]', '[1]', JSON.stringify(offset.shape));
  if ((!causal || given) && c.a.offset !== 0)
    c.fail('BadAttribute', 'offset belongs to causal, as attribute or operand');
  if (!causal && given) c.fail('BadOperand', 'the operand offset belongs to causal');
  if (!causal) return;
  if (x.shape.length < 2) c.fail('BadShape', 'causal needs rank ≥ 2', '≥ 2', x.shape.length);
  const high = greatest(addDim(given ? offset.hi : c.a.offset, x.shape[x.shape.length - 2]!), c.symbols) - 1;
  if (high >= 2147483648) c.fail('Overflow', 'offset + rows − 1 must fit an int32', 'below 2147483648', high);
}

/** Flat index of the first element of the cell's row, and the row's length. */
export function row(c: Cell<SoftmaxAttrs, In>): { start: number; k: number } {
  const [x] = c.in;
  let start = 0;
  for (let i = 0; i < x.shape.length - 1; i++) start += c.at[i]! * x.strides[i]!;
  return { start, k: x.shape[x.shape.length - 1]! };
}

/** Operand slots. */
export function kept(c: Cell<SoftmaxAttrs, In>, j: number): boolean {
  const [x, mask, offset] = c.in;
  const leading = c.at.slice(0, x.shape.length - 1);
  if (mask !== undefined && broadcastAt(mask, [...leading, j]) === 0) return false;
  return !c.a.causal || j <= leading[leading.length - 1]! + (offset === undefined ? c.a.offset : offset.data[0]!);
}

/** Definition of softmax: x […,K], mask bool?, offset i32 [1]? → […,K]. */
export const softmax: OpDef<SoftmaxAttrs, In> = /* @__PURE__ */ defineOp<SoftmaxAttrs, In>({
  code: 25,
  since: 1,
  // y = clamp(zp + divq(E_j, S, o), lo, hi), E_j = E(t(mx − x_j)), S = Σ E; zp where not kept
  operands: [
    { name: 'x', dtypes: ['i8', 'i16', 'i32'] },
    { name: 'mask', dtypes: ['bool'], optional: true },
    { name: 'offset', dtypes: ['i32'], optional: true },
  ],
  attrs: {
    l: { kind: 'int', tag: 1, min: 0, max: 24, default: 0 },
    m: { kind: 'int', tag: 2, min: 0, max: 2147483647 },
    o: { kind: 'int', tag: 3, min: 1, max: 15, default: 15 },
    output: { kind: 'output', tag: 4, dtypes: ['i8', 'i16'] },
    causal: { kind: 'bool', tag: 5 },
    offset: { kind: 'dim', tag: 6, min: -2147483648, max: 2147483647, default: 0 },
  },
  type(c) {
    const [x] = c.in;
    const { output, l, m } = c.a;
    checkOutput(c, output);
    checkLeastL(c, m, l, 'm');
    if (output.zp < output.lo || output.zp > output.hi)
      c.fail('BadStage', 'lo ≤ zp ≤ hi', `${output.lo}…${output.hi}`, output.zp);
    const k = x.shape[x.shape.length - 1];
    if (k === undefined || least(k, c.symbols) < 1)
      c.fail('BadShape', 'the last axis of softmax is not empty', '≥ 1', 0);
    checkMasks(c);
    return [{ dtype: output.dtype, shape: x.shape, zp: output.zp }];
  },
  bounds(c) {
    const [x] = c.in;
    const { output, o } = c.a;
    const { lo, hi } = worst(c, x);
    if (hi - lo >= 2147483648) c.fail('Overflow', 'the span of x must lie below 2^31', 'below 2147483648', hi - lo);
    const kmax = greatest(x.shape[x.shape.length - 1]!, c.symbols);
    const rowSum = output.zp === 0 ? 2 ** o + ((kmax + 1) >>> 1) : undefined;
    return {
      y: [{ lo: output.zp, hi: Math.min(output.hi, output.zp + 2 ** o), rowSum }],
      facts: { kmax, weightBits: weightBits(kmax) },
    };
  },
  cost: perOutput('softmax', 9),
});
