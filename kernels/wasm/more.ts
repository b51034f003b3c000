/** Exports of the module of further ops and of large convolutions, loaded for the models that take it. */
export { cumsum } from './cumsum';
export { div } from './div';
export { logSoftmax } from './logsoftmax';
export { lstm } from './lstm';
export { gather, nearest } from './nd';
export { norm, normBlocks } from './norm';
export { binary, select } from './pairs';
export { sample, topk } from './order';
export { reduce } from './reduce';
export { bilinear } from './resize';
export { rope } from './rope';
export { layerNorm8, softmax8 } from './rows8';
export { base } from './simd';
export { strassen, strassenRows } from './strassen';
export { streams } from './streams';
export { strips } from './strips';
export { transposed } from './transposed';
export { winograd } from './winograd';
