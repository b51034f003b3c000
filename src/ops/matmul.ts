/**
 * matmul: activation × activation, batched (spec/10-ops.md, "matmul").
 * @module
 */
import { type Dim, greatest, sameDim } from '../core/dim.ts';
import { product } from '../core/poly.ts';
import { defineOp, type OpDef, type Stage, stageField } from './define.ts';
import { chargedMacs, macClass } from './linear.ts';
import {
  broadcast,
  centred,
  counts,
  elements,
  magnitude,
  proveBound,
  rows,
  stagedInterval,
  stagedType,
} from './rules.ts';

/** Attributes of matmul. `tb`: b is […,N,K]. */
export interface MatmulAttrs {
  readonly tb: boolean;
  readonly stage?: Stage;
}

/** Operand slots. */
export type In = readonly [a: 1, b: 1];

function extents(a: readonly Dim[], b: readonly Dim[], tb: boolean): { m: Dim; k: Dim; kb: Dim; n: Dim } {
  const [last, before] = [b[b.length - 1]!, b[b.length - 2]!];
  return { m: a[a.length - 2]!, k: a[a.length - 1]!, kb: tb ? last : before, n: tb ? before : last };
}

/** Definition of matmul: a […,M,K], b […,K,N] → […,M,N]. */
export const matmul: OpDef<MatmulAttrs, In> = /* @__PURE__ */ defineOp<MatmulAttrs, In>({
  code: 4,
  since: 1,
  // acc = Σ a[m,k]·b[k,n], both zero points 0; staged (m of length 1) or raw
  operands: [
    { name: 'a', dtypes: ['i8', 'i16'], symmetric: true },
    { name: 'b', dtypes: ['i8', 'i16'], symmetric: true },
  ],
  attrs: {
    tb: { kind: 'bool', tag: 1 },
    stage: stageField(2, ['i8', 'i16'], { raw: true, perChannel: false }),
  },
  type(c) {
    const [a, b] = c.in;
    if (a.shape.length < 2 || b.shape.length < 2)
      c.fail('BadShape', 'operands have rank ≥ 2', '≥ 2', Math.min(a.shape.length, b.shape.length));
    const { m, k, kb, n } = extents(a.shape, b.shape, c.a.tb);
    if (!sameDim(k, kb)) c.fail('BadShape', 'the inner extents differ', JSON.stringify(k), JSON.stringify(kb));
    const batch = broadcast(c, a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [stagedType(c, c.a.stage, [...batch, m, n], 1)];
  },
  bounds(c) {
    const [a, b] = c.in;
    const k = greatest(a.shape[a.shape.length - 1]!, c.symbols);
    const rows = Math.min(k * magnitude(centred(c, a)), a.rowSum ?? Number.POSITIVE_INFINITY);
    const bound = rows * magnitude(centred(c, b));
    proveBound(c, bound, 'the accumulator');
    const y = stagedInterval(c, c.a.stage, { lo: -bound + 0, hi: bound });
    return { y: [y], facts: { bound, accLo: -bound + 0, accHi: bound } };
  },
  cost(c) {
    const [a, b] = c.in;
    const { k } = extents(a.shape, b.shape, c.a.tb);
    const out = c.out[0]!;
    const macs = chargedMacs(c.symbols, out.shape.slice(0, -1), out.shape[out.shape.length - 1]!, k);
    const batch = out.shape.slice(0, -2);
    return {
      counts: counts(
        [macClass(a.dtype, b.dtype), macs],
        ['staged', elements(c, out)],
        ['move_scatter', product([...batch, k, out.shape[out.shape.length - 1]!], c.symbols)], // b, brought in order
        rows(c, batch, 15),
        rows(c, out.shape.slice(0, -1), 2),
      ),
    };
  },
});
