/**
 * What the adapter refuses of code that was written for ONNX Runtime. Errors of models, inputs and gas keep their own families.
 * @module
 */
import { type ErrorDetails, SamebitError } from '../core/errors.ts';

/** Codes of `OrtError` with what to do about each. */
export const ORT_ERRORS = {
  OnnxModel: 'Convert the file once, and pass the result: `samebit convert model.onnx -o model.sbm`.',
  NoSource: 'Pass the bytes of an .sbm file, or a path or URL that this engine can read.',
  TensorType:
    'Pass floats, which the model’s scale makes integers, or the integer type that `inputMetadata` or the message names.',
  NotHere: 'Read the outputs where they are: in main memory, as typed arrays.',
} as const;

/** A call of ONNX Runtime's API that samebit cannot answer; `code` is a key of `ORT_ERRORS`. */
export class OrtError extends SamebitError {
  readonly family = 'OrtError';
  override readonly name = 'OrtError';
  constructor(code: keyof typeof ORT_ERRORS, message: string, details?: ErrorDetails) {
    super(code, message, ORT_ERRORS[code], details);
  }
}
