import type { OpLowering } from './context.ts';
import { setAffine } from './elementwise.ts';

/** BatchNormalization at inference: a scale and a shift per channel (ONNX axis 1). */
export const BatchNormalization: OpLowering = (c) => {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => c.weights(i, `input ${i}`).data) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  if (c.int('training_mode', 0) !== 0) c.fail('UnsupportedForm', 'training_mode = 1 is not supported');
  if (c.opset < 9 && c.int('spatial', 1) !== 1) c.fail('UnsupportedForm', 'spatial = 0 is not supported');
  const eps = c.float('epsilon', Math.fround(1e-5));
  const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + eps));
  const shift = beta.map((b, i) => b - mean[i]! * scale[i]!);
  if (c.shape(0)[1] !== scale.length) c.fail('BadGraph', `${scale.length} statistics for ${c.shape(0)[1]} channels`);
  if (!scale.every(Number.isFinite)) c.fail('NotFinite', 'a variance plus epsilon is not positive');
  setAffine(c, c.channelsLast(c.view(0), 1), scale, shift);
};
