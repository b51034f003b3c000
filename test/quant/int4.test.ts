/** i4 weights in blocks: their arithmetic, small layers on two backends, and real models: size against i8 and what is lost. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { i4At } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { type ConvertOptions, convertOnnx } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { INT4_BLOCK, packInt4, quantizeInt4 } from '../../src/quant/int4.ts';
import { createRounder } from '../../src/quant/rounding.ts';
import { fromScale, type LayerSpec } from '../../src/quant/scales.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, values } from '../onnx/build.ts';
import { fixture, readNpy } from './npy.ts';

/** A layer of `rows` rows of k weights whose blocks differ in size. */
function spec(rows: number, k: number, reach = 128): LayerSpec {
  const weight = Float64Array.from(values(rows * k, 3), (v, i) => v * (1 + ((i >> 4) % 7)));
  const bias = Float64Array.from(values(rows, 4));
  return { weight, bias, inputScale: 0.01, outputScale: 0.05, centred: { lo: -reach, hi: reach } };
}

/** What the integers of row o stand for. */
function real({ inputScale, outputScale }: LayerSpec, q: NonNullable<ReturnType<typeof quantizeInt4>>): Float64Array {
  const k = q.w.length / q.b.length;
  const blocks = q.u.length / q.b.length;
  const step = (o: number): number => (q.m[o]! * 2 ** (q.l - 32) * outputScale) / inputScale;
  return Float64Array.from(q.w, (w, i) => {
    const [o, j] = [Math.floor(i / k), Math.floor((i % k) / INT4_BLOCK)];
    return w * q.u[o * blocks + j]! * step(o);
  });
}

describe('a layer of i4 weights', () => {
  it('has a scale a block, which a row of one scale cannot match', () => {
    const layer = spec(5, 100);
    const q = quantizeInt4(layer)!;
    expect(q.u.length).toBe(5 * 4);
    expect([Math.min(...q.w), Math.max(...q.w)]).toEqual([-8, 7]);
    expect(Math.min(...q.u)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...q.u)).toBeGreaterThan(200);
    const own = real(layer, q);
    const power = layer.weight.reduce((a, v) => a + v * v, 0);
    const error = layer.weight.reduce((a, v, i) => a + (v - own[i]!) ** 2, 0);
    expect(error / power).toBeLessThan(0.01);
  });

  it('takes smaller scales where the accumulator would not fit, and is undefined where none does', () => {
    const wide = quantizeInt4(spec(3, 512, 32768))!;
    expect(Math.max(...wide.u)).toBeLessThan(128);
    for (let o = 0; o < 3; o++) {
      let sum = Math.abs(wide.b[o]!);
      for (let i = 0; i < 512; i++) sum += Math.abs(wide.w[o * 512 + i]!) * wide.u[o * 16 + (i >> 5)]! * 32768;
      expect(sum).toBeLessThan(2 ** 31);
    }
    expect(quantizeInt4({ ...spec(1, 65536, 32768), weight: new Float64Array(65536).fill(1) })).toBeUndefined();
  });

  it('rounds the weights of a row together, and moves what is left into the bias', () => {
    const k = 64;
    const mean = new Float64Array(k).fill(1);
    const second = Float64Array.from({ length: k * k }, (_, i) => (i % (k + 1) === 0 ? 2.1 : 2)); // inputs nearly alike
    const stats = { count: 99, groups: [{ mean, second }] };
    const layer = spec(4, k);
    const sums = (fit: boolean): number => {
      const rounder = createRounder(stats, 4, { fit, correct: false, fine: 0 });
      const own = real(layer, quantizeInt4({ ...layer, rounder })!);
      let error = 0;
      for (let o = 0; o < 4; o++) {
        let drift = 0;
        for (let i = o * k; i < (o + 1) * k; i++) drift += layer.weight[i]! - own[i]!;
        error += drift * drift;
      }
      return error;
    };
    expect(sums(true)).toBeLessThan(0.05 * sums(false));
    const biasOf = (correct: boolean): Int32Array =>
      quantizeInt4({ ...layer, rounder: createRounder(stats, 4, { fit: false, correct, fine: 0 }) })!.b;
    expect(biasOf(true)).not.toEqual(biasOf(false));
  });

  it('is packed low nibble first', () => {
    const w = Int8Array.of(-8, 7, 0, -1, 3);
    const packed = packInt4(w);
    expect(packed.length).toBe(3);
    expect(Array.from(w, (_, i) => i4At(packed, i))).toEqual([...w]);
  });
});

describe('--weights i4', () => {
  const dims = [1, 32, 9, 7];
  const taps = values(48 * 32 * 9, 1).map((v) => v / 17);
  const model = buildOnnx({
    inputs: { x: dims },
    nodes: [
      ['Conv', ['x', 'a'], ['h'], { kernel_shape: [3, 3], pads: [1, 0, 1, 2], strides: [2, 1], dilations: [1, 2] }],
      ['Relu', ['h'], ['r']],
      ['Conv', ['r', 'b'], ['s'], { kernel_shape: [1, 1] }],
      ['Relu', ['s'], ['t']],
      ['GlobalAveragePool', ['t'], ['g']],
      ['Flatten', ['g'], ['f']],
      ['MatMul', ['f', 'c'], ['y']],
    ],
    constants: [
      { name: 'a', shape: [48, 32, 3, 3], values: taps },
      { name: 'b', shape: [40, 48, 1, 1], values: values(40 * 48, 2) },
      { name: 'c', shape: [40, 10], values: values(400, 3) },
    ],
    outputs: ['y'],
  });
  const size = 32 * 63;
  const samples = {
    dtype: 'f32' as const,
    shape: [16, ...dims.slice(1)],
    data: Float32Array.from(values(16 * size, 9)),
  };
  const convert = (options: ConvertOptions): ReturnType<typeof convertOnnx> =>
    convertOnnx(model, { samples, ...options });

  it('turns dense layers and convolutions into dense nodes of i4, the same bits on every backend', async () => {
    const { graph, report } = convert({ weights: 'i4' });
    expect(report.int4.map((l) => l.source)).toEqual(['Conv', 'Conv', 'MatMul']);
    expect(graph.nodes.filter((n) => n.op === 'slice').length).toBe(9);
    expect(convert({}).report.int4).toEqual([]);
    const loaded = loadModel(encodeModel(graph));
    const input = quantizeInput(graph.inputs[0]!, Float64Array.from(values(size, 11)));
    const runs = await Promise.all(
      (['reference', 'wasm'] as const).map(async (backend) => {
        const session = await createSession(loaded, { backend });
        return [...(await session.run({ x: input })).outputs['y']!.data];
      }),
    );
    expect(runs[1]).toEqual(runs[0]);
    const eight = convert({}).graph;
    const session = await createSession(loadModel(encodeModel(eight)), { backend: 'wasm' });
    const own = (await session.run({ x: quantizeInput(eight.inputs[0]!, Float64Array.from(values(size, 11))) }))
      .outputs;
    const scales = [graph, eight].map((g) => fromScale(g.outputs[0]!.scale!));
    const wanted = Array.from(own['y']!.data, (v) => v * scales[1]!);
    const error = wanted.reduce((a, v, i) => a + (v - runs[0]![i]! * scales[0]!) ** 2, 0);
    expect(error / wanted.reduce((a, v) => a + v * v, 0)).toBeLessThan(0.02);
  });

  it('leaves short rows, few weights of several taps, and groups in i8', () => {
    const small = buildOnnx({
      inputs: { x: [1, 31, 5, 5] },
      nodes: [
        ['Conv', ['x', 'a'], ['h'], { kernel_shape: [1, 1] }],
        ['Conv', ['h', 'b'], ['s'], { kernel_shape: [3, 3] }],
        ['Conv', ['s', 'c'], ['y'], { kernel_shape: [1, 1], group: 2 }],
      ],
      constants: [
        { name: 'a', shape: [13, 31, 1, 1], values: values(13 * 31, 2) },
        { name: 'b', shape: [128, 13, 3, 3].map((d, i) => (i === 0 ? 34 : d)), values: values(34 * 117, 2) },
        { name: 'c', shape: [10, 17, 1, 1], values: values(170, 2) },
      ],
      outputs: ['y'],
    });
    const own = { dtype: 'f32' as const, shape: [16, 31, 5, 5], data: Float32Array.from(values(16 * 775, 9)) };
    expect(convertOnnx(small, { samples: own, weights: 'i4' }).report.int4).toEqual([]);
  });
});

const MNIST = fixture('mnist-cnn', 'mnist-cnn');

// Runs wherever examples/ or SAMEBIT_SHARED holds the files; the title says when they are absent.
describe.skipIf(!MNIST)(`mnist-cnn${MNIST ? '' : ' (its files are absent)'}`, () => {
  it('takes at most 60 % of the bytes of i8 and loses at most a point', { timeout: 120000 }, async () => {
    const of = (name: string): ReturnType<typeof readNpy> => readNpy(join(MNIST!, name));
    const calib = of('calib.npy');
    const samples = { ...calib, shape: [64, ...calib.shape.slice(1)] };
    const [test, labels] = [of('test.npy').data, of('labels.npy').data];
    const figures = async (weights: 'i8' | 'i4'): Promise<{ bytes: number; hits: number }> => {
      const options = { inputType: 'u8', std: [255], samples, weights } as const;
      const bytes = encodeModel(convertOnnx(readFileSync(join(MNIST!, 'model.onnx')), options).graph);
      const session = await createSession(loadModel(bytes), { backend: 'wasm' });
      let hits = 0;
      for (let i = 0; i < labels.length; i++) {
        const data = Uint8Array.from({ length: 784 }, (_, p) => test[i * 784 + p]!);
        const { outputs } = await session.run({ input: { dtype: 'u8', shape: [1, 28, 28, 1], data } });
        const scores = [...outputs['output']!.data];
        if (scores.indexOf(Math.max(...scores)) === labels[i]) hits++;
      }
      return { bytes: bytes.length, hits };
    };
    const [eight, four] = [await figures('i8'), await figures('i4')];
    expect(four.bytes).toBeLessThanOrEqual(0.6 * eight.bytes);
    expect(four.hits).toBeGreaterThanOrEqual(eight.hits - 0.01 * labels.length);
  });
});

const shared = join(
  process.env['SAMEBIT_SHARED'] ?? join(import.meta.dirname, '../../../shared'),
  'models/shakespeare-charlm',
);

/** The values of a version 1.0 .npy file of 64-bit integers, floats of 32 bits or bytes. */
function npy(name: string): ArrayLike<number> {
  const file = readFileSync(join(shared, name));
  const body = file.subarray(10 + file.readUInt16LE(8));
  const bytes = body.buffer.slice(body.byteOffset, body.byteOffset + body.length);
  if (file.includes("'<i8'")) return Array.from(new BigInt64Array(bytes), Number);
  return file.includes("'<f4'") ? new Float32Array(bytes) : new Uint8Array(bytes);
}

// The model is no part of this repository: read from SAMEBIT_SHARED where that is.
describe.skipIf(!existsSync(shared))('shakespeare-charlm (needs the shared folder)', () => {
  const convert = (weights: 'i8' | 'i4'): Graph => {
    const samples = { dtype: 'i64', shape: [64, 64], data: npy('calib.npy') } as const;
    return convertOnnx(readFileSync(join(shared, 'model.onnx')), { samples, weights }).graph;
  };
  /** Over the 128 windows with float outputs: nats a character, and the share of choices that are the float model's. */
  async function figures(graph: Graph): Promise<{ readonly nats: number; readonly agreement: number }> {
    const model = loadModel(encodeModel(graph));
    const session = await createSession(model, { backend: 'wasm' });
    const { mantissa, exponent } = model.outputs[0]!.scale!;
    const [tokens, float, labels] = [npy('test.npy'), npy('float_outputs.npy'), npy('labels.npy')];
    const greatest = (row: readonly number[]): number => row.indexOf(Math.max(...row));
    let [loss, agree] = [0, 0];
    for (let w = 0; w < 128; w++) {
      const data = Int32Array.from({ length: 64 }, (_, i) => tokens[w * 64 + i]!);
      const { outputs } = await session.run({ tokens: { dtype: 'i32', shape: [1, 64], data } });
      for (let p = 0; p < 64; p++) {
        const at = (k: number): number => outputs['logits']!.data[p * 65 + k]! * mantissa * 2 ** exponent;
        const row = Array.from({ length: 65 }, (_, k) => at(k));
        const theirs = Array.from({ length: 65 }, (_, k) => float[(w * 64 + p) * 65 + k]!);
        const top = Math.max(...row);
        loss += top + Math.log(row.reduce((a, v) => a + Math.exp(v - top), 0)) - row[labels[w * 64 + p]!]!;
        if (greatest(row) === greatest(theirs)) agree++;
      }
    }
    return { nats: loss / 8192, agreement: agree / 8192 };
  }

  it('keeps its cross-entropy: within 0.02 nats in i8, within 0.05 in i4 at 60 % of the bytes', {
    timeout: 600000,
  }, async () => {
    const [eight, four] = [convert('i8'), convert('i4')];
    const own = await figures(eight);
    expect(own.nats).toBeLessThanOrEqual(1.5553 + 0.02);
    expect(own.agreement).toBeGreaterThanOrEqual(0.96);
    const less = await figures(four);
    expect(less.nats).toBeLessThanOrEqual(1.5553 + 0.05);
    expect(less.agreement).toBeGreaterThanOrEqual(0.93);
    expect(encodeModel(four).length).toBeLessThanOrEqual(0.6 * encodeModel(eight).length);
  });
});
