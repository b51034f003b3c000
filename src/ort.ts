/**
 * `samebit/ort`: the API of onnxruntime-web and onnxruntime-node over `.sbm` models (docs/ort.md). Floats become integers by the
 * scales that the model stores; everything here is outside consensus.
 * @module
 */
export { type Env, env } from './ort/env.ts';
export { ORT_ERRORS, OrtError } from './ort/errors.ts';
export type { Extra, Provider, RunOptions, SamebitOptions, SessionOptions } from './ort/options.ts';
export {
  type Feeds,
  type Fetches,
  InferenceSession,
  type Outputs,
  runOf,
  type ValueMetadata,
} from './ort/session.ts';
export { Tensor, type TensorData, type TensorLike, type TensorType } from './ort/tensor.ts';
