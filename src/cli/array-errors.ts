/**
 * What is wrong with arrays: an `.npy` file that is not what it claims, or values that do not fit a model.
 * @module
 */
import { type ErrorDetails, SamebitError } from '../core/errors.ts';

/** Codes of `FileError` with what to do about each. */
export const FILE_ERRORS = {
  NotNpy: 'Pass an array file as numpy.save writes it.',
  Truncated: 'The file ends early; write or fetch it again.',
  TrailingBytes: 'The file holds more than its array; write it again with numpy.save.',
  BadHeader: 'Write the array again with numpy.save.',
  Unsupported:
    'Save it as a C-ordered little-endian array: numpy.ascontiguousarray(a).astype("<f4"), or u1, i1, i2, i4, i8, f8.',
} as const;

/** An array file is not what it claims. */
export class FileError extends SamebitError {
  readonly family = 'FileError';
  constructor(code: keyof typeof FILE_ERRORS, message: string) {
    super(code, message, FILE_ERRORS[code]);
  }
}

/** Codes of `ArrayError` with what to do about each. */
export const ARRAY_ERRORS = {
  NotFinite: 'Compute the values again; samples that give none cannot be compared.',
  WrongShape: 'Pass an array whose first axis is the sample and whose other axes are one sample’s.',
  BadLabel: 'Pass the index of each sample’s class, counted from 0; for a single probability 0 or 1.',
} as const;

/** What a model is compared with does not fit the model. */
export class ArrayError extends SamebitError {
  readonly family = 'InputError';
  constructor(code: keyof typeof ARRAY_ERRORS, message: string, details?: ErrorDetails) {
    super(code, message, ARRAY_ERRORS[code], details);
  }
}
