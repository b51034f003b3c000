/**
 * What the ONNX importer refuses. An `ImportError` says which node and op, what is wrong and what to do; it is no result
 * in consensus, since ONNX files stay outside the trust boundary.
 * @module
 */
import { type ErrorDetails, SamebitError } from '../core/errors.ts';

/** Codes of `ImportError` with what to do about each. */
export const IMPORT_ERRORS = {
  Empty: 'Pass the bytes of an .onnx file.',
  NotOnnx: 'Check that the file is an ONNX model (onnx.checker.check_model) and was downloaded completely.',
  Truncated: 'The file ends early; fetch it again and compare its size and hash.',
  TooLarge: 'Split the model or bind smaller dims (--dim); for a trusted file, raise the limit passed to parseOnnx.',
  Opset: 'Export the model again with an opset from 7 to 24.',
  ExternalData: 'Keep the file beside the model, or save the model as one file with its weights inside.',
  ExternalPath: 'Files of a model lie under its own folder: save it again with a relative location without "..".',
  BadTensor: 'Export the model again; a tensor does not hold what its shape and type say.',
  NotFinite: 'Train or export the model again; a weight is NaN or infinite.',
  BadGraph: 'Export the model again; check it with onnx.checker.check_model.',
  UnknownDim: 'Give every symbolic dimension a value with --dim NAME=VALUE.',
  UnsupportedOp: 'Replace the op in the model before export, or remove the part of the graph that needs it.',
  UnsupportedForm: 'Change this node before export; the message names the form that is supported.',
  NeedsCalibration: 'Pass calibration samples (--calib samples.npy): a few hundred typical inputs.',
  BadSamples: 'Pass samples as an array whose first axis is the sample and whose other axes are the model input’s.',
  BadOption: 'Correct the option.',
} as const;

/** The ONNX file or the conversion request cannot be converted; `code` is a key of `IMPORT_ERRORS`. */
export class ImportError extends SamebitError {
  readonly family = 'ImportError';
  override readonly name = 'ImportError';

  /** `hint` replaces the code's general next step by a special one. */
  constructor(code: keyof typeof IMPORT_ERRORS, message: string, details?: ErrorDetails, hint?: string) {
    super(code, message, hint ?? IMPORT_ERRORS[code], details);
  }
}
