/**
 * What the command line says when something fails: bad data exits with 1, misuse or a missing file with 2. Text, or with
 * `--json` one JSON object, on stderr; never a stack trace.
 * @module
 */
import { readdirSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { printable, SamebitError } from '../core/errors.ts';
import { coloursOf } from './colours.ts';
import { toJson } from './text.ts';

/** Exit code of bad data: the file or the values are at fault. */
export const EXIT_DATA = 1;
/** Exit code of misuse: the command line or the file system is at fault. */
export const EXIT_USAGE = 2;
/** Exit code of a bug of samebit. */
export const EXIT_BUG = 70;

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

/** Failures of the system by their codes, with what to do about each. */
export const SYSTEM_ERRORS: Readonly<Record<string, { readonly text: string; readonly hint: string }>> = {
  ENOENT: { text: 'no such file or folder', hint: 'Check the path.' },
  EISDIR: { text: 'is a folder', hint: 'Pass a file, not a folder.' },
  ENOTDIR: { text: 'part of the path is no folder', hint: 'Check the path.' },
  EACCES: { text: 'permission denied', hint: 'Check the permissions.' },
  ENOSPC: { text: 'no space left', hint: 'Free space on the disk.' },
  EADDRINUSE: { text: 'the port is in use', hint: 'Pass another --port; 0 is any that is free.' },
  EADDRNOTAVAIL: { text: 'this machine has no such address', hint: 'Pass a --host of this machine.' },
};

/** What the folder of a file that is not there holds of its kind, up to three names. */
function besideIt(path: string): string {
  const kind = extname(path);
  let names: string[] = [];
  try {
    names = readdirSync(dirname(path)).filter((n) => kind !== '' && extname(n).toLowerCase() === kind.toLowerCase());
  } catch {
    return ''; // there is no such folder either
  }
  if (names.length === 0)
    return kind === '.sbm' ? ' samebit convert MODEL.onnx -o OUT.sbm --calib SAMPLES.npy makes one.' : '';
  const first = names.sort().slice(0, 3).map(printable).join(', ');
  return ` The folder has ${first}${names.length > 3 ? `, and ${names.length - 3} more of the kind` : ''}.`;
}

/** Failures of files and of servers in words; everything else as it is. */
export function asReported(e: unknown): unknown {
  if (!isSystemError(e)) return e;
  const { text, hint } = SYSTEM_ERRORS[e.code!] ?? {
    text: 'the operation failed',
    hint: 'Check the path and the disk.',
  };
  const beside = e.code === 'ENOENT' && e.path !== undefined ? besideIt(e.path) : '';
  return new UsageError(e.code!, `${e.syscall} ${printable(e.path ?? placeOf(e))}: ${text}`, hint + beside);
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
    const c = coloursOf(process.stderr);
    process.stderr.write(`${c.red(`${family} ${code}:`)} ${oneLine(message)}\n  ${c.cyan('next:')} ${oneLine(hint)}\n`);
  }
  return exitCode(e);
}
