/** The API of ONNX Runtime over samebit: values, shapes, options and what is refused. The same program over both: consumers/ort. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeModel, type Graph } from '../../src/format.ts';
import { createSession, InputError, loadModel, ModelError, OutOfGas } from '../../src/index.ts';
import { env, InferenceSession, OrtError, runOf, Tensor } from '../../src/ort.ts';
import { dequantizeOutput, quantizeInput } from '../../src/quant.ts';
import { folder } from '../cli/samebit.ts';

const ROOT = join(import.meta.dirname, '../..');
const half = { mantissa: 1, exponent: -1 };

/** Values of every type go through unchanged. */
const TYPES: Graph = {
  symbols: [],
  constants: [],
  states: [],
  inputs: [
    { name: 'bytes', dtype: 'i8', shape: [4], zp: -128, lo: -128, hi: 127, scale: half, u8: true },
    { name: 'small', dtype: 'i8', shape: [4], zp: 0, lo: -100, hi: 100 },
    { name: 'middle', dtype: 'i16', shape: [4], zp: 0, lo: -32768, hi: 32767, scale: half },
    { name: 'whole', dtype: 'i32', shape: [4], zp: 0, lo: -1000, hi: 2147483647 },
    { name: 'truth', dtype: 'bool', shape: [4], zp: 0, lo: 0, hi: 1 },
  ],
  nodes: [0, 1, 2, 3, 4].map((i) => ({ op: 'reshape', inputs: [i], attrs: { shape: [2, 2] } })),
  outputs: [
    { name: 'bytes_out', tensor: 5, scale: half, u8: true },
    { name: 'small_out', tensor: 6 },
    { name: 'middle_out', tensor: 7, scale: half },
    { name: 'whole_out', tensor: 8 },
    { name: 'truth_out', tensor: 9 },
  ],
};

/** An image [1, H, W, 3] whose axes H and W change places. */
const IMAGE: Graph = {
  symbols: [],
  constants: [],
  states: [],
  inputs: [{ name: 'x', dtype: 'i8', shape: [1, 2, 4, 3], zp: 0, lo: -128, hi: 127 }],
  nodes: [{ op: 'transpose', inputs: [0], attrs: { perm: [0, 2, 1, 3] } }],
  outputs: [{ name: 'y', tensor: 1 }],
};

/** A row of n values, and a sum that the session keeps. */
const KEPT: Graph = {
  symbols: [{ name: 'n', min: 1, max: 9 }],
  constants: [],
  states: [{ input: 1, output: 1 }],
  inputs: [
    { name: 'x', dtype: 'i8', shape: [{ c: 0, k: [1] }], zp: 0, lo: -128, hi: 127 },
    { name: 'last', dtype: 'i8', shape: [2], zp: 0, lo: -128, hi: 127 },
  ],
  nodes: [
    { op: 'reshape', inputs: [0], attrs: { shape: [1, { c: 0, k: [1] }] } },
    { op: 'reshape', inputs: [1], attrs: { shape: [2] } },
  ],
  outputs: [
    { name: 'y', tensor: 2 },
    { name: 'next', tensor: 3 },
  ],
};

function feeds(): Record<string, Tensor> {
  return {
    bytes: new Tensor('uint8', [0, 1, 128, 255]),
    small: new Tensor(Int8Array.of(-100, 0, 7, 100)),
    middle: new Tensor('int16', [-32768, 3, 4, 32767]),
    whole: new Tensor('int64', [-1000, 0, 1, 2147483647]),
    truth: new Tensor([true, false, true, true]),
  };
}

const types = encodeModel(TYPES);
let session: InferenceSession;
beforeAll(async () => {
  session = await InferenceSession.create(types);
});

describe('values', () => {
  it('names, types and shapes', () => {
    expect(session.inputNames).toEqual(['bytes', 'small', 'middle', 'whole', 'truth']);
    expect(session.inputMetadata.map((m) => m.type)).toEqual(['float32', 'int8', 'float32', 'int32', 'bool']);
    expect(session.outputMetadata.map((m) => m.type)).toEqual(['float32', 'int8', 'float32', 'int32', 'bool']);
    expect(session.outputMetadata[0]).toEqual({ name: 'bytes_out', isTensor: true, type: 'float32', shape: [2, 2] });
  });

  it('integers pass as they are, floats by the scale', async () => {
    const whole = await session.run(feeds());
    expect(Object.fromEntries(Object.entries(whole).map(([n, t]) => [n, [...(t.data as Int8Array)]]))).toEqual({
      bytes_out: [0, 0.5, 64, 127.5],
      small_out: [-100, 0, 7, 100],
      middle_out: [-16384, 1.5, 2, 16383.5],
      whole_out: [-1000, 0, 1, 2147483647],
      truth_out: [1, 0, 1, 1],
    });
    const floats = {
      ...feeds(),
      bytes: new Tensor('float32', [-9, 0.49, 63.9, 1e9]),
      middle: new Tensor('float64', [-1e9, 1.49, 2, 1e9]),
      whole: new Tensor('int32', [-1000, 0, 1, 2147483647]),
    };
    expect(runOf(await session.run(floats)).digest).toBe(runOf(whole).digest);
  });

  it('as a session does with quantizeInput and dequantizeOutput', async () => {
    const model = loadModel(types);
    const own = await createSession(model);
    const floats = fc.array(fc.float({ noNaN: true }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(floats, floats, async (a, b) => {
        const { small, whole, truth } = feeds();
        const expected = await own.run({
          bytes: quantizeInput(model.inputs[0]!, a),
          small: small!.data as Int8Array,
          middle: quantizeInput(model.inputs[2]!, b),
          whole: Int32Array.from(whole!.data as BigInt64Array, Number),
          truth: Int8Array.from(truth!.data as Uint8Array),
        });
        const got = await session.run({
          ...feeds(),
          bytes: new Tensor('float32', a),
          middle: new Tensor('float32', b),
        });
        expect(runOf(got).digest).toBe(expected.digest);
        expect(got['middle_out']!.data).toEqual(
          Float32Array.from(dequantizeOutput(model.outputs[2]!, expected.outputs['middle_out']!, 0)),
        );
      }),
    );
  });

  it('types that are asked for', async () => {
    const other = await InferenceSession.create(types, {
      extra: { samebit: { types: { whole_out: 'int64', middle_out: 'int16', small_out: 'float32', bytes: 'uint8' } } },
    });
    const out = await other.run(feeds(), ['whole_out', 'middle_out', 'small_out']);
    expect(out['whole_out']!.data).toEqual(BigInt64Array.of(-1000n, 0n, 1n, 2147483647n));
    expect(out['middle_out']!.data).toEqual(Int16Array.of(-32768, 3, 4, 32767));
    expect(out['small_out']!.data).toEqual(Float32Array.of(-100, 0, 7, 100));
    expect(other.inputMetadata[0]!.type).toBe('uint8');
    await expect(
      InferenceSession.create(types, { extra: { samebit: { types: { small_out: 'bool' } } } }),
    ).rejects.toThrow(OrtError);
    await expect(InferenceSession.create(types, { extra: { samebit: { types: { nobody: 'int8' } } } })).rejects.toThrow(
      'nobody',
    );
  });

  it('refuses what does not fit', async () => {
    const run = (name: string, value: unknown): Promise<unknown> =>
      session.run({ ...feeds(), [name]: value as Tensor });
    await expect(run('small', new Tensor('uint8', [1, 2, 3, 4]))).rejects.toMatchObject({ code: 'TensorType' });
    await expect(run('small', new Tensor('int8', [1, 2, 3, 101]))).rejects.toMatchObject({ code: 'OutOfRange' });
    await expect(run('whole', new Tensor('int64', [2n ** 31n, 0, 0, 0]))).rejects.toMatchObject({ code: 'OutOfRange' });
    await expect(run('whole', new Tensor('int64', [2n ** 63n - 1n, 0, 0, 0]))).rejects.toThrow(InputError);
    await expect(run('small', new Tensor('int8', [1, 2, 3, 4], [2, 2]))).rejects.toMatchObject({ code: 'WrongShape' });
    await expect(run('bytes', new Tensor('float32', [0, Number.NaN, 0, 0]))).rejects.toThrow(RangeError);
    await expect(run('bytes', Uint8Array.of(1, 2, 3, 4))).rejects.toMatchObject({ code: 'TensorType' });
    await expect(run('bytes', undefined)).rejects.toThrow("input 'bytes' is missing");
    expect(
      runOf((await run('small', { type: 'int8', data: Int8Array.of(-100, 0, 7, 100), dims: [4] })) as never),
    ).toBeDefined();
  });
});

describe('images with channels first', () => {
  const values = Int8Array.from({ length: 24 }, (_, i) => i);
  /** [1, 3, 2, 4]: element c·8 + h·4 + w. */
  const image = new Tensor('int8', values, [1, 3, 2, 4]);

  it.each([[true], [['x', 'y']]])('nchw: %j', async (nchw) => {
    const s = await InferenceSession.create(encodeModel(IMAGE), { extra: { samebit: { nchw } } });
    expect(s.inputMetadata[0]!.shape).toEqual([1, 3, 2, 4]);
    expect(s.outputMetadata[0]!.shape).toEqual([1, 3, 4, 2]);
    const { y } = await s.run({ x: image });
    expect(y!.dims).toEqual([1, 3, 4, 2]);
    for (let c = 0; c < 3; c++)
      for (let h = 0; h < 2; h++)
        for (let w = 0; w < 4; w++) expect(y!.data[c * 8 + w * 2 + h]).toBe(c * 8 + h * 4 + w);
  });

  it('without the option they are refused, and the option is named', async () => {
    const s = await InferenceSession.create(encodeModel(IMAGE));
    await expect(s.run({ x: image })).rejects.toThrow('extra.samebit.nchw');
  });
});

describe('fetches and options', () => {
  it('names, tensors to write into, and neither', async () => {
    expect(Object.keys(await session.run(feeds(), ['truth_out', 'small_out']))).toEqual(['truth_out', 'small_out']);
    const into = new Tensor('int8', [0, 0, 0, 0], [2, 2]);
    const out = await session.run(feeds(), { small_out: into, truth_out: null });
    expect(out['small_out']).toBe(into);
    expect(into.data).toEqual(Int8Array.of(-100, 0, 7, 100));
    expect(Object.keys(out)).toEqual(['small_out', 'truth_out']);
    await expect(session.run(feeds(), { small_out: new Tensor('int8', [0]) })).rejects.toMatchObject({
      code: 'TensorType',
    });
  });

  it('misuse is answered as ONNX Runtime does', async () => {
    const run = (...a: unknown[]): Promise<unknown> =>
      (session.run as (...a: unknown[]) => Promise<unknown>).apply(session, a);
    await expect(run(null)).rejects.toThrow(TypeError);
    await expect(run(feeds(), [])).rejects.toThrow("'fetches' cannot be an empty array.");
    await expect(run(feeds(), ['nobody'])).rejects.toThrow(RangeError);
    await expect(run(feeds(), 7)).rejects.toThrow(TypeError);
    await expect(run(feeds(), ['small_out'], 7)).rejects.toThrow("'options' must be an object.");
    expect(() => runOf({})).toThrow(TypeError);
    expect(() => new Tensor('float32', [1, 2, 3], [2, 2])).toThrow("Tensor's size(4) does not match data length(3).");
    expect(() => new Tensor('float16' as 'float32', [1])).toThrow('unsupported tensor type');
    const t = new Tensor(Float32Array.of(1, 2), [1, 2]);
    expect(t.reshape([2]).dims).toEqual([2]);
    t.dispose();
    expect(() => t.data).toThrow('disposed');
  });

  it('gas, an abort, and unknown settings of samebit', async () => {
    const gasLimit = runOf(await session.run(feeds())).gasUsed;
    const extra = { samebit: { gasLimit } };
    expect(runOf(await session.run(feeds(), { extra })).gasUsed).toBe(gasLimit);
    await expect(session.run(feeds(), { extra: { samebit: { gasLimit: gasLimit - 1n } } })).rejects.toThrow(OutOfGas);
    await expect(session.run(feeds(), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    await expect(InferenceSession.create(types, { extra: { samebit: { nhwc: true } as never } })).rejects.toThrow(
      'did you mean nchw',
    );
  });

  it('execution providers and threads', async () => {
    const backend = async (executionProviders: readonly (string | { name: string })[]): Promise<string> => {
      const s = await InferenceSession.create(types, { executionProviders });
      await s.run(feeds());
      return s.session.backend;
    };
    expect(await backend(['cuda', 'cpu'])).toBe('wasm');
    expect(await backend([{ name: 'reference' }])).toBe('reference');
    await expect(backend(['cuda', 'dml'])).rejects.toMatchObject({ code: 'NoBackend' });
    await expect(InferenceSession.create(types, { preferredOutputLocation: 'gpu-buffer' })).rejects.toMatchObject({
      code: 'NotHere',
    });
    env.wasm.numThreads = 99;
    try {
      await expect(InferenceSession.create(types)).rejects.toThrow('threads');
      await (await InferenceSession.create(types, { intraOpNumThreads: 1 })).release();
    } finally {
      env.wasm.numThreads = undefined;
    }
  });

  it('symbols and state', async () => {
    const s = await InferenceSession.create(encodeModel(KEPT), { freeDimensionOverrides: { n: 3 } });
    expect(s.inputNames).toEqual(['x']);
    expect(s.outputNames).toEqual(['y']);
    expect(s.inputMetadata[0]!.shape).toEqual(['n']);
    expect((await s.run({ x: new Tensor('int8', [1, 2, 3, 4, 5]) }))['y']!.dims).toEqual([1, 5]);
    await expect(s.run({ x: new Tensor('int8', new Array(10).fill(0)) })).rejects.toMatchObject({ code: 'WrongShape' });
    await s.release();
    await expect(s.run({ x: new Tensor('int8', [1]) })).rejects.toThrow(TypeError);
  });
});

describe('sources', () => {
  it('bytes, buffers and parts of them, paths and URLs', async () => {
    const path = join(folder(), 'types.sbm');
    writeFileSync(path, types);
    const buffer = new Uint8Array([1, 2, 3, ...types, 4]).buffer;
    const shared = new SharedArrayBuffer(types.length);
    new Uint8Array(shared).set(types);
    const data = `data:application/octet-stream;base64,${Buffer.from(types).toString('base64')}`;
    const made = await Promise.all([
      InferenceSession.create(types),
      InferenceSession.create(buffer, 3, types.length),
      InferenceSession.create(shared),
      InferenceSession.create(path),
      InferenceSession.create(pathToFileURL(path)),
      InferenceSession.create(pathToFileURL(path).href),
      InferenceSession.create(data),
    ]);
    const digests = await Promise.all(made.map(async (s) => runOf(await s.run(feeds())).digest));
    expect(new Set(digests).size).toBe(1);
    await expect(InferenceSession.create(buffer, 3, types.length + 2)).rejects.toThrow(RangeError);
    await expect(InferenceSession.create(buffer, -1)).rejects.toThrow(RangeError);
    await expect(InferenceSession.create(7 as never)).rejects.toThrow(TypeError);
    await expect(InferenceSession.create(types, 7 as never)).rejects.toThrow("'options' must be an object.");
  });

  it('an ONNX file is told from bytes that are nothing', async () => {
    for (const example of ['mnist', 'german-credit', 'fare', 'recommend']) {
      const onnx = readFileSync(join(ROOT, 'examples', example, 'model.onnx'));
      await expect(InferenceSession.create(onnx)).rejects.toMatchObject({
        code: 'OnnxModel',
        hint: expect.stringContaining('samebit convert'),
      });
    }
    await expect(InferenceSession.create(Uint8Array.of(1, 2, 3))).rejects.toThrow(ModelError);
    await expect(InferenceSession.create(types.subarray(0, types.length - 1))).rejects.toThrow(ModelError);
    await expect(InferenceSession.create(join(folder(), 'nothing.sbm'))).rejects.toMatchObject({ code: 'NoSource' });
    await expect(InferenceSession.create('data:nonsense')).rejects.toMatchObject({ code: 'NoSource' });
  });
});
