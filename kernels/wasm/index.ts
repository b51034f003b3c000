/**
 * Exports of the module that every model takes: the base of an instance’s private area, and kernels that compute the units
 * from…to−1 of a node’s output. Addresses are bytes; records are laid out by src/backends/wasm.
 */
export { conv } from './conv';
export { depthwise } from './depthwise';
export { linear2, lut8, rescale } from './elementwise';
export { matrix } from './gemm';
export { move } from './nd';
export { maxPool } from './pool';
export { base } from './simd';
