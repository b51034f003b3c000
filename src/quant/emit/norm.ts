/**
 * Normalisation of rows.
 * @module
 */
import type { AttrsOf } from '../../ops/index.ts';
import { exp2i } from '../math.ts';
import { LIMIT, round } from '../scales.ts';
import { type Emit, type EmitContext, output, type Quantized } from './context.ts';

/** Greatest shift g of gamma and beta, and the limit of |beta|. */
const MOST_SHIFT = 16;
const BETA_LIMIT = 1073741824;
const EPS_LIMIT = 281474976710655;

/** Factors per channel, and the elements of a row. */
interface Factors {
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly eps: number;
}

/** Operands and attributes: gamma = ⌊γ·√N/sy·2^(6+g)⌉, beta = ⌊β/sy·2^g⌉ with the greatest g ≤ 16 that both allow; rows of n. */
function normalised(
  c: EmitContext,
  op: Factors,
  n: number,
): { refs: Quantized['ref'][]; attrs: AttrsOf<'layer_norm'> } {
  const x = c.real();
  const type = c.outputType();
  const fraction = x.type.dtype === 'i16' ? 1 : 4096; // 4^f
  const eps = Math.min(Math.max(1, round((n * op.eps * fraction) / (x.type.scale * x.type.scale))), EPS_LIMIT);
  const gain = op.gamma.map((v) => (v * Math.sqrt(n) * 64) / type.scale);
  const shift = op.beta.map((v) => v / type.scale);
  const greatest = (v: Float64Array): number => v.reduce((m, a) => Math.max(m, Math.abs(a)), 0);
  let g = MOST_SHIFT;
  while (g > 0 && (greatest(gain) * exp2i(g) >= LIMIT - 1 || greatest(shift) * exp2i(g) >= BETA_LIMIT - 1)) g--;
  if (greatest(gain) * exp2i(g) >= LIMIT - 1 || greatest(shift) * exp2i(g) >= BETA_LIMIT - 1)
    c.fail('UnsupportedForm', 'its factors are too large for the range of its output');
  const gamma = c.writer.constant(
    'i32',
    [op.gamma.length],
    Int32Array.from(gain, (v) => round(v * exp2i(g))),
  );
  const beta = c.writer.constant(
    'i32',
    [op.beta.length],
    Int32Array.from(shift, (v) => round(v * exp2i(g))),
  );
  return { refs: [x.ref, gamma, beta], attrs: { eps: BigInt(eps), g, output: output(type) } };
}

/** layer_norm or rms_norm. */
export const emitLayerNorm: Emit<'layer_norm'> = (c, op) => {
  const { refs, attrs } = normalised(c, op, op.gamma.length);
  return { ref: c.writer.node(op.rms ? 'rms_norm' : 'layer_norm', refs, attrs), type: c.outputType() };
};

/** group_norm over an image. */
export const emitGroupNorm: Emit<'group_norm'> = (c, op) => {
  const [, h, w, channels] = c.shape as [number, number, number, number];
  const { refs, attrs } = normalised(c, op, (h * w * channels) / op.groups);
  return { ref: c.writer.node('group_norm', refs, { ...attrs, groups: op.groups }), type: c.outputType() };
};
