/**
 * layer_norm, rms_norm and group_norm (spec/10-ops.md, "Normalise").
 * @module
 */
import { floorDiv } from '../core/int.ts';
import { defineOp, type IntField, type OpDef, type Output, type RuleContext } from './define.ts';
import { checkBias } from './linear.ts';
import { centred, checkOutput, counts, elements, magnitude, perRow, rows, staticDim } from './rules.ts';

/** Attributes of the norms: eps = N·ε·4^f / sx² as an integer, g the shift of gamma and beta. */
export interface NormAttrs {
  readonly eps: bigint;
  readonly g: number;
  readonly output: Output;
}

/** Attributes of group_norm: `groups` divides C. */
export interface GroupNormAttrs extends NormAttrs {
  readonly groups: number;
}

/** Operand slots. */
export type In = readonly [x: 1, gamma: 1, beta: 1];

/** Elements N of a row, checked, from its rank and the first axis that belongs to a row. */
function checkRow(c: RuleContext<NormAttrs, In>, from: number, groups: number): void {
  const [x, gamma, beta] = c.in;
  const dims = x.shape.slice(from).map((d) => staticDim(c, d, 'N'));
  const channels = dims[dims.length - 1]!;
  if (channels % groups !== 0) c.fail('BadShape', 'groups divide C', groups, channels);
  const n = floorDiv(
    dims.reduce((p, d) => p * d, 1),
    groups,
  );
  if (n < 1 || n > 65536) c.fail('BadShape', 'N lies in 1…65536', '1…65536', n);
  for (const t of [gamma, beta]) {
    if (t.shape.length !== 1 || t.shape[0] !== channels)
      c.fail('BadShape', 'gamma and beta have one entry a channel', `[${channels}]`, JSON.stringify(t.shape));
  }
}

/** A norm whose rows reach from an axis to the last: `image` for rank 4 and groups, else the last axis of any rank. */
/* @__NO_SIDE_EFFECTS__ */
function norm(code: number, image: boolean): OpDef<GroupNormAttrs, In> {
  const groups: IntField = { kind: 'int', tag: 4, min: 1, max: 16777216, default: 1 };
  return defineOp<GroupNormAttrs, In>({
    code,
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
      ...((image ? { groups } : {}) as { groups: IntField }),
    },
    type(c) {
      const [x, , beta] = c.in;
      const rank = x.shape.length;
      if (image ? rank !== 4 : rank < 1) c.fail('BadShape', 'the rank of x', image ? 4 : '≥ 1', rank);
      checkRow(c, image ? 1 : rank - 1, c.a.groups ?? 1);
      checkBias(c, beta);
      checkOutput(c, c.a.output);
      return [{ dtype: c.a.output.dtype, shape: x.shape, zp: c.a.output.zp }];
    },
    bounds: (c) => ({
      y: [{ lo: c.a.output.lo, hi: c.a.output.hi }],
      // fraction bits: the shift that brings x' to 16 bits
      facts: { fraction: c.in[0].dtype === 'i16' ? 0 : 6, bound: magnitude(centred(c, c.in[0])) },
    }),
    cost(c) {
      const { shape } = c.in[0];
      if (!image) return perRow(c, 'norm', shape, 14);
      const groups = c.a.groups!;
      return {
        counts: counts(
          ['norm', elements(c, c.in[0])],
          rows(c, [shape[0]!, groups], 14),
          rows(c, [...shape.slice(0, 3), floorDiv(groups + 7, 8)], 4),
        ),
      };
    },
  });
}

/** Definition of layer_norm: x […,N], gamma i32 [N], beta i32 [N] → […,N]. */
export const layer_norm: OpDef<NormAttrs, In> = /* @__PURE__ */ norm(27, false) as unknown as OpDef<NormAttrs, In>;
/** Definition of rms_norm: as layer_norm, without a mean. */
export const rms_norm: OpDef<NormAttrs, In> = /* @__PURE__ */ norm(28, false) as unknown as OpDef<NormAttrs, In>;
/** Definition of group_norm: x [N,H,W,C], gamma i32 [C], beta i32 [C] → [N,H,W,C]; a row is an image’s group of channels. */
export const group_norm: OpDef<GroupNormAttrs, In> = /* @__PURE__ */ norm(29, true);
