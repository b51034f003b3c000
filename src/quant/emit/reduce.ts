/**
 * Pools, reductions and indices of extrema.
 * @module
 */
import { LIMIT, multiplier, type QType, type Range, wholeType } from '../scales.ts';
import { type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';

/** Maximum of a window: the type of its input. */
export const emitMaxPool: Emit<'max_pool2d'> = (c, op) => {
  const x = c.real();
  const { kernel, strides, dilations, pads, overhang } = op;
  return { ref: c.writer.node('max_pool2d', [x.ref], { kernel, strides, dilations, pads, overhang }), type: x.type };
};

/** The average's type and multiplier; where the proof of the sum fails, the input's own scale. */
function average(c: EmitContext, taps: number): { type: QType; m1: number; l: number } {
  const x = c.real().type;
  const fits = (l: number): boolean => taps * reach(x) * 2 ** l < LIMIT;
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

/** Σ x' over axes, times 1/`divisor`, into `type`; undefined where the sum does not fit int32. */
function summed(
  c: EmitContext,
  x: Quantized,
  axes: readonly number[],
  n: number,
  divisor: number,
  type: QType,
): Quantized | undefined {
  const { m, l } = multiplier(x.type.scale / (type.scale * divisor));
  if (l > 24 || n * reach(x.type) * 2 ** l >= LIMIT) return undefined;
  const stage = { m: Int32Array.of(m), l, ...output(type) };
  return { ref: c.writer.node('reduce_sum', [x.ref], { axes, stage }), type };
}

/** Sum or mean: reduce_sum, 1/n in its multiplier; one axis after the other with an i16 between where it does not fit. */
function emitSum(c: EmitContext, axes: readonly number[], mean: boolean): Quantized {
  const x = c.real();
  const shape = c.inputShape();
  const count = (of: readonly number[]): number => of.reduce((n, a) => n * shape[a]!, 1);
  const n = count(axes);
  const dims = c.inputDims();
  if (mean && axes.some((a) => typeof dims[a] !== 'number')) {
    const { type, m1, l } = average(c, n);
    return { ref: c.writer.node('reduce_mean', [x.ref], { axes, m1, l, output: output(type) }), type };
  }
  const whole = summed(c, x, axes, n, mean ? n : 1, c.outputType());
  if (whole) return whole;
  const [last, ...rest] = [...axes].reverse();
  const part = count([last!]);
  const range: Range = { lo: -reach(x.type) * x.type.scale, hi: reach(x.type) * x.type.scale };
  const between: QType = { dtype: 'i16', zp: 0, scale: (range.hi * (mean ? 1 : part)) / 32767, lo: -32768, hi: 32767 };
  const first = rest.length > 0 ? summed(c, x, [last!], part, mean ? part : 1, between) : undefined;
  const second = first && summed(c, first, rest.reverse(), n / part, mean ? n / part : 1, c.outputType());
  return second ?? c.fail('UnsupportedForm', `a sum of ${n} elements is too large for an int32 accumulator`);
}

/** Sum, mean or extremum over axes. */
export const emitReduce: Emit<'reduce'> = (c, op) => {
  if (op.how === 'sum' || op.how === 'mean') return emitSum(c, op.axes, op.how === 'mean');
  const x = c.input();
  if (op.axes.some((a) => c.inputShape()[a] === 0)) c.fail('UnsupportedForm', 'the extremum of nothing is not defined');
  return { ref: c.writer.node(`reduce_${op.how}`, [x.ref], { axes: op.axes }), type: x.type };
};

/** Index of the extremum. */
export const emitArg: Emit<'arg'> = (c, op) => {
  const x = c.input();
  if (x.type.dtype === 'bool') c.fail('UnsupportedForm', 'the extremum of truth values is not supported');
  const n = c.inputShape()[op.axis]!;
  const ref = c.writer.node(`arg${op.how}`, [x.ref], { axis: op.axis, select_last: op.last });
  return { ref, type: wholeType(0, n - 1) };
};
