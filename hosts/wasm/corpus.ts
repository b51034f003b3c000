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
import { type Profile, toWasm } from '../../src/compile.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import { type ConvertOptions, convertOnnx } from '../../src/quant/convert.ts';
import { randomInputs } from '../../test/support/differential.ts';
import { Prng } from '../../test/support/prng.ts';
import { randomGraph } from '../../test/support/recipes.ts';

/** Profiles in the order of the table. */
export const PROFILES: readonly Profile[] = ['mvp', 'simd128'];
/** Runs of a random graph. */
const GRAPH_RUNS = 2;

/** A module with its inputs, as hosts read it: `inputs` holds those of all runs, one after another. */
export interface Entry {
  readonly name: string;
  readonly kind: 'model' | 'graph';
  readonly profile: Profile;
  readonly module: string;
  readonly inputs: string;
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

function converted(path: string, calib: string | undefined, options: ConvertOptions): Model {
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
  for (const { name, kind, model, dims, runs } of [...models(), ...graphs(count, seed)]) {
    report(name);
    const session = await createSession(model, { backend: 'reference' });
    const digest = createHash('sha256');
    const r = new Prng(7);
    const given: Uint8Array[] = [];
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
        digest.update(o.u8 ? bytes.map((b) => b ^ 128) : bytes);
      }
    }
    session.dispose();
    const stem = `${entries.length / PROFILES.length}`;
    writeFileSync(join(folder, `${stem}.in`), Buffer.concat(given));
    const named = Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]!]));
    const expected = digest.digest('hex');
    for (const profile of PROFILES) {
      const bytes = toWasm(model, { profile, dims: named });
      const module = `${stem}.${profile}.wasm`;
      writeFileSync(join(folder, module), bytes);
      const own = { name, kind, profile, module, inputs: `${stem}.in`, runs };
      entries.push({ ...own, macs: macs(model), bytes: bytes.length, digest: expected });
    }
  }
  writeFileSync(join(folder, 'corpus.json'), `${JSON.stringify(entries, null, 1)}\n`);
  return entries;
}
