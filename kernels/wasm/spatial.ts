/** Exports of the module of large convolutions, which is loaded for the models that have some. */
export { base } from './simd';
export { strips } from './strips';
export { winograd } from './winograd';
