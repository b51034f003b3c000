/**
 * The float interpreter: runs a float graph in f64 with a fixed order of operations. It serves calibration and comparison,
 * outside consensus, and gives the same bits on every engine.
 * @module
 */
import { type FloatGraph, type FloatKind, type FloatOp, sizeOf } from './float-graph.ts';
import { affine, type Block, conv2d, dense, linear, mean, pad, pool, softmax, transpose } from './float-kernels.ts';
import { applyChain } from './unary.ts';

/** Runs a graph; buffers live as long as it does and hold the values of the last run. */
export interface Interpreter {
  /** Value of every tensor by id; overwritten by the next run. */
  readonly values: readonly Float64Array[];
  /** Runs all nodes on inputs in the graph's own layout, by position. Throws RangeError on a wrong element count. */
  run(inputs: readonly ArrayLike<number>[]): void;
}

/** Runs one operation: `b` is the second operand where there is one. */
type Kernel<K extends FloatKind> = (
  op: Extract<FloatOp, { kind: K }>,
  x: Block,
  y: Block,
  b: Block | undefined,
) => void;

const KERNELS: { readonly [K in FloatKind]: Kernel<K> } = {
  conv2d,
  dense,
  max_pool2d: pool,
  avg_pool2d: pool,
  mean,
  linear: (op, x, y, b) => linear(op, x, b!, y),
  affine,
  clamp(op, x, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.min(Math.max(x.data[i]!, op.lo), op.hi);
  },
  unary(op, x, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = applyChain(op.fns, x.data[i]!);
  },
  softmax: (_, x, y) => softmax(x, y),
  reshape: (_, x, y) => y.data.set(x.data),
  transpose,
  pad,
  constant: (op, _, y) => y.data.set(op.data),
};

function execute(op: FloatOp, x: Block, y: Block, b: Block | undefined): void {
  (KERNELS[op.kind] as Kernel<FloatKind>)(op, x, y, b);
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
      for (const { op, inputs, output } of graph.nodes)
        execute(op, blocks[inputs[0]!]!, blocks[output]!, blocks[inputs[1]!]);
    },
  };
}
