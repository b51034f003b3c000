/**
 * `npm run hosts:batch`: a table of rows scored with a compiled model on engines of data, which know nothing of this library: Ray, with
 * workers that are killed, and Polars. The digest of all scores is that of the reference backend (docs/aot.md). Needs python3; what it
 * builds lies in .hosts/batch. Writes a part of HOSTS.md.
 *
 *   --rows N      rows of the table (default 100000), --seed S of its generator
 *   --rounds N    timings of each number of workers, interleaved, the table ten times over (default 3)
 *   --json FILE   one row a run: engine, profile, workers, partitions, killed, passes, redone, digest, rowsPerSecond, processorMicros
 *   --out FILE    the table (default HOSTS.md)
 * @module
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readArgs } from '../../scripts/args.ts';
import { sourcesHash } from '../../scripts/sources.ts';
import { readNpy } from '../../src/cli/npy.ts';
import { toWasm } from '../../src/compile.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import { convertOnnx } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { Prng } from '../../test/support/prng.ts';
import { checkOut, writePart } from '../parts.ts';
import { HOSTS_HOME, tool, venv } from '../tools.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const HOME = join(HOSTS_HOME, 'batch');
const EXAMPLE = join(ROOT, 'examples/german-credit');
/** Rows that a module takes at once. */
const BLOCK = 200;
/** Times that the table is scored where it is timed. */
const PASSES = 10;
const PROFILES = ['mvp', 'simd128'] as const;

/** A run of a job, as the engine reports it. */
interface Outcome {
  readonly engine: string;
  readonly profile: string;
  readonly workers?: number;
  readonly partitions: number;
  readonly killed?: boolean;
  /** Partitions that were begun twice. */
  readonly redone?: number;
  /** Processes that came after the first ones. */
  readonly fresh?: number;
  readonly digest: string;
  readonly rowsPerSecond: number;
  /** Microseconds of processor a row, Parquet and all. */
  readonly processorMicros: number;
}

/** A run that Ray is asked for; `cuts` are the first rows of its partitions. */
interface Wanted {
  readonly profile: string;
  readonly workers: number;
  readonly cuts: readonly number[];
  readonly kill: boolean;
  /** How often the table is scored. */
  readonly passes: number;
}

function npy(file: string): ReturnType<typeof readNpy> {
  return readNpy(new Uint8Array(readFileSync(join(EXAMPLE, file))));
}

/** The classifier of examples/german-credit, its rows a symbol. */
function credit(): Model {
  const onnx = new Uint8Array(readFileSync(join(EXAMPLE, 'model.onnx')));
  const { graph } = convertOnnx(onnx, { samples: npy('calib.npy'), dims: { N: { min: 1, max: BLOCK } } });
  return loadModel(encodeModel(graph));
}

/** Rows like those of the example: one of its test rows, each numeric column taken from another of them. */
function makeRows(model: Model, count: number, seed: number): Int16Array {
  const { data, shape } = npy('test.npy');
  const [samples, columns] = shape as [number, number];
  const known = quantizeInput(model.inputs[0]!, data, shape).data;
  const numeric = Array.from({ length: columns }, (_, c) => c).filter((c) =>
    Array.from({ length: samples }, (_, r) => data[r * columns + c]!).some((v) => v !== 0 && v !== 1),
  );
  const random = new Prng(seed);
  const rows = new Int16Array(count * columns);
  for (let r = 0; r < count; r++) {
    const base = random.below(samples) * columns;
    rows.set(known.subarray(base, base + columns), r * columns);
    for (const c of numeric) rows[r * columns + c] = known[random.below(samples) * columns + c]!;
  }
  return rows;
}

/** sha256 of the scores of all rows in order, by a backend. */
async function digestOn(model: Model, backend: 'reference' | 'wasm', rows: Int16Array): Promise<string> {
  const session = await createSession(model, { backend });
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  const columns = input.shape[1] as number;
  const digest = createHash('sha256');
  for (let at = 0; at < rows.length; at += BLOCK * columns) {
    const data = rows.slice(at, at + BLOCK * columns);
    const { outputs } = await session.run({
      [input.name]: { dtype: 'i16', shape: [data.length / columns, columns], data },
    });
    const scores = outputs[output.name]!.data;
    digest.update(new Uint8Array(scores.buffer, scores.byteOffset, scores.byteLength));
  }
  session.dispose();
  return digest.digest('hex');
}

/** First rows of `parts` partitions of one size. */
function equal(rows: number, parts: number): number[] {
  const size = Math.ceil(rows / parts);
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => i * size);
}

/** First rows of partitions of random sizes. */
function uneven(rows: number, parts: number, seed: number): number[] {
  const random = new Prng(seed);
  const cuts = new Set([0, ...Array.from({ length: parts - 1 }, () => random.below(rows))]);
  return [...cuts].sort((a, b) => a - b);
}

async function outcomes(python: string, script: string): Promise<Outcome[]> {
  const child = spawn(python, [join(HERE, script), HOME], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  const out: Outcome[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    if (line.startsWith('{')) out.push(JSON.parse(line) as Outcome); // Ray's own lines stand between
  }
  const status = await ended;
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return out;
}

/** Median, with the least and the greatest. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [mid, ...ends] = [sorted[sorted.length >> 1]!, sorted[0]!, sorted[sorted.length - 1]!].map((v) =>
    v.toLocaleString('en'),
  );
  return values.length === 1 ? mid! : `${mid} (${ends.join('–')})`;
}

function versions(): string {
  const pins = readFileSync(join(HERE, 'requirements.txt'), 'utf8').matchAll(/^(\w+)==(.+)$/gm);
  const { ray, polars, wasmtime } = Object.fromEntries([...pins].map((m) => [m[1]!, m[2]!]));
  return `Ray ${ray}, Polars ${polars}, wasmtime ${wasmtime} from Python`;
}

const { values } = readArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '9' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'HOSTS.md') },
  },
});
checkOut(values.out);
const [count, seed, rounds] = [Number(values.rows), Number(values.seed), Number(values.rounds)];
if (![count, seed, rounds].every(Number.isSafeInteger) || count < 1000 || count > 1e7 || rounds < 1) {
  console.error('--rows is 1000…10000000, --seed and --rounds are whole numbers');
  process.exit(2);
}
mkdirSync(HOME, { recursive: true });
const python = venv(HOME, ['-r', join(HERE, 'requirements.txt')]);
const model = credit();
const rows = makeRows(model, count, seed);
for (const profile of PROFILES)
  writeFileSync(join(HOME, `${profile}.wasm`), toWasm(model, { profile, dims: { N: BLOCK } }));
writeFileSync(join(HOME, 'rows.bin'), new Uint8Array(rows.buffer));
const [expected, wasm] = [await digestOn(model, 'reference', rows), await digestOn(model, 'wasm', rows)];
console.log(`reference ${expected}`);
if (wasm !== expected) throw new Error('the wasm backend differs from the reference');

const timed = equal(count, 12);
const cuts = [[0], equal(count, 7), uneven(count, 37, seed), equal(count, 250)];
const wanted: Wanted[] = PROFILES.flatMap((profile) => [
  ...cuts.flatMap((c) => [1, 2].map((workers) => ({ profile, workers, cuts: c, kill: false, passes: 1 }))),
  ...[1, 2].map((workers) => ({ profile, workers, cuts: equal(count, 8), kill: true, passes: 1 })),
  ...Array.from({ length: 2 * rounds }, (_, i) => ({
    profile,
    workers: 1 + (i % 2),
    cuts: timed,
    kill: false,
    passes: PASSES,
  })),
]);
const job = { rows: count, columns: model.inputs[0]!.shape[1], profiles: PROFILES, runs: wanted, rounds };
writeFileSync(join(HOME, 'job.json'), JSON.stringify(job));
tool(python, [join(HERE, 'polars_job.py'), HOME, '--prepare']);
const all = [...(await outcomes(python, 'ray_job.py')), ...(await outcomes(python, 'polars_job.py'))];
for (const o of all) {
  if (o.digest !== expected) throw new Error(`${JSON.stringify(o)} differs from the reference`);
  if (o.killed && (o.redone !== 1 || o.fresh !== 1))
    throw new Error(`no partition was done again: ${JSON.stringify(o)}`);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 1)}\n`);

const group = (o: Outcome): string =>
  `${o.engine === 'ray' ? `Ray, ${o.workers} worker${o.workers === 1 ? '' : 's'}${o.killed ? ', one killed' : ''}` : o.engine.replace('polars', 'Polars,')} | ${o.profile} | ${o.partitions}`;
const groups = new Map<string, Outcome[]>();
for (const o of all) groups.set(group(o), [...(groups.get(group(o)) ?? []), o]);
const lines = [...groups].map(
  ([key, of]) =>
    `| ${key} | ${of.length} | ${of[0]!.redone ?? ''} | ${spread(of.map((o) => o.rowsPerSecond))} | ${spread(of.map((o) => o.processorMicros))} |`,
);
writePart(
  values.out,
  'batch',
  `## Batch work

Written by \`npm run hosts:batch -- --rows ${count}\`; sources: \`${sourcesHash()}\`. ${versions()}.

${count.toLocaleString('en')} rows of ${job.columns} features (seed ${seed}) scored with the classifier of examples/german-credit, ${BLOCK} rows a call of the module. sha256 of all
scores in order, by the reference backend and by each of the ${all.length} runs: \`${expected.slice(0, 16)}\`. Where a worker is killed, it dies by SIGKILL halfway
through a partition, which another process does again. Figures are medians of the runs (least–greatest), of a shared machine of two cores:
rows a second depend on what else runs, processor time hardly. Runs of 12 partitions go ${PASSES} times over the table.

| engine | profile | partitions | runs | partitions done again | rows a second | µs of processor a row |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`,
);
