/**
 * Errors of the server, and every error as a problem document (RFC 9457).
 * @module
 */
import { SamebitError } from 'samebit';
import type { Fault } from './messages.ts';

/** Codes of `ServeError` with what to do about each. */
const SERVE_ERRORS = {
  BadRequest: 'Compare the request with /openapi.json.',
  BadDirectory: 'Pass a folder that this process may read.',
  BadKey: 'openssl genpkey -algorithm ed25519 -out FILE makes a key.',
  Busy: 'Ask again after the seconds of retry-after.',
  Closing: 'Ask another replica; this one is going down.',
  LostWorker: 'Ask again; workers are started anew.',
  NoKey: 'Start the server with --key FILE.',
  NotFound: '/openapi.json lists the routes.',
  ReceiptTooDear: 'Ask without a receipt, or start the server with a greater --receipt-gas.',
  Timeout: 'Ask for less, or start the server with a greater --timeout.',
  TooLarge: 'Send fewer bytes, or start the server with a greater --body-limit.',
  Unavailable: 'Ask again shortly, or ask another replica.',
  UnknownModel: 'GET /v1/models lists what is here.',
  UnsupportedMedia: 'Send application/json or application/octet-stream.',
  UpgradeRequired: 'Open it as a WebSocket.',
  WrongId: 'Name the file after its own id, or fetch the model of this id again.',
} as const;
/** A code of `ServeError`. */
export type ServeCode = keyof typeof SERVE_ERRORS;

/** The server refuses, or cannot answer. */
export class ServeError extends SamebitError {
  readonly family = 'ServeError';
  override readonly name = 'ServeError';
  constructor(code: ServeCode, message: string) {
    super(code, message, SERVE_ERRORS[code]);
  }
}

/** An error that came from a worker. */
export class WorkerFault extends SamebitError {
  readonly family: string;
  override readonly name = 'WorkerFault';
  constructor({ family, code, message, hint }: Fault) {
    super(code, message, hint);
    this.family = family;
  }
}

/** HTTP status by code; what is left out goes by its family. */
const STATUS: Readonly<Record<string, number>> = {
  BadRequest: 400,
  NotFound: 404,
  NoKey: 404,
  UnknownModel: 404,
  TooLarge: 413,
  UnsupportedMedia: 415,
  ReceiptTooDear: 422,
  UpgradeRequired: 426,
  Timeout: 504,
  Busy: 503,
  Closing: 503,
  LostWorker: 503,
  Unavailable: 503,
};
const FAMILY_STATUS: Readonly<Record<string, number>> = {
  InputError: 422,
  OutOfGas: 422,
  ModelError: 422,
  HostError: 503,
};

/** A problem document. */
export interface Problem extends Omit<Fault, 'message'> {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly requestId?: string;
}

/** Codes of the framework's own errors. */
const FRAMEWORK: Readonly<Record<string, ServeCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'TooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UnsupportedMedia',
  FST_ERR_NOT_FOUND: 'NotFound',
};

/** Any error as one with a code; undefined for a bug. */
export function asServed(e: unknown): SamebitError | undefined {
  if (e instanceof SamebitError) return e;
  const {
    statusCode = 500,
    code = '',
    message = '',
  } = (e ?? {}) as { statusCode?: number; code?: string; message?: string };
  if (statusCode >= 500) return undefined;
  return new ServeError(FRAMEWORK[code] ?? 'BadRequest', message);
}

/** The problem document of an error. Of a bug it tells nothing: the log has the stack. */
export function problemOf(e: unknown, requestId?: string): Problem {
  const { family, code, message, hint } = asServed(e) ?? {
    family: 'Bug',
    code: 'Unexpected',
    message: 'the server failed',
    hint: 'Report it with the id of the request; the log of the server has more.',
  };
  const status = STATUS[code] ?? FAMILY_STATUS[family] ?? 500;
  const base = {
    type: 'about:blank',
    title: `${family} ${code}`,
    status,
    detail: message,
    family,
    code,
    hint,
  } as const;
  return requestId === undefined ? base : { ...base, requestId };
}
