/**
 * What the beds run beside the suite: the models of MODELS.md that are on this machine, converted, one stored sample each.
 * As a program it writes that as JSON, for bench/gpu-host.sh: `tsx scripts/engines/task.ts FILE`.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { integerInputs } from '../../src/cli/accuracy.ts';
import { readArray, readBytes } from '../../src/cli/files.ts';
import type { ConformanceCase } from '../../src/conformance.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { lower } from '../../src/onnx/lower.ts';
import { parseOnnx } from '../../src/onnx/parse.ts';
import { convertModel } from '../../src/quant/convert.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import type { Task } from '../../test/engines/bed.ts';
import { base64, written } from '../../test/support/conformance-case.ts';
import { folderOf, REAL_MODELS, type RealModel } from '../models/entries.ts';
import { sourcesHash } from '../sources.ts';

/** Random graphs of a bed, and the seed of the first. */
const [GRAPHS, SEED] = [50, 40_000_000];
const CACHE = join(import.meta.dirname, '../../.gpu/models');

/** A model with its first test sample, and the digest that wasm gives here. */
async function caseOf(entry: RealModel, folder: string): Promise<ConformanceCase> {
  const source = readBytes(join(folder, 'model.onnx'));
  const parsed = parseOnnx(source);
  const calib = readArray(join(folder, 'calib.npy'));
  const bytes = encodeModel(convertModel(parsed, source.length, { ...entry.options, samples: calib }).graph);
  const model = loadModel(bytes);
  const float = lower(parsed);
  const { mean, std } = entry.options;
  const samples = new Map([[float.inputs[0]!.name, readArray(join(folder, 'test.npy'))]]);
  const inputs = integerInputs(
    model,
    float,
    { inputs: samples, reference: new Map(), labels: undefined, limit: 1, mean, std },
    0,
  );
  const session = await createSession(model, { backend: 'wasm' });
  const { digest } = await session.run(inputs);
  session.dispose();
  return { name: entry.name, sbm: base64(bytes), runs: [{ inputs: written(inputs), digest }] };
}

/** Cases of all models that are here, or of those in examples/; converted once for these sources. */
async function modelCases(small: boolean): Promise<ConformanceCase[]> {
  mkdirSync(CACHE, { recursive: true });
  const sources = sourcesHash();
  const cases: ConformanceCase[] = [];
  for (const entry of REAL_MODELS) {
    const folder = folderOf(entry);
    if (folder === undefined || (small && entry.example === undefined)) continue;
    const path = join(CACHE, `${entry.name}-${sources}.json`);
    if (!existsSync(path)) writeFileSync(path, JSON.stringify(await caseOf(entry, folder)));
    cases.push(JSON.parse(readFileSync(path, 'utf8')) as ConformanceCase);
  }
  return cases;
}

/** What every bed runs: the whole suite, the models and random graphs. */
export async function wholeTask(small: boolean): Promise<Omit<Task, 'backends'>> {
  return { every: 1, seed: SEED, graphs: GRAPHS, models: await modelCases(small) };
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(process.argv[2]!, JSON.stringify({ ...(await wholeTask(false)), backends: ['webgpu'] }));
