/**
 * The ONNX ops that can be lowered: one line an op (spec/10-ops.md §12).
 * @module
 */
import { ARITHMETIC } from './arithmetic.ts';
import { BatchNormalization } from './BatchNormalization.ts';
import { Conv } from './Conv.ts';
import type { OpLowering } from './context.ts';
import { Gemm, MatMul } from './Gemm.ts';
import { AveragePool, GlobalAveragePool, MaxPool } from './pools.ts';
import { Softmax } from './Softmax.ts';
import { Constant, Dropout, Flatten, Identity, Reshape, Transpose } from './shape-ops.ts';
import { UNARY } from './unary.ts';

/** Lowering by ONNX op name, for the ONNX domain. */
export const LOWERINGS: ReadonlyMap<string, OpLowering> = new Map(
  Object.entries({
    ...UNARY,
    ...ARITHMETIC,
    AveragePool,
    BatchNormalization,
    Constant,
    Conv,
    Dropout,
    Flatten,
    Gemm,
    GlobalAveragePool,
    Identity,
    MatMul,
    MaxPool,
    Reshape,
    Softmax,
    Transpose,
  }),
);
