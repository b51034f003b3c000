/**
 * The ONNX ops that can be evaluated on arrays.
 * @module
 */
import { BINARY } from './binary.ts';
import type { EvalOp } from './context.ts';
import { CONV } from './conv.ts';
import { INDEX } from './index-ops.ts';
import { LINEAR } from './linear.ts';
import { MOVE } from './move.ts';
import { BOXES } from './nms.ts';
import { NORM } from './norm.ts';
import { POOL } from './pool.ts';
import { QUANTIZED } from './quantized.ts';
import { RECURRENT } from './recurrent.ts';
import { REDUCE } from './reduce.ts';
import { RESEARCH } from './research.ts';
import { RESIZE } from './resize.ts';
import { UNARY } from './unary.ts';

/** Evaluation by ONNX op name, for the ONNX domain. */
export const EVALUATORS: ReadonlyMap<string, EvalOp> = new Map(
  Object.entries({
    ...UNARY,
    ...BINARY,
    ...REDUCE,
    ...MOVE,
    ...INDEX,
    ...CONV,
    ...POOL,
    ...LINEAR,
    ...NORM,
    ...BOXES,
    ...QUANTIZED,
    ...RECURRENT,
    ...RESIZE,
    ...RESEARCH,
  }),
);
