import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type StepDifference, stepDifference } from '../../src/cli/literal.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { type ConvertOptions, type ConvertResult, convertModel } from '../../src/quant/convert.ts';
import { fromScale } from '../../src/quant/scales.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { readNpy } from '../quant/npy.ts';
import { buildOnnx, type ModelSpec, type NodeSpec, type TensorSpec, values } from './build.ts';

const integers = (n: number, lo: number, hi: number, seed = 3): number[] =>
  values(n, seed).map((v) => Math.floor(((v + 1) / 2) * (hi - lo + 0.999)) + lo);
const scalar = (name: string, v: number): TensorSpec => ({ name, shape: [], values: [v] });
const zero = (name: string, v: number, type: 'u8' | 'i8' = 'u8'): TensorSpec => ({
  name,
  shape: [],
  values: [v],
  type,
});
/** Scale and zero point of a tensor: `${name}s`, `${name}z`. */
const params = (name: string, s: number, z: number, type: 'u8' | 'i8' = 'u8'): TensorSpec[] => [
  scalar(`${name}s`, s),
  zero(`${name}z`, z, type),
];

function convert(
  spec: ModelSpec,
  options: ConvertOptions = {},
): { result: ConvertResult; source: ReturnType<typeof parseOnnx> } {
  const source = parseOnnx(buildOnnx(spec));
  return { result: convertModel(source, 1e6, options), source };
}

async function difference(spec: ModelSpec, options: ConvertOptions = {}): Promise<StepDifference> {
  const { result, source } = convert(spec, options);
  return stepDifference(source, result, loadModel(encodeModel(result.graph)), options, 6);
}

/** One node between quantized inputs x (u8) and y (u8) of shape [1,8,6,6], or `shape`. */
function between(node: NodeSpec, constants: readonly TensorSpec[], shape: readonly number[] = [1, 8, 6, 6]): ModelSpec {
  const two = node[1].includes('b');
  return {
    inputs: { a: shape, ...(two ? { b: shape } : {}) },
    types: { a: 'u8', b: 'u8' },
    nodes: [node],
    constants: [
      ...params('a', 0.02, 120),
      ...(two ? params('b', 0.05, 7) : []),
      ...params('y', 0.0413, 100),
      ...constants,
    ],
    outputs: ['y'],
  };
}

const one = ['a', 'as', 'az', 'ys', 'yz'];
const pair = ['a', 'as', 'az', 'b', 'bs', 'bz', 'ys', 'yz'];
const conv = [
  { name: 'w', shape: [4, 8, 3, 3], values: integers(288, -128, 127), type: 'i8' as const },
  { name: 'ws', shape: [4], values: [0.002, 0.003, 0.0015, 0.004] },
  { name: 'wz', shape: [4], values: [0, 0, 0, 0], type: 'i8' as const },
  { name: 'c', shape: [4], values: [1000, -2000, 0, 77], type: 'i32' as const },
];
const matrix: TensorSpec = { name: 'w', shape: [12, 5], values: integers(60, 0, 255), type: 'u8' };

const OPERATORS: Readonly<Record<string, ModelSpec>> = {
  QLinearConv: between(
    ['QLinearConv', ['a', 'as', 'az', 'w', 'ws', 'wz', 'ys', 'yz', 'c'], ['y'], { pads: [1, 1, 1, 1] }],
    conv,
  ),
  QLinearMatMul: between(
    ['QLinearMatMul', ['a', 'as', 'az', 'w', 'ws', 'wz', 'ys', 'yz'], ['y']],
    [matrix, scalar('ws', 0.004), zero('wz', 128)],
    [1, 7, 12],
  ),
  'QLinearMatMul of activations': between(['QLinearMatMul', pair, ['y']], [], [2, 6, 6]),
  QGemm: between(
    ['com.microsoft:QGemm', ['a', 'as', 'az', 'w', 'ws', 'wz', 'c', 'ys', 'yz'], ['y'], { transB: 1 }],
    [
      { name: 'w', shape: [5, 12], values: integers(60, -128, 127), type: 'i8' },
      scalar('ws', 0.01),
      zero('wz', 0, 'i8'),
      { name: 'c', shape: [5], values: [3, -400, 0, 12, 9], type: 'i32' },
    ],
    [3, 12],
  ),
  QLinearAdd: between(['com.microsoft:QLinearAdd', pair, ['y']], []),
  QLinearMul: between(['com.microsoft:QLinearMul', pair, ['y']], []),
  QLinearAveragePool: between(['com.microsoft:QLinearAveragePool', one, ['y'], { kernel_shape: [2, 2] }], []),
  QLinearGlobalAveragePool: between(['com.microsoft:QLinearGlobalAveragePool', one, ['y']], []),
  QLinearSigmoid: between(['com.microsoft:QLinearSigmoid', one, ['y']], params('y', 1 / 256, 0)),
  QLinearLeakyRelu: between(['com.microsoft:QLinearLeakyRelu', one, ['y'], { alpha: { float: 0.1 } }], []),
  QLinearConcat: between(
    ['com.microsoft:QLinearConcat', ['ys', 'yz', 'a', 'as', 'az', 'b', 'bs', 'bz'], ['y'], { axis: 1 }],
    [],
  ),
  'MaxPool of integers': {
    ...between(['MaxPool', ['a'], ['y'], { kernel_shape: [2, 2] }], []),
    nodes: [
      ['QuantizeLinear', ['x', 'as', 'az'], ['a']],
      ['MaxPool', ['a'], ['p'], { kernel_shape: [2, 2] }],
      ['DequantizeLinear', ['p', 'as', 'az'], ['y']],
    ],
    inputs: { x: [1, 8, 6, 6] },
    types: {},
  },
};

describe('operators of quantized integers', () => {
  for (const [name, spec] of Object.entries(OPERATORS)) {
    it(`${name} stays within a step of its literal reading, without samples`, async () => {
      const d = await difference(spec);
      expect(d.steps).toBeLessThanOrEqual(1);
      expect(d.different).toBeLessThanOrEqual(Math.max(8, 0.02 * d.elements));
    });
  }

  it('keeps the integers of the weights', () => {
    const { graph } = convert(OPERATORS['QLinearConv']!).result;
    const w = graph.constants.find((c) => c.dtype === 'i8')!;
    const ohwi = Array.from({ length: 288 }, (_, i) => {
      const [o, t, ch] = [Math.floor(i / 72), Math.floor(i / 8) % 9, i % 8];
      return conv[0]!.values[(o * 8 + ch) * 9 + t];
    });
    expect([...w.data]).toEqual(ohwi);
    expect([...graph.constants.find((c) => c.dtype === 'i32')!.data]).toEqual([1000, -2000, 0, 77]);
  });

  it('takes the integers of the source at its ports', () => {
    const { graph } = convert(OPERATORS['QLinearAdd']!).result;
    expect(graph.inputs.map((i) => [i.u8, i.zp, i.scale && fromScale(i.scale)])).toEqual([
      [true, -8, Math.fround(0.02)],
      [true, -121, Math.fround(0.05)],
    ]);
    expect(graph.outputs[0]!.u8).toBe(true);
  });

  it('refuses what would compute with integers as they are', () => {
    const spec = between(['Add', ['q', 'q'], ['y']], []);
    const nodes: NodeSpec[] = [
      ['QuantizeLinear', ['x', 'as', 'az'], ['q']],
      ['Add', ['q', 'q'], ['y']],
    ];
    expect(() => convert({ ...spec, inputs: { x: [4] }, types: {}, nodes })).toThrow(
      /put a DequantizeLinear before it/,
    );
  });

  it('says which tensor has no type where there are no samples', () => {
    const nodes: NodeSpec[] = [
      ['QuantizeLinear', ['x', 'as', 'az'], ['q']],
      ['DequantizeLinear', ['q', 'as', 'az'], ['r']],
      ['Exp', ['r'], ['y']],
    ];
    const spec = { ...between(nodes[0]!, []), inputs: { x: [4] }, types: {}, nodes };
    expect(() => convert(spec)).toThrow(ImportError);
    expect(() => convert(spec)).toThrow(/Exp.*has no integer type/);
  });
});

describe('products quantized by their own range', () => {
  const w: TensorSpec = { name: 'w', shape: [12, 5], values: integers(60, -127, 127), type: 'i8' };
  const dynamic: ModelSpec = {
    inputs: { x: [3, 12] },
    nodes: [
      ['DynamicQuantizeLinear', ['x'], ['q', 's', 'z']],
      ['MatMulInteger', ['q', 'w', 'z', 'wz'], ['p']],
      ['Cast', ['p'], ['f'], { to: 1 }],
      ['Mul', ['s', 'ws'], ['sw']],
      ['Mul', ['f', 'sw'], ['g']],
      ['Add', ['g', 'c'], ['y']],
    ],
    constants: [w, scalar('ws', 0.01), zero('wz', 0, 'i8'), { name: 'c', shape: [5], values: [0.1, 0.2, -0.3, 0, 1] }],
    outputs: ['y'],
  };
  const samples = { dtype: 'f32', shape: [8, 3, 12], data: Float64Array.from(values(8 * 36, 9)) } as const;

  it('keeps the weights and calibrates the activations', () => {
    const { graph, float } = convert(dynamic, { samples }).result;
    expect(float.nodes.map((n) => n.op.kind)).toEqual(['dense']);
    const rows = Array.from({ length: 60 }, (_, i) => w.values[(i % 12) * 5 + Math.floor(i / 12)]);
    expect([...graph.constants.find((c) => c.dtype === 'i8')!.data]).toEqual(rows);
  });

  it('reads DynamicQuantizeMatMul as the same', () => {
    const node: NodeSpec = ['com.microsoft:DynamicQuantizeMatMul', ['x', 'w', 'ws', 'wz', 'c'], ['y']];
    const a = convert({ ...dynamic, nodes: [node] }, { samples }).result.graph;
    expect(encodeModel(a)).toEqual(encodeModel(convert(dynamic, { samples }).result.graph));
  });

  it('unpacks weights of four bits', () => {
    const bytes = integers(5 * 16, 0, 255, 5);
    const [scales, x] = [values(10, 4).map(Math.abs), values(3 * 32, 6)];
    const spec: ModelSpec = {
      inputs: { x: [3, 32] },
      nodes: [['com.microsoft:MatMulNBits', ['x', 'w', 's'], ['y'], { K: 32, N: 5, bits: 4, block_size: 16 }]],
      constants: [
        { name: 'w', shape: [5, 2, 8], values: bytes, type: 'u8' },
        { name: 's', shape: [10], values: scales },
      ],
      outputs: ['y'],
    };
    const own = { dtype: 'f32', shape: [1, 3, 32], data: Float64Array.from(x) } as const;
    const { float } = convert(spec, { samples: own }).result;
    const [op] = float.nodes.map((n) => n.op);
    const expected = Array.from({ length: 160 }, (_, i) => {
      const [o, k] = [Math.floor(i / 32), i % 32];
      const byte = bytes[o * 16 + (k >> 1)]!;
      return ((k % 2 ? byte >> 4 : byte & 15) - 8) * scales[o * 2 + Math.floor(k / 16)]!;
    });
    expect(op?.kind === 'dense' && [...op.weight].every((v, i) => Math.abs(v - expected[i]!) < 1e-6)).toBe(true);
  });
});

describe('research quantizers', () => {
  it('keep weights and activations of few bits', async () => {
    const domain = 'qonnx.custom_op.general';
    const spec: ModelSpec = {
      inputs: { x: [2, 6] },
      nodes: [
        [`${domain}:Quant`, ['x', 'as', 'zero', 'four'], ['q'], { signed: 1, narrow: 0, rounding_mode: 'ROUND' }],
        [`${domain}:Quant`, ['w', 'ws', 'zero', 'four'], ['v'], { signed: 1, narrow: 1, rounding_mode: 'ROUND' }],
        ['MatMul', ['q', 'v'], ['p']],
        ['Relu', ['p'], ['r']],
        [`${domain}:Quant`, ['r', 'as', 'zero', 'eight'], ['y'], { signed: 0, narrow: 0, rounding_mode: 'ROUND' }],
      ],
      constants: [
        { name: 'w', shape: [6, 3], values: values(18, 2) },
        { name: 'ws', shape: [1, 3], values: [0.1, 0.2, 0.15] },
        ...[scalar('as', 0.125), scalar('zero', 0), scalar('four', 4), scalar('eight', 8)],
      ],
      outputs: ['y'],
    };
    const { graph } = convert(spec).result;
    const w = graph.constants.find((c) => c.dtype === 'i8')!;
    expect(Math.max(...[...w.data].map(Math.abs))).toBeLessThanOrEqual(7);
    expect((await difference(spec)).steps).toBeLessThanOrEqual(1);
  });
});

const shared = join(process.env['SAMEBIT_SHARED'] ?? join(import.meta.dirname, '../../../shared'), 'models/mnist-cnn');

// The quantized files are no part of this repository: read from SAMEBIT_SHARED where that is.
describe.skipIf(!existsSync(shared))('mnist-cnn in its quantized forms (needs the shared folder)', () => {
  const digits = (): ReturnType<typeof readNpy> => readNpy(join(shared, 'test.npy'));
  for (const form of ['qdq', 'qoperator']) {
    it(`${form}: within two output steps of the literal outputs, top-1 of at least 99.2 %`, async () => {
      const source = parseOnnx(readFileSync(join(shared, `model_${form}.onnx`)));
      const { graph } = convertModel(source, 138178, { inputType: 'u8', std: [255] });
      const model = loadModel(encodeModel(graph));
      const session = await createSession(model, { backend: 'wasm' });
      const [expected, labels, images] = [
        readNpy(join(shared, `${form}_outputs.npy`)),
        readNpy(join(shared, 'labels.npy')),
        digits(),
      ];
      const [{ tensor, scale }] = model.outputs as [(typeof model.outputs)[0]];
      const [step, { zp }] = [fromScale(scale!), model.tensors[tensor]!];
      let [worst, right] = [0, 0];
      for (let i = 0; i < 2000; i++) {
        const data = Uint8Array.from({ length: 784 }, (_, p) => images.data[i * 784 + p]!);
        const { outputs } = await session.run({ input: { dtype: 'u8', shape: [1, 28, 28, 1], data } });
        const y = Array.from(outputs['output']!.data, (q) => q - zp);
        if (y.indexOf(Math.max(...y)) === labels.data[i]) right++;
        y.forEach((q, k) => {
          worst = Math.max(worst, Math.abs(q - expected.data[i * 10 + k]! / step));
        });
      }
      expect(worst).toBeLessThan(2);
      expect(right / 2000).toBeGreaterThanOrEqual(0.992);
    });
  }
});
