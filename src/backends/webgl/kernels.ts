/**
 * The kernel of every op: those of the webgpu backend over elements, and those that take the place of its workgroups.
 * @module
 */
import { KERNELS, type OpKernels } from '../webgpu/kernels.ts';
import { convBy, denseBy, matmulBy } from '../webgpu/linear.ts';
import { lstmBy } from '../webgpu/lstm.ts';
import { layerNormOver, softmaxOver } from '../webgpu/rows.ts';
import { product } from './linear.ts';
import { normFacts, softmaxFacts } from './rows.ts';

/** Kernels over elements only. */
export const GL_KERNELS: OpKernels = {
  ...KERNELS,
  conv2d: (s, b) => convBy(product, s, b),
  dense: (s, b) => denseBy(product, s, b),
  layer_norm: (s, b) => layerNormOver(normFacts, s, b),
  lstm: (s, b) => lstmBy(product, s, b),
  matmul: (s, b) => matmulBy(product, s, b),
  softmax: (s, b) => softmaxOver(softmaxFacts, s, b),
};
