/**
 * The ONNX ops that can be lowered: one line an op (spec/10-ops.md §12).
 * @module
 */
import { BatchNormalization } from './BatchNormalization.ts';
import { Conv, ConvTranspose } from './Conv.ts';
import type { OpLowering } from './context.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { Gemm, MatMul } from './Gemm.ts';
import { ML } from './ml.ts';
import { MOVE } from './move.ts';
import { NORMS } from './norm.ts';
import { ORDER } from './order.ts';
import { PICK } from './pick.ts';
import { AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool } from './pools.ts';
import { QUANTIZED } from './quantized.ts';
import { DepthToSpace, Resize, SpaceToDepth } from './Resize.ts';
import { RECURRENT } from './recurrent.ts';
import { REDUCE } from './reduce.ts';
import { LogSoftmax, Softmax } from './Softmax.ts';
import { SHAPES } from './shape-ops.ts';
import { UNARY } from './unary.ts';

/** Lowering by ONNX op name, behind its domain where that is another than ONNX's own. */
export const LOWERINGS: ReadonlyMap<string, OpLowering> = new Map(
  Object.entries({
    ...UNARY,
    ...ELEMENTWISE,
    ...REDUCE,
    ...SHAPES,
    ...MOVE,
    ...ML,
    ...NORMS,
    ...ORDER,
    ...PICK,
    ...QUANTIZED,
    ...RECURRENT,
    AveragePool,
    BatchNormalization,
    Conv,
    ConvTranspose,
    DepthToSpace,
    Gemm,
    GlobalAveragePool,
    GlobalMaxPool,
    LogSoftmax,
    MatMul,
    MaxPool,
    Resize,
    Softmax,
    SpaceToDepth,
    Upsample: Resize,
  }),
);
