/** Exports of the module. Addresses are bytes; records are laid out by src/backends/wasm. */
export { conv } from './conv';
export { depthwise } from './depthwise';
export { linear2, lut16, lut8, rescale } from './elementwise';
export { matrix, packB } from './gemm';
export { lstm } from './lstm';
export { copy, gather, move } from './nd';
export { layerNorm } from './norm';
export { binary, select } from './pairs';
export { pool } from './pool';
export { reduce } from './reduce';
export { bilinear } from './resize';
export { argmax, softmax } from './softmax';
import { matrix, packB } from './gemm';
import { scratch } from './simd';
import { ndNext, ndStart, p0, p1, p2 } from './nd';

/** Batched product of two activations: nd over the batch, `b` the record of packB, `a` that of matrix. */
export function matmul(nd: usize, b: usize, a: usize): void {
  let packed: usize = 0;
  store<u32>(a, scratch() + load<u32>(b, 16), 60);
  for (let c = ndStart(nd); c > 0; c--) {
    if (packed != p1) packB(b, p1);
    packed = p1;
    matrix(a, p0, p2);
    ndNext(nd);
  }
}
