/** Pipelines over real models: the answers are those of the models by hand, and the digests those of plain runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LETTERS, readModel, talk } from '../../examples/chat/talk.ts';
import { detect, embed, model as faceModel, HEIGHT, heldOut, scenes, WIDTH } from '../../examples/face-api/faces.ts';
import { encodeModel, type Graph } from '../../src/format.ts';
import { createSession, loadModel, type Model, ModelError } from '../../src/index.ts';
import { pipeline, TASKS, type Task } from '../../src/pipeline.ts';
import { convertOnnx, dequantizeOutput, quantizeInput } from '../../src/quant.ts';
import { fixture, readNpy } from '../quant/npy.ts';

const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

function converted(folder: string, u8: boolean): Model {
  const samples = readNpy(join(folder, 'calib.npy'));
  const { graph } = convertOnnx(bytes(join(folder, 'model.onnx')), {
    samples,
    ...(u8 && { inputType: 'u8', std: [255] }),
  });
  return loadModel(encodeModel(graph));
}

it('image-classification: digits as the labels say, digest and gas of the run', async () => {
  const folder = fixture('mnist', 'mnist-cnn')!;
  const model = converted(folder, true);
  const names = [...'0123456789'].map((d) => `a ${d}`);
  const classify = await pipeline('image-classification', model, { labels: names });
  const [images, labels] = ['test', 'labels'].map((f) => readNpy(join(folder, `${f}.npy`)).data) as [
    Uint8Array,
    Uint8Array,
  ];
  const session = await createSession(model);
  for (let i = 0; i < 20; i++) {
    const data = images.slice(784 * i, 784 * (i + 1));
    const { output, digest, gasUsed } = await classify({ width: 28, height: 28, data }, { top_k: 3 });
    expect(output[0]!.label).toBe(`a ${labels[i]}`);
    expect(output).toHaveLength(3);
    expect(output[0]!.score).toBeGreaterThan(output[1]!.score);
    const plain = await session.run({ input: data });
    expect([digest, gasUsed]).toEqual([plain.digest, plain.gasUsed]);
  }
  const { output } = await classify({ width: 28, height: 28, data: images.slice(0, 784) }, { top_k: 10 });
  expect(output.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 9);
  const colours = new Uint8ClampedArray(4 * 784).map((_, i) => images[i >> 2]!);
  expect((await classify({ width: 28, height: 28, data: colours }, { top_k: 10 })).output).toEqual(output);
  await expect(classify({ width: 28, height: 28, data: colours.slice(1) })).rejects.toThrow('1, 3 or 4 bytes a pixel');
  classify.dispose();
  await expect(classify({ width: 28, height: 28, data: colours })).rejects.toThrow(TypeError);
});

it('object-detection: the face that the door of face-api finds', async () => {
  const find = await pipeline('object-detection', faceModel('yunet'));
  const session = await createSession(faceModel('yunet'));
  for (const scene of scenes().slice(0, 4)) {
    const square = (await detect(session, scene))!;
    // As the example fits a scene to the model: twice its size, zeros below.
    const data = new Uint8Array(320 * 320);
    for (let y = 0; y < 2 * HEIGHT; y++)
      for (let x = 0; x < 320; x++) data[y * 320 + x] = scene[(y >> 1) * WIDTH + (x >> 1)]!;
    const picture = { width: 320, height: 320, data };
    const { output, digest } = await find(picture, { threshold: 0.5 });
    const [best] = output;
    expect(best!.label).toBe('face');
    const middle = (a: number, b: number): number => (a + b) / 4; // in pixels of the scene
    expect(Math.abs(middle(best!.box.xmin, best!.box.xmax) - square.x - square.side / 2)).toBeLessThan(square.side / 4);
    expect(Math.abs(middle(best!.box.ymin, best!.box.ymax) - square.y - square.side / 2)).toBeLessThan(square.side / 4);
    const [right, left, , mouth] = best!.marks!;
    expect(right![0]).toBeLessThan(left![0]);
    expect(right![1]).toBeLessThan(mouth![1]);
    const rgb = Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!);
    expect(digest).toBe((await session.run({ input: rgb })).digest);
    const shares = (await find(picture, { threshold: 0.5, percentage: true })).output[0]!;
    expect(shares.box.xmin * 320).toBeCloseTo(best!.box.xmin, 6);
  }
  const none = await find({ width: 320, height: 320, data: new Uint8Array(320 * 320) });
  expect(none.output).toEqual([]);
});

it('image-feature-extraction: the embedding of a face by its scale', async () => {
  const model = faceModel('recogniser');
  const features = await pipeline('image-feature-extraction', model);
  const session = await createSession(model);
  const [face] = heldOut();
  const raw = await embed(session, face!);
  const { output } = await features({ width: 48, height: 48, data: face! });
  const o = model.outputs[0]!;
  expect(output).toEqual(
    dequantizeOutput(o, { dtype: 'i16', shape: [raw.length], data: raw }, model.tensors[o.tensor]!.zp),
  );
});

/** Twice the size, each pixel four times. */
const DOUBLE: Graph = {
  symbols: [],
  constants: [],
  states: [],
  inputs: [
    {
      name: 'x',
      dtype: 'i8',
      shape: [1, 4, 6, 1],
      zp: -128,
      lo: -128,
      hi: 127,
      u8: true,
      scale: { mantissa: 1, exponent: -8 },
    },
  ],
  nodes: [{ op: 'resize_nearest', inputs: [0], attrs: { axis_y: [1, 0, 2], axis_x: [1, 0, 2], out: [8, 12] } }],
  outputs: [{ name: 'y', tensor: 1, scale: { mantissa: 1, exponent: -8 } }],
};

describe('image-to-image', () => {
  it('a grey picture comes back larger, a coloured one with its colours', async () => {
    const enlarge = await pipeline('image-to-image', encodeModel(DOUBLE));
    const grey = Uint8Array.from({ length: 24 }, (_, i) => 10 * i);
    const { output } = await enlarge({ width: 6, height: 4, data: grey });
    expect([output.width, output.height]).toEqual([12, 8]);
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 12; x++) {
        const value = (grey[(y >> 1) * 6 + (x >> 1)]! * 255) / 256;
        expect(output.data[y * 12 + x]).toBe(Math.floor(value + 0.5));
      }
    const red = new Uint8ClampedArray(96).map((_, i) => [200, 40, 30, 255][i % 4]!);
    const { data } = (await enlarge({ width: 6, height: 4, data: red })).output;
    expect(data).toHaveLength(4 * 96);
    for (let i = 0; i < 96; i++) {
      const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
      expect([r - g, g - b, a]).toEqual([160, 10, 255]);
    }
  });

  const folder = fixture('super-resolution', 'super-resolution');
  it.skipIf(folder === undefined)(`super-resolution${folder ? '' : ' (absent: SAMEBIT_SHARED)'}`, async () => {
    const enlarge = await pipeline('image-to-image', converted(folder!, true));
    const data = (readNpy(join(folder!, 'test.npy')).data as Uint8Array).slice(0, 224 * 224);
    const float = readNpy(join(folder!, 'float_outputs.npy')).data;
    const { output } = await enlarge({ width: 224, height: 224, data });
    let error = 0;
    output.data.forEach((v, i) => (error += (v - 255 * Math.min(1, Math.max(0, float[i]!))) ** 2));
    const psnr = 10 * Math.log10(255 ** 2 / (error / output.data.length));
    expect(psnr).toBeGreaterThan(45);
  });
});

describe('text-generation', () => {
  it('the model of one step says what the example says, letter by letter', async () => {
    const model = readModel();
    const stream: string[] = [];
    const go = await pipeline('text-generation', model, { tokenizer: LETTERS });
    const session = await createSession(model);
    const engine = {
      run: async (inputs: never): Promise<never> => {
        const { outputs } = await session.run(inputs);
        return Object.fromEntries(Object.entries(outputs).map(([n, t]) => [n, t.data])) as never;
      },
    };
    const prompt = 'ROMEO:\nWhat say you to my suit?\n\nJULIET:\n';
    const expected: number[] = [];
    for await (const code of talk(model, engine as never, prompt, 70, Int32Array.of(7, 0))) expected.push(code);
    const options = { max_new_tokens: 70, seed: [7, 0] as const, on_text: (t: string) => void stream.push(t) };
    const first = await go(prompt, options);
    expect(first.output.tokens).toEqual(expected);
    expect(first.output.generated_text).toBe(prompt + stream.join(''));
    expect(stream).toHaveLength(70);
    expect((await go(prompt, { max_new_tokens: 70, seed: [7, 0] })).digest).toBe(first.digest);
    expect((await go(prompt, { max_new_tokens: 70, seed: [8, 0] })).digest).not.toBe(first.digest);
    await expect(go('§')).rejects.toThrow(RangeError);
    await expect(go('')).rejects.toThrow(TypeError);
    await expect(go('A', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  const folder = fixture('charlm', 'shakespeare-charlm');
  it.skipIf(folder === undefined)(`a window of characters${folder ? '' : ' (absent: SAMEBIT_SHARED)'}`, async () => {
    const samples = { dtype: 'i32', shape: [8, 64], data: new Int32Array(512).map((_, i) => (i * 7) % 65) } as const;
    const { graph } = convertOnnx(bytes(join(folder!, 'model.onnx')), { samples });
    const model = loadModel(encodeModel(graph));
    const go = await pipeline('text-generation', model, { tokenizer: LETTERS });
    const { output } = await go('ROMEO:', { max_new_tokens: 3 });
    const session = await createSession(model);
    const codes = [...'ROMEO:'].map((c) => LETTERS.indexOf(c));
    for (const token of output.tokens) {
      const tokens = new Int32Array(64);
      tokens.set(codes);
      const { outputs } = await session.run({ [model.inputs[0]!.name]: tokens });
      const logits = outputs[model.outputs[0]!.name]!.data.slice((codes.length - 1) * 65, codes.length * 65);
      expect(logits[token]).toBe(Math.max(...logits));
      codes.push(token);
    }
  });
});

it('tabular-classification and tabular-regression: a row of features', async () => {
  const folder = fixture('german-credit', 'german-credit-mlp')!;
  const model = converted(folder, false);
  const row = (readNpy(join(folder, 'test.npy')).data as Float32Array).subarray(0, 61);
  const session = await createSession(model);
  const { outputs, digest } = await session.run({ features: quantizeInput(model.inputs[0]!, row) });
  const [risk] = dequantizeOutput(model.outputs[0]!, outputs['p_bad']!, model.tensors[model.outputs[0]!.tensor]!.zp);
  const classify = await pipeline('tabular-classification', model);
  expect(await classify(row)).toEqual({
    output: [{ label: 'p_bad', score: risk }],
    digest,
    gasUsed: expect.any(BigInt),
  });
  const estimate = await pipeline('tabular-regression', model);
  expect((await estimate([...row])).output).toEqual(Float64Array.of(risk!));
  await expect(estimate(row.subarray(1))).rejects.toThrow(RangeError);
});

it('a model at a path, at an address of a file, in a data address', async () => {
  const path = join(import.meta.dirname, '../../examples/face-api/recogniser.sbm');
  const data = `data:application/octet-stream;base64,${Buffer.from(bytes(path)).toString('base64')}`;
  const ids = await Promise.all(
    [path, pathToFileURL(path), data].map(async (source) => {
      const extract = await pipeline('image-feature-extraction', source);
      extract.dispose();
      return Buffer.from(extract.model.id).toString('hex');
    }),
  );
  expect(new Set(ids).size).toBe(1);
  for (const [nowhere, why] of [
    ['/no/such/model.sbm', 'no such file'],
    ['http://127.0.0.1:1/model.sbm', 'cannot be fetched'],
  ] as const)
    await expect(pipeline('image-classification', nowhere)).rejects.toThrow(why);
});

describe('what is no model of a task', () => {
  it('is refused by name', async () => {
    await expect(pipeline('fortune-telling' as Task, encodeModel(DOUBLE))).rejects.toThrow(TASKS.join(', '));
    await expect(pipeline('object-detection', encodeModel(DOUBLE))).rejects.toThrow('no detector');
    await expect(pipeline('image-classification', readModel())).rejects.toThrow(TypeError);
    await expect(pipeline('text-generation', encodeModel(DOUBLE), { tokenizer: LETTERS })).rejects.toThrow(TypeError);
    await expect(pipeline('text-generation', readModel())).rejects.toThrow('tokenizer');
    await expect(pipeline('image-to-image', Uint8Array.of(1))).rejects.toThrow(ModelError);
    await expect(pipeline('image-to-image', encodeModel(DOUBLE), { thread: 2 } as never)).rejects.toThrow('threads');
  });
});
