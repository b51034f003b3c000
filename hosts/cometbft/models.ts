/**
 * The models of the chain, real questions to them, and transactions.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy } from '../../src/cli/npy.ts';
import { toWasm } from '../../src/compile.ts';
import { encodeModel } from '../../src/format.ts';
import { hex, loadModel, type Model } from '../../src/index.ts';
import { convertOnnx, quantizeInput } from '../../src/quant.ts';
import { type Genesis, HEAD, type Runner, sha256 } from './application.ts';
import { runnerOf } from './runner.ts';

/** Gas of a block: about sixteen runs of the network for digits. */
export const BLOCK_GAS = 100_000_000;
/** Images and rows that are asked about. */
const QUESTIONS = 20;

/** A model of the chain: `questions` are inputs as they are stored. */
export interface Asked {
  readonly name: string;
  readonly model: Model;
  /** On the reference backend; an input that came before is not run again. */
  readonly reference: Runner;
  readonly questions: readonly Uint8Array[];
}

/** What a chain is about. */
export interface World {
  readonly genesis: Genesis;
  readonly models: readonly Asked[];
}

const EXAMPLES = join(import.meta.dirname, '../../examples');

function file(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(EXAMPLES, path)));
}

type Made = readonly [sbm: Uint8Array, questions: Uint8Array[]];

function digits(): Made {
  const calib = readNpy(file('mnist/calib.npy'));
  const { graph } = convertOnnx(file('mnist/model.onnx'), {
    samples: { dtype: 'u8', shape: calib.shape, data: calib.data as Uint8Array },
    inputType: 'u8',
    std: [255],
  });
  const images = readNpy(file('mnist/test.npy')).data as Uint8Array;
  const stored = Array.from({ length: QUESTIONS }, (_, i) => images.slice(784 * i, 784 * (i + 1)).map((v) => v ^ 128));
  return [encodeModel(graph), stored];
}

/** A score of 61 features; the chain takes values of the interval that the calibration saw. */
function score(): Made {
  const [calib, test] = ['calib', 'test'].map((n) => readNpy(file(`german-credit/${n}.npy`)).data as Float32Array);
  const samples = { dtype: 'f32' as const, shape: [calib!.length / 61, 61], data: calib! };
  const { graph } = convertOnnx(file('german-credit/model.onnx'), { samples });
  const decl = graph.inputs[0]!;
  const rows = (data: Float32Array): Int16Array[] =>
    Array.from({ length: data.length / 61 }, (_, i) =>
      Int16Array.from(quantizeInput(decl, data.subarray(61 * i, 61 * (i + 1))).data),
    );
  const seen = rows(calib!).flatMap((row) => [...row]);
  const [lo, hi] = [seen.reduce((a, b) => Math.min(a, b)), seen.reduce((a, b) => Math.max(a, b))];
  const stored = rows(test!)
    .filter((row) => row.every((v) => v >= lo && v <= hi))
    .slice(0, QUESTIONS)
    .map((row) => {
      const out = Buffer.alloc(2 * row.length);
      for (const [i, v] of row.entries()) out.writeInt16LE(v, 2 * i);
      return Uint8Array.from(out);
    });
  return [encodeModel({ ...graph, inputs: [{ ...decl, lo, hi }] }), stored];
}

function remembering(runner: Runner): Runner {
  const answers = new Map<string, Uint8Array>();
  const run = (input: Uint8Array): Uint8Array => {
    const key = sha256(input).toString('hex');
    const known = answers.get(key) ?? runner.run(input);
    answers.set(key, known);
    return known;
  };
  return { ...runner, run };
}

/** Converts the models, writes them with their modules and `genesis.json` into a folder. */
export async function writeModels(folder: string): Promise<World> {
  mkdirSync(folder, { recursive: true });
  const models: Asked[] = [];
  const listed: Genesis['models'][number][] = [];
  for (const [name, make] of [['mnist-cnn', digits] as const, ['german-credit-mlp', score] as const]) {
    const [sbm, questions] = make();
    const model = loadModel(sbm);
    const id = hex(model.id);
    const module = toWasm(model);
    writeFileSync(join(folder, `${id}.sbm`), sbm);
    writeFileSync(join(folder, `${id}.wasm`), module);
    listed.push({ id, module: sha256(module).toString('hex') });
    models.push({ name, model, reference: remembering(await runnerOf(model, { backend: 'reference' })), questions });
  }
  const genesis = { blockGas: BLOCK_GAS, models: listed };
  writeFileSync(join(folder, 'genesis.json'), `${JSON.stringify(genesis)}\n`);
  return { genesis, models };
}

let nonces = 0;

/** A transaction of a form that is right; `limit` default is the gas of the model. */
export function transaction(asked: Asked, input: Uint8Array, limit: number | bigint = asked.reference.gas): Uint8Array {
  const head = Buffer.alloc(HEAD);
  head[0] = 1;
  head.set(asked.model.id, 1);
  head.writeBigUInt64BE(BigInt(limit), 33);
  head.writeBigUInt64BE(BigInt(nonces++), 41);
  return Buffer.concat([head, input]);
}

/** So many questions, to one model after the other. */
export function questions({ models }: World, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const asked = models[nonces % models.length]!;
    return transaction(asked, asked.questions[Math.floor(nonces / models.length) % asked.questions.length]!);
  });
}
