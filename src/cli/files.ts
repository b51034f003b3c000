/**
 * Files of the command line: bounded reads, and writes that leave nothing behind when they fail.
 * @module
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError, printable } from '../core/errors.ts';
import { LIMITS } from '../format/limits.ts';
import type { Model } from '../graph/ir.ts';
import { ImportError } from '../onnx/errors.ts';
import type { ExternalReader } from '../onnx/tensor.ts';
import { loadModel } from '../runtime/load.ts';
import { FileError } from './array-errors.ts';
import { UsageError } from './errors.ts';
import { type NpyArray, readNpy } from './npy.ts';

/** Bytes that a pipe is read by, and links that are followed at most. */
const PART = 1 << 16;
const MOST_LINKS = 40;

const KINDS = {
  isDirectory: 'a folder',
  isCharacterDevice: 'a device',
  isBlockDevice: 'a device',
  isSocket: 'a socket',
  isFIFO: 'a pipe',
} as const;

/** What stands at a path that holds no regular file. */
function kindOf(stat: Stats): string {
  const keys = Object.keys(KINDS) as (keyof typeof KINDS)[];
  return KINDS[keys.find((k) => stat[k]()) ?? 'isCharacterDevice'];
}

/** Refuses what is neither a regular file nor a pipe. */
function checkReadable(path: string, stat: Stats): void {
  if (!stat.isFile() && !stat.isFIFO())
    throw new UsageError(
      stat.isDirectory() ? 'EISDIR' : 'NotAFile',
      `read ${printable(path)}: is ${kindOf(stat)}`,
      `Pass a file, not ${kindOf(stat)}.`,
    );
}

function tooLarge(path: string, size: string, limit: number): UsageError {
  return new UsageError(
    'TooLarge',
    `${printable(path)} has ${size} bytes`,
    `Files of less than ${limit} bytes are read.`,
  );
}

/** Bytes of a pipe, or of a file that does not tell its size, up to its end. */
function readToEnd(fd: number, path: string, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let total = 0; ; ) {
    const part = new Uint8Array(PART);
    const count = readSync(fd, part);
    if (count === 0) return joined(parts, total);
    total += count;
    if (total >= limit) throw tooLarge(path, `${limit} or more`, limit);
    parts.push(part.slice(0, count));
  }
}

function joined(parts: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A path of this system: a `file:` URL becomes one, all else stays as it is. @throws UsageError for another host's file */
export function localPath(text: string, windows: boolean = process.platform === 'win32'): string {
  if (!/^file:/i.test(text) || !URL.canParse(text)) return text;
  try {
    return fileURLToPath(text, { windows });
  } catch (e) {
    throw new UsageError('BadUrl', `${printable(text)}: ${(e as Error).message}`, 'Pass a path, or file:///PATH.');
  }
}

/**
 * Bytes of a regular file or a pipe, less than `limit` of them. @throws the system's error where it cannot be read,
 * UsageError for a folder, a device or a socket
 */
export function readBytes(name: string, limit: number = LIMITS.fileBytes): Uint8Array {
  const path = localPath(name);
  checkReadable(path, statSync(path)); // before it is opened: that alone may do something to a device
  const fd = openSync(path, 'r');
  try {
    const stat = fstatSync(fd);
    checkReadable(path, stat);
    if (stat.size >= limit) throw tooLarge(path, String(stat.size), limit);
    if (stat.size === 0 || stat.isFIFO()) return readToEnd(fd, path, limit);
    const bytes = readFileSync(fd);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // no Buffer: its slice shares memory
  } finally {
    closeSync(fd);
  }
}

/**
 * Reader of the files that hold weights of the model at `path`: only regular files that lie, links resolved, under the
 * model's own folder. Gives undefined for one that is not there. @throws ImportError ExternalPath for one elsewhere,
 * ExternalData for a folder, a device or a file beyond the limit
 */
export function externalReader(path: string): ExternalReader {
  const read = new Map<string, Uint8Array>();
  return (inner) => {
    const held = read.get(inner);
    if (held) return held;
    const folder = realpathSync(dirname(localPath(path)));
    const beside = join(folder, inner);
    if (!existsSync(beside)) return undefined;
    const real = realpathSync(beside);
    const shown = `"${printable(inner)}"`;
    if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      throw new ImportError('ExternalPath', `${shown} leads out of the model's folder`);
    const stat = statSync(real);
    if (!stat.isFile()) throw new ImportError('ExternalData', `${shown} is no regular file`);
    if (stat.size >= LIMITS.fileBytes)
      throw new ImportError('ExternalData', `${shown} is too large`, {
        expected: `less than ${LIMITS.fileBytes} bytes`,
        actual: String(stat.size),
      });
    const bytes = readBytes(real);
    read.set(inner, bytes);
    return bytes;
  };
}

/** Loads an `.sbm` file. An ONNX file is refused with the command that converts it. */
export function readModel(path: string): Model {
  const bytes = readBytes(path);
  try {
    return loadModel(bytes);
  } catch (e) {
    if (e instanceof ModelError && path.toLowerCase().endsWith('.onnx')) {
      throw new UsageError(
        'NotSbm',
        `${printable(path)} is an ONNX file, not an .sbm file`,
        'Convert it first: samebit convert MODEL.onnx -o OUT.sbm --calib SAMPLES.npy',
      );
    }
    throw e;
  }
}

/** Reads an `.npy` file; its errors name the file. */
export function readArray(path: string): NpyArray {
  const bytes = readBytes(path);
  try {
    return readNpy(bytes);
  } catch (e) {
    if (e instanceof FileError) e.message = `${printable(path)}: ${e.message}`;
    throw e;
  }
}

function checkName(path: string): void {
  if (path === '') throw new UsageError('NoName', 'the name of the output is empty', 'Pass a name to -o.');
}

function isSameFile(a: string, b: string): boolean {
  const [p, q] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return p !== undefined && q !== undefined && p.dev === q.dev && p.ino === q.ino;
}

/**
 * The path that a file is written to: links are followed, also one to a file that is not there yet.
 * @param source the file that is read: it is not written over
 * @throws UsageError where something other than a regular file stands there, or the folder is missing
 */
export function targetOf(name: string, source?: string): string {
  checkName(name);
  const path = localPath(name);
  if (path === '-')
    throw new UsageError('NotAFile', 'write -: standard output takes no file', 'Choose the name of a file for -o.');
  if (source !== undefined && isSameFile(path, localPath(source)))
    throw new UsageError(
      'SameFile',
      `write ${printable(path)}: the output is the input file`,
      'Choose another name for the output.',
    );
  const stat = statSync(path, { throwIfNoEntry: false });
  if ((stat && !stat.isFile()) || /[/\\]$/.test(path))
    throw new UsageError(
      'NotAFile',
      `write ${printable(path)}: is ${stat ? kindOf(stat) : 'the name of a folder'}`,
      'Choose the name of a file for -o.',
    );
  let target = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = realpathSync(dirname(target));
    target = join(folder, basename(target));
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    target = resolve(folder, readlinkSync(target));
  }
  throw new UsageError('ELOOP', `write ${printable(path)}: its links go round in a circle`, 'Check the path.');
}

/** Refuses a path where files cannot be written: it must be a folder, or nothing below one. @throws UsageError */
export function checkFolder(path: string): void {
  checkName(path);
  let at = resolve(path);
  while (!lstatSync(at, { throwIfNoEntry: false })) at = dirname(at);
  const stat = statSync(at, { throwIfNoEntry: false });
  if (!stat?.isDirectory())
    throw new UsageError(
      'NotAFolder',
      `write ${printable(path)}: ${printable(at)} is ${stat === undefined ? 'a link to nothing' : stat.isFile() ? 'a file' : kindOf(stat)}`,
      'Choose a folder for -o; one that does not exist is made.',
    );
}

/**
 * Makes a folder and those above it that are missing, one by one: Node's `recursive` never ends where the system says that no folder can be made
 * under one that exists, as in /proc. @throws the system's error
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (e) {
      if ((e as { code?: unknown }).code !== 'EEXIST') throw e; // another process was faster
    }
  }
}

/** Writes a file by way of a temporary one beside it, so that a failure leaves no part of it. @throws UsageError as `targetOf` */
export function writeBytes(path: string, bytes: Uint8Array): void {
  const target = targetOf(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
  } catch (e) {
    rmSync(temporary, { force: true });
    throw e;
  }
}

/** An option of the form `F.npy` or `name=F.npy`: a file that exists under the whole text is that file. */
export interface NamedFile {
  readonly name: string | undefined;
  readonly path: string;
}

/** Splits `name=F.npy` at its first `=`. */
export function namedFile(text: string): NamedFile {
  const at = text.indexOf('=');
  return at < 0 || existsSync(text)
    ? { name: undefined, path: text }
    : { name: text.slice(0, at), path: text.slice(at + 1) };
}
