import { describe, expect, it } from 'vitest';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { isInnerPath } from '../../src/onnx/tensor.ts';
import type { FloatGraph } from '../../src/quant/float-graph.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { buildOnnx, type ModelSpec, type NodeSpec } from './build.ts';

function graphOf(spec: ModelSpec): FloatGraph {
  return lower(parseOnnx(buildOnnx(spec)));
}

function kinds(graph: FloatGraph): string {
  return graph.nodes.map((n) => n.op.kind).join(' ');
}

function run(graph: FloatGraph, x: readonly number[]): number[] {
  const interpreter = createInterpreter(graph);
  interpreter.run([x]);
  return [...interpreter.values[graph.outputs[0]!.tensor]!];
}

describe('folding', () => {
  it('resolves a chain of shape arithmetic before a Reshape', () => {
    const nodes: NodeSpec[] = [
      ['Shape', ['x'], ['s']],
      ['Gather', ['s', 'zero'], ['n'], { axis: 0 }],
      ['Unsqueeze', ['n'], ['n1'], { axes: [0] }],
      ['Concat', ['n1', 'rest'], ['target'], { axis: 0 }],
      ['Reshape', ['x', 'target'], ['y']],
    ];
    const constants = [
      { name: 'zero', shape: [], values: [0], int: true },
      { name: 'rest', shape: [2], values: [-1, 2], int: true },
    ] as const;
    const graph = graphOf({ opset: 11, inputs: { x: [1, 2, 3, 2] }, constants, nodes, outputs: ['y'] });
    expect(kinds(graph)).toBe('reshape');
    expect(graph.tensors[graph.outputs[0]!.tensor]!.shape).toEqual([1, 6, 2]);
  });

  it('drops what no output needs, known or not', () => {
    const nodes: NodeSpec[] = [
      ['Relu', ['x'], ['y']],
      ['NonZero', ['x'], ['z']],
    ];
    expect(kinds(graphOf({ inputs: { x: [1, 4] }, nodes, outputs: ['y'] }))).toBe('clamp');
  });
});

describe('functions of one element that come as several nodes', () => {
  const x = [-4, -2, -0.5, 0, 0.5, 2, 4, 8];
  const constants = [
    { name: 'three', shape: [], values: [3] },
    { name: 'zero', shape: [], values: [0] },
    { name: 'six', shape: [], values: [6] },
    { name: 'half', shape: [], values: [0.5] },
    { name: 'one', shape: [], values: [1] },
    { name: 'root', shape: [], values: [Math.fround(Math.SQRT2)] },
  ];
  it.each<[string, NodeSpec[], (v: number) => number]>([
    [
      'hard-swish',
      [
        ['Add', ['x', 'three'], ['a']],
        ['Clip', ['a', 'zero', 'six'], ['b']],
        ['Mul', ['x', 'b'], ['c']],
        ['Div', ['c', 'six'], ['y']],
      ],
      (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6,
    ],
    [
      'SiLU',
      [
        ['Sigmoid', ['x'], ['a']],
        ['Mul', ['x', 'a'], ['y']],
      ],
      (v) => v / (1 + Math.exp(-v)),
    ],
    [
      'GELU by erf',
      [
        ['Div', ['x', 'root'], ['a']],
        ['Erf', ['a'], ['b']],
        ['Add', ['b', 'one'], ['c']],
        ['Mul', ['x', 'c'], ['d']],
        ['Mul', ['d', 'half'], ['y']],
      ],
      (v) =>
        v <= -4
          ? -0.000126
          : v === -2
            ? -0.0455003
            : v === -0.5
              ? -0.1542688
              : v === 0.5
                ? 0.3457312
                : v === 2
                  ? 1.9544997
                  : v,
    ],
  ])('%s becomes one function', (_, nodes, f) => {
    const graph = graphOf({ inputs: { x: [1, 8] }, constants, nodes, outputs: ['y'] });
    expect(kinds(graph)).toBe('unary');
    run(graph, x).forEach((v, i) => {
      expect(Math.abs(v - f(x[i]!))).toBeLessThan(2e-4);
    });
  });
});

describe('external data', () => {
  it('allows relative paths under the model’s folder only', () => {
    expect(['weights.bin', 'data/w.bin', 'a..b'].map(isInnerPath)).toEqual([true, true, true]);
    const bad = ['', '/etc/passwd', '../w', 'a/../../w', 'a//b', './w', 'C:w', 'a\\b', 'a\0b'];
    expect(bad.map(isInnerPath)).toEqual(bad.map(() => false));
  });
});
