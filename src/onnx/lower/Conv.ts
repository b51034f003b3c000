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

/** Weights [C,O/g,KH,KW] of a transposed convolution as OHWI, channels within their group. */
function transposedWeights(
  data: Float64Array,
  channels: number,
  og: number,
  groups: number,
  taps: number,
): Float64Array {
  const out = new Float64Array(data.length);
  const cg = channels / groups;
  for (let ch = 0; ch < channels; ch++)
    for (let j = 0; j < og; j++)
      for (let t = 0; t < taps; t++) {
        const o = Math.floor(ch / cg) * og + j;
        out[(o * taps + t) * cg + (ch % cg)] = data[(ch * og + j) * taps + t]!;
      }
  return out;
}

/** Zeros behind the rows and columns of an image. */
function behind(c: LowerContext, x: number, more: readonly [number, number]): number {
  if (more[0] === 0 && more[1] === 0) return x;
  const [n, h, w, ch] = c.graph.stored(x) as [number, number, number, number];
  const after = [0, ...more, 0];
  const op = { kind: 'pad', mode: 'constant', before: [0, 0, 0, 0], after, value: Float64Array.of(0) } as const;
  return c.emit(op, [x], [n, h + more[0], w + more[1], ch]);
}

/** ConvTranspose over [N,C,L] or [N,C,H,W] with constant weights and bias. */
export const ConvTranspose: OpLowering = (c) => {
  const w = c.weights(1, 'the weight');
  const [channels, og] = w.shape as [number, number];
  const { groups, bias, rank } = layerOf(c, (g) => og * g);
  const x = c.image(0);
  const [n, , , given] = c.graph.stored(x) as [number, number, number, number];
  if (groups < 1 || channels !== given || channels % groups !== 0)
    c.fail('BadGraph', `${given} channels do not fit ${groups} groups of a weight of ${channels} channels`);
  const win = resolveTransposed(c, c.shape(0).slice(2), w.shape.slice(2));
  const { kernel, strides, dilations, pads, out } = planar(win);
  const wanted = rank === 3 ? ([0, win.padding[0]!] as const) : ([win.padding[0]!, win.padding[1]!] as const);
  const rows = (i: 0 | 1): number => {
    const most = Math.max(strides[i], dilations[i]);
    return wanted[i] < most ? 0 : Math.ceil(wanted[i] / strides[i]); // more rows of zeros than an output padding holds
  };
  const more = [rows(0), rows(1)] as const;
  const cut = (i: 0 | 1): number => (more[i] > 0 ? more[i] * strides[i] - wanted[i] : 0);
  const padding = [more[0] > 0 ? 0 : wanted[0], more[1] > 0 ? 0 : wanted[1]] as const;
  const own = [pads[0], pads[1], pads[2] + cut(0), pads[3] + cut(1)] as const;
  const o = bias.length;
  const weight = transposedWeights(w.data, channels, og, groups, kernel[0] * kernel[1]);
  const steps =
    groups === 1
      ? rowSteps(w, 1, o)
      : rowSteps({ ...w, steps: w.steps?.scales.length === 1 ? w.steps : undefined }, 1, o);
  const layer = {
    kind: 'conv_transpose2d',
    weight,
    kernel,
    bias,
    groups,
    strides,
    dilations,
    pads: own,
    padding,
    ...OPEN,
  } as const;
  c.setImage(c.emit({ ...layer, ...steps }, [behind(c, x, more)], [n, ...out, o]), rank);
};
