/**
 * The ONNX ops that are read as others.
 * @module
 */
import { ATTENTION } from './attention.ts';
import type { Expand } from './context.ts';
import { EINSUM } from './einsum.ts';
import { MICROSOFT } from './microsoft.ts';
import { NORM } from './norm.ts';
import { QOPERATOR } from './qoperator.ts';
import { REDUCE } from './reduce.ts';
import { SELECT } from './select.ts';

/** Expansion by op name, behind its domain where that is another than ONNX's own. */
export const EXPANSIONS: ReadonlyMap<string, Expand> = new Map(
  Object.entries({ ...ATTENTION, ...EINSUM, ...MICROSOFT, ...NORM, ...QOPERATOR, ...REDUCE, ...SELECT }),
);
