/**
 * The lowering of every op that has an EVM form.
 * @module
 */
import type { OpName } from '../../ops/index.ts';
import {
  emitCompare,
  emitExtremum,
  emitLinear2,
  emitLogical,
  emitLut8,
  emitLut16,
  emitMul,
  emitRescale,
  emitWhere,
} from './elementwise.ts';
import type { Emitter } from './emitter.ts';
import { emitArg, emitExpand, emitMatmul, emitReduce, emitSoftmax } from './lines.ts';
import { emitMove } from './moves.ts';
import { emitAvgPool, emitMaxPool } from './pools.ts';
import { emitProducts } from './products.ts';

/** Writes the outputs of node `i`. */
export type Lowering = (e: Emitter, i: number) => void;

/** Lowerings by op; an op without one is refused. */
export const LOWERINGS: Readonly<Partial<Record<OpName, Lowering>>> = {
  argmax: emitArg,
  argmin: emitArg,
  avg_pool2d: emitAvgPool,
  compare: emitCompare,
  concat: emitMove,
  conv2d: emitProducts,
  dense: emitProducts,
  depth_to_space: emitMove,
  expand: emitExpand,
  gather: emitMove,
  linear2: emitLinear2,
  logical: emitLogical,
  lut16: emitLut16,
  lut8: emitLut8,
  matmul: emitMatmul,
  max: emitExtremum,
  max_pool2d: emitMaxPool,
  min: emitExtremum,
  mul: emitMul,
  pad: emitMove,
  reduce_max: emitReduce,
  reduce_mean: emitReduce,
  reduce_min: emitReduce,
  reduce_sum: emitReduce,
  rescale: emitRescale,
  reshape: () => undefined,
  resize_nearest: emitMove,
  slice: emitMove,
  softmax: emitSoftmax,
  space_to_depth: emitMove,
  tile: emitMove,
  transpose: emitMove,
  where: emitWhere,
};
