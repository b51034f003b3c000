/**
 * Errors. Four families, never mixed (spec/20-format.md §7): a `ModelError`, an `InputError` and an `OutOfGas` are
 * results that every node reaches; a `HostError` is a failure of this machine and never a result. Misuse of the API is a
 * plain `TypeError` or `RangeError`. Consensus sees the family only; the code is for people.
 * @module
 */

/** Codes of `ModelError` with what to do about each. */
export const MODEL_ERRORS = {
  Truncated: 'The file ends inside a field; fetch it again and compare its size and hash.',
  BadWire: 'Check that the file is an .sbm made by `samebit convert`.',
  NotCanonical: 'Encode the model again with encodeModel.',
  Limit: 'Split the model or make it smaller.',
  UnknownVersion: 'Use a release of samebit that knows this spec version.',
  UnknownOp: 'Use a release of samebit that knows this op code.',
  BadName: 'Give it a unique name of 1 to 256 bytes of UTF-8.',
  BadSymbol: 'Declare it with 1 ≤ min ≤ max and use it as a whole dim of an input.',
  BadConstant: 'Make it hold exactly its shape, within the dtype, once.',
  BadOperand: 'Wire the node to tensors defined before it, with the operands the op lists.',
  BadAttribute: 'Give the attribute a value within the range the op lists.',
  BadType: 'Use dtypes and zero points that the op accepts; insert a rescale.',
  BadShape: 'Make the shapes agree with the op’s shape rule.',
  BadInterval: 'Declare an interval with lo ≤ hi inside the dtype.',
  BadStage: 'Use the least l, a multiplier below 2^31 and lo ≤ hi within the output dtype.',
  Overflow: 'Narrow inputs, weights or bias until the accumulator fits an int32.',
  IndexRange: 'Make every index provably inside its axis.',
  BadState: 'Pair an input and an output of one static type whose intervals agree.',
  Unused: 'Remove constants and nodes that nothing uses.',
} as const;

/** Codes of `InputError` with what to do about each. */
export const INPUT_ERRORS = {
  MissingInput: 'Pass every input of the signature by its name.',
  UnknownInput: 'Remove the input or use a name of the signature (`samebit info`).',
  WrongDType: 'Pass a typed array of the input’s dtype.',
  WrongShape: 'Pass a tensor of the input’s shape.',
  OutOfRange: 'Keep every value inside the input’s declared interval.',
} as const;

/** Codes of `HostError` with what to do about each. */
export const HOST_ERRORS = {
  LocalLimit: 'Raise the limits passed to loadModel if this machine may run the model.',
  NoMemory: 'Free memory or run the model on another machine.',
  NoBackend: 'Choose a backend this machine has; `samebit doctor` lists them, and how to get the others.',
  LostWorker: 'Run again; workers are started anew.',
  DeviceFailed: 'Rerun on another backend.',
  BadStore: 'Give the node the header and the body of the registered model.',
  SelfTest: 'Do not trust this device; rerun on another backend.',
} as const;

/** Codes of `OutOfGas` with what to do about each. */
export const GAS_ERRORS = { GasLimit: 'Raise gasLimit to at least the gas of the run (`samebit info`).' } as const;

/** Where an error arose and what was seen: for people, never for consensus. */
export interface ErrorDetails {
  readonly node?: number | string | undefined;
  readonly op?: string | undefined;
  readonly expected?: string | undefined;
  readonly actual?: string | undefined;
}

/** Control and bidirectional characters as escapes. */
function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** Untrusted text made safe to print: control and bidirectional characters escaped, at most 120 characters. */
export function printable(text: string): string {
  const safe = escaped(text);
  return safe.length > 120 ? `${safe.slice(0, 117)}…` : safe;
}

/** Base of all coded errors: what is wrong, where, and the next step (`hint`). */
export abstract class SamebitError extends Error {
  abstract readonly family: string;
  readonly code: string;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, hint: string, details: ErrorDetails = {}) {
    const where =
      details.node === undefined ? '' : `node ${printable(String(details.node))} (${printable(details.op ?? '?')}): `;
    const seen =
      details.expected === undefined ? '' : ` (expected ${details.expected}, got ${printable(String(details.actual))})`;
    super(escaped(`${where}${message}${seen}`));
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

/** The bytes are not a valid model: a result, everyone rejects. */
export class ModelError extends SamebitError {
  readonly family = 'ModelError';
  override readonly name = 'ModelError'; // not the class's: a minifier renames that
  constructor(code: keyof typeof MODEL_ERRORS, message: string, details?: ErrorDetails) {
    super(code, message, MODEL_ERRORS[code], details);
  }
}

/** Wrong name, dtype, shape or value of an input: a result. */
export class InputError extends SamebitError {
  readonly family = 'InputError';
  override readonly name = 'InputError';
  constructor(code: keyof typeof INPUT_ERRORS, message: string, details?: ErrorDetails) {
    super(code, message, INPUT_ERRORS[code], details);
  }
}

/** The gas limit is below the static cost of the run: a result. */
export class OutOfGas extends SamebitError {
  readonly family = 'OutOfGas';
  override readonly name = 'OutOfGas';
  constructor(message: string, details?: ErrorDetails) {
    super('GasLimit', message, GAS_ERRORS.GasLimit, details);
  }
}

/** This machine failed: never a result; halt or rerun on another backend. */
export class HostError extends SamebitError {
  readonly family = 'HostError';
  override readonly name = 'HostError';
  constructor(code: keyof typeof HOST_ERRORS, message: string, details?: ErrorDetails) {
    super(code, message, HOST_ERRORS[code], details);
  }
}

/** A broken invariant of this library: a bug, never a verdict about data. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`samebit bug: ${message}; please report it`);
}
