/**
 * What makes a model impossible to compile: a property of the model and of the limits asked for, the same on every machine.
 * @module
 */
import { SamebitError } from '../../core/errors.ts';

/** A model that has no EVM form, or none within the limits asked for. */
export class CompileError extends SamebitError {
  readonly family = 'CompileError';
  override readonly name = 'CompileError';
}

/** What generated code and its memory may take: beyond, no chain would run it. */
const MOST_CODE = 4194304;
const MOST_MEMORY = 4194304;

/** @throws CompileError TooLarge where code or memory, in bytes, exceed what a chain could run */
export function checkSize(code: number, memory: number): void {
  if (code > MOST_CODE || memory > MOST_MEMORY)
    throw new CompileError(
      'TooLarge',
      `the model needs more than ${code > MOST_CODE ? 'code' : 'memory'} of 4 MiB`,
      'Make the model smaller, or call the precompile (docs/embedding.md).',
    );
}
