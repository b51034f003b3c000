/**
 * The float interpreter: runs a float graph in f64 with a fixed order of operations. It serves calibration and comparison,
 * outside consensus, and gives the same bits on every engine.
 * @module
 */
import { type FloatGraph, type FloatNode, sizeOf } from './float-graph.ts';
import { affine, type Block, conv2d, dense, linear, mean, pad, pool, softmax, transpose } from './float-kernels.ts';
import { applyChain } from './unary.ts';

/** Runs a graph; buffers live as long as it does and hold the values of the last run. */
export interface Interpreter {
  /** Value of every tensor by id; overwritten by the next run. */
  readonly values: readonly Float64Array[];
  /** Runs all nodes on inputs in the graph's own layout, by position. Throws RangeError on a wrong element count. */
  run(inputs: readonly ArrayLike<number>[]): void;
}

function execute(node: FloatNode, x: Block, second: Block | undefined, y: Block): void {
  const { op } = node;
  switch (op.kind) {
    case 'conv2d':
      return conv2d(op, x, y);
    case 'dense':
      return dense(op, x, y);
    case 'max_pool2d':
    case 'avg_pool2d':
      return pool(op, x, y);
    case 'mean':
      return mean(op, x, y);
    case 'linear':
      return linear(op, x, second!, y);
    case 'affine':
      return affine(op, x, y);
    case 'clamp':
      for (let i = 0; i < y.data.length; i++) y.data[i] = Math.min(Math.max(x.data[i]!, op.lo), op.hi);
      return;
    case 'unary':
      for (let i = 0; i < y.data.length; i++) y.data[i] = applyChain(op.fns, x.data[i]!);
      return;
    case 'softmax':
      return softmax(x, y);
    case 'reshape':
      y.data.set(x.data);
      return;
    case 'transpose':
      return transpose(op, x, y);
    case 'pad':
      return pad(op, x, y);
    case 'constant':
      y.data.set(op.data);
      return;
  }
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
      for (const node of graph.nodes)
        execute(node, blocks[node.inputs[0]!]!, blocks[node.inputs[1]!], blocks[node.output]!);
    },
  };
}
