/**
 * The runtimes that are compared: one row each. A peer is loaded when its first case is.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { channelsLast, ENCODER, encoderNetwork, fileOf, LAYERS, NETWORKS, type Prepared } from './cases.ts';
import type { Timed } from './measure.ts';
import { EncoderNet, ImageNet } from './net.ts';

/** A case made ready on a subject. `output`: the reals of a run, images NHWC. */
export interface Lane extends Timed {
  readonly output: () => Promise<Float32Array>;
  readonly dispose: () => unknown;
}

/** One row of the comparison; `load` makes a case ready. */
export interface Subject {
  readonly name: string;
  readonly threads: number;
  readonly takes: (c: Prepared) => boolean;
  readonly load: (c: Prepared) => Promise<Lane>;
}

function bytesOf(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer;
}

const ARRAYS = { i8: Int8Array, i16: Int16Array, i32: Int32Array, u8: Uint8Array } as const;

async function loadSamebit(c: Prepared, options: object): Promise<Lane> {
  const [{ createSession, loadModel }, { wasm }] = await Promise.all([
    import('../src/index.ts'),
    import('../src/wasm.ts'),
  ]);
  const model = loadModel(new Uint8Array(bytesOf(fileOf(c, 'sbm'))));
  const session = await createSession(model, { backend: wasm, ...options });
  const input = model.inputs[0]!;
  const integers = new ARRAYS[input.u8 ? 'u8' : (input.dtype as keyof typeof ARRAYS)](bytesOf(fileOf(c, 'integers')));
  const inputs = { [input.name]: integers };
  return {
    run: () => session.run(inputs),
    output: async () => {
      const { dequantizeOutput } = await import('../src/quant/float-io.ts');
      const y = model.outputs[0]!;
      const { outputs } = await session.run(inputs);
      return Float32Array.from(dequantizeOutput(y, outputs[y.name]!, model.tensors[y.tensor]!.zp));
    },
    dispose: () => session.dispose(),
  };
}

/** The bytes that the quantized file reads in place of the floats. */
function quantized(floats: Float32Array): Uint8Array {
  return Uint8Array.from(floats, (v) => Math.round(v * 255));
}

type Form = 'u8s8' | 'f32';

/** ONNX Runtime in one of its packages. The quantized form of its files is u8 by s8, for which it has its best kernels. */
async function loadOrt(ort: Ort.Runtime, c: Prepared, form: Form, options: object): Promise<Lane> {
  const session = await ort.InferenceSession.create(new Uint8Array(bytesOf(fileOf(c, `${form}.onnx`))), {
    ...options,
    logSeverityLevel: 3,
  });
  const floats = new Float32Array(bytesOf(fileOf(c, 'floats')));
  const bytes = form === 'u8s8' && c.quantized === 'bytes';
  const x = bytes ? new ort.Tensor('uint8', quantized(floats), c.shape) : new ort.Tensor('float32', floats, c.shape);
  const feeds = { [c.input]: x };
  return {
    run: () => session.run(feeds),
    output: async () => {
      const { dims, data } = (await session.run(feeds))[session.outputNames[0]!]!;
      const { scale, zero } = (bytes && c.output) || { scale: 1, zero: 0 };
      return channelsLast(
        Float32Array.from(data, (v) => (v - zero) * scale),
        dims,
      );
    },
    dispose: () => session.release(),
  };
}

async function loadTf(c: Prepared): Promise<Lane> {
  const tf = await import('@tensorflow/tfjs-core');
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const { TfNetwork } = await import('./tfjs-target.ts');
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(main)}/`);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
  const network = new TfNetwork();
  const own = [...NETWORKS, ...LAYERS].find((i) => i.name === c.name);
  const shape = own?.shape ?? ENCODER.shape;
  if (own) own.network(new ImageNet(network), { v: 0, shape });
  else encoderNetwork(new EncoderNet(network), { v: 0, shape });
  const x = tf.tensor(channelsLast(new Float32Array(bytesOf(fileOf(c, 'floats'))), c.shape), shape);
  const run = (): Float32Array => {
    const y = network.run(x);
    const data = y.dataSync();
    y.dispose();
    return data;
  };
  return { run, output: async () => run().slice(), dispose: () => [...network.constants, x].map((t) => t.dispose()) };
}

/** `options` of createSession: those that give it its threads. */
function samebit(threads: number, options: object = {}): Subject {
  return { name: 'samebit', threads, takes: () => true, load: (c) => loadSamebit(c, options) };
}

/** The wasm package takes its number of threads once in a process, before its first session. */
function ort(where: 'web' | 'node', form: Form, threads: number): Subject {
  return {
    name: `onnxruntime-${where} ${form}`,
    threads,
    takes: (c) => form === 'f32' || c.quantized !== 'none',
    load: async (c) => {
      if (where === 'node')
        return loadOrt(await import('onnxruntime-node'), c, form, { intraOpNumThreads: threads, interOpNumThreads: 1 });
      const runtime = await import('onnxruntime-web');
      runtime.env.wasm.numThreads = threads;
      return loadOrt(runtime, c, form, { executionProviders: ['wasm'] });
    },
  };
}

/** TensorFlow.js reads no ONNX file, so it takes the networks that are written here. */
const tfjs: Subject = { name: 'tfjs-wasm f32', threads: 1, takes: (c) => !c.real, load: loadTf };

/** All rows. The others are compared with the row of samebit that has as many threads, or else the most below that. */
export const SUBJECTS: readonly Subject[] = [
  samebit(1),
  samebit(2, { threads: 2 }),
  ...[1, 2].flatMap((threads) =>
    (['web', 'node'] as const).flatMap((where) => [ort(where, 'u8s8', threads), ort(where, 'f32', threads)]),
  ),
  tfjs,
];
