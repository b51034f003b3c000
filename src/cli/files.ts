/**
 * Files of the command line: bounded reads, and writes that leave nothing behind when they fail.
 * @module
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { ModelError, printable } from '../core/errors.ts';
import { LIMITS } from '../format/limits.ts';
import type { Model } from '../graph/ir.ts';
import { ImportError } from '../onnx/errors.ts';
import type { ExternalReader } from '../onnx/tensor.ts';
import { loadModel } from '../runtime/load.ts';
import { FileError, UsageError } from './errors.ts';
import { type NpyArray, readNpy } from './npy.ts';

/** Bytes of a file. @throws the system's error where it cannot be read */
export function readBytes(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory())
      throw new UsageError('EISDIR', `read ${printable(path)}: is a folder`, 'Pass a file, not a folder.');
    if (stat.size >= LIMITS.fileBytes)
      throw new UsageError(
        'TooLarge',
        `${printable(path)} has ${stat.size} bytes`,
        `Files of less than ${LIMITS.fileBytes} bytes are read.`,
      );
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
    const folder = realpathSync(dirname(path));
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

/** Writes a file by way of a temporary one beside it, so that a failure leaves no part of it. */
export function writeBytes(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
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
