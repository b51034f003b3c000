/**
 * Sums, products, extrema, comparisons, truth functions and choice.
 * @module
 */
import {
  BOOL_TYPE,
  fraction,
  LIMIT,
  linearShift,
  multiplier,
  type QType,
  type Range,
  rational,
  sameType,
  wholeType,
} from '../scales.ts';
import { type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';
import { narrowed } from './layers.ts';
import { fitProducts, type Span } from './narrow.ts';

const I32: Range = { lo: -2147483648, hi: 2147483647 };

/** ca·a + cb·b of whole numbers, which must stay within int32. */
function wholeSum(c: EmitContext, ca: number, cb: number): Quantized {
  const type = wholeType(I32.lo, I32.hi);
  const [a, b] = [c.input(0), c.input(1)];
  if (![ca, cb].every(Number.isInteger)) c.fail('UnsupportedForm', 'integer data takes whole factors only');
  if (Math.abs(ca) * reach(a.type) + Math.abs(cb) * reach(b.type) >= LIMIT)
    c.fail('UnsupportedForm', 'the sum of integer data may leave 32 bits');
  return {
    ref: c.writer.node('linear2', [a.ref, b.ref], { ma: ca, mb: cb, s: 0, output: output(type) }),
    type: { ...type, ...c.range },
  };
}

/** Weighted sum of two tensors: linear2. */
export const emitLinear: Emit<'linear'> = (c, op) => {
  const [a, b] = [c.input(0), c.input(1)];
  if (a.type.dtype === 'i32' && b.type.dtype === 'i32') return wholeSum(c, op.ca, op.cb);
  const [p, q] = [c.real(0).type, c.real(1).type];
  const type = c.outputType(op);
  const shift = linearShift(
    (op.ca * p.scale) / type.scale,
    (op.cb * q.scale) / type.scale,
    reach(p),
    reach(q),
    type.zp,
  );
  if (!shift) return c.fail('UnsupportedForm', 'the scales of both operands are too far apart');
  return { ref: c.writer.node('linear2', [a.ref, b.ref], { ...shift, output: output(type) }), type };
};

/** a·b into the output's type; operands are narrowed where their product does not fit int32. */
function times(c: EmitContext, a: Quantized, b: Quantized, type: QType): Quantized {
  const span = ({ type: t }: Quantized): Span => ({ reach: reach(t), scale: t.scale });
  const fitted =
    fitProducts(1, span(a), span(b), type.scale) ??
    c.fail('UnsupportedForm', 'the product of its operands is too large for its range');
  const [p, q] = [narrowed(c, a, fitted[0]), narrowed(c, b, fitted[1])];
  const { m, l } = multiplier((p.type.scale * q.type.scale) / type.scale);
  const stage = { m: Int32Array.of(m), l, ...output(type) };
  return { ref: c.writer.node('mul', [p.ref, q.ref], { stage }), type };
}

/** Product of two tensors. */
export const emitMul: Emit<'mul'> = (c, op) => times(c, c.real(0), c.real(1), c.outputType(op));

/** Quotient of two tensors: div by the fraction nearest to the ratio of scales. */
export const emitDiv: Emit<'div'> = (c, op) => {
  const [a, b] = [c.real(0), c.real(1)];
  const type = c.outputType(op);
  const ratio = fraction(a.type.scale / (b.type.scale * type.scale), 65535);
  if (!ratio) return c.fail('UnsupportedForm', 'the scales of both operands and of the quotient are too far apart');
  return { ref: c.writer.node('div', [a.ref, b.ref], { ...ratio, output: output(type) }), type };
};

/** min or max of two tensors of one type. */
export const emitExtremum: Emit<'extremum'> = (c, op) => {
  const whole = c.input(0).type.dtype === 'i32';
  const type = whole ? { ...wholeType(I32.lo, I32.hi), ...c.range } : c.outputType();
  const [a, b] = whole ? [c.input(0), c.input(1)] : [c.inputAs(0, type), c.inputAs(1, type)];
  return { ref: c.writer.node(op.how, [a.ref, b.ref], {}), type };
};

/** Greatest factor of an operand of compare. */
const MOST_FACTOR = 32767;

/** A comparison: of values on one grid, of order also on two, whose steps are in a ratio of small integers or nearly so. */
export const emitCompare: Emit<'compare'> = (c, op) => {
  const [a, b] = [c.input(0), c.input(1)];
  if (a.type.dtype === 'bool' || b.type.dtype === 'bool')
    c.fail('UnsupportedForm', 'truth values are compared with Xor and Not');
  const same = sameType(a.type, b.type) || a.type.dtype === 'i32';
  const ordered = op.how !== 'eq' && op.how !== 'ne';
  const ratio = same || !ordered ? undefined : rational(a.type.scale / b.type.scale, MOST_FACTOR);
  const right = same || ratio ? b : c.as(b, a.type);
  const [ma, mb] = ratio ?? [1, 1];
  return { ref: c.writer.node('compare', [a.ref, right.ref], { op: op.how, ma, mb }), type: BOOL_TYPE };
};

/** Truth functions. */
export const emitLogical: Emit<'logical'> = (c, op) => {
  const refs = c.node.inputs.map((_, i) => c.input(i).ref);
  return { ref: c.writer.node('logical', refs, { op: op.how }), type: BOOL_TYPE };
};

/** One of two tensors of one type. */
export const emitWhere: Emit<'where'> = (c) => {
  const [k, a, b] = [c.input(0), c.input(1), c.input(2)];
  const real = a.type.dtype === 'i8' || a.type.dtype === 'i16';
  const type = real
    ? c.outputType()
    : a.type.dtype === 'bool'
      ? BOOL_TYPE
      : { ...wholeType(I32.lo, I32.hi), ...c.range };
  const [p, q] = real ? [c.as(a, type), c.as(b, type)] : [a, b];
  return { ref: c.writer.node('where', [k.ref, p.ref, q.ref], {}), type };
};

/** Whole numbers as reals: a rescale; truth values: a choice of two constants. */
export const emitCast: Emit<'cast'> = (c) => {
  const x = c.input();
  const type = c.outputType();
  if (x.type.dtype === 'i32') return c.rescaled(x, type);
  const one = Math.min(Math.max(Math.floor(1 / type.scale + 0.5) + type.zp, type.lo), type.hi);
  const scalar = (v: number): Quantized['ref'] => {
    const data = type.dtype === 'i8' ? Int8Array.of(v) : type.dtype === 'i16' ? Int16Array.of(v) : Int32Array.of(v);
    return c.writer.constant(type.dtype, [], data, type.zp);
  };
  return { ref: c.writer.node('where', [x.ref, scalar(type.dtype === 'i32' ? 1 : one), scalar(type.zp)], {}), type };
};
