import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImportError } from '../../src/onnx/errors.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { bfloat16ToNumber, decodeTensor, float16ToNumber, int64ToNumber } from '../../src/onnx/tensor.ts';
import { buildOnnx, values } from './build.ts';

const bytes = buildOnnx({
  inputs: { x: ['N', 4] },
  constants: [{ name: 'w', shape: [4, 2], values: values(8) }],
  nodes: [['MatMul', ['x', 'w'], ['y']]],
  outputs: ['y'],
});

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ImportError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('parseOnnx', () => {
  it('reads a model', () => {
    const model = parseOnnx(bytes);
    expect(model.opset).toBe(17);
    expect(model.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 4] }]);
    expect(model.nodes[0]).toMatchObject({ op: 'MatMul', name: 'MatMul_0', inputs: ['x', 'w'], outputs: ['y'] });
    expect([...model.initializers.get('w')!.data]).toEqual(values(8));
  });

  it('refuses the empty file and every truncation', () => {
    expect(code(() => parseOnnx(new Uint8Array(0)))).toBe('Empty');
    for (let n = 1; n < bytes.length; n++)
      expect(
        code(() => parseOnnx(bytes.subarray(0, n))),
        `${n} bytes`,
      ).not.toBe('accepted');
  });

  it('refuses random bytes and survives flipped ones', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (random) => {
        expect(code(() => parseOnnx(random))).not.toBe('accepted');
      }),
      { numRuns: 500, seed: 1 },
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice();
        changed[at]! ^= flip;
        code(() => parseOnnx(changed)); // any ImportError or a model; anything else throws
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  it('bounds what a small file unfolds into', () => {
    const file = new Uint8Array(200004).map((_, i) => (i % 2 === 0 ? 0x0a : 0)); // empty NodeProtos of two bytes
    file.set([0x3a, 0xc0, 0x9a, 0x0c]);
    expect(code(() => parseOnnx(file, { limits: { maxBytes: 2 ** 20, maxEntries: 50000 } }))).toBe('TooLarge');
    expect(code(() => parseOnnx(file, { limits: { maxBytes: 1000, maxEntries: 50000 } }))).toBe('TooLarge');
  });

  it('refuses opsets outside 7 to 24', () => {
    for (const [opset, expected] of [
      [6, 'Opset'],
      [7, 'accepted'],
      [24, 'accepted'],
      [25, 'Opset'],
    ] as const) {
      const file = buildOnnx({ opset, inputs: { x: [1] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] });
      expect(code(() => parseOnnx(file))).toBe(expected);
    }
  });

  it('says whose operators a model has that has none of ONNX itself', () => {
    // graph {}, opset_import { domain: "ai.onnx.ml", version: 3 }
    const domain = new TextEncoder().encode('ai.onnx.ml');
    const file = Uint8Array.of(0x3a, 0, 0x42, domain.length + 4, 0x0a, domain.length, ...domain, 0x10, 3);
    expect(() => parseOnnx(file)).toThrow('operators of the domain ai.onnx.ml only');
    expect(() => parseOnnx(Uint8Array.of(0x3a, 0, 0x42, 2, 0x10, 17))).not.toThrow('domain');
  });
});

describe('decodeTensor', () => {
  const empty = {
    floatData: [],
    int32Data: [],
    int64Data: [],
    doubleData: [],
    uint64Data: [],
    externalData: [],
    dataLocation: 0,
  };
  const raw = (dataType: number, dims: number[], ...b: number[]): number[] => [
    ...decodeTensor({ ...empty, name: 't', dims, dataType, rawData: Uint8Array.from(b) }).data,
  ];

  it('decodes raw data of every type exactly', () => {
    expect(raw(1, [1], 0, 0, 0xc0, 0x3f)).toEqual([1.5]);
    expect(raw(2, [2], 0, 255)).toEqual([0, 255]);
    expect(raw(3, [2], 0x80, 0x7f)).toEqual([-128, 127]);
    expect(raw(5, [1], 0, 0x80)).toEqual([-32768]);
    expect(raw(6, [1], 0, 0, 0, 0x80)).toEqual([-2147483648]);
    expect(raw(7, [1], ...new Array(8).fill(255))).toEqual([-1]);
    expect(raw(9, [3], 0, 1, 2)).toEqual([0, 1, 1]);
    expect(raw(10, [3], 0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb)).toEqual([1, 2 ** -24, -65504]);
    expect(raw(11, [1], 0, 0, 0, 0, 0, 0, 0xf0, 0xbf)).toEqual([-1]);
    expect(raw(16, [2], 0x80, 0x3f, 0x49, 0x40)).toEqual([1, 3.140625]);
    expect(float16ToNumber(0x7c00)).toBe(Number.POSITIVE_INFINITY);
    expect(float16ToNumber(0x7e00)).toBeNaN();
    expect(bfloat16ToNumber(0xff80)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('reads 64-bit integers exactly, open ends as ±2^63, and refuses what lies between', () => {
    expect(int64ToNumber({ low: -1, high: -1 })).toBe(-1);
    expect(int64ToNumber({ low: -1, high: 2 ** 21 - 1 })).toBe(2 ** 53 - 1);
    expect(int64ToNumber({ low: -1, high: 0x7fffffff })).toBe(2 ** 63);
    expect(int64ToNumber({ low: 0, high: -0x80000000 })).toBe(-(2 ** 63));
    expect(code(() => int64ToNumber({ low: 1, high: 2 ** 22 }))).toBe('BadTensor');
    expect(int64ToNumber({ low: -1, high: -1 }, true)).toBe(2 ** 63);
  });

  it('refuses a length that does not match the shape, other types and other files', () => {
    expect(code(() => raw(1, [2], 0, 0, 0, 0))).toBe('BadTensor');
    expect(code(() => raw(8, [1], 0))).toBe('BadTensor');
    expect(code(() => raw(1, [-1]))).toBe('BadTensor');
    const external = {
      ...empty,
      name: 't',
      dims: [1],
      dataType: 1,
      rawData: new Uint8Array(0),
      externalData: [{ key: 'location', value: '../w' }],
    };
    expect(code(() => decodeTensor(external))).toBe('ExternalData');
  });
});
