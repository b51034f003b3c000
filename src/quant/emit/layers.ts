/**
 * Convolution and dense layers with constant weights, and products of activations.
 * @module
 */
import type { Conv2d, ConvTranspose2d, Dense } from '../float-graph.ts';
import type { Ref } from '../graph-writer.ts';
import { createRounder } from '../rounding.ts';
import {
  compactMultipliers,
  type LayerIntegers,
  type LayerSpec,
  multiplier,
  type QType,
  quantizeLayer,
  quantizeParts,
} from '../scales.ts';
import { depthwise } from '../simplify.ts';
import { centred, type Emit, type EmitContext, output, type Quantized, reach } from './context.ts';
import { emitInt4, takesInt4 } from './int4.ts';
import { fitProducts, type Span } from './narrow.ts';
import { joinParts, partType } from './planes.ts';

/** What a layer computes, for an output of `type`. Padding taps add 0, so a padded layer's interval holds 0. */
function specOf(c: EmitContext, op: Conv2d | ConvTranspose2d | Dense, type: QType, padded: boolean): LayerSpec {
  const x = c.real().type;
  const own = centred(x);
  const taps = padded ? { lo: Math.min(own.lo, 0), hi: Math.max(own.hi, 0) } : own;
  const { weight, bias, steps } = op;
  const stats = c.scope.stats.get(c.node.output);
  const rounder = stats && createRounder(stats, bias.length, c.scope.rounding);
  return { weight, bias, steps, inputScale: x.scale, centred: taps, outputScale: type.scale, rounder };
}

/** Quantizes the rows of a layer. */
function layer(c: EmitContext, spec: LayerSpec): LayerIntegers {
  const { rounding, forms } = c.scope;
  const kept = forms.get(c.node.output) ?? {};
  forms.set(c.node.output, kept);
  return (
    quantizeLayer(spec, rounding.fine, kept) ??
    c.fail(
      'UnsupportedForm',
      'a bias or gain is too large for an int32 accumulator',
      'Scale the layer down before export.',
    )
  );
}

/** Writes a layer with given integers into an output type. */
type WriteLayer = (ints: LayerIntegers, type: QType) => Ref;

/** A layer of i4 weights, or once of i8, or in two parts and their sum. */
function written(c: EmitContext, op: Conv2d | ConvTranspose2d | Dense, padded: boolean, write: WriteLayer): Quantized {
  const type = c.outputType(op);
  const four =
    op.kind !== 'conv_transpose2d' && takesInt4(c, op) ? emitInt4(c, op, specOf(c, op, type, padded), type) : undefined;
  if (four) return four;
  if (c.scope.parts.layers.has(c.node.output)) {
    const part = partType(type);
    const both = quantizeParts({ ...specOf(c, op, part, padded), rounder: undefined });
    if (both) return joinParts(c, write(both[0], part), write(both[1], part), type);
  }
  return { ref: write(layer(c, specOf(c, op, type, padded)), type), type };
}

/** Constants of a layer and its stage. */
function operands(c: EmitContext, { w, b, m, l }: LayerIntegers, kernel: readonly number[], type: QType) {
  const taps = kernel.reduce((n, k) => n * k, b.length);
  const weights = c.writer.constant('i8', [b.length, ...kernel, w.length / taps], w);
  const bias = c.writer.constant('i32', [b.length], b);
  return { refs: [c.input().ref, weights, bias], stage: { m: compactMultipliers(m), l, ...output(type) } };
}

/** Convolution: conv2d with a stage; with i4 weights it is dense. */
export const emitConv2d: Emit<'conv2d'> = (c, op) => {
  const { strides, pads, dilations, groups } = op;
  return written(
    c,
    op,
    pads.some((p) => p > 0),
    (ints, type) => {
      const { refs, stage } = operands(c, ints, op.kernel, type);
      return c.writer.node('conv2d', refs, { strides, pads, dilations, groups, stage });
    },
  );
};

/** Transposed convolution: conv_transpose2d with a stage; taps outside the image add 0. */
export const emitConvTranspose2d: Emit<'conv_transpose2d'> = (c, op) => {
  const { strides, pads, dilations, groups, padding } = op;
  return written(c, op, true, (ints, type) => {
    const { refs, stage } = operands(c, ints, op.kernel, type);
    return c.writer.node('conv_transpose2d', refs, {
      strides,
      pads,
      dilations,
      groups,
      stage,
      output_padding: padding,
    });
  });
};

/** Dense layer: dense with a stage. */
export const emitDense: Emit<'dense'> = (c, op) =>
  written(c, op, false, (ints, type) => {
    const { refs, stage } = operands(c, ints, [], type);
    return c.writer.node('dense', refs, { block: 0, stage });
  });

/** Scale and shift per channel: a 1×1 depthwise convolution over the tensor as an image of one row. */
export const emitAffine: Emit<'affine'> = (c, op) => {
  const shape = c.shape;
  const channels = shape.at(-1)!;
  const all = (v: Float64Array): Float64Array => (v.length === channels ? v : new Float64Array(channels).fill(v[0]!));
  const type = c.outputType();
  const { w, b, m, l } = layer(c, specOf(c, depthwise(all(op.scale), all(op.shift)), type, false));
  const fixed = c.dims === shape;
  if (!fixed && shape.length > 4)
    c.fail('UnsupportedForm', 'symbolic dimensions before factors per channel take at most 4 axes');
  const rows = shape.slice(0, -1).reduce((n, d) => n * d, 1);
  const image = fixed ? [1, 1, rows, channels] : [...new Array<number>(4 - shape.length).fill(1), ...c.dims];
  const x = c.writer.node('reshape', [c.input().ref], { shape: image });
  const weights = c.writer.constant('i8', [channels, 1, 1, 1], w);
  const bias = c.writer.constant('i32', [channels], b);
  const stage = { m: compactMultipliers(m), l, ...output(type) };
  const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: channels };
  const y = c.writer.node('conv2d', [x, weights, bias], { ...window, stage });
  return { ref: c.writer.node('reshape', [y], { shape: c.dims }), type };
};

/** An operand with zero point 0: the differences themselves, in i16. */
export function centredOperand(c: EmitContext, x: Quantized): Quantized {
  if (x.type.zp === 0) return x;
  const { lo, hi } = centred(x.type);
  return c.rescaled(x, { dtype: 'i16', zp: 0, scale: x.type.scale, lo, hi });
}

/** An operand rounded to the reach it is given, in i8 where that fits. */
export function narrowed(c: EmitContext, x: Quantized, to: Span): Quantized {
  if (to.reach >= reach(x.type)) return x;
  const dtype = to.reach < 128 ? 'i8' : 'i16';
  return c.rescaled(x, { dtype, zp: 0, scale: to.scale, lo: -to.reach, hi: to.reach });
}

/** Product of activations: operands without zero points, narrowed as far as their sums need to fit int32. */
export const emitMatmul: Emit<'matmul'> = (c, op) => {
  const type = c.outputType();
  const k = Math.max(1, c.inputShape(0).at(-1)!);
  const [x, y] = [centredOperand(c, c.real(0)), centredOperand(c, c.real(1))];
  const span = ({ type: t }: Quantized): Span => ({ reach: reach(t), scale: t.scale });
  const fitted =
    fitProducts(k, span(x), span(y), type.scale) ??
    c.fail('UnsupportedForm', `sums of ${k} products are too large for an int32 accumulator`);
  const [a, b] = [narrowed(c, x, fitted[0]), narrowed(c, y, fitted[1])];
  const s = multiplier((a.type.scale * b.type.scale) / type.scale);
  const limits = c.outputType(op);
  const stage = { m: Int32Array.of(s.m), l: s.l, ...output(limits) };
  return { ref: c.writer.node('matmul', [a.ref, b.ref], { tb: op.tb, stage }), type: limits };
};
