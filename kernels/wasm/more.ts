/** Exports of the module of further ops and of large convolutions, loaded for the models that take it. */
export { gather, nearest } from './nd';
export { binary, select } from './pairs';
export { reduce } from './reduce';
export { bilinear } from './resize';
export { base } from './simd';
export { strips } from './strips';
export { winograd } from './winograd';
