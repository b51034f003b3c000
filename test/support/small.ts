/** Small graphs that tests start from. */

import { encodeModel } from '../../src/format/encode.ts';
import type { Constant, Graph, Model, Node } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';

/** A graph that can be edited. */
export type Editable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Attributes of a dense node with a stage to i8. */
export const DENSE_ATTRS: Record<string, unknown> = {
  block: 0,
  stage: { m: Int32Array.of(1 << 28), l: 0, dtype: 'i8', zp: 0, lo: -128, hi: 127 },
};

/** x i8 [2,3] → dense → y i8 [2,2]. */
export function denseGraph(): Editable<Graph> {
  return {
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [2, 3], zp: 0, lo: -128, hi: 127 }],
    constants: [
      { dtype: 'i8', shape: [2, 3], zp: 0, data: Int8Array.of(1, 2, 3, -4, 5, -6) },
      { dtype: 'i32', shape: [2], zp: 0, data: Int32Array.of(7, -8) },
    ],
    nodes: [{ op: 'dense', inputs: [0, 1, 2], attrs: DENSE_ATTRS }],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
  };
}

/** A graph of one node without constants: x of a type → node → y. */
export function unary(
  node: Omit<Node, 'inputs'>,
  input: Partial<Graph['inputs'][number]> = {},
  constants: Constant[] = [],
): Editable<Graph> {
  return {
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [2, 3], zp: 0, lo: -128, hi: 127, ...input }],
    constants,
    nodes: [{ ...node, inputs: [0, ...constants.map((_, i) => i + 1)] }],
    outputs: [{ name: 'y', tensor: 1 + constants.length }],
    states: [],
  };
}

/** A counter: state s i16 [2], y = s + x saturated to −100…100, written back to s. */
export function counterGraph(): Editable<Graph> {
  return {
    symbols: [],
    inputs: [
      { name: 'x', dtype: 'i16', shape: [2], zp: 0, lo: -10, hi: 10 },
      { name: 's', dtype: 'i16', shape: [2], zp: 0, lo: -100, hi: 100 },
    ],
    constants: [],
    nodes: [
      {
        op: 'linear2',
        inputs: [1, 0],
        attrs: { ma: 1, mb: 1, s: 0, output: { dtype: 'i16', zp: 0, lo: -100, hi: 100 } },
      },
    ],
    outputs: [{ name: 'y', tensor: 2 }],
    states: [{ input: 1, output: 0 }],
  };
}

/** A causal softmax over scores i16 [n,n] with a symbol n in 1…4. */
export function symbolicGraph(): Editable<Graph> {
  return {
    symbols: [{ name: 'n', min: 1, max: 4 }],
    inputs: [
      {
        name: 'x',
        dtype: 'i16',
        shape: [
          { c: 0, k: [1] },
          { c: 0, k: [1] },
        ],
        zp: 0,
        lo: -1000,
        hi: 1000,
      },
    ],
    constants: [],
    nodes: [
      {
        op: 'softmax',
        inputs: [0],
        attrs: {
          l: 6,
          m: 1640000000,
          o: 15,
          output: { dtype: 'i16', zp: 0, lo: 0, hi: 32767 },
          causal: true,
          offset: 0,
        },
      },
    ],
    outputs: [{ name: 'y', tensor: 1 }],
    states: [],
  };
}

/** A graph encoded and loaded. */
export function load(graph: Graph): Model {
  return loadModel(encodeModel(graph));
}

/** A graph beside a copy of its nodes that reads the same inputs and constants; outputs of the copy have names that end in “ again”. */
export function twice(graph: Graph): Editable<Graph> {
  const { tensors } = loadModel(encodeModel(graph));
  const first = graph.inputs.length + graph.constants.length;
  const copied = (id: number): number => (id < first ? id : id + tensors.length - first);
  return {
    symbols: [...graph.symbols],
    inputs: [...graph.inputs],
    constants: [...graph.constants],
    nodes: [...graph.nodes, ...graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map(copied) }))],
    outputs: [...graph.outputs, ...graph.outputs.map((o) => ({ name: `${o.name} again`, tensor: copied(o.tensor) }))],
    states: [...graph.states],
  };
}
