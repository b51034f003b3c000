/**
 * Reads the golden vectors (test/oracle/README.md).
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER: string = join(import.meta.dirname, 'golden');

/** One vector of `numerics/` or of the element files of `ops/`. */
export interface Vector {
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
}

/** Names of the vector files of a folder, without `.json`. */
export function vectorFiles(folder: 'numerics' | 'ops'): string[] {
  return readdirSync(join(FOLDER, folder))
    .map((f) => f.replace(/\.json$/, ''))
    .sort();
}

/** The parsed content of a file below test/golden. */
export function readGolden<T = Vector[]>(folder: 'numerics' | 'ops', name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, folder, `${name}.json`), 'utf8')) as T;
}
