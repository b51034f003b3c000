/** The built command line as a user runs it, in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeNpy } from '../../src/cli/npy.ts';
import type { Tensor } from '../../src/core/tensor.ts';

/** The repository. */
export const ROOT: string = join(import.meta.dirname, '../..');
/** The program. */
export const MAIN: string = join(ROOT, 'dist/cli/main.js');

/** What a command did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `samebit …args` in `cwd`. */
export function samebit(args: readonly string[], cwd: string = ROOT): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status, stdout, stderr };
}

/** Runs a command that must succeed with `--json`, and gives its object. */
export function json<T>(args: readonly string[], cwd: string = ROOT): T {
  const { code, stdout, stderr } = samebit([...args, '--json'], cwd);
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

const folders: string[] = [];
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A new folder that goes away with the file of tests. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'samebit-test-'));
  folders.push(path);
  return path;
}

/** A file of an example. */
export function example(path: string): string {
  return join(ROOT, 'examples', path);
}

/** Header of an `.npy` file, for types that writeNpy does not write. */
export function npy(descr: string, shape: readonly number[], data: ArrayBufferView, fortran = false): Uint8Array {
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape.map((d) => `${d},`).join(' ')}), }`;
  const length = Math.ceil((dict.length + 11) / 64) * 64 - 10;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${dict.padEnd(length - 1)}\n`, 'latin1');
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Writes a tensor as `.npy` and gives the path. */
export function saveTensor(path: string, tensor: Tensor): string {
  writeFileSync(path, writeNpy(tensor));
  return path;
}

/** Bytes of a file. */
export function bytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** Converts the digits of examples/mnist into `path`. */
export function convertDigits(path: string): Outcome {
  return samebit([
    'convert',
    example('mnist/model.onnx'),
    '-o',
    path,
    '--calib',
    example('mnist/calib.npy'),
    '--input-type',
    'u8',
    '--std',
    '255',
    '--json',
  ]);
}
