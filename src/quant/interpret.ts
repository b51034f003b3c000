/**
 * The float interpreter: runs a float graph in f64 with a fixed order of operations. It serves calibration and comparison,
 * outside consensus, and gives the same bits on every engine.
 * @module
 */
import { type FloatGraph, type FloatKind, type FloatOp, type OpOf, sizeOf } from './float-graph.ts';
import type { Block } from './kernels/block.ts';
import * as elements from './kernels/elementwise.ts';
import * as moves from './kernels/move.ts';
import * as rows from './kernels/rows.ts';
import * as sequence from './kernels/sequence.ts';
import { conv2d, convTranspose2d, dense, pool } from './kernels/window.ts';

/** Runs a graph; buffers live as long as it does and hold the values of the last run. */
export interface Interpreter {
  /** Value of every tensor by id; overwritten by the next run. */
  readonly values: readonly Float64Array[];
  /** Runs all nodes on inputs in the graph's own layout, by position. Throws RangeError on a wrong element count. */
  run(inputs: readonly ArrayLike<number>[]): void;
}

/** Runs one operation on its operands: the first, the output, and the others in order. */
type Kernel<K extends FloatKind> = (op: OpOf<K>, x: Block, y: Block, ...rest: readonly Block[]) => void;

const KERNELS: { readonly [K in FloatKind]: Kernel<K> } = {
  conv2d,
  conv_transpose2d: convTranspose2d,
  dense,
  matmul: (op, x, y, b) => moves.matmul(op, x, y, b!),
  max_pool2d: pool,
  avg_pool2d: pool,
  reduce: moves.reduce,
  arg: moves.arg,
  linear: (op, x, y, b) => elements.linear(op, x, y, b!),
  mul: (op, x, y, b) => elements.product(op, x, y, b!),
  div: (op, x, y, b) => elements.product(op, x, y, b!),
  extremum: (op, x, y, b) => elements.extremum(op, x, y, b!),
  compare: (op, x, y, b) => elements.compare(op, x, y, b!),
  logical: (op, x, y, b) => elements.logical(op, x, y, b),
  where: (_, x, y, a, b) => elements.where(x, y, a!, b!),
  affine: elements.affine,
  clamp: elements.clamp,
  unary: elements.unary,
  quant: elements.quant,
  softmax: rows.softmax,
  log_softmax: (_, x, y) => rows.logSoftmax(x, y),
  layer_norm: rows.layerNorm,
  group_norm: rows.groupNorm,
  lstm: sequence.lstm,
  gru: sequence.gru,
  cumsum: sequence.cumsum,
  topk: sequence.topk,
  rope: sequence.rope,
  nms: (op, x, y, scores) => sequence.nms(op, x, y, scores!),
  reshape: (_, x, y) => y.data.set(x.data),
  cast: (_, x, y) => y.data.set(x.data),
  transpose: moves.transpose,
  concat: (op, x, y, ...rest) => moves.concat(op, [x, ...rest], y),
  slice: moves.slice,
  gather: (op, x, y, index) => moves.gather(op, x, y, index!),
  expand: (_, x, y) => moves.expand(x, y),
  tile: moves.tile,
  depth_to_space: moves.shuffle,
  space_to_depth: moves.shuffle,
  resize: moves.resize,
  pad: moves.pad,
  constant: (op, _, y) => y.data.set(op.data),
};

/** Runs one operation: its first operand (the output where there is none), the output, the others. */
export function execute(op: FloatOp, x: Block, y: Block, rest: readonly Block[]): void {
  (KERNELS[op.kind] as Kernel<FloatKind>)(op, x, y, ...rest);
}

/** Prepares a graph for repeated runs. */
export function createInterpreter(graph: FloatGraph): Interpreter {
  const used = new Set([...graph.inputs.map((i) => i.tensor), ...graph.nodes.map((n) => n.output)]);
  const blocks: Block[] = graph.tensors.map((t) => ({
    data: new Float64Array(used.has(t.id) ? sizeOf(t.shape) : 0),
    shape: t.shape,
  }));
  return {
    values: blocks.map((b) => b.data),
    run(inputs) {
      graph.inputs.forEach((input, i) => {
        const block = blocks[input.tensor]!;
        const given = inputs[i];
        if (given?.length !== block.data.length)
          throw new RangeError(
            `input ${i} ("${input.name}") has ${given?.length ?? 0} values instead of ${block.data.length}`,
          );
        block.data.set(given);
      });
      for (const { op, inputs, output } of graph.nodes) {
        const [first, ...rest] = inputs.map((id) => blocks[id]!);
        execute(op, first ?? blocks[output]!, blocks[output]!, rest);
      }
    },
  };
}
