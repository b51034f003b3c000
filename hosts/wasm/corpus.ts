/**
 * What the WebAssembly hosts run: modules of real models and of random graphs, inputs, and the digests that the reference gives.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, REAL_MODELS } from '../../scripts/models/entries.ts';
import { macs } from '../../src/cli/figures.ts';
import { readNpy } from '../../src/cli/npy.ts';
import { type ChunkOptions, toWasm, toWasmChunks, validateProfile, type WasmOptions } from '../../src/compile.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import { type ConvertOptions, convertOnnx } from '../../src/quant/convert.ts';
import { randomInputs } from '../../test/support/differential.ts';
import { Prng } from '../../test/support/prng.ts';
import { randomGraph } from '../../test/support/recipes.ts';

/** What a subject is compiled to: the profiles, profile mvp with its weights in chunks, and a contract. */
const FORMS: Readonly<Record<string, WasmOptions | ChunkOptions>> = {
  mvp: { profile: 'mvp' },
  simd128: { profile: 'simd128' },
  chunks: { profile: 'mvp', chunkBytes: 20_000 },
  cosmwasm: { contract: 'cosmwasm' },
};
/** Most bytes of a contract's answer that its host reads; outputs stand in it in base64 twice. */
const ANSWER = 262_144;
/** Runs of a random graph. */
const GRAPH_RUNS = 2;

/** A module with its inputs, as hosts read it: `inputs` holds those of all runs, one after another. */
export interface Entry {
  readonly name: string;
  readonly kind: 'model' | 'graph';
  readonly profile: string;
  readonly module: string;
  /** The chunks, one after another, of a module that has none of its weights. */
  readonly weights?: string;
  readonly inputs: string;
  /** Bytes of each input. */
  readonly lengths: readonly number[];
  readonly runs: number;
  readonly macs: number;
  readonly bytes: number;
  /** sha256 of the outputs of all runs by the reference, one after another. */
  readonly digest: string;
}

interface Subject {
  readonly name: string;
  readonly kind: Entry['kind'];
  readonly model: Model;
  readonly dims: readonly number[];
  readonly runs: number;
}

/** Models beside those of the tables: the forms of one that comes quantized, and the character transformer. */
const OTHERS: readonly { readonly name: string; readonly path: string; readonly calib: string | undefined }[] = [
  { name: 'mnist-cnn QDQ', path: 'mnist-cnn/model_qdq.onnx', calib: undefined },
  { name: 'mnist-cnn QOperator', path: 'mnist-cnn/model_qoperator.onnx', calib: undefined },
  { name: 'shakespeare-charlm', path: 'shakespeare-charlm/model.onnx', calib: 'shakespeare-charlm/calib.npy' },
];

const ROOT = join(import.meta.dirname, '../..');
const SHARED = join(process.env['SAMEBIT_SHARED'] ?? join(ROOT, '../shared'), 'models');

/** A model by its ONNX file, and samples for calibration. */
export function converted(path: string, calib: string | undefined, options: ConvertOptions): Model {
  const samples = calib === undefined ? {} : { samples: readNpy(new Uint8Array(readFileSync(calib))) };
  return loadModel(encodeModel(convertOnnx(new Uint8Array(readFileSync(path)), { ...options, ...samples }).graph));
}

/** Real models of this machine; large ones run once. */
function* models(): Generator<Subject> {
  const found: [string, () => Model][] = REAL_MODELS.flatMap((m): [string, () => Model][] => {
    const folder = folderOf(m);
    return folder === undefined
      ? []
      : [[m.name, () => converted(join(folder, 'model.onnx'), join(folder, 'calib.npy'), m.options)]];
  });
  for (const { name, path, calib } of OTHERS) {
    const at = join(SHARED, path);
    if (existsSync(at)) found.push([name, () => converted(at, calib && join(SHARED, calib), {})]);
  }
  for (const [name, make] of found) {
    const model = make();
    yield { name, kind: 'model', model, dims: [], runs: macs(model) > 1e7 ? 1 : 5 };
  }
}

function* graphs(count: number, seed: number): Generator<Subject> {
  for (let i = 0; i < count; i++) {
    const model = loadModel(encodeModel(randomGraph(seed + i)));
    const dims = model.symbols.map((s) => s.max);
    yield { name: `graph ${seed + i}`, kind: 'graph', model, dims, runs: GRAPH_RUNS };
  }
}

/** Whether a contract keeps the limits of its host. */
function fits(bytes: Uint8Array, answer: number): boolean {
  return validateProfile(bytes, 'cosmwasm').length === 0 && answer * (4 / 3) < ANSWER;
}

/**
 * Writes modules and inputs into a folder, and the list `corpus.json`.
 * @param report is told of every subject
 */
export async function writeCorpus(
  folder: string,
  count: number,
  seed: number,
  report: (name: string) => void,
): Promise<readonly Entry[]> {
  mkdirSync(folder, { recursive: true });
  const entries: Entry[] = [];
  let stem = 0;
  for (const { name, kind, model, dims, runs } of [...models(), ...graphs(count, seed)]) {
    report(name);
    const session = await createSession(model, { backend: 'reference' });
    const digest = createHash('sha256');
    const r = new Prng(7);
    const given: Uint8Array[] = [];
    let answer = 128;
    for (let run = 0; run < runs; run++) {
      const inputs = randomInputs(model, r, dims);
      // a u8 input is stored as i8
      for (const d of model.inputs) {
        const bytes = toBytes(inputs[d.name]!.data);
        given.push(d.u8 ? bytes.map((b) => b ^ 128) : bytes);
      }
      const { outputs } = await session.run(inputs);
      for (const o of model.outputs) {
        const bytes = toBytes(outputs[o.name]!.data);
        if (run === 0) answer += bytes.length * (4 / 3) + 8;
        digest.update(o.u8 ? bytes.map((b) => b ^ 128) : bytes);
      }
    }
    session.dispose();
    const lengths = given.slice(0, model.inputs.length).map((g) => g.length);
    writeFileSync(join(folder, `${stem}.in`), Buffer.concat(given));
    const named = Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]!]));
    const expected = digest.digest('hex');
    for (const [profile, options] of Object.entries(FORMS)) {
      const given = { ...options, dims: named };
      const { module: bytes, chunks } =
        'chunkBytes' in given ? toWasmChunks(model, given) : { module: toWasm(model, given), chunks: undefined };
      if (profile === 'cosmwasm' && !fits(bytes, answer)) continue;
      const module = `${stem}.${profile}.wasm`;
      writeFileSync(join(folder, module), bytes);
      const weights = chunks && `${stem}.weights`;
      if (chunks) writeFileSync(join(folder, weights!), Buffer.concat(chunks));
      const size = bytes.length + (chunks?.reduce((n, c) => n + c.length, 0) ?? 0);
      const own = { name, kind, profile, module, ...(weights && { weights }), inputs: `${stem}.in`, lengths, runs };
      entries.push({ ...own, macs: macs(model), bytes: size, digest: expected });
    }
    stem++;
  }
  writeFileSync(join(folder, 'corpus.json'), `${JSON.stringify(entries, null, 1)}\n`);
  return entries;
}
