/** Exports of the module of further ops and of large convolutions, loaded for the models that take it. */
export { lut16 } from './elementwise';
export { lstm } from './lstm';
export { gather, nearest } from './nd';
export { layerNorm } from './norm';
export { binary, select } from './pairs';
export { reduce } from './reduce';
export { bilinear } from './resize';
export { base } from './simd';
export { strips } from './strips';
export { winograd } from './winograd';
