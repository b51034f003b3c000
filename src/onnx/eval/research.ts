/**
 * Quantizers of the research formats QONNX and Brevitas: reals to the steps of few bits and back.
 * @module
 */
import { roundEven } from '../../quant/unary.ts';
import { arrayOf, broadcastTo } from '../array.ts';
import type { NodeReader } from '../node.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';

const ROUNDING: Readonly<Record<string, (v: number) => number>> = {
  ROUND: roundEven,
  HALF_EVEN: roundEven,
  FLOOR: Math.floor,
  CEIL: Math.ceil,
  ROUND_TO_ZERO: Math.trunc,
  DOWN: Math.trunc,
};

/** Rounding of a node by name. */
export function roundingOf(c: NodeReader): (v: number) => number {
  const name = c.string('rounding_mode', 'ROUND').toUpperCase();
  return ROUNDING[name] ?? c.fail('UnsupportedForm', `rounding mode "${name}" is not supported`);
}

/** Least and greatest integer of `bits` bits by the attributes of a node. */
export function integerLimits(c: NodeReader, bits: number): readonly [number, number] {
  const [signed, narrow] = [c.int('signed', 1) !== 0, c.int('narrow', 0) !== 0 ? 1 : 0];
  return signed ? [-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1 - narrow];
}

function spread(c: EvalContext, i: number, x: OnnxArray): (at: number) => number {
  const p = c.get(i);
  if (p.data.length === 1) return () => p.data[0]!;
  const wide = broadcastTo(p, x.shape).data;
  return (at) => wide[at]!;
}

const Quant: EvalOp = (c) => {
  const x = c.get(0);
  const [scale, zero] = [spread(c, 1, x), spread(c, 2, x)];
  const [lo, hi] = integerLimits(c, c.scalar(3));
  const round = roundingOf(c);
  return arrayOf(
    x.dtype,
    x.shape,
    x.data.map((v, i) => {
      const q = Math.min(Math.max(round(v / scale(i) + zero(i)), lo), hi);
      return (q - zero(i)) * scale(i);
    }),
  );
};

const BipolarQuant: EvalOp = (c) => {
  const x = c.get(0);
  const scale = spread(c, 1, x);
  return arrayOf(
    x.dtype,
    x.shape,
    x.data.map((v, i) => (v >= 0 ? scale(i) : -scale(i))),
  );
};

/** Domains that the research quantizers come in. */
export const RESEARCH_DOMAINS: readonly string[] = [
  'onnx.brevitas',
  'qonnx.custom_op.general',
  'finn.custom_op.general',
];

/** Research quantizers, behind their domains. */
export const RESEARCH: Readonly<Record<string, EvalOp>> = Object.fromEntries(
  RESEARCH_DOMAINS.flatMap((d) => [
    [`${d}:Quant`, Quant],
    [`${d}:IntQuant`, Quant],
    [`${d}:BipolarQuant`, BipolarQuant],
  ]),
);
