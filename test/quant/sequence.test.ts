import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { evaluateModel } from '../../src/onnx/evaluate.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import type { OnnxArray } from '../../src/onnx/tensor.ts';
import { type ConvertResult, convertOnnx } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { sourceOrder } from '../../src/quant/samples.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, type ModelSpec, type TensorSpec, values } from '../onnx/build.ts';

const COUNT = 4;

/** Values of every input of a model: `COUNT` samples, the first of which runs. */
function samplesOf(spec: ModelSpec): Record<string, { dtype: 'f32'; shape: number[]; data: number[] }> {
  return Object.fromEntries(
    Object.entries(spec.inputs).map(([name, shape], i) => {
      const n = (shape as number[]).reduce((a, d) => a * d, 1);
      return [name, { dtype: 'f32', shape: [COUNT, ...(shape as number[])], data: values(COUNT * n, 11 + i) }];
    }),
  );
}

/** Outputs of the integer model on the first sample as reals in ONNX order, equal on two backends. */
async function runInteger(
  result: ConvertResult,
  inputs: ReadonlyMap<string, OnnxArray>,
): Promise<Map<string, number[]>> {
  const model = loadModel(encodeModel(result.graph));
  const given = Object.fromEntries(
    result.float.inputs.map((port, i) => {
      const { data } = inputs.get(port.name)!;
      const order = sourceOrder(result.float, port);
      return [
        port.name,
        quantizeInput(result.graph.inputs[i]!, order ? Float64Array.from(order, (at) => data[at]!) : data),
      ];
    }),
  );
  const [a, b] = await Promise.all(
    (['reference', 'wasm'] as const).map(async (backend) => (await createSession(model, { backend })).run(given)),
  );
  expect(a!.digest).toEqual(b!.digest);
  return new Map(
    result.float.outputs.map((port) => {
      const type = result.types[port.tensor]!;
      const order = sourceOrder(result.float, port);
      const y = a!.outputs[port.name]!.data;
      const out = new Array<number>(y.length);
      y.forEach((q, i) => {
        out[order ? order[i]! : i] = (q - type.zp) * type.scale;
      });
      return [port.name, out];
    }),
  );
}

/** Converts, runs and gives the ratio of signal to error of every output in dB against the node-by-node evaluation. */
async function fidelity(spec: ModelSpec): Promise<{ result: ConvertResult; dB: number[] }> {
  const bytes = buildOnnx(spec);
  const samples = samplesOf(spec);
  const inputs = new Map<string, OnnxArray>(
    Object.entries(samples).map(([name, { shape, data }]) => [
      name,
      { dtype: 'float32', shape: shape.slice(1), data: Float64Array.from(data.slice(0, data.length / COUNT)) },
    ]),
  );
  const expected = evaluateModel(parseOnnx(bytes), inputs);
  const result = convertOnnx(bytes, { samples });
  const outputs = await runInteger(result, inputs);
  const dB = spec.outputs.map((name) => {
    const e = expected.get(name)!.data;
    const y = outputs.get(name)!;
    expect(y.length).toBe(e.length);
    let [signal, error] = [0, 0];
    e.forEach((v, i) => {
      signal += v * v;
      error += (y[i]! - v) ** 2;
    });
    return error === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / error);
  });
  return { result, dB };
}

function ops(result: ConvertResult): string {
  return result.graph.nodes.map((n) => n.op).join(' ');
}

const weight = (name: string, shape: readonly number[], seed: number, by = 0.5): TensorSpec => ({
  name,
  shape,
  values: values(
    shape.reduce((a, d) => a * d, 1),
    seed,
  ).map((v) => v * by),
});

interface Recurrent {
  readonly op: 'LSTM' | 'GRU';
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
  readonly layout: 0 | 1;
  readonly states: boolean;
  readonly attributes?: Readonly<Record<string, number>>;
}

function recurrent({ op, direction, layout, states, attributes }: Recurrent): ModelSpec {
  const [time, batch, width, hidden] = [7, 2, 5, 6];
  const dirs = direction === 'bidirectional' ? 2 : 1;
  const gates = op === 'LSTM' ? 4 : 3;
  const swap = (a: number, b: number, ...rest: number[]): number[] =>
    layout === 1 ? [b, a, ...rest] : [a, b, ...rest];
  const initial = states ? ['', 'h0', ...(op === 'LSTM' ? ['c0'] : [])] : [];
  return {
    inputs: {
      x: swap(time, batch, width),
      ...(states ? { h0: swap(dirs, batch, hidden) } : {}),
      ...(states && op === 'LSTM' ? { c0: swap(dirs, batch, hidden) } : {}),
    },
    nodes: [
      [
        op,
        ['x', 'w', 'r', 'b', ...initial],
        op === 'LSTM' ? ['y', 'yh', 'yc'] : ['y', 'yh'],
        { hidden_size: hidden, direction, layout, ...attributes },
      ],
    ],
    constants: [
      weight('w', [dirs, gates * hidden, width], 3),
      weight('r', [dirs, gates * hidden, hidden], 4),
      weight('b', [dirs, 2 * gates * hidden], 5),
    ],
    outputs: op === 'LSTM' ? ['y', 'yh', 'yc'] : ['y', 'yh'],
  };
}

describe('recurrent layers', () => {
  for (const direction of ['forward', 'reverse', 'bidirectional'] as const)
    for (const states of [false, true])
      for (const layout of [0, 1] as const) {
        it(`LSTM ${direction}, layout ${layout}${states ? ', states given' : ''}`, async () => {
          const { result, dB } = await fidelity(recurrent({ op: 'LSTM', direction, layout, states }));
          expect(ops(result).match(/lstm/g)).toHaveLength(direction === 'bidirectional' ? 2 : 1);
          for (const v of dB) expect(v).toBeGreaterThan(45);
        });
        for (const after of [0, 1])
          it(`GRU ${direction}, layout ${layout}${states ? ', states given' : ''}, reset ${after ? 'behind' : 'before'} the product`, async () => {
            const attributes = { linear_before_reset: after };
            const { result, dB } = await fidelity(recurrent({ op: 'GRU', direction, layout, states, attributes }));
            expect(ops(result).match(/gru/g)).toHaveLength(direction === 'bidirectional' ? 2 : 1);
            for (const v of dB) expect(v).toBeGreaterThan(45);
          });
      }

  it('keeps only the last hidden values where nothing else is asked for', async () => {
    const spec = recurrent({ op: 'LSTM', direction: 'forward', layout: 0, states: false });
    const { result, dB } = await fidelity({ ...spec, outputs: ['yh'] });
    expect(ops(result)).toBe('lstm slice');
    expect(dB[0]).toBeGreaterThan(45);
  });
});

describe('transposed convolution', () => {
  const cases = [
    { size: [5, 6], kernel: [2, 2], attributes: { strides: [2, 2] } },
    { size: [4, 5], kernel: [3, 3], attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] } },
    { size: [3, 4], kernel: [3, 2], attributes: { strides: [3, 1], dilations: [2, 1], pads: [0, 1, 2, 0] } },
    { size: [4, 3], kernel: [3, 3], attributes: { strides: [2, 3], group: 2 } },
    { size: [3, 3], kernel: [2, 2], attributes: { strides: [2, 2], output_shape: [9, 10] } },
    { size: [4, 4], kernel: [4, 4], attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' } },
  ] as const;
  for (const { size, kernel, attributes } of cases)
    it(`of ${kernel.join('×')} with ${JSON.stringify(attributes)}`, async () => {
      const groups = 'group' in attributes ? attributes.group : 1;
      const { result, dB } = await fidelity({
        inputs: { x: [2, 4, ...size] },
        nodes: [
          ['ConvTranspose', ['x', 'w', 'b'], ['c'], attributes],
          ['Relu', ['c'], ['y']],
        ],
        constants: [weight('w', [4, 6 / groups, ...kernel], 8), weight('b', [6], 9)],
        outputs: ['y'],
      });
      expect(ops(result)).toContain('conv_transpose2d');
      expect(dB[0]).toBeGreaterThan(34);
    });
});

describe('order and sums', () => {
  it('TopK gives values and indices from one node', async () => {
    const { result, dB } = await fidelity({
      inputs: { x: [3, 9] },
      nodes: [['TopK', ['x', 'k'], ['v', 'i'], { axis: 1, largest: 0 }]],
      constants: [{ name: 'k', shape: [1], values: [4], int: true }],
      outputs: ['v', 'i'],
    });
    expect(ops(result)).toBe('topk');
    expect(dB[0]).toBeGreaterThan(70);
    expect(dB[1]).toBe(Number.POSITIVE_INFINITY);
  });

  it('CumSum along any axis, exclusive and reversed', async () => {
    for (const attributes of [{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }]) {
      const { result, dB } = await fidelity({
        inputs: { x: [4, 5, 3] },
        nodes: [['CumSum', ['x', 'a'], ['y'], attributes]],
        constants: [{ name: 'a', shape: [], values: [-2], int: true }],
        outputs: ['y'],
      });
      expect(ops(result)).toBe('cumsum rescale');
      expect(dB[0]).toBeGreaterThan(60);
    }
  });

  it('NonMaxSuppression gives rows of a fixed number, −1 behind the kept boxes', async () => {
    const boxes = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101];
    const scores = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3];
    const bytes = buildOnnx({
      inputs: { boxes: [1, 6, 4], scores: [1, 1, 6] },
      nodes: [['NonMaxSuppression', ['boxes', 'scores', 'm', 'o', 's'], ['y']]],
      constants: [
        { name: 'm', shape: [1], values: [4], int: true },
        { name: 'o', shape: [1], values: [0.5] },
        { name: 's', shape: [1], values: [0.4] },
      ],
      outputs: ['y'],
    });
    const sample = (data: number[], shape: number[]): { dtype: 'f32'; shape: number[]; data: number[] } => ({
      dtype: 'f32',
      shape: [1, ...shape],
      data,
    });
    const samples = { boxes: sample(boxes, [1, 6, 4]), scores: sample(scores, [1, 1, 6]) };
    const result = convertOnnx(bytes, { samples });
    const inputs = new Map<string, OnnxArray>([
      ['boxes', { dtype: 'float32', shape: [1, 6, 4], data: Float64Array.from(boxes) }],
      ['scores', { dtype: 'float32', shape: [1, 1, 6], data: Float64Array.from(scores) }],
    ]);
    expect([...evaluateModel(parseOnnx(bytes), inputs).get('y')!.data]).toEqual([0, 0, 3, 0, 0, 0]);
    expect((await runInteger(result, inputs)).get('y')).toEqual([0, 0, 3, 0, 0, 0, 0, 0, -1, 0, 0, -1]);
  });
});

describe('norms and rotations', () => {
  it('group and instance normalisation run as one op', async () => {
    for (const [op, attributes] of [
      ['GroupNormalization', { num_groups: 2 }],
      ['InstanceNormalization', {}],
    ] as const) {
      const { result, dB } = await fidelity({
        opset: 21,
        inputs: { x: [2, 4, 5, 6] },
        nodes: [[op, ['x', 'g', 'b'], ['y'], attributes]],
        constants: [weight('g', [4], 21, 2), weight('b', [4], 22)],
        outputs: ['y'],
      });
      expect(ops(result)).toContain('group_norm');
      expect(dB[0]).toBeGreaterThan(34);
    }
  });

  it('RMSNormalization runs as one op', async () => {
    const { result, dB } = await fidelity({
      opset: 23,
      inputs: { x: [3, 16] },
      nodes: [['RMSNormalization', ['x', 'g'], ['y'], { axis: -1 }]],
      constants: [weight('g', [16], 23, 2)],
      outputs: ['y'],
    });
    expect(ops(result)).toBe('rms_norm');
    expect(dB[0]).toBeGreaterThan(50);
  });

  /** Tables of cosines or sines of 8 places. */
  const tables = (f: (x: number) => number): number[] =>
    Array.from({ length: 32 }, (_, at) => Math.fround(f(Math.floor(at / 4) * 10000 ** (-(at % 4) / 4))));

  for (const interleaved of [0, 1])
    for (const rank of [3, 4])
      it(`rotary embedding by the usual tables is one op (rank ${rank}, interleaved ${interleaved})`, async () => {
        const { result, dB } = await fidelity({
          opset: 23,
          inputs: { x: rank === 4 ? [2, 3, 5, 10] : [2, 5, 30] },
          nodes: [
            ['RotaryEmbedding', ['x', 'c', 's', 'p'], ['y'], { interleaved, num_heads: 3, rotary_embedding_dim: 8 }],
          ],
          constants: [
            { name: 'c', shape: [8, 4], values: tables(Math.cos) },
            { name: 's', shape: [8, 4], values: tables(Math.sin) },
            { name: 'p', shape: [2, 5], values: [2, 3, 4, 5, 6, 2, 3, 4, 5, 6], int: true },
          ],
          outputs: ['y'],
        });
        expect(ops(result)).toContain('rope');
        expect(ops(result)).not.toContain('mul');
        expect(dB[0]).toBeGreaterThan(rank === 4 ? 45 : 60); // an input of rank 4 is an image of 8 bits
      });
});
