import type { OpLowering } from './context.ts';
import { resolveWindow } from './window.ts';

/** Weights [O,C/g,KH,KW] as OHWI. */
function toOhwi(data: Float64Array, o: number, i: number, taps: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let a = 0; a < o; a++)
    for (let b = 0; b < i; b++)
      for (let t = 0; t < taps; t++) out[(a * taps + t) * i + b] = data[(a * i + b) * taps + t]!;
  return out;
}

/** Conv over [N,C,L] or [N,C,H,W] with constant weights and bias. */
export const Conv: OpLowering = {
  lower(c) {
    const rank = c.shape(0).length;
    const w = c.weights(1, 'the weight');
    if (rank !== 3 && rank !== 4) c.fail('UnsupportedForm', 'only 1-D and 2-D convolutions are supported');
    if (w.shape.length !== rank) c.fail('BadGraph', `the weight has rank ${w.shape.length} and the input rank ${rank}`);
    const [o, i] = w.shape as [number, number];
    const kernel = w.shape.slice(2);
    const groups = c.int('group', 1);
    if (c.node.attributes.has('kernel_shape') && c.ints('kernel_shape', kernel).some((k, n) => k !== kernel[n]))
      c.fail('BadGraph', 'kernel_shape differs from the shape of the weight');
    const x = c.image(0);
    const [n, h, wd, channels] = c.graph.stored(x) as [number, number, number, number];
    if (groups < 1 || channels !== i * groups || o % groups !== 0)
      c.fail('BadGraph', `${channels} channels do not fit ${groups} groups of a ${o}×${i} weight`);
    const bias = c.given(2) ? c.weights(2, 'the bias').data : new Float64Array(o);
    if (bias.length !== o) c.fail('BadGraph', `the bias has ${bias.length} values for ${o} channels`);
    const window = resolveWindow(c, rank - 2, [h, wd], kernel);
    const weight = toOhwi(w.data, o, i, window.kernel[0] * window.kernel[1]);
    const { strides, dilations, pads } = window;
    const op = { kind: 'conv2d', weight, kernel: window.kernel, bias, groups, strides, dilations, pads } as const;
    const y = c.emit({ ...op, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }, [x], [n, ...window.out, o]);
    c.setImage(y, rank);
  },
};
