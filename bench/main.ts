/**
 * `npm run bench`: the speed of samebit and its peers by turns in one process for each number of threads, with what they
 * cost in load time, memory and bytes. Prints tables; a full run writes the speed section of RESULTS.md and the plot.
 * Options: --only CASE[,CASE], --json FILE, --install (installs the peers first).
 * @module
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { readArgs } from '../scripts/args.ts';
import { REAL_MODELS } from '../scripts/models/entries.ts';
import { sourcesHash } from '../scripts/sources.ts';
import { ENCODER, LAYERS, NETWORKS, type Prepared } from './cases.ts';
import type { Message, Row } from './child.ts';
import { quantile } from './measure.ts';
import { drawPlot } from './plot.ts';
import { prepareEncoder, prepareImage, prepareReal } from './prepare.ts';
import { type Footprint, markdown, printReport, withSection } from './report.ts';
import { compileRoofline } from './roofline.ts';
import { type Size, sizesOf } from './sizes.ts';
import { SUBJECTS } from './subjects.ts';

const HERE = import.meta.dirname;
const BUILD = join(HERE, 'build');
const RESULTS = join(HERE, 'RESULTS.md');
/** The network whose load, memory and first run are taken, and processes a subject. */
const FOOTPRINT_CASE = 'mobilenet-v2';
const PROCESSES = 5;

function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}

type Prepare = (folder: string) => Promise<Prepared | undefined>;

const imageCases = (cases: typeof NETWORKS): [string, Prepare][] =>
  cases.map((c) => [c.name, (folder) => prepareImage(c, folder)]);

/** How each case is made, in the order of the tables. */
const CASES: ReadonlyMap<string, Prepare> = new Map([
  ...imageCases(NETWORKS),
  [ENCODER.name, prepareEncoder],
  ...imageCases(LAYERS),
  ...REAL_MODELS.map((m): [string, Prepare] => [m.name, async (folder) => prepareReal(m, folder)]),
]);

/** Options of the command line; a mistake in them ends the process with 2. */
function readOptions(): { only: readonly string[] | undefined; json: string | undefined; install: boolean } {
  const fail = (message: string): never => {
    console.error(message);
    process.exit(2);
  };
  const { values } = readArgs({
    options: { only: { type: 'string' }, json: { type: 'string' }, install: { type: 'boolean', default: false } },
  });
  const only = values.only?.split(',');
  const unknown = only?.find((name) => !CASES.has(name));
  if (unknown !== undefined) fail(`no case ${unknown}; there are ${[...CASES.keys()].join(', ')}`);
  if (!values.install && !existsSync(join(HERE, 'node_modules')))
    fail('the runtimes to compare with (500 MB) are not installed: npm run bench -- --install');
  return { only, json: values.json, install: values.install };
}

/** Bundles the programs of the measured processes, so that no loader runs in them. */
async function buildChildren(): Promise<void> {
  await build({
    entryPoints: ['child.ts', 'footprint.ts'].map((name) => join(HERE, name)),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    outdir: BUILD,
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
}

/** Rows of one process with a number of threads. */
async function timeCases(folder: string, threads: number): Promise<Row[]> {
  const rows: Row[] = [];
  const child = fork(join(BUILD, 'child.mjs'), [folder, String(threads)], { stdio: ['ignore', 2, 2, 'ipc'] });
  child.on('message', (m: Message) => {
    if ('progress' in m) progress(m.progress);
    else rows.push(...m.rows);
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`the process with ${threads} threads ended with ${code}`);
  return rows;
}

/** Medians over fresh processes, one after another for each subject by turns. */
function takeFootprints(folder: string, sizes: ReadonlyMap<string, Size>): Footprint[] {
  const subjects = SUBJECTS.filter((s) => s.threads === 1).map((s) => s.name);
  const taken = new Map(subjects.map((name) => [name, [] as Record<string, number>[]]));
  for (let i = 0; i < PROCESSES; i++)
    for (const [name, figures] of taken) {
      progress(`${FOOTPRINT_CASE}, process ${i + 1} of ${PROCESSES}: ${name}`);
      const args = ['--expose-gc', join(BUILD, 'footprint.mjs'), folder, name];
      figures.push(
        JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 2] })),
      );
    }
  return [...taken].map(([subject, figures]) => {
    const median = (key: string): number =>
      quantile(
        figures.map((f) => f[key]!),
        0.5,
      );
    return {
      subject,
      loadMs: median('loadMs'),
      firstMs: median('firstMs'),
      residentBytes: median('residentBytes'),
      ...sizes.get(subject.replace(/ .*/, ''))!,
    };
  });
}

async function main(): Promise<void> {
  const { only, json, install } = readOptions();
  if (install) execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: HERE, stdio: ['ignore', 2, 2] });
  const sources = sourcesHash();
  const folder = mkdtempSync(join(tmpdir(), 'samebit-bench-'));
  try {
    const cases: Prepared[] = [];
    for (const [name, prepare] of CASES) {
      if (only !== undefined && !only.includes(name)) continue;
      progress(`${name}: writing its files`);
      const prepared = await prepare(folder);
      if (prepared !== undefined) cases.push(prepared);
      else console.error(`left out: ${name}, whose files are not below SAMEBIT_SHARED`);
    }
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
    writeFileSync(join(folder, 'roofline.wasm'), await compileRoofline());
    await buildChildren();
    const rows: Row[] = [];
    for (const threads of new Set(SUBJECTS.map((s) => s.threads))) rows.push(...(await timeCases(folder, threads)));
    const sized = cases.filter((c) => c.name === FOOTPRINT_CASE);
    writeFileSync(join(folder, 'footprint.json'), JSON.stringify(sized));
    const footprints = sized.length > 0 ? takeFootprints(folder, await sizesOf()) : [];
    progress('');
    const report = { sources, cases, rows, footprints };
    printReport(report);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify({ sources, rows, footprints }, null, 1)}\n`);
    if (only === undefined) {
      writeFileSync(RESULTS, withSection(readFileSync(RESULTS, 'utf8'), markdown(report)));
      writeFileSync(join(HERE, 'speed.svg'), await drawPlot(rows));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
