/**
 * The backends that every suite over backends runs.
 * @module
 */
import type { Backend } from '../src/backends/backend.ts';
import { reference } from '../src/backends/reference/index.ts';
import { wasm } from '../src/backends/wasm/index.ts';

/** Every backend that this machine has. */
export const BACKENDS: readonly Backend[] = [reference, wasm];
