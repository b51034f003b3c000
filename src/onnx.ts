/**
 * `samebit/onnx`: reads and lowers ONNX files, and the error of everything it refuses.
 * @module
 */
export { ImportError } from './onnx/errors.ts';
export { fixInputs } from './onnx/fix.ts';
export { type LowerOptions, lower } from './onnx/lower.ts';
export { type OnnxModel, PARSE_LIMITS, type ParseLimits, parseOnnx } from './onnx/parse.ts';
