/**
 * `samebit/format`: graphs to canonical bytes and back (spec/20-format.md). Decoding alone proves nothing of a graph:
 * `loadModel` validates.
 * @module
 */
export type { Affine, Dim, SymbolDecl } from './core/dim.ts';
export { fromBytes, toBytes } from './core/tensor.ts';
export { decodeModel } from './format/decode.ts';
export { encodeModel } from './format/encode.ts';
export { LIMITS, SPEC_VERSION } from './format/limits.ts';
export type { Constant, Graph, InputDecl, Node, OutputDecl, Scale, StatePair } from './graph/ir.ts';
export type { OpName } from './ops/index.ts';
