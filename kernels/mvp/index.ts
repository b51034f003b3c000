/** Exports of the module without post-MVP instructions: the driver of a compiled model, and scalar kernels over the records of kernels/wasm. */
export { check, gas, header, infer, input_count, input_len, input_ptr, output_count, output_len, output_ptr, step } from './driver';
export { chunk_count, chunk_digest, chunk_len, chunk_ptr, chunks, load_chunk } from './chunks';
export { allocate, arena, deallocate, instantiate, interface_version_8, query, texts } from './cosmwasm';
export { conv, depthwise, gemv, matmul } from './conv';
export { binary, div, linear2, lut16, rescale, select } from './elementwise';
export { layerNorm8, logSoftmax, norm, normBlocks, softmax } from './rows';
export { avgPool, bilinear, cumsum, fill, maxPool, reduce, rope } from './rest';
export { expand, expand4, matrix } from './words';
export { gru } from '../wasm/gru';
export { lstm } from '../wasm/lstm';
export { lut8 } from '../wasm/elementwise';
export { gather, move, nearest, update } from '../wasm/nd';
export { nms } from '../wasm/nms';
export { sample, topk } from '../wasm/order';
export { base } from '../wasm/simd';
export { argmax } from '../wasm/softmax';
export { transposed } from '../wasm/transposed';
