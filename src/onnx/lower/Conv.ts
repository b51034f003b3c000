import { rowSteps } from '../steps.ts';
import { resolveTransposed } from '../window.ts';
import type { LowerContext, OpLowering } from './context.ts';
import { planar, resolveWindow } from './window.ts';

const OPEN = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY } as const;

/** Weights [O,C/g,KH,KW] as OHWI. */
function toOhwi(data: Float64Array, o: number, i: number, taps: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let a = 0; a < o; a++)
    for (let b = 0; b < i; b++)
      for (let t = 0; t < taps; t++) out[(a * taps + t) * i + b] = data[(a * i + b) * taps + t]!;
  return out;
}

/** Checks ranks, groups and bias of a convolution; gives its groups and bias. */
function layerOf(
  c: LowerContext,
  outputs: (groups: number) => number,
): { groups: number; bias: Float64Array; rank: number } {
  const rank = c.shape(0).length;
  const w = c.weights(1, 'the weight');
  if (rank !== 3 && rank !== 4) c.fail('UnsupportedForm', 'only 1-D and 2-D convolutions are supported');
  if (w.shape.length !== rank) c.fail('BadGraph', `the weight has rank ${w.shape.length} and the input rank ${rank}`);
  const kernel = w.shape.slice(2);
  if (c.has('kernel_shape') && c.ints('kernel_shape', kernel).some((k, n) => k !== kernel[n]))
    c.fail('BadGraph', 'kernel_shape differs from the shape of the weight');
  const groups = c.int('group', 1);
  const o = outputs(groups);
  const bias = c.given(2) ? c.weights(2, 'the bias').data : new Float64Array(o);
  if (bias.length !== o) c.fail('BadGraph', `the bias has ${bias.length} values for ${o} channels`);
  return { groups, bias, rank };
}

/** Conv over [N,C,L] or [N,C,H,W] with constant weights and bias. */
export const Conv: OpLowering = (c) => {
  const w = c.weights(1, 'the weight');
  const [o, i] = w.shape as [number, number];
  const { groups, bias, rank } = layerOf(c, () => o);
  const x = c.image(0);
  const [n, , , channels] = c.graph.stored(x) as [number, number, number, number];
  if (groups < 1 || channels !== i * groups || o % groups !== 0)
    c.fail('BadGraph', `${channels} channels do not fit ${groups} groups of a ${o}×${i} weight`);
  const { kernel, strides, dilations, pads, out } = resolveWindow(c, w.shape.slice(2));
  const weight = toOhwi(w.data, o, i, kernel[0] * kernel[1]);
  const layer = { kind: 'conv2d', weight, kernel, bias, groups, strides, dilations, pads, ...OPEN } as const;
  const op = { ...layer, ...rowSteps(w, 0, o) };
  c.setImage(c.emit(op, [x], [n, ...out, o]), rank);
};

/** Weights [C,O/g,KH,KW] of a transposed convolution as OHWI of the plain one: taps reversed, channels within their group. */
function toPlain(data: Float64Array, channels: number, og: number, groups: number, taps: number): Float64Array {
  const out = new Float64Array(data.length);
  const cg = channels / groups;
  for (let ch = 0; ch < channels; ch++)
    for (let j = 0; j < og; j++)
      for (let t = 0; t < taps; t++) {
        const o = Math.floor(ch / cg) * og + j;
        out[(o * taps + taps - 1 - t) * cg + (ch % cg)] = data[(ch * og + j) * taps + t]!;
      }
  return out;
}

/** Puts stride − 1 zeros behind every row and column of [N,H,W,C], and cuts those behind the last. */
function spread(c: LowerContext, id: number, [sh, sw]: readonly [number, number]): number {
  const [n, h, w, ch] = c.graph.stored(id) as [number, number, number, number];
  if (sh === 1 && sw === 1) return id;
  const cells = c.graph.reshape(c.node, id, [n, h, 1, w, 1, ch]);
  const after = [0, 0, sh - 1, 0, sw - 1, 0];
  const pad = { kind: 'pad', mode: 'constant', before: [0, 0, 0, 0, 0, 0], after, value: Float64Array.of(0) } as const;
  const padded = c.emit(pad, [cells], [n, h, sh, w, sw, ch]);
  const full = c.graph.reshape(c.node, padded, [n, h * sh, w * sw, ch]);
  const size = [n, (h - 1) * sh + 1, (w - 1) * sw + 1, ch];
  return c.emit({ kind: 'slice', start: [0, 0, 0, 0], step: [1, 1, 1, 1], size }, [full], size);
}

/** ConvTranspose as a convolution over the input spread by its strides, with the kernel reversed. */
export const ConvTranspose: OpLowering = (c) => {
  const w = c.weights(1, 'the weight');
  const [channels, og] = w.shape as [number, number];
  const { groups, bias, rank } = layerOf(c, (g) => og * g);
  const x = c.image(0);
  const [n, , , given] = c.graph.stored(x) as [number, number, number, number];
  if (groups < 1 || channels !== given || channels % groups !== 0)
    c.fail('BadGraph', `${given} channels do not fit ${groups} groups of a weight of ${channels} channels`);
  const win = resolveTransposed(c, c.shape(0).slice(2), w.shape.slice(2));
  const { kernel, strides, dilations, pads: cut, out } = planar(win);
  const spreadInput = spread(c, x, strides);
  const [, h, wd] = c.graph.stored(spreadInput) as [number, number, number, number];
  const reach = [(kernel[0] - 1) * dilations[0], (kernel[1] - 1) * dilations[1]] as const;
  const before = [reach[0] - cut[0], reach[1] - cut[1]] as const;
  const after = [out[0] + reach[0] - h - before[0], out[1] + reach[1] - wd - before[1]] as const;
  const plus = (v: number): number => Math.max(0, v);
  const pads = [plus(before[0]), plus(before[1]), plus(after[0]), plus(after[1])] as const;
  const size = [h + pads[0] + pads[2] - reach[0], wd + pads[1] + pads[3] - reach[1]] as const;
  const o = bias.length;
  const weight = toPlain(w.data, channels, og, groups, kernel[0] * kernel[1]);
  const steps =
    groups === 1
      ? rowSteps(w, 1, o)
      : rowSteps({ ...w, steps: w.steps?.scales.length === 1 ? w.steps : undefined }, 1, o);
  const layer = { kind: 'conv2d', weight, kernel, bias, groups, strides: [1, 1], dilations, pads, ...OPEN } as const;
  const op = { ...layer, ...steps };
  const y = c.emit(op, [spreadInput], [n, ...size, o]);
  const start = [0, plus(-before[0]), plus(-before[1]), 0];
  const same = size[0] === out[0] && size[1] === out[1];
  const kept = [n, ...out, o];
  c.setImage(same ? y : c.emit({ kind: 'slice', start, step: [1, 1, 1, 1], size: kept }, [y], kept), rank);
};
