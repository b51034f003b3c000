/**
 * The kernel of every op: those of the webgpu backend over elements, and those that take the place of its workgroups.
 * @module
 */

import { gruBy } from '../webgpu/gru.ts';
import { KERNELS, type OpKernels } from '../webgpu/kernels.ts';
import { convBy, denseBy, matmulBy } from '../webgpu/linear.ts';
import { lstmBy } from '../webgpu/lstm.ts';
import { nmsBy } from '../webgpu/nms.ts';
import { normsOver } from '../webgpu/norms.ts';
import { sampleBy, topkBy } from '../webgpu/order.ts';
import { logSoftmaxOver, softmaxOver } from '../webgpu/rows.ts';
import { convTransposeBy } from '../webgpu/transposed.ts';
import { product } from './linear.ts';
import { lastKeys } from './order.ts';
import { normFacts, softmaxFacts } from './rows.ts';

/** Kernels over elements only. */
export const GL_KERNELS: OpKernels = {
  ...KERNELS,
  .../* @__PURE__ */ normsOver(normFacts),
  conv2d: (s, b) => convBy(product, s, b),
  conv_transpose2d: (s, b) => convTransposeBy(product, s, b),
  dense: (s, b) => denseBy(product, s, b),
  gru: (s, b) => gruBy(product, s, b),
  log_softmax: (s, b) => logSoftmaxOver(softmaxFacts, s, b),
  lstm: (s, b) => lstmBy(product, s, b),
  nms: (s, b) => nmsBy(lastKeys, s, b),
  matmul: (s, b) => matmulBy(product, s, b),
  sample: (s, b) => sampleBy(softmaxFacts, lastKeys, s, b),
  softmax: (s, b) => softmaxOver(softmaxFacts, s, b),
  topk: (s, b) => topkBy(lastKeys, s, b),
};
