import { describe, expect, it } from 'vitest';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { equalise } from '../../src/quant/equalise.ts';
import type { FloatGraph } from '../../src/quant/float-graph.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { observe } from '../../src/quant/observe.ts';
import type { SampleReader } from '../../src/quant/samples.ts';
import { withinBudget } from '../../src/quant/sensitivity.ts';
import { buildOnnx, type ModelSpec, type NodeSpec, type TensorSpec, values } from '../onnx/build.ts';

const scalar = (name: string, v: number): TensorSpec => ({ name, shape: [], values: [v] });

function graphOf(spec: ModelSpec): FloatGraph {
  return lower(parseOnnx(buildOnnx(spec)));
}

function kinds(graph: FloatGraph): string {
  return graph.nodes.map((n) => n.op.kind).join(' ');
}

function outputOf(graph: FloatGraph, x: readonly number[]): number[] {
  const interpreter = createInterpreter(graph);
  interpreter.run([Float64Array.from(x)]);
  return [...interpreter.values[graph.outputs[0]!.tensor]!];
}

/** Layer normalisation as exporters spell it; `last` makes the quotient. */
function spelt(last: readonly NodeSpec[]): ModelSpec {
  return {
    inputs: { x: [3, 8] },
    nodes: [
      ['ReduceMean', ['x'], ['m'], { axes: [-1], keepdims: 1 }],
      ['Sub', ['x', 'm'], ['c']],
      ['Pow', ['c', 'two'], ['p']],
      ['ReduceMean', ['p'], ['v'], { axes: [-1], keepdims: 1 }],
      ['Add', ['v', 'eps'], ['e']],
      ['Sqrt', ['e'], ['s']],
      ...last,
      ['Mul', ['n', 'g'], ['k']],
      ['Add', ['k', 'b'], ['y']],
    ],
    constants: [
      ...[scalar('two', 2), scalar('eps', 1e-5)],
      { name: 'g', shape: [8], values: values(8, 3) },
      { name: 'b', shape: [8], values: values(8, 4) },
    ],
    outputs: ['y'],
  };
}

describe('patterns', () => {
  const x = values(24, 7);
  const forms: Readonly<Record<string, readonly NodeSpec[]>> = {
    'a quotient': [['Div', ['c', 's'], ['n']]],
    'a product with the reciprocal': [
      ['Reciprocal', ['s'], ['r']],
      ['Mul', ['c', 'r'], ['n']],
    ],
  };
  for (const [name, last] of Object.entries(forms))
    it(`finds layer normalisation that ends in ${name}`, () => {
      const graph = graphOf(spelt(last));
      expect(kinds(graph)).toBe('layer_norm');
      const y = outputOf(graph, x);
      const [g, b] = [values(8, 3), values(8, 4)];
      for (let r = 0; r < 3; r++) {
        const row = x.slice(r * 8, r * 8 + 8);
        const mean = row.reduce((a, v) => a + v, 0) / 8;
        const variance = row.reduce((a, v) => a + (v - mean) ** 2, 0) / 8;
        row.forEach((v, i) => {
          expect(y[r * 8 + i]).toBeCloseTo(((v - mean) / Math.sqrt(variance + 1e-5)) * g[i]! + b[i]!, 6);
        });
      }
    });

  it('finds normalisation by the root of the mean square', () => {
    const spec: ModelSpec = {
      inputs: { x: [3, 8] },
      nodes: [
        ['Mul', ['x', 'x'], ['p']],
        ['ReduceMean', ['p'], ['v'], { axes: [-1], keepdims: 1 }],
        ['Add', ['v', 'eps'], ['e']],
        ['Sqrt', ['e'], ['s']],
        ['Reciprocal', ['s'], ['r']],
        ['Mul', ['x', 'r'], ['y']],
      ],
      constants: [scalar('eps', 1e-5)],
      outputs: ['y'],
    };
    const graph = graphOf(spec);
    expect(graph.nodes.map((n) => [n.op.kind, 'rms' in n.op && n.op.rms])).toEqual([['layer_norm', true]]);
    const [row, y] = [x.slice(0, 8), outputOf(graph, x)];
    const square = row.reduce((a, v) => a + v * v, 0) / 8;
    row.forEach((v, i) => {
      expect(y[i]).toBeCloseTo(v / Math.sqrt(square + 1e-5), 6);
    });
  });

  it('leaves a quotient by anything else alone', () => {
    expect(kinds(graphOf(spelt([['Div', ['c', 'e'], ['n']]])))).toContain('div');
  });

  const masked = (keep: (i: number, j: number) => boolean): ModelSpec => ({
    inputs: { x: [2, 4, 4] },
    nodes: [
      ['Where', ['m', 'low', 'x'], ['w']],
      ['Softmax', ['w'], ['y'], { axis: -1 }],
    ],
    constants: [
      {
        name: 'm',
        shape: [4, 4],
        values: Array.from({ length: 16 }, (_, i) => (keep(Math.floor(i / 4), i % 4) ? 0 : 1)),
        type: 'bool',
      },
      scalar('low', Number.NEGATIVE_INFINITY),
    ],
    outputs: ['y'],
  });

  it('reads a mask before a softmax as the mask of it, and a lower triangle as causal', () => {
    const causal = graphOf(masked((i, j) => j <= i));
    expect(causal.nodes.map((n) => n.op)).toEqual([{ kind: 'softmax', causal: 0 }]);
    const other = graphOf(masked((i, j) => i !== j));
    expect(kinds(other)).toBe('constant softmax');
    const y = outputOf(other, values(32, 2));
    for (let i = 0; i < 32; i++) expect(y[i] === 0).toBe(Math.floor(i / 4) % 4 === i % 4);
  });

  it('refuses an infinity that no softmax takes up', () => {
    const spec = masked((i, j) => j <= i);
    expect(() => graphOf({ ...spec, nodes: spec.nodes.slice(0, 1), outputs: ['w'] })).toThrow(/NaN or infinity/);
  });
});

describe('equalisation', () => {
  it('keeps what the graph computes and lowers the span of the ranges between its layers', () => {
    const scale = [1, 100, 0.01, 5];
    const spec: ModelSpec = {
      inputs: { x: [2, 6] },
      nodes: [
        ['MatMul', ['x', 'v'], ['p']],
        ['Relu', ['p'], ['r']],
        ['MatMul', ['r', 'w'], ['y']],
      ],
      constants: [
        { name: 'v', shape: [6, 4], values: values(24, 3).map((u, i) => u * scale[i % 4]!) },
        { name: 'w', shape: [4, 3], values: values(12, 4) },
      ],
      outputs: ['y'],
    };
    const graph = graphOf(spec);
    const data = values(12 * 16, 5);
    const reader: SampleReader = {
      count: 16,
      shape: [2, 6],
      read: (i) => Float64Array.from(data.slice(i * 12, i * 12 + 12)),
    };
    const own = equalise({ graph, ...observe(graph, [reader], 'minmax') });
    expect(own.equalised.length).toBe(1);
    expect(own.equalised[0]!.gain).toBeGreaterThan(0.5);
    outputOf(own.graph, data.slice(0, 12)).forEach((v, i) => {
      expect(v).toBeCloseTo(outputOf(graph, data.slice(0, 12))[i]!, 9);
    });
    const fresh = observe(own.graph, [reader], 'minmax').ranges;
    own.ranges.forEach((r, id) => {
      if (r) expect(r.hi).toBeCloseTo(fresh[id]!.hi, 9);
    });
  });
});

describe('the gas budget', () => {
  it('takes the most promotions that stay within it', () => {
    const order = Array.from({ length: 9 }, (_, i) => ({
      tensors: [i],
      layers: [],
      widened: { name: '', source: '', what: 'values', bits: 16, share: 0 } as const,
    }));
    for (let most = 0; most <= 10; most++) expect(withinBudget(order, most, (n) => n)).toBe(Math.min(most, 9));
  });
});
