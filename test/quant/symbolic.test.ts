import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import { evaluateModel } from '../../src/onnx/evaluate.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { type ConvertOptions, type ConvertResult, convertOnnx } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { sourceOrder } from '../../src/quant/samples.ts';
import { resized } from '../../src/quant/symbolic.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { bind, createPlan } from '../../src/runtime/plan.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, type ModelSpec, type NodeSpec, type TensorSpec, values } from '../onnx/build.ts';

const real = (name: string, shape: readonly number[], seed: number, by = 0.3): TensorSpec => ({
  name,
  shape,
  values: values(
    shape.reduce((a, d) => a * d, 1),
    seed,
  ).map((v) => v * by),
});
const whole = (name: string, list: readonly number[], scalar = false): TensorSpec => ({
  name,
  shape: scalar ? [] : [list.length],
  values: list,
  int: true,
});

const [VOCABULARY, WIDTH, HEADS, CONTEXT] = [11, 16, 2, 12];

/** A character model as exporters write it: ids [N,T], places by shape arithmetic, a causal mask cut to T, two heads. */
function charlm(): ModelSpec {
  const heads = (from: string, to: string): NodeSpec[] => [
    ['Shape', [from], [`${to}s`]],
    ['Slice', [`${to}s`, 'zero1', 'two1'], [`${to}n`]],
    ['Concat', [`${to}n`, 'split'], [`${to}t`], { axis: 0 }],
    ['Reshape', [from, `${to}t`], [`${to}r`]],
    ['Transpose', [`${to}r`], [to], { perm: [0, 2, 1, 3] }],
  ];
  return {
    inputs: { ids: ['N', 'T'] },
    types: { ids: 'i64' },
    nodes: [
      ['Gather', ['tokens', 'ids'], ['e']],
      ['Shape', ['ids'], ['shape']],
      ['Gather', ['shape', 'one'], ['t']],
      ['Range', ['zero', 't', 'one'], ['places']],
      ['Gather', ['positions', 'places'], ['p']],
      ['Add', ['e', 'p'], ['x']],
      ['LayerNormalization', ['x', 'g', 'b'], ['n'], { axis: -1 }],
      ['MatMul', ['n', 'wq'], ['q0']],
      ['MatMul', ['n', 'wk'], ['k0']],
      ['MatMul', ['n', 'wv'], ['v0']],
      ...heads('q0', 'q'),
      ...heads('k0', 'k'),
      ...heads('v0', 'v'),
      ['Transpose', ['k'], ['turned'], { perm: [0, 1, 3, 2] }],
      ['MatMul', ['q', 'turned'], ['a0']],
      ['Mul', ['a0', 'root'], ['a1']],
      ['Unsqueeze', ['t', 'zero1'], ['t1']],
      ['Slice', ['mask', 'zeros2', 'tt', 'axes23'], ['m']],
      ['Where', ['m', 'a1', 'low'], ['a2']],
      ['Softmax', ['a2'], ['a3'], { axis: -1 }],
      ['MatMul', ['a3', 'v'], ['o0']],
      ['Transpose', ['o0'], ['o1'], { perm: [0, 2, 1, 3] }],
      ['Concat', ['shape', 'rest'], ['flat'], { axis: 0 }],
      ['Reshape', ['o1', 'flat'], ['o2']],
      ['MatMul', ['o2', 'wo'], ['o3']],
      ['Add', ['x', 'o3'], ['y0']],
      ['MatMul', ['y0', 'head'], ['y']],
      ['Concat', ['t1', 't1'], ['tt'], { axis: 0 }],
    ],
    constants: [
      real('tokens', [VOCABULARY, WIDTH], 1, 1),
      real('positions', [CONTEXT, WIDTH], 2),
      real('g', [WIDTH], 3),
      real('b', [WIDTH], 4),
      ...['wq', 'wk', 'wv', 'wo'].map((n, i) => real(n, [WIDTH, WIDTH], 5 + i)),
      real('head', [WIDTH, VOCABULARY], 9),
      { name: 'root', shape: [], values: [(WIDTH / HEADS) ** -0.5] },
      { name: 'low', shape: [], values: [-1e9] },
      {
        name: 'mask',
        shape: [1, 1, CONTEXT, CONTEXT],
        values: Array.from({ length: CONTEXT ** 2 }, (_, i) => (i % CONTEXT <= Math.floor(i / CONTEXT) ? 1 : 0)),
        type: 'bool',
      },
      whole('zero', [0], true),
      whole('one', [1], true),
      whole('zero1', [0]),
      whole('two1', [2]),
      whole('split', [HEADS, WIDTH / HEADS]),
      whole('zeros2', [0, 0]),
      whole('axes23', [2, 3]),
      whole('rest', [WIDTH]),
    ],
    outputs: ['y'],
  };
}

/** Nodes in an order that defines before it reads. */
function ordered(spec: ModelSpec): ModelSpec {
  const known = new Set([...Object.keys(spec.inputs), ...(spec.constants ?? []).map((c) => c.name), '']);
  const left = [...spec.nodes];
  const nodes: NodeSpec[] = [];
  while (left.length > 0) {
    const at = left.findIndex((n) => n[1].every((i) => known.has(i)));
    const [node] = left.splice(at, 1);
    for (const o of node![2]) known.add(o);
    nodes.push(node!);
  }
  return { ...spec, nodes };
}

/** A small CNN with batch N and a free width: convolutions of stride 1, a mean over space, a dense layer. */
const CNN: ModelSpec = {
  inputs: { x: ['N', 3, 6, 'W'] },
  nodes: [
    ['Conv', ['x', 'w1', 'b1'], ['c1'], { pads: [1, 1, 1, 1] }],
    ['Relu', ['c1'], ['r1']],
    ['Conv', ['r1', 'w2'], ['c2'], { kernel_shape: [3, 3] }],
    ['Relu', ['c2'], ['r2']],
    ['GlobalAveragePool', ['r2'], ['g']],
    ['Flatten', ['g'], ['f']],
    ['Gemm', ['f', 'w3', 'b3'], ['y'], { transB: 1 }],
  ],
  constants: [
    real('w1', [8, 3, 3, 3], 1),
    real('b1', [8], 2),
    real('w2', [8, 8, 3, 3], 3),
    real('w3', [4, 8], 4),
    real('b3', [4], 5),
  ],
  outputs: ['y'],
};

function dB(y: ArrayLike<number>, e: ArrayLike<number>): number {
  let [signal, error] = [0, 0];
  for (let i = 0; i < e.length; i++) {
    signal += e[i]! ** 2;
    error += (y[i]! - e[i]!) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

/** A run of a converted model on values in the source's layout: raw outputs, and reals in the source's order. */
async function run(
  result: ConvertResult,
  model: Model,
  dims: Readonly<Record<string, number>>,
  x: Float64Array,
  backend: 'reference' | 'wasm',
): Promise<{ raw: number[]; reals: number[] }> {
  const symbols = result.graph.symbols;
  const float = symbols.length > 0 ? resized(result.float, bind(model, dims).dims) : result.float;
  const [port, out] = [float.inputs[0]!, float.outputs[0]!];
  const order = sourceOrder(float, port);
  const stored = order ? Float64Array.from(order, (at) => x[at]!) : x;
  const input = quantizeInput(result.graph.inputs[0]!, stored, float.tensors[port.tensor]!.shape);
  const session = await createSession(model, { backend });
  const { outputs } = await session.run({ [port.name]: input });
  const y = outputs[out.name]!;
  const type = result.types[out.tensor]!;
  const back = sourceOrder(float, out);
  const reals = new Array<number>(y.data.length);
  y.data.forEach((q, i) => {
    reals[back ? back[i]! : i] = (q - type.zp) * type.scale;
  });
  session.dispose();
  return { raw: [...y.data], reals };
}

describe('a model of symbolic batch and length', () => {
  const bytes = buildOnnx(ordered(charlm()));
  const ids = (n: number, t: number, seed: number): Float64Array =>
    Float64Array.from(values(n * t, seed), (v) => Math.min(VOCABULARY - 1, Math.floor(((v + 1) / 2) * VOCABULARY)));
  const samples = { dtype: 'i64', shape: [32, CONTEXT], data: ids(32, CONTEXT, 5) } as const;
  const options: ConvertOptions = { samples, fitWeights: false, correctBias: false };
  const symbolic = convertOnnx(bytes, { ...options, dims: { N: { min: 1, max: 4 }, T: { min: 1, max: CONTEXT } } });
  const model = loadModel(encodeModel(symbolic.graph));

  it('is one file with two symbols', () => {
    expect(model.symbols).toEqual([
      { name: 'N', min: 1, max: 4 },
      { name: 'T', min: 1, max: CONTEXT },
    ]);
    expect(symbolic.graph.nodes.some((n) => n.op === 'softmax' && n.attrs['causal'] === true)).toBe(true);
    expect(symbolic.report.inputs[0]!.shape).toEqual(['N', 'T']);
  });

  it('gives at every size the bits of one backend on the other, near the float model', async () => {
    for (const [n, t] of [
      [1, 1],
      [1, 5],
      [2, 12],
      [4, 7],
      [3, 12],
    ] as const) {
      const x = ids(n, t, 40 + n + t);
      const [a, b] = await Promise.all(
        (['reference', 'wasm'] as const).map((backend) => run(symbolic, model, { N: n, T: t }, x, backend)),
      );
      expect(a!.raw).toEqual(b!.raw);
      const inputs = new Map([['ids', { dtype: 'int64' as const, shape: [n, t], data: x }]]);
      const e = evaluateModel(parseOnnx(bytes), inputs).get('y')!.data;
      expect(a!.reals.length).toBe(e.length);
      expect(dB(a!.reals, e)).toBeGreaterThan(30);
    }
  });

  it('gives the bits of a conversion at one size, of the same ranges', async () => {
    for (const n of [1, 3]) {
      const plain = convertOnnx(bytes, { ...options, dims: { N: n, T: CONTEXT } });
      const x = ids(n, CONTEXT, 60 + n);
      const fixed = await run(plain, loadModel(encodeModel(plain.graph)), {}, x, 'wasm');
      expect((await run(symbolic, model, { N: n, T: CONTEXT }, x, 'wasm')).raw).toEqual(fixed.raw);
    }
  });

  it('costs and holds more the larger it is, and refuses sizes outside', () => {
    const total = (N: number, T: number): number => createPlan(bind(model, { N, T })).memory.peak;
    expect(total(4, 12)).toBeGreaterThan(total(2, 12));
    expect(total(2, 12)).toBeGreaterThan(total(2, 3));
    expect(() => bind(model, { N: 5, T: 3 })).toThrow(/no legal value/);
  });

  it('keeps executables of several sizes in one session', async () => {
    const session = await createSession(model, { backend: 'wasm' });
    const at = async (n: number, t: number): Promise<string> =>
      (await session.run({ ids: { dtype: 'i32', shape: [n, t], data: Int32Array.from(ids(n, t, 3)) } })).outputs[
        'y'
      ]!.data.join();
    const first = await at(1, 4);
    await at(2, 9);
    await session.prepare({ N: 1, T: 4 });
    expect(await at(1, 4)).toBe(first);
    session.dispose();
  });
});

describe('a convolutional network of symbolic batch and width', () => {
  const bytes = buildOnnx(CNN);
  const image = (n: number, w: number, seed: number): Float64Array => Float64Array.from(values(n * 3 * 6 * w, seed));
  const samples = { dtype: 'f32', shape: [24, 3, 6, 20], data: image(24, 20, 5) } as const;
  const dims = { N: { min: 1, max: 8 }, W: { min: 4, max: 40 } };
  const symbolic = convertOnnx(bytes, { samples, dims, inputType: 'f32' });
  const model = loadModel(encodeModel(symbolic.graph));

  it('runs any size, near the float model', async () => {
    expect(symbolic.graph.nodes.map((n) => n.op)).toContain('reduce_mean'); // over as many as there are
    for (const [n, w] of [
      [1, 4],
      [1, 20],
      [5, 20],
      [8, 40],
      [2, 33],
    ] as const) {
      const x = image(n, w, 70 + n);
      const [a, b] = await Promise.all(
        (['reference', 'wasm'] as const).map((backend) => run(symbolic, model, { N: n, W: w }, x, backend)),
      );
      expect(a!.raw).toEqual(b!.raw);
      const inputs = new Map([['x', { dtype: 'float32' as const, shape: [n, 3, 6, w], data: x }]]);
      expect(dB(a!.reals, evaluateModel(parseOnnx(bytes), inputs).get('y')!.data)).toBeGreaterThan(25);
    }
  });

  it('has the bits of each image alone in a batch', async () => {
    const [p, q] = [image(1, 20, 1), image(1, 20, 2)];
    const both = await run(symbolic, model, { N: 2, W: 20 }, Float64Array.of(...p, ...q), 'wasm');
    const one = await run(symbolic, model, { N: 1, W: 20 }, p, 'wasm');
    const two = await run(symbolic, model, { N: 1, W: 20 }, q, 'wasm');
    expect(both.raw).toEqual([...one.raw, ...two.raw]);
  });
});

describe('a recurrent layer of symbolic length and batch', () => {
  it('runs any size in both directions, near the float model', async () => {
    const bytes = buildOnnx({
      inputs: { x: ['T', 'N', 5] },
      nodes: [
        ['LSTM', ['x', 'w', 'r', 'b'], ['y', 'yh', 'yc'], { hidden_size: 6, direction: 'bidirectional' }],
        ['Transpose', ['yh'], ['h'], { perm: [1, 0, 2] }],
      ],
      constants: [real('w', [2, 24, 5], 1, 0.5), real('r', [2, 24, 6], 2, 0.5), real('b', [2, 48], 3, 0.5)],
      outputs: ['h', 'yc'],
    });
    const samples = { dtype: 'f32', shape: [16, 9, 1, 5], data: values(16 * 45, 4) } as const;
    const symbolic = convertOnnx(bytes, { samples, dims: { T: { min: 1, max: 12 }, N: { min: 1, max: 4 } } });
    const model = loadModel(encodeModel(symbolic.graph));
    for (const [t, n] of [
      [1, 1],
      [9, 1],
      [12, 4],
      [5, 3],
    ] as const) {
      const x = Float64Array.from(values(t * n * 5, 20 + t));
      const [a, b] = await Promise.all(
        (['reference', 'wasm'] as const).map((backend) => run(symbolic, model, { T: t, N: n }, x, backend)),
      );
      expect(a!.raw).toEqual(b!.raw);
      const inputs = new Map([['x', { dtype: 'float32' as const, shape: [t, n, 5], data: x }]]);
      expect(dB(a!.reals, evaluateModel(parseOnnx(bytes), inputs).get('h')!.data)).toBeGreaterThan(40);
    }
  });
});

describe('what symbolic dims cannot do', () => {
  const refusal = (spec: ModelSpec, dims: ConvertOptions['dims']): ImportError => {
    try {
      const greatest = lower(parseOnnx(buildOnnx(spec)), { dims });
      const shape = [8, ...greatest.tensors[greatest.inputs[0]!.tensor]!.shape];
      const count = shape.reduce((a, d) => a * d, 1);
      convertOnnx(buildOnnx(spec), { dims, samples: { dtype: 'f32', shape, data: values(count) } });
    } catch (error) {
      if (error instanceof ImportError) return error;
      throw error;
    }
    throw new Error('accepted');
  };

  it('says that a stride over a symbolic axis leaves no affine shape', () => {
    const spec: ModelSpec = {
      inputs: { x: [1, 1, 4, 'W'] },
      nodes: [['Conv', ['x', 'w'], ['y'], { strides: [2, 2] }]],
      constants: [real('w', [1, 1, 2, 2], 1)],
      outputs: ['y'],
    };
    expect(refusal(spec, { W: { min: 4, max: 32 } })).toMatchObject({
      code: 'UnsupportedForm',
      message: 'node Conv_0 (Conv): its shape is not affine in the symbolic dimensions',
    });
  });

  it('names the node whose attributes follow the size', () => {
    const spec: ModelSpec = {
      inputs: { x: [1, 'T'] },
      nodes: [
        ['Shape', ['x'], ['s']],
        ['Cast', ['s'], ['f'], { to: 1 }],
        ['Gather', ['f', 'i'], ['n']],
        ['Mul', ['x', 'n'], ['y']],
      ],
      constants: [whole('i', [1], true)],
      outputs: ['y'],
    };
    expect(refusal(spec, { T: { min: 2, max: 9 } }).message).toMatch(/node Mul_3 \(Mul\): .*symbolic dimension/);
  });

  it('refuses ranges that are none, more than four, and names that no input has', () => {
    const spec: ModelSpec = { inputs: { x: ['N', 'T'] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] };
    expect(refusal(spec, { T: { min: 3, max: 2 } }).code).toBe('BadOption');
    expect(refusal(spec, { T: { min: 0, max: 2 } }).code).toBe('BadOption');
    expect(refusal(spec, { T: { min: 1, max: 2 }, K: { min: 1, max: 2 } }).message).toMatch(/no dimension "K"/);
  });
});
