import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { type ConvertOptions, convertOnnx } from '../../src/quant/convert.ts';
import { dequantizeOutput, quantizeInput } from '../../src/quant/float-io.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { type SampleTensor, sampleReader } from '../../src/quant/samples.ts';
import {
  fraction,
  fromScale,
  i8Type,
  linearShift,
  multiplier,
  quantizeLayer,
  toScale,
} from '../../src/quant/scales.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, values } from '../onnx/build.ts';
import { fixture, readNpy } from './npy.ts';
import { integerRunner } from './run-integer.ts';

const MNIST = fixture('mnist', 'mnist-cnn');
const GERMAN = fixture('german-credit', 'german-credit-mlp');
const U8: ConvertOptions = { inputType: 'u8', mean: [0], std: [255] };

function first(samples: SampleTensor, n: number): SampleTensor {
  return { ...samples, shape: [n, ...samples.shape.slice(1)] };
}

function argmax(v: ArrayLike<number>): number {
  return Array.from(v).reduce((best, x, i, all) => (x > all[best]! ? i : best), 0);
}

/** Greatest difference between the float interpreter and stored outputs over n samples. */
function floatError(folder: string, divisor: number, n: number): number {
  const graph = lower(parseOnnx(readFileSync(join(folder, 'model.onnx'))));
  const test = readNpy(join(folder, 'test.npy'));
  const expected = readNpy(join(folder, 'float_outputs.npy')).data;
  const reader = sampleReader(graph, graph.inputs[0]!, {
    ...test,
    data: Float32Array.from(test.data, (v) => v / divisor),
  });
  const interpreter = createInterpreter(graph);
  let error = 0;
  for (let i = 0; i < n; i++) {
    interpreter.run([reader.read(i)]);
    interpreter.values[graph.outputs[0]!.tensor]!.forEach((v, j, y) => {
      error = Math.max(error, Math.abs(v - expected[i * y.length + j]!));
    });
  }
  return error;
}

/** Runs a graph through the format, the validator and the reference backend. */
async function runReference(graph: Graph, input: ReturnType<typeof quantizeInput>): Promise<number[]> {
  const session = await createSession(loadModel(encodeModel(graph)), { backend: 'reference' });
  const { outputs } = await session.run({ [graph.inputs[0]!.name]: input });
  return Array.from(outputs[graph.outputs[0]!.name]!.data);
}

// Runs wherever examples/ or SAMEBIT_SHARED holds the files; the title says when they are absent.
describe.skipIf(!MNIST)(`mnist-cnn${MNIST ? '' : ' (its files are absent)'}`, () => {
  const folder = MNIST!;
  const convert = (calib: number): ReturnType<typeof convertOnnx> =>
    convertOnnx(readFileSync(join(folder, 'model.onnx')), {
      ...U8,
      samples: first(readNpy(join(folder, 'calib.npy')), calib),
    });

  it('the float interpreter reproduces the stored outputs', () => {
    expect(floatError(folder, 255, 40)).toBeLessThan(1e-5);
  });

  it('keeps the accuracy of the float model', { timeout: 60000 }, () => {
    const { graph } = convert(64);
    expect(encodeModel(graph).length).toBeLessThan(0.27 * readFileSync(join(folder, 'model.onnx')).length);
    const [test, labels] = [readNpy(join(folder, 'test.npy')), readNpy(join(folder, 'labels.npy')).data];
    const run = integerRunner(graph);
    const n = Math.min(500, labels.length);
    let correct = 0;
    for (let i = 0; i < n; i++) {
      const digit = Array.from({ length: 784 }, (_, p) => test.data[i * 784 + p]! - 128);
      if (argmax(run(digit)) === labels[i]) correct++;
    }
    expect(correct / n).toBeGreaterThanOrEqual(0.985);
  });

  it('is valid, reproducible, and its twin runs as the reference does', async () => {
    const [a, b] = [convert(4), convert(4)];
    expect(encodeModel(a.graph)).toEqual(encodeModel(b.graph));
    const digit = Uint8Array.from({ length: 784 }, (_, p) => readNpy(join(folder, 'test.npy')).data[p]!);
    const input = { dtype: 'u8', shape: [1, 28, 28, 1], data: digit } as const;
    const expected = integerRunner(a.graph)(Array.from(digit, (v) => v - 128));
    expect(await runReference(a.graph, input)).toEqual([...expected]);
  });
});

// As above.
describe.skipIf(!GERMAN)(`german-credit-mlp${GERMAN ? '' : ' (its files are absent)'}`, () => {
  const folder = GERMAN!;

  it('the float interpreter reproduces the stored outputs', () => {
    expect(floatError(folder, 1, 250)).toBeLessThan(1e-6);
  });

  it.each(['minmax', 'mse', { percentile: 99.99 }] as const)('decides as the float model does (%o)', async (ranges) => {
    const { graph } = convertOnnx(readFileSync(join(folder, 'model.onnx')), {
      samples: readNpy(join(folder, 'calib.npy')),
      ranges,
    });
    const [test, labels, floats] = ['test', 'labels', 'float_outputs'].map((f) =>
      readNpy(join(folder, `${f}.npy`)),
    ) as [SampleTensor, SampleTensor, SampleTensor];
    const session = await createSession(loadModel(encodeModel(graph)), { backend: 'reference' });
    let [correct, agree] = [0, 0];
    for (let i = 0; i < 250; i++) {
      const row = Array.from({ length: 61 }, (_, k) => test.data[i * 61 + k]!);
      const { outputs } = await session.run({ features: quantizeInput(graph.inputs[0]!, row) });
      const p = dequantizeOutput(graph.outputs[0]!, outputs.p_bad!, 0)[0]!;
      if (p >= 0.5 === (labels.data[i] === 1)) correct++;
      if (p >= 0.5 === floats.data[i]! >= 0.5) agree++;
    }
    expect(correct).toBeGreaterThanOrEqual(189);
    expect(agree / 250).toBeGreaterThanOrEqual(0.97);
  });
});

describe('input normalisation', () => {
  const size = 6;
  const image = Uint8Array.from(values(3 * size * size * 8, 3), (v) => Math.floor((v + 1) * 127.5));
  const samples: SampleTensor = { dtype: 'u8', shape: [8, 3, size, size], data: image };
  const model = buildOnnx({
    inputs: { x: ['N', 3, size, size] },
    constants: [
      { name: 'w', shape: [4, 3, 3, 3], values: values(108, 5) },
      { name: 'b', shape: [4], values: values(4, 6) },
    ],
    nodes: [['Conv', ['x', 'w', 'b'], ['y'], { pads: [1, 1, 1, 1] }]],
    outputs: ['y'],
  });
  const source = lower(parseOnnx(model));

  it.each([
    { mean: [0], std: [255], ops: 'conv2d' },
    { mean: [128], std: [64], ops: 'conv2d' },
    { mean: [127.5], std: [127.5], ops: 'pad conv2d' },
    { mean: [123, 117, 104], std: [58, 57, 57.5], ops: 'pad conv2d' },
    { mean: [10], std: [58, 57, 57.5], ops: 'conv2d' },
  ])('u8 with mean $mean and std $std becomes $ops', async ({ mean, std, ops }) => {
    const { graph } = convertOnnx(model, { inputType: 'u8', mean, std, samples });
    expect(graph.nodes.map((n) => n.op).join(' ')).toBe(ops);
    const at = (v: readonly number[], c: number): number => v[v.length === 1 ? 0 : c]!;
    const pixels = Uint8Array.from(
      { length: 3 * size * size },
      (_, i) => image[(i % 3) * size * size + Math.floor(i / 3)]!,
    ); // NHWC
    const interpreter = createInterpreter(source);
    interpreter.run([Float64Array.from(pixels, (u, i) => (u - at(mean, i % 3)) / at(std, i % 3))]);
    const expected = interpreter.values[source.outputs[0]!.tensor]!;
    const y = await runReference(graph, { dtype: 'u8', shape: [1, size, size, 3], data: pixels });
    const scale = fromScale(graph.outputs[0]!.scale!);
    const reach = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    y.forEach((q, i) => {
      expect(Math.abs(q * scale - expected[i]!)).toBeLessThan(0.02 * reach);
    });
  });

  it('takes normalised float samples for the same model', () => {
    const floats = {
      dtype: 'f32',
      shape: samples.shape,
      data: Float32Array.from(image, (u) => (u - 128) / 64),
    } as const;
    const options: ConvertOptions = { inputType: 'u8', mean: [128], std: [64] };
    expect(encodeModel(convertOnnx(model, { ...options, samples: floats }).graph)).toEqual(
      encodeModel(convertOnnx(model, { ...options, samples }).graph),
    );
  });
});

describe('op coverage', () => {
  it('quantizes pools, sums, tables, softmax and lone affines to a valid graph close to the float one', async () => {
    const constants = [
      { name: 'w', shape: [4, 2, 3, 3], values: values(72, 2) },
      { name: 'k', shape: [4, 4], values: values(16, 3) },
      { name: 'row', shape: [1, 4], values: [0.5, -0.5, 1, 2] },
    ];
    const model = buildOnnx({
      inputs: { x: [1, 2, 8, 8] },
      constants,
      nodes: [
        ['Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }],
        ['Tanh', ['c'], ['t']],
        ['Add', ['c', 't'], ['s']],
        ['AveragePool', ['s'], ['p'], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
        ['GlobalAveragePool', ['p'], ['g']],
        ['Flatten', ['g'], ['f']],
        ['Mul', ['f', 'row'], ['m']],
        ['MatMul', ['m', 'k'], ['d']],
        ['Softmax', ['d'], ['y']],
      ],
      outputs: ['y'],
    });
    const samples: SampleTensor = { dtype: 'f32', shape: [20, 2, 8, 8], data: Float32Array.from(values(2560, 7)) };
    const { graph, float } = convertOnnx(model, { samples });
    const interpreter = createInterpreter(float);
    for (let i = 0; i < 3; i++) {
      const x = sampleReader(float, float.inputs[0]!, samples).read(i);
      interpreter.run([x]);
      const expected = interpreter.values[float.outputs[0]!.tensor]!;
      const y = await runReference(graph, quantizeInput(graph.inputs[0]!, x));
      y.forEach((q, j) => {
        expect(Math.abs(q / 32768 - expected[j]!)).toBeLessThan(0.02);
      });
    }
  });

  it.each([
    [
      'a quotient of tensors',
      [
        ['Exp', ['x'], ['e']],
        ['Div', ['x', 'e'], ['y']],
      ],
    ],
    ['a logarithm of a softmax', [['LogSoftmax', ['x'], ['y'], { axis: -1 }]]],
  ] as const)('%s', async (_, nodes) => {
    const model = buildOnnx({ inputs: { x: [1, 8] }, nodes, outputs: ['y'] });
    const data = Float32Array.from(values(320, 5), (v) => 2 * v);
    const samples: SampleTensor = { dtype: 'f32', shape: [40, 8], data };
    const { graph, float } = convertOnnx(model, { samples });
    const interpreter = createInterpreter(float);
    let [reach, error] = [0, 0];
    for (let i = 0; i < 20; i++) {
      const x = sampleReader(float, float.inputs[0]!, samples).read(i);
      interpreter.run([x]);
      const expected = interpreter.values[float.outputs[0]!.tensor]!;
      const session = await createSession(loadModel(encodeModel(graph)), { backend: 'reference' });
      const { outputs } = await session.run({ [graph.inputs[0]!.name]: quantizeInput(graph.inputs[0]!, x) });
      const zp = loadModel(encodeModel(graph)).tensors[graph.outputs[0]!.tensor]!.zp;
      const y = dequantizeOutput(graph.outputs[0]!, outputs[graph.outputs[0]!.name]!, zp);
      y.forEach((v, j) => {
        reach = Math.max(reach, Math.abs(expected[j]!));
        error = Math.max(error, Math.abs(v - expected[j]!));
      });
    }
    expect(error).toBeLessThan(0.03 * reach);
  });

  it('refuses to quantize without samples, with wrong ones, or with wrong options', () => {
    const model = buildOnnx({ inputs: { x: [1, 4] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] });
    const code = (options: ConvertOptions): string => {
      try {
        convertOnnx(model, options);
      } catch (error) {
        return error instanceof ImportError ? error.code : String(error);
      }
      return 'accepted';
    };
    const samples: SampleTensor = { dtype: 'f32', shape: [2, 4], data: Float32Array.from(values(8)) };
    expect(code({})).toBe('NeedsCalibration');
    expect(code({ samples })).toBe('accepted');
    expect(code({ samples: { ...samples, shape: [2, 3] } })).toBe('BadSamples');
    expect(code({ samples: { ...samples, data: Float32Array.of(...values(7), Number.NaN) } })).toBe('BadSamples');
    expect(code({ samples, ranges: { percentile: 20 } })).toBe('BadOption');
    expect(code({ samples, dims: { T: 4 } })).toBe('BadOption');
    expect(code({ samples, inputType: 'i32' })).toBe('BadOption');
    expect(code({ samples, inputType: 'u8', std: [0] })).toBe('BadOption');
    expect(code({ samples, inputType: 'u8', mean: [1, 2] })).toBe('BadOption');
    for (const wrong of [
      { weights: 'i2' },
      { ranges: 'foo' },
      { target: -1 },
      { target: Number.NaN },
      { inputType: 'u16' },
    ])
      expect(code({ samples, ...wrong } as never)).toMatch(/^TypeError: option \w+ is /);
    expect(code({ samples, equalize: true } as never)).toContain('did you mean equalise?');
  });
});

describe('scales', () => {
  it('a ratio becomes the nearest fraction', () => {
    const all = Array.from({ length: 400 }, (_, i) => [1 + (i % 20), 1 + Math.floor(i / 20)] as const);
    for (const r of values(300, 9).map((v) => Math.exp(3 * v))) {
      const best = Math.min(...all.map(([p, q]) => Math.abs(p / q - r)));
      if (r > 20 || r < 1 / 20) expect(fraction(r, 20)).toBeUndefined();
      else {
        const { p, q } = fraction(r, 20)!;
        expect(Math.abs(p / q - r), `${r}: ${p}/${q}`).toBeLessThanOrEqual(best);
        expect([p, q].every((v) => Number.isInteger(v) && v >= 1 && v <= 20)).toBe(true);
      }
    }
    expect([fraction(1, 65535), fraction(0.75, 65535), fraction(65535, 65535)]).toEqual([
      { p: 1, q: 1 },
      { p: 3, q: 4 },
      { p: 65535, q: 1 },
    ]);
  });

  it('stores any positive double exactly', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -1000, max: 2 ** 1000, noNaN: true }), (v) => {
        const s = toScale(v);
        expect(s.mantissa % 2).toBe(1);
        expect(fromScale(s)).toBe(v);
      }),
      { seed: 3 },
    );
  });

  it('covers a range and hits zero', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        (a, b) => {
          const [lo, hi] = [Math.min(a, b, 0), Math.max(a, b, 0)];
          const t = i8Type({ lo, hi });
          if (hi - lo < 2 ** -90) return;
          expect((-128 - t.zp) * t.scale).toBeLessThanOrEqual(lo + t.scale * 0.5001);
          expect((127 - t.zp) * t.scale).toBeGreaterThanOrEqual(hi - t.scale * 0.5001);
        },
      ),
      { seed: 4 },
    );
  });

  it('chooses the least l and leaves no gain error', () => {
    expect(multiplier(0.25)).toEqual({ m: 2 ** 30, l: 0 });
    expect(multiplier(0.5)).toEqual({ m: 2 ** 30, l: 1 });
    expect(multiplier(1)).toEqual({ m: 2 ** 30, l: 2 });
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: -14, max: 4 }),
        (w, e) => {
          const outputScale = 2 ** e;
          const spec = {
            weight: Float64Array.from(w),
            bias: Float64Array.of(w[0]!, 0),
            inputScale: 1 / 64,
            centred: { lo: -255, hi: 255 },
            outputScale,
          };
          const q = quantizeLayer(spec)!;
          expect(q.l === 0 || Math.max(...q.m) >= 2 ** 30).toBe(true);
          q.w.forEach((v, i) => {
            expect(Math.abs(v * q.scales[Math.floor(i / 3)]! - w[i]!)).toBeLessThanOrEqual(
              q.scales[Math.floor(i / 3)]! * 0.5001,
            );
          });
          q.m.forEach((m, o) => {
            expect(m * 2 ** (q.l - 32)).toBe((q.scales[o]! * spec.inputScale) / outputScale);
          });
        },
      ),
      { seed: 5 },
    );
  });

  it('doubles a row whose proof fails', () => {
    const k = 200000;
    const spec = {
      weight: new Float64Array(k).fill(1),
      bias: Float64Array.of(0),
      inputScale: 1,
      centred: { lo: -255, hi: 255 },
      outputScale: 1e6,
    };
    const q = quantizeLayer(spec)!;
    expect(q.w[0]! * k * 255).toBeLessThan(2 ** 31);
    expect(q.w[0]!).toBeGreaterThan(20);
  });

  it('gives linear2 whole multipliers without a common factor', () => {
    expect(linearShift(1, 1, 255, 255, 0)).toEqual({ ma: 1, mb: 1, s: 0 });
    expect(linearShift(0.5, 0.25, 255, 255, 0)).toEqual({ ma: 2, mb: 1, s: 2 });
    expect(linearShift(1e6, 1, 255, 255, 0)).toBeUndefined();
  });
});
