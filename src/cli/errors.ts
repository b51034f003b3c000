/**
 * What the command line says when something fails: bad data exits with 1, misuse or a missing file with 2. Text, or with
 * `--json` one JSON object, on stderr; never a stack trace.
 * @module
 */
import { type ErrorDetails, printable, SamebitError } from '../core/errors.ts';
import { toJson } from './output.ts';

/** Exit code of bad data: the file or the values are at fault. */
export const EXIT_DATA = 1;
/** Exit code of misuse: the command line or the file system is at fault. */
export const EXIT_USAGE = 2;
/** Exit code of a bug of samebit. */
export const EXIT_BUG = 70;

/** Codes of `FileError` with what to do about each. */
const FILE_ERRORS = {
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
const ARRAY_ERRORS = {
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

/** The command line cannot be carried out as it stands. */
export class UsageError extends SamebitError {
  readonly family = 'UsageError';
  constructor(code: string, message: string, hint: string) {
    super(code, message, hint);
  }
}

function isSystemError(e: unknown): e is NodeJS.ErrnoException {
  return (
    e instanceof Error &&
    typeof (e as NodeJS.ErrnoException).code === 'string' &&
    (e as NodeJS.ErrnoException).syscall !== undefined
  );
}

/** Where a server was to listen, if that is what failed. */
function placeOf(e: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }): string {
  return e.address === undefined ? '' : `${e.address}:${e.port}`;
}

/** Failures of files and of servers in words; everything else as it is. */
export function asReported(e: unknown): unknown {
  if (!isSystemError(e)) return e;
  const hints: Readonly<Record<string, string>> = {
    ENOENT: 'Check the path.',
    EISDIR: 'Pass a file, not a folder.',
    ENOTDIR: 'Check the path.',
    EACCES: 'Check the permissions.',
    ENOSPC: 'Free space on the disk.',
    EADDRINUSE: 'Pass another --port; 0 is any that is free.',
    EADDRNOTAVAIL: 'Pass a --host of this machine.',
  };
  return new UsageError(
    e.code!,
    `${e.syscall} ${printable(e.path ?? placeOf(e))}: ${systemText(e.code!)}`,
    hints[e.code!] ?? 'Check the path and the disk.',
  );
}

function systemText(code: string): string {
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EISDIR: 'is a folder',
    ENOTDIR: 'part of the path is no folder',
    EACCES: 'permission denied',
    ENOSPC: 'no space left',
    EADDRINUSE: 'the port is in use',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return texts[code] ?? 'the operation failed';
}

function exitCode(e: unknown): number {
  if (e instanceof UsageError) return EXIT_USAGE;
  if (e instanceof SamebitError) return e.family === 'ImportError' && e.code === 'BadOption' ? EXIT_USAGE : EXIT_DATA;
  return EXIT_BUG;
}

/** One line that a terminal shows as it is: control and bidirectional characters escaped. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** Prints an error and gives the exit code. */
export function reportError(thrown: unknown, json: boolean): number {
  const e = asReported(thrown);
  const known = e instanceof SamebitError;
  const family = known ? e.family : 'Bug';
  const code = known ? e.code : 'Unexpected';
  const message = e instanceof Error ? e.message : String(e);
  const hint = known ? e.hint : 'This is a bug of samebit; please report it with the files and the command.';
  if (json) {
    const { node, op } = known ? e.details : {};
    process.stderr.write(
      `${toJson({ error: { family, code, message, hint, ...(node === undefined ? {} : { node }), ...(op === undefined ? {} : { op }) } })}\n`,
    );
  } else {
    process.stderr.write(`${family} ${code}: ${oneLine(message)}\n  next: ${oneLine(hint)}\n`);
  }
  return exitCode(e);
}
