/**
 * Pools, sums and data movement.
 * @module
 */
import { exp2i } from '../math.ts';
import { clampReal, i8Type, linearShift, multiplier, type QType, quantizeValue, round, withLimits } from '../scales.ts';
import { type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';

/** Maximum: the type of its input. */
export const emitMaxPool: Emit<'max_pool2d'> = (c, op) => {
  const x = c.input();
  const { kernel, strides, dilations, pads, overhang } = op;
  return { ref: c.writer.node('max_pool2d', [x.ref], { kernel, strides, dilations, pads, overhang }), type: x.type };
};

/** The average's type and multiplier; where the proof of the sum fails, the input's own scale. */
function average(c: EmitContext, taps: number): { type: QType; m1: number; l: number } {
  const x = c.input().type;
  const fits = (l: number): boolean => taps * reach(x) * exp2i(l) < 2147483648;
  const type = c.outputType();
  const own = multiplier(x.scale / type.scale);
  if (own.l <= 24 && fits(own.l)) return { type, m1: own.m, l: own.l };
  const same = multiplier(1);
  if (!fits(same.l)) c.fail('UnsupportedForm', `a window of ${taps} elements is too large for an int32 accumulator`);
  return { type: x, m1: same.m, l: same.l };
}

/** Average of a window. */
export const emitAvgPool: Emit<'avg_pool2d'> = (c, op) => {
  const { kernel, strides, dilations, pads, overhang, includePad } = op;
  const { type, m1, l } = average(c, kernel[0] * kernel[1]);
  const attrs = { kernel, strides, dilations, pads, overhang, include_pad: includePad, m1, l, output: output(type) };
  return { ref: c.writer.node('avg_pool2d', [c.input().ref], attrs), type };
};

/** Mean over height and width: an average pool of the whole image, reshaped. */
export const emitMean: Emit<'mean'> = (c, op) => {
  const shape = c.inputShape();
  if (shape.length !== 4 || `${op.axes}` !== '1,2')
    c.fail('UnsupportedForm', 'only the mean over height and width is supported');
  const kernel = [shape[1]!, shape[2]!];
  const { type, m1, l } = average(c, kernel[0]! * kernel[1]!);
  const window = { kernel, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], overhang: [0, 0] };
  const y = c.writer.node('avg_pool2d', [c.input().ref], {
    ...window,
    include_pad: false,
    m1,
    l,
    output: output(type),
  });
  return { ref: c.writer.node('reshape', [y], { shape: c.shape }), type };
};

/** Weighted sum of two tensors: linear2. */
export const emitLinear: Emit<'linear'> = (c, op) => {
  const [a, b] = [c.input(0), c.input(1)];
  const type = c.outputType(op);
  const shift = linearShift(
    (op.ca * a.type.scale) / type.scale,
    (op.cb * b.type.scale) / type.scale,
    reach(a.type),
    reach(b.type),
    type.zp,
  );
  if (!shift) return c.fail('UnsupportedForm', 'the scales of both operands are too far apart');
  return { ref: c.writer.node('linear2', [a.ref, b.ref], { ...shift, output: output(type) }), type };
};

/** The same elements under another shape. */
export const emitReshape: Emit<'reshape'> = (c) => {
  const x = c.input();
  return { ref: c.writer.node('reshape', [x.ref], { shape: c.shape }), type: x.type };
};

/** Axes permuted. */
export const emitTranspose: Emit<'transpose'> = (c, op) => {
  const x = c.input();
  return { ref: c.writer.node('transpose', [x.ref], { perm: op.perm }), type: x.type };
};

/** A constant border, its values rounded to the input's type. */
export const emitPad: Emit<'pad'> = (c, op) => {
  const x = c.input();
  const raw = op.value.map((v) => quantizeValue(v, x.type));
  const scalar = raw.every((v) => v === raw[0]);
  const data =
    x.type.dtype === 'i8'
      ? Int8Array.from(scalar ? raw.slice(0, 1) : raw)
      : Int16Array.from(scalar ? raw.slice(0, 1) : raw);
  const value = c.writer.constant(x.type.dtype, scalar ? [] : [raw.length], data, x.type.zp);
  const { before, after } = op;
  return { ref: c.writer.node('pad', [x.ref, value], { before, after, mode: 'constant' }), type: x.type };
};

/** A constant operand as i8. */
export const emitConstant: Emit<'constant'> = (c, op): Quantized => {
  let [lo, hi] = [0, 0];
  for (const v of op.data) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  const full = withLimits(i8Type({ lo, hi }), { lo, hi });
  const data = Int8Array.from(op.data, (v) => clampReal(round(v / full.scale) + full.zp, -128, 127));
  return { ref: c.writer.constant('i8', c.shape, data, full.zp), type: full };
};
