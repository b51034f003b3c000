/**
 * `npm run models`: converts the models of examples/ and of the shared folder (SAMEBIT_SHARED), compares each with its
 * stored float outputs and writes MODELS.md. `--json` prints the rows; names after it choose some models and print the text
 * instead; `--runs=N` verifies fewer runs than the table asks for, and prints too.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Accuracy, compareModels, integerInputs } from '../src/cli/accuracy.ts';
import { spread } from '../src/cli/bench.ts';
import { gasAtMaxima, macs } from '../src/cli/figures.ts';
import { readArray, readBytes } from '../src/cli/files.ts';
import type { NpyArray } from '../src/cli/npy.ts';
import { type BoxMatch, matchBoxes } from '../src/cli/report/boxes.ts';
import { grouped, percent, toJson } from '../src/cli/text.ts';
import { type Verification, verifyModel } from '../src/cli/verify.ts';
import { hex } from '../src/core/digest.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Model } from '../src/graph/ir.ts';
import { lower } from '../src/onnx/lower.ts';
import { type OnnxModel, parseOnnx } from '../src/onnx/parse.ts';
import { type Detector, detectorOf } from '../src/pipeline/boxes.ts';
import { convertModel } from '../src/quant/convert.ts';
import { type FloatGraph, sourceShape } from '../src/quant/float-graph.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { folderOf, REAL_MODELS, type RealModel } from './models/entries.ts';
import { sourcesHash } from './sources.ts';

const root = join(import.meta.dirname, '..');
/** Of the sources as they are when the run begins. */
const sources = sourcesHash();

/** Greatest number of samples of a model; runs that are timed on wasm; samples whose digests are compared. */
const SAMPLES = 2000;
const TIMED = 10;
const COMPARED = 2;
/** Random inputs that `samebit verify` takes, with its own default seed. */
const VERIFIED = 100;
/** Gas of the runs of a large model on the reference, whose runs are fewer for it. */
const VERIFIED_GAS = 5_000_000_000n;
/** Least IoU of two faces that count as the same. */
const SAME = 0.9;
const SEED = 1;

interface Row {
  readonly name: string;
  readonly source: string;
  readonly opset: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly onnxBytes: number;
  readonly accuracy: Accuracy;
  readonly macs: number;
  readonly gas: bigint;
  readonly ms: Readonly<Record<string, number>>;
  readonly convertSeconds: number;
  readonly transposes: number;
  readonly widened: number;
  readonly id: string;
  readonly digests: readonly string[];
  readonly identical: boolean;
  readonly verified: Verification;
  readonly runs: number;
  readonly faces?: { readonly score: number; readonly found: readonly BoxMatch[] } | undefined;
}

/** Values of the outputs of a picture, by name. */
type Outputs = Map<string, ArrayLike<number>>;

/** Faces of each sample by both models, from the outputs as `compareModels` shows them. */
class Faces {
  readonly #float: Outputs[] = [];
  readonly #ours: Outputs[] = [];

  /** Takes the next output; the first one of a sample begins it. */
  readonly see = (output: string, float: ArrayLike<number>, ours: ArrayLike<number>): void => {
    for (const [all, values] of [
      [this.#float, float],
      [this.#ours, ours],
    ] as const) {
      if (all.at(-1) === undefined || all.at(-1)!.has(output)) all.push(new Map());
      all.at(-1)!.set(output, Float64Array.from(values));
    }
  };

  result(detector: Detector): BoxMatch[] {
    return this.#float.map((f, i) => matchBoxes(detector.boxes(f), detector.boxes(this.#ours[i]!)));
  }
}

/** Floats that the file holds, in initialisers and constant nodes. */
function parametersOf(model: OnnxModel): number {
  const constants = model.nodes
    .flatMap((n) => [...n.attributes.values()])
    .flatMap((a) => (a.type === 'tensor' ? [a.value] : []));
  return [...model.initializers.values(), ...constants]
    .filter((t) => t.dtype === 'float32')
    .reduce((n, t) => n + t.data.length, 0);
}

/** Stored float outputs: one file of the only output, or one an output. */
function referenceOf(folder: string, graph: FloatGraph): Map<string, NpyArray> {
  const file = (name: string): string =>
    join(folder, graph.outputs.length === 1 ? 'float_outputs.npy' : `float_outputs_${name}.npy`);
  return new Map(graph.outputs.map((o) => [o.name, readArray(file(o.name))]));
}

/** Digests of some inputs on both backends, and the time of a run on each. */
async function runBoth(
  model: Model,
  inputs: readonly Readonly<Record<string, Tensor>>[],
): Promise<Pick<Row, 'ms' | 'digests' | 'identical'>> {
  const digests: Record<string, string[]> = {};
  const ms: Record<string, number> = {};
  for (const backend of ['wasm', 'reference'] as const) {
    const session = await createSession(model, { backend });
    const times: number[] = [];
    const own: string[] = (digests[backend] = []);
    for (let n = 0; n < (backend === 'wasm' ? TIMED : COMPARED); n++) {
      const start = performance.now();
      const { digest } = await session.run(inputs[n % inputs.length]!);
      times.push(performance.now() - start);
      if (n < inputs.length) own.push(digest);
    }
    session.dispose();
    ms[backend] = spread(times).ms;
  }
  return { ms, digests: digests['wasm']!, identical: `${digests['wasm']}` === `${digests['reference']}` };
}

/** Verified runs of a model: fewer for a large one, on which the reference takes seconds a run. */
function runsOf(gas: bigint, runs: number): number {
  return Math.max(COMPARED, Math.min(runs, Number(VERIFIED_GAS / gas)));
}

async function rowOf(entry: RealModel, folder: string, runs: number): Promise<Row> {
  const source = readBytes(join(folder, 'model.onnx'));
  const calib = readArray(join(folder, 'calib.npy'));
  const start = performance.now();
  const parsed = parseOnnx(source);
  const { graph, report } = convertModel(parsed, source.length, { ...entry.options, samples: calib });
  const bytes = encodeModel(graph);
  const convertSeconds = (performance.now() - start) / 1000;
  const model = loadModel(bytes);
  const float = lower(parsed);
  const labels = join(folder, 'labels.npy');
  const heads = float.outputs.map((o) => ({ name: o.name, shape: sourceShape(float, o) }));
  const [height, width] = sourceShape(float, float.inputs[0]!).slice(2);
  const detector = detectorOf(heads, width ?? 0, height ?? 0);
  const faces = detector && new Faces();
  const comparison = {
    inputs: new Map([[float.inputs[0]!.name, readArray(join(folder, 'test.npy'))]]),
    reference: referenceOf(folder, float),
    labels: existsSync(labels) ? readArray(labels) : undefined,
    limit: SAMPLES,
    mean: entry.options.mean,
    std: entry.options.std,
    ...(faces && { see: faces.see }),
  };
  const session = await createSession(model, { backend: 'wasm' });
  const accuracy = await compareModels(model, session, float, comparison);
  session.dispose();
  const inputs = Array.from({ length: COMPARED }, (_, n) => integerInputs(model, float, comparison, n));
  const own = runsOf(gasAtMaxima(model), runs);
  return {
    name: entry.name,
    source: entry.source,
    opset: report.opset,
    parameters: parametersOf(parsed),
    bytes: bytes.length,
    onnxBytes: source.length,
    accuracy,
    macs: macs(model),
    gas: gasAtMaxima(model),
    convertSeconds,
    transposes: report.transposes,
    widened: report.widened.length,
    id: hex(model.id),
    ...(await runBoth(model, inputs)),
    verified: await verifyModel(model, { backends: ['reference', 'wasm', 'wasm:2'], runs: own, seed: SEED }),
    runs: own,
    faces: detector && { score: detector.score, found: faces!.result(detector) },
  };
}

/** A share of samples as right of all. */
function of(share: number | undefined, samples: number): string {
  return share === undefined ? '' : `${grouped(Math.round(share * samples))} / ${grouped(samples)}`;
}

function lowest(row: Row): Accuracy['outputs'][number] {
  return row.accuracy.outputs.reduce((least, o) => (o.sqnrDb < least.sqnrDb ? o : least));
}

function line(row: Row): string {
  const { top1, floatTop1, agreement, samples } = row.accuracy;
  const least = lowest(row);
  const cells = [
    row.name,
    row.source,
    row.opset,
    grouped(row.parameters),
    `${grouped(row.bytes)} (${percent(row.bytes, row.onnxBytes)})`,
    samples,
    of(floatTop1, samples),
    of(top1, samples),
    of(agreement, samples),
    `${least.sqnrDb.toFixed(1)}${row.accuracy.outputs.length > 1 ? ` (${least.name})` : ''}`,
    grouped(row.gas),
    row.ms['wasm']!.toFixed(2),
    row.ms['reference']!.toFixed(0),
    row.convertSeconds.toFixed(1),
    row.identical ? `\`${row.digests[0]!.slice(0, 16)}\`` : 'DIFFERENT',
  ];
  return `| ${cells.join(' | ')} |`;
}

/** One line a backend: the digests stand below each other. */
function verifiedLines({ name, runs, verified: { backends, firstDifference: d } }: Row): string[] {
  const found = d === undefined ? 'identical' : `DIFFERENT from run ${d.run} on`;
  return backends.map((b) => `| ${name} | ${b.name} | ${runs} | \`${b.digest}\` | ${found} | ${b.ms.toFixed(2)} |`);
}

/** Whether both models found the same faces. */
function same(m: BoxMatch): boolean {
  return m.float === m.ours && m.matched === m.float && m.least >= SAME;
}

/** The matched faces of detectors, one line a sample. */
function facesTable(rows: readonly Row[]): string {
  const detectors = rows.flatMap(({ name, faces }) => (faces ? [{ name, ...faces }] : []));
  const lines = detectors.flatMap(({ name, found }) =>
    found.map((f, i) => {
      const least = f.matched > 0 ? `${f.least.toFixed(3)}${f.least < SAME ? ' (below)' : ''}` : '';
      return `| ${name} | ${i} | ${f.float} | ${f.ours} | ${f.matched} | ${least} |`;
    }),
  );
  const all = detectors.every(({ found }) => found.every(same));
  return `## Faces

Faces with a score above ${detectors.map((d) => `${d.score} (${d.name})`).join(' and ')}, overlaps suppressed, of the float model (stored outputs) and of ours; each is
paired with the nearest of the other model. ${all ? `Every picture has the same faces, each with an IoU of at least ${SAME}.` : `NOT every picture has the same faces with an IoU of at least ${SAME}.`}

| model | sample | float | ours | pairs | least IoU |
| --- | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
}

function markdown(rows: readonly Row[], runs: number): string {
  const outputs = rows
    .filter((r) => r.accuracy.outputs.length > 1)
    .flatMap((r) =>
      r.accuracy.outputs.map(
        (o) =>
          `| ${r.name} | ${o.name} | ${o.sqnrDb.toFixed(2)} | ${o.cosine.toFixed(6)} | ${o.maxAbsError.toPrecision(3)} |`,
      ),
    );
  return `# Models

Written by \`npm run models\` (\`scripts/models.ts\`); sources: \`${sources}\`.

Each model is converted with its calibration samples and compared with the stored outputs of the float model (onnxruntime) on test
samples that are not among them. Float and ours: top-1 against the labels; agreement: both models name the same class; empty where
there are no labels. SQNR in dB, the lowest of all outputs. The digest is that of the first test sample; the first ${COMPARED} give
the same on wasm and reference, or the column says DIFFERENT. Times are those of the machine that wrote the file, the median of
${TIMED} runs on wasm and the slower of ${COMPARED} on reference, while other work may go on beside them.

| model | source | opset | parameters | bytes (of float) | samples | float | ours | agreement | SQNR | gas | wasm ms | reference ms | convert s | digest |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.map(line).join('\n')}

## Outputs of the models with several

| model | output | SQNR dB | cosine | largest error |
| --- | --- | ---: | ---: | ---: |
${outputs.join('\n')}

${facesTable(rows)}
## The same bits on random inputs

\`samebit verify MODEL.sbm --runs RUNS\`: random and boundary inputs of seed ${SEED}, ${runs} runs, fewer where the reference would take minutes; the
digest is over the outputs of all runs, ms the median.

| model | backend | runs | digest | bits | ms |
| --- | --- | ---: | --- | --- | ---: |
${rows.flatMap(verifiedLines).join('\n')}
`;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const names = args.filter((a) => !a.startsWith('--'));
  const runs = Number(args.find((a) => a.startsWith('--runs='))?.slice(7) ?? VERIFIED);
  const rows: Row[] = [];
  for (const entry of REAL_MODELS.filter((e) => names.length === 0 || names.includes(e.name))) {
    const folder = folderOf(entry);
    if (folder === undefined) throw new Error(`the model ${entry.name} is not here: set SAMEBIT_SHARED`);
    const row = await rowOf(entry, folder, runs);
    process.stderr.write(`${line(row)}\n`);
    rows.push(row);
  }
  const path = join(root, 'MODELS.md');
  const text = markdown(rows, runs);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const at = before.indexOf('## Models of packages'); // written by scripts/packages.ts
  if (args.includes('--json')) console.log(toJson({ sources, models: rows }));
  if (names.length === 0 && runs === VERIFIED) writeFileSync(path, at < 0 ? text : `${text}\n${before.slice(at)}`);
  else if (!args.includes('--json')) console.log(text);
  if (rows.some((r) => !r.identical || r.verified.firstDifference !== undefined)) process.exitCode = 1;
}

await main();
