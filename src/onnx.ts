/**
 * `samebit/onnx`: reads and lowers ONNX files, and the error of everything it refuses.
 * @module
 */
export type { DimRange, Dims } from './onnx/dims.ts';
export { ImportError } from './onnx/errors.ts';
export { fixInputs } from './onnx/fix.ts';
export { type LowerOptions, lower } from './onnx/lower.ts';
export {
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  PARSE_LIMITS,
  type ParseLimits,
  type ParseOptions,
  parseOnnx,
} from './onnx/parse.ts';
export type { ExternalReader, OnnxTensor } from './onnx/tensor.ts';
export type { FloatGraph } from './quant/float-graph.ts';
