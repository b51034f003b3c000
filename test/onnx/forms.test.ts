import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { evaluateModel } from '../../src/onnx/evaluate.ts';
import { fixInputs } from '../../src/onnx/fix.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { type ConvertOptions, convertModel } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, type ModelSpec, values } from './build.ts';

/** Raw outputs of a model of a specification for raw inputs, the same on reference and wasm. */
async function run(
  spec: ModelSpec,
  samples: ConvertOptions['samples'],
  inputs: Readonly<Record<string, { dtype: 'i32'; shape: number[]; data: Int32Array }>>,
): Promise<number[]> {
  const bytes = buildOnnx(spec);
  const { graph } = convertModel(parseOnnx(bytes), bytes.length, { samples });
  const model = loadModel(encodeModel(graph));
  const [a, b] = await Promise.all(
    (['reference', 'wasm'] as const).map(async (backend) => (await createSession(model, { backend })).run(inputs)),
  );
  expect(a!.digest).toBe(b!.digest);
  return [...a!.outputs['y']!.data];
}

/** An embedding that takes its indices as floats, as Keras exports it. */
const embedding: ModelSpec = {
  inputs: { x: [1, 4] },
  nodes: [
    ['Cast', ['x'], ['i'], { to: 6 }],
    ['Gather', ['t', 'i'], ['g']],
    ['ReduceMean', ['g'], ['m'], { axes: [2], keepdims: 0 }],
    ['Relu', ['m'], ['y']],
  ],
  constants: [{ name: 't', shape: [5, 8], values: values(40, 3).map((v, i) => v + (i >> 3)) }],
  outputs: ['y'],
};

describe('floats that are whole numbers', () => {
  it('an input whose readers all cast it to integers takes integers', async () => {
    const { inputs, tensors } = lower(parseOnnx(buildOnnx(embedding)));
    expect(tensors[inputs[0]!.tensor]!.domain).toBe('int');
    const samples = { dtype: 'i64' as const, shape: [2, 1, 4], data: Float64Array.of(0, 1, 2, 3, 4, 3, 2, 1) };
    const y = await run(embedding, samples, { x: { dtype: 'i32', shape: [1, 4], data: Int32Array.of(4, 2, 1, 3) } });
    const order = [...y].sort((a, b) => a - b);
    expect([y[2], y[1], y[3], y[0]]).toEqual(order); // means of the rows rise
  });

  it('a further reader keeps it real, and the cast is refused', () => {
    const both: ModelSpec = {
      ...embedding,
      nodes: [...embedding.nodes, ['Neg', ['x'], ['z']]],
      outputs: ['y', 'z'],
    };
    expect(() => lower(parseOnnx(buildOnnx(both)))).toThrow(/a cast of real data to int data is not supported/);
  });
});

describe('truth values', () => {
  it('a cast to bool is ≠ 0', async () => {
    const spec: ModelSpec = {
      inputs: { x: [6] },
      types: { x: 'i64' },
      nodes: [
        ['Cast', ['x'], ['b'], { to: 9 }],
        ['Where', ['b', 'p', 'q'], ['y']],
      ],
      constants: [
        { name: 'p', shape: [6], values: [3, 3, 3, 3, 3, 3], int: true },
        { name: 'q', shape: [6], values: [-2, -2, -2, -2, -2, -2], int: true },
      ],
      outputs: ['y'],
    };
    const data = [0, 1, -1, 0, 7, 0];
    const samples = { dtype: 'i64' as const, shape: [2, 6], data: Float64Array.of(...data, ...data) };
    const y = await run(spec, samples, { x: { dtype: 'i32', shape: [6], data: Int32Array.from(data) } });
    expect(y).toEqual([-2, 3, 3, -2, 3, -2]);
  });

  it('times whole numbers are a choice', async () => {
    const spec: ModelSpec = {
      inputs: { x: [6] },
      types: { x: 'i64' },
      nodes: [
        ['Less', ['x', 'zero'], ['low']],
        ['Cast', ['low'], ['l'], { to: 7 }],
        ['Not', ['low'], ['high']],
        ['Cast', ['high'], ['h'], { to: 7 }],
        ['Add', ['x', 'ten'], ['up']],
        ['Mul', ['l', 'up'], ['p']],
        ['Mul', ['x', 'h'], ['q']],
        ['Add', ['p', 'q'], ['y']],
      ],
      constants: [
        { name: 'zero', shape: [], values: [0], int: true },
        { name: 'ten', shape: [], values: [10], int: true },
      ],
      outputs: ['y'],
    };
    const data = [0, 1, -1, -10, 7, 9];
    const samples = { dtype: 'i64' as const, shape: [2, 6], data: Float64Array.of(...data, ...data) };
    const y = await run(spec, samples, { x: { dtype: 'i32', shape: [6], data: Int32Array.from(data) } });
    expect(y).toEqual([0, 1, 9, 0, 7, 9]);
  });

  it('indices that are computed are cut to the axis', async () => {
    const spec: ModelSpec = {
      inputs: { x: [4] },
      types: { x: 'i64' },
      nodes: [
        ['Less', ['x', 'zero'], ['low']],
        ['Add', ['x', 'five'], ['up']],
        ['Where', ['low', 'up', 'x'], ['i']],
        ['Gather', ['t', 'i'], ['y']],
      ],
      constants: [
        { name: 'zero', shape: [], values: [0], int: true },
        { name: 'five', shape: [], values: [5], int: true },
        { name: 't', shape: [5], values: [10, 20, 30, 40, 50], int: true },
      ],
      outputs: ['y'],
    };
    const samples = { dtype: 'i64' as const, shape: [2, 4], data: Float64Array.of(0, -1, 4, -5, 1, 2, 3, -2) };
    const y = await run(spec, samples, { x: { dtype: 'i32', shape: [4], data: Int32Array.of(4, -1, -5, 2) } });
    expect(y).toEqual([50, 50, 10, 30]);
  });

  it('a choice by IsNaN is folded', () => {
    const { nodes } = lower(
      parseOnnx(
        buildOnnx({
          inputs: { x: [2, 3] },
          nodes: [
            ['Softmax', ['x'], ['s']],
            ['IsNaN', ['s'], ['n']],
            ['Where', ['n', 'zero', 's'], ['y']],
          ],
          constants: [{ name: 'zero', shape: [], values: [0] }],
          outputs: ['y'],
        }),
      ),
    );
    expect(nodes.map((n) => n.op.kind)).toEqual(['softmax']);
  });
});

/** One step of an LSTM that takes its states; the rate chooses which. */
function cell(): ModelSpec {
  const own = (seed: number): ModelSpec['nodes'] => [
    ['LSTM', ['x', `w${seed}`, 'r', '', '', 'h', 'c'], ['', 'o'], { hidden_size: 4 }],
  ];
  const branch = (seed: number): { branch: Omit<ModelSpec, 'inputs'> } => ({
    branch: {
      nodes: own(seed),
      outputs: ['o'],
      constants: [{ name: `w${seed}`, shape: [1, 16, 3], values: values(48, seed) }],
    },
  });
  return {
    inputs: { x: [2, 1, 3], h: [1, 1, 4], c: [1, 1, 4], rate: ['n'] },
    types: { rate: 'i64' },
    nodes: [
      ['Equal', ['rate', 'high'], ['is']],
      ['If', ['is'], ['y'], { then_branch: branch(3), else_branch: branch(4) }],
    ],
    constants: [
      { name: 'high', shape: [1], values: [16000], int: true },
      { name: 'r', shape: [1, 16, 4], values: values(64, 5) },
    ],
    outputs: ['y'],
  };
}

describe('inputs with one value', () => {
  const model = parseOnnx(buildOnnx(cell()));

  it('decide an If', () => {
    expect(() => lower(model)).toThrow(/its condition depends on the input/);
    const weights = [16000, 8000].map((rate) => {
      const { nodes } = lower(fixInputs(model, { rate }));
      const op = nodes.find((n) => n.op.kind === 'lstm')!.op;
      return op.kind === 'lstm' ? op.wx[0] : undefined;
    });
    expect(weights[0]).toBeDefined();
    expect(weights[0]).not.toBe(weights[1]);
  });

  it('must be inputs', () => {
    expect(() => fixInputs(model, { pace: 1 })).toThrow('the model has no input "pace": its inputs are x, h, c, rate');
  });

  it('initial hidden values beyond −1…1 saturate', async () => {
    const fixed = fixInputs(model, { rate: 8000 });
    const n = { x: 6, h: 4, c: 4 };
    const samples = Object.fromEntries(
      Object.entries(n).map(([name, size], i) => [
        name,
        {
          dtype: 'f32' as const,
          shape: [2, ...fixed.inputs.find((p) => p.name === name)!.shape!.map(Number)],
          data: Float64Array.from(values(2 * size, 20 + i), (v) => 2 * v),
        },
      ]),
    );
    const { graph } = convertModel(fixed, 2000, { samples });
    const session = await createSession(loadModel(encodeModel(graph)), { backend: 'reference' });
    const at = async (h: number): Promise<number[]> => {
      const given = Object.fromEntries(
        graph.inputs.map((d) => {
          const size = n[d.name as keyof typeof n];
          return [d.name, quantizeInput(d, new Float64Array(size).fill(d.name === 'h' ? h : 0.1))];
        }),
      );
      return [...(await session.run(given)).outputs['y']!.data];
    };
    expect(await at(1.5)).toEqual(await at(1.1));
    expect(await at(1.5)).not.toEqual(await at(0.5));
  });
});

describe('DynamicQuantizeLSTM', () => {
  it.each(['one scale', 'a scale a row'])('is an LSTM of its weights, with %s', (how) => {
    const [dirs, width, hidden] = [2, 3, 4];
    const rows = 4 * hidden;
    const ints = (n: number, seed: number): number[] => values(n, seed).map((v) => Math.round(v * 100));
    const [w, r] = [ints(dirs * width * rows, 1), ints(dirs * hidden * rows, 2)];
    const per = how === 'one scale' ? dirs : dirs * rows;
    const shape = how === 'one scale' ? [dirs] : [dirs, rows];
    const scales = (seed: number): number[] => values(per, seed).map((v) => Math.fround(0.01 + 0.005 * v));
    const zeros = (seed: number): number[] => ints(per, seed).map((v) => v % 7);
    const [ws, wz, rs, rz] = [scales(3), zeros(4), scales(5), zeros(6)];
    const real = (q: number[], s: number[], z: number[], k: number): number[] =>
      Array.from({ length: dirs * rows * k }, (_, i) => {
        const [d, row, c] = [Math.floor(i / (rows * k)), Math.floor(i / k) % rows, i % k];
        const by = how === 'one scale' ? d : d * rows + row;
        return (q[(d * k + c) * rows + row]! - z[by]!) * s[by]!;
      });
    const bias = { name: 'b', shape: [dirs, 2 * rows], values: values(dirs * 2 * rows, 7) };
    const attributes = { hidden_size: hidden, direction: 'bidirectional' };
    const own = evaluateModel(
      parseOnnx(
        buildOnnx({
          inputs: { x: [5, 1, width] },
          nodes: [
            [
              'com.microsoft:DynamicQuantizeLSTM',
              ['x', 'w', 'r', 'b', '', '', '', '', 'ws', 'wz', 'rs', 'rz'],
              ['y', 'yh', 'yc'],
              attributes,
            ],
          ],
          constants: [
            { name: 'w', shape: [dirs, width, rows], values: w, type: 'i8' },
            { name: 'r', shape: [dirs, hidden, rows], values: r, type: 'i8' },
            bias,
            { name: 'ws', shape, values: ws },
            { name: 'wz', shape, values: wz, type: 'i8' },
            { name: 'rs', shape, values: rs },
            { name: 'rz', shape, values: rz, type: 'i8' },
          ],
          outputs: ['y', 'yh', 'yc'],
        }),
      ),
      new Map([['x', { dtype: 'float32', shape: [5, 1, width], data: Float64Array.from(values(5 * width, 9)) }]]),
    );
    const plain = evaluateModel(
      parseOnnx(
        buildOnnx({
          inputs: { x: [5, 1, width] },
          nodes: [['LSTM', ['x', 'w', 'r', 'b'], ['y', 'yh', 'yc'], attributes]],
          constants: [
            { name: 'w', shape: [dirs, rows, width], values: real(w, ws, wz, width) },
            { name: 'r', shape: [dirs, rows, hidden], values: real(r, rs, rz, hidden) },
            bias,
          ],
          outputs: ['y', 'yh', 'yc'],
        }),
      ),
      new Map([['x', { dtype: 'float32', shape: [5, 1, width], data: Float64Array.from(values(5 * width, 9)) }]]),
    );
    for (const name of ['y', 'yh', 'yc'])
      own.get(name)!.data.forEach((v, i) => {
        expect(v).toBeCloseTo(plain.get(name)!.data[i]!, 6);
      });
  });
});
