/**
 * layer_norm over the last axis (spec/10-ops.md, "layer_norm").
 * @module
 */
import { defineOp, type OpDef, type Output } from './define.ts';
import { checkBias } from './linear.ts';
import { centred, checkOutput, magnitude, perOutput, staticDim } from './rules.ts';

/** Attributes of layer_norm: eps = N·ε·4^f / sx² as an integer, g the shift of gamma and beta. */
export interface LayerNormAttrs {
  readonly eps: bigint;
  readonly g: number;
  readonly output: Output;
}

/** Operand slots. */
export type In = readonly [x: 1, gamma: 1, beta: 1];

/** Fraction bits of a row: the shift that brings x' to 16 bits. */
function fractionBits(strideBits: number): number {
  return strideBits === 16 ? 0 : 6;
}

/** Definition of layer_norm: x […,N], gamma i32 [N], beta i32 [N] → […,N]. */
export const layer_norm: OpDef<LayerNormAttrs, In> = /* @__PURE__ */ defineOp<LayerNormAttrs, In>({
  code: 27,
  since: 1,
  // clamp(zp + rsh(mulhr(n_i, gamma) + beta, g), lo, hi), n_i = (x_i − mean)/√V in Q26
  operands: [
    { name: 'x', dtypes: ['i8', 'i16'] },
    { name: 'gamma', dtypes: ['i32'], constant: true },
    { name: 'beta', dtypes: ['i32'], constant: true },
  ],
  attrs: {
    eps: { kind: 'u64', tag: 1, min: 1n, max: 281474976710655n },
    g: { kind: 'int', tag: 2, min: 0, max: 16, default: 0 },
    output: { kind: 'output', tag: 3, dtypes: ['i8', 'i16'] },
  },
  type(c) {
    const [x, gamma, beta] = c.in;
    if (x.shape.length < 1) c.fail('BadShape', 'x has rank ≥ 1', '≥ 1', 0);
    const n = staticDim(c, x.shape[x.shape.length - 1]!, 'N');
    if (n < 1 || n > 65536) c.fail('BadShape', 'N lies in 1…65536', '1…65536', n);
    for (const t of [gamma, beta]) {
      if (t.shape.length !== 1 || t.shape[0] !== n)
        c.fail('BadShape', 'gamma and beta have shape [N]', `[${n}]`, JSON.stringify(t.shape));
    }
    checkBias(c, beta);
    checkOutput(c, c.a.output);
    return [{ dtype: c.a.output.dtype, shape: x.shape, zp: c.a.output.zp }];
  },
  bounds(c) {
    const bits = c.in[0].dtype === 'i16' ? 16 : 8;
    return {
      y: [{ lo: c.a.output.lo, hi: c.a.output.hi }],
      facts: { fraction: fractionBits(bits), bound: magnitude(centred(c, c.in[0])) },
    };
  },
  cost: perOutput('norm'),
});
