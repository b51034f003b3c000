/**
 * Asks the second implementation.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What samebit.py is asked: a model, and inputs where it is to be run. */
export interface Request {
  readonly model: string;
  readonly inputs?: readonly (readonly number[] | null)[];
  readonly dims?: Readonly<Record<string, number>>;
}
/** What it answers. */
export type Answer = Readonly<Record<'id' | 'digest' | 'gas' | 'refused', string>> & {
  readonly memory: { readonly constants: number; readonly peak: number };
  readonly outputs: readonly (readonly number[])[];
};

/** True where this machine has Python. */
export const hasPython: boolean = spawnSync('python3', ['--version']).status === 0;

/** Answers of a script in the order of the requests. */
export function askFor<T>(script: string, requests: readonly unknown[]): T[] {
  const run = spawnSync('python3', ['-B', join(import.meta.dirname, script)], {
    input: JSON.stringify(requests),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T[];
}

/** Answers about models and runs. */
export function ask(requests: readonly Request[]): Answer[] {
  return askFor('samebit.py', requests);
}

/** Bytes as a request holds them. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
