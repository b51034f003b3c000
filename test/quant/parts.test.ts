import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { type ConvertOptions, type ConvertResult, convertOnnx } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { type SampleTensor, sampleReader } from '../../src/quant/samples.ts';
import { quantizeParts } from '../../src/quant/scales.ts';
import { nearTable } from '../../src/quant/tables.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { buildOnnx, values } from '../onnx/build.ts';

const hardSwish = (x: number): number => x * Math.min(Math.max(x / 6 + 0.5, 0), 1);
const SAMPLES: SampleTensor = { dtype: 'f32', shape: [8, 3, 8, 8], data: Float32Array.from(values(1536, 7)) };

/** Outputs of the reference and of wasm, which must agree, over one sample; and the share of power that is lost, in dB. */
async function check({ graph, float, types }: ConvertResult, samples = SAMPLES): Promise<number> {
  const model = loadModel(encodeModel(graph));
  const interpreter = createInterpreter(float);
  let [signal, noise] = [0, 0];
  for (let i = 0; i < 4; i++) {
    const x = sampleReader(float, float.inputs[0]!, samples).read(i);
    interpreter.run([x]);
    const expected = interpreter.values[float.outputs[0]!.tensor]!;
    const given = { x: quantizeInput(graph.inputs[0]!, x) };
    const digests: string[] = [];
    for (const backend of ['reference', 'wasm'] as const) {
      const session = await createSession(model, { backend });
      const { data } = (await session.run(given)).outputs['y']!;
      digests.push(`${data}`);
      session.dispose();
      const { scale, zp } = types[float.outputs[0]!.tensor]!;
      expected.forEach((v, j) => {
        signal += v * v;
        noise += ((data[j]! - zp) * scale - v) ** 2;
      });
    }
    expect(digests[1]).toBe(digests[0]);
  }
  return 10 * Math.log10(signal / noise);
}

describe('weights in two parts', () => {
  const spec = (weight: Float64Array, rows: number) => ({
    ...{ weight, bias: Float64Array.from(values(rows, 3)), inputScale: 0.01, outputScale: 0.002 },
    centred: { lo: -128, hi: 127 },
  });
  const errors = (weight: Float64Array, rows: number): Float64Array => {
    const [hi, lo] = quantizeParts(spec(weight, rows))!;
    const k = weight.length / rows;
    return weight.map((w, i) => {
      const o = Math.floor(i / k);
      return Math.abs(w - hi.w[i]! * hi.scales[o]! - lo.w[i]! * lo.scales[o]!);
    });
  };

  it('keep 15 bits of the greatest weight, under one multiplier a part where the rows are alike', () => {
    const weight = Float64Array.from(values(72, 5), (v) => v / 3);
    expect(Math.max(...errors(weight, 8))).toBeLessThan(1 / 3 / 30000);
    for (const part of quantizeParts(spec(weight, 8))!) expect(new Set(part.m).size).toBe(1);
  });

  it('keep them in every row where the rows are far apart', () => {
    const weight = Float64Array.from(values(72, 5), (v, i) => v / 4 ** Math.floor(i / 9));
    errors(weight, 8).forEach((e, i) => {
      expect(e).toBeLessThan(4 ** -Math.floor(i / 9) / 10000);
    });
  });
});

describe('tables in two parts', () => {
  it('leave out little of what bends near zero, however far the input reaches', () => {
    const scale = 0.018;
    const [all, { k, nodes }] = nearTable(
      hardSwish,
      { dtype: 'i16', zp: 0, scale, lo: -32768, hi: 32767 },
      { lo: -295, hi: 295 },
    );
    const line = (table: Float64Array, q: number): number => {
      const j = Math.floor((q + 32768) / 128);
      return table[j]! + ((table[j + 1]! - table[j]!) * (q + 32768 - 128 * j)) / 128;
    };
    let [one, two] = [0, 0];
    for (let q = -16000; q <= 16000; q += 7) {
      const near = Math.min(Math.max(q * 2 ** k, -32768), 32767);
      const exact = hardSwish(q * scale);
      one = Math.max(one, Math.abs(line(all, q) - exact));
      two = Math.max(two, Math.abs(line(all, q) + line(nodes, near) - exact));
    }
    expect(one).toBeGreaterThan(0.2);
    expect(two).toBeLessThan(0.01);
  });
});

describe('a comparison with a constant', () => {
  const bytes: SampleTensor = {
    dtype: 'u8',
    shape: [4, 4],
    data: Uint8Array.of(0, 1, 2, 3, 3, 2, 1, 0, 0, 0, 1, 1, 2, 3, 2, 3),
  };
  const orders: readonly (readonly [string, (a: number, b: number) => boolean])[] = [
    ['Greater', (a, b) => a > b],
    ['Less', (a, b) => a < b],
    ['GreaterOrEqual', (a, b) => a >= b],
    ['LessOrEqual', (a, b) => a <= b],
  ];

  it.each(orders)('%s of whole inputs holds where it does in floats', async (op, holds) => {
    for (const [bound, swapped] of [0.5, 1, 1.7, 2.25].flatMap(
      (v) =>
        [
          [v, false],
          [v, true],
        ] as const,
    )) {
      const model = buildOnnx({
        inputs: { x: [1, 4] },
        constants: [{ name: 'k', shape: [1], values: [bound] }],
        nodes: [
          [op, swapped ? ['k', 'x'] : ['x', 'k'], ['b'], {}],
          ['Cast', ['b'], ['y'], { to: 1 }],
        ],
        outputs: ['y'],
      });
      const { graph } = convertOnnx(model, { inputType: 'u8', samples: { x: bytes }, ranges: 'minmax' });
      const session = await createSession(loadModel(encodeModel(graph)), { backend: 'reference' });
      const { data } = (await session.run({ x: Uint8Array.of(0, 1, 2, 3) })).outputs['y']!;
      const expected = [0, 1, 2, 3].map((v) => (swapped ? holds(bound, v) : holds(v, bound)));
      const least = Math.min(...data);
      if (new Set(expected).size > 1)
        expect(
          Array.from(data, (v) => v > least),
          `${bound}`,
        ).toEqual(expected);
      session.dispose();
    }
  });
});

describe('a function that is undefined at 0', () => {
  const positive = { dtype: 'f32' as const, shape: [8, 64], data: Float32Array.from(values(512, 7), (v) => 1.1 + v) };
  const convert = (op: string, data: SampleTensor): ConvertResult =>
    convertOnnx(buildOnnx({ inputs: { x: [1, 64] }, nodes: [[op, ['x'], ['y'], {}]], outputs: ['y'] }), {
      ...{ samples: { x: data }, ranges: 'minmax' },
    });

  it.each(['Log', 'Reciprocal'])('%s converts where its input is always positive', async (op) => {
    expect(await check(convert(op, positive), positive)).toBeGreaterThan(25);
  });

  it('is refused where the input was negative', () => {
    const both = { ...positive, data: positive.data.map((v) => v - 1.1) };
    expect(() => convert('Log', both)).toThrow('undefined at -');
  });
});

describe('a conversion', () => {
  const model = buildOnnx({
    inputs: { x: [1, 3, 8, 8] },
    constants: [
      { name: 'w', shape: [8, 3, 3, 3], values: values(216, 2).map((v) => 40 * v) },
      { name: 'd', shape: [8, 1, 3, 3], values: values(72, 3) },
      { name: 't', shape: [8, 2, 2, 2], values: values(64, 4) },
    ],
    nodes: [
      ['Conv', ['x', 'w'], ['a'], { pads: [1, 1, 1, 1] }],
      ['HardSwish', ['a'], ['b']],
      ['Conv', ['b', 'd'], ['c'], { group: 8, pads: [1, 1, 1, 1] }],
      ['Relu', ['c'], ['e']],
      ['ConvTranspose', ['e', 't'], ['y'], { strides: [2, 2] }],
    ],
    outputs: ['y'],
  });
  const convert = (options: ConvertOptions): ConvertResult => convertOnnx(model, { samples: SAMPLES, ...options });
  const generous = { target: 70, budget: Number.POSITIVE_INFINITY };

  it('gives bits to values, weights and the image, and its result is the same on both backends', async () => {
    const all = convert(generous);
    expect(all.graph.inputs[0]!.dtype).toBe('i16');
    expect(new Set(all.report.widened.map((w) => w.what))).toEqual(new Set(['values', 'weights']));
    const plain = convert({ ...generous, wideWeights: false });
    expect(plain.report.widened.every((w) => w.what === 'values')).toBe(true);
    const [wide, narrow, bytes] = [await check(all), await check(plain), await check(convert({ target: 0 }))];
    expect(narrow).toBeGreaterThan(bytes + 3);
    expect(wide).toBeGreaterThan(narrow + 10);
    expect(wide).toBeGreaterThan(60);
  });

  it('leaves the type of raw inputs alone', () => {
    const { graph } = convertOnnx(model, {
      ...generous,
      inputType: 'u8',
      mean: [0.5],
      std: [0.25],
      samples: { ...SAMPLES, dtype: 'u8', data: Uint8Array.from(values(1536, 7), (v) => 128 + 100 * v) },
    });
    expect([graph.inputs[0]!.dtype, graph.inputs[0]!.u8]).toEqual(['i8', true]);
  });

  it('warns of samples that are all 0, and of i4 weights that no layer takes', () => {
    const still = { ...SAMPLES, data: new Float32Array(SAMPLES.data.length) };
    const { warnings } = convertOnnx(model, { samples: { x: still }, weights: 'i4' }).report;
    expect(warnings.slice(0, 2)).toEqual([
      expect.stringContaining('input x is 0 in every'),
      expect.stringContaining('no layer took i4 weights'),
    ]);
  });

  it('warns of samples that are bytes where nothing says which reals they stand for', () => {
    const bytes = { ...SAMPLES, dtype: 'u8' as const, data: Uint8Array.from(values(1536, 7), (v) => 128 + 100 * v) };
    const of = (options: object): readonly string[] =>
      convertOnnx(model, { ...generous, samples: bytes, ...options }).report.warnings.filter((w) =>
        w.startsWith('the samples of'),
      );
    expect(of({})).toEqual([expect.stringContaining('samples of input x are bytes, taken as the reals 0 to 255')]);
    for (const said of [{ inputType: 'u8' }, { mean: [127] }, { std: [255] }]) expect(of(said)).toEqual([]);
  });

  it('stays within the budget', () => {
    const { report } = convert({ target: 70, budget: 1 });
    expect(report.widened).toEqual([]);
  });
});
