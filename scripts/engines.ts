/**
 * The conformance suite, models and random graphs in other engines and on other drivers: `npm run engines -- [BED…]`, all beds
 * by default. Engines of npm are installed into .gpu/engines; browsers are the machine's own. A bed that is named and cannot
 * run, or a backend that a bed has and that is missing, is a failure.
 *
 *   --graphs N    random graphs of each backend (default 50), --seed S the first of them
 *   --every N     every N-th case of the suite (default 1: all)
 *   --small       of the models only those in examples/
 *   --backends A,B  of the bed's backends only these
 *   --minutes N   until a bed without an answer counts as dead (default 30)
 *   --json FILE   rows {engine, version, device, backend, checks, digest, differing, seconds}
 *   --with FILE   rows of another run or machine that the table shall hold, too; may stand several times
 *   --out FILE    the table, ENGINES.md, and its rows beside it, ENGINES.json; without a bed, rows of --with join those there
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Bed, Task } from '../test/engines/bed.ts';
import { readArgs } from './args.ts';
import { BEDS, PAGE, type TestBed } from './engines/beds.ts';
import { installPinned, PACKAGES } from './engines/install.ts';
import { joined, type Kept, type Refused, type Row, table } from './engines/report.ts';
import { wholeTask } from './engines/task.ts';
import { sourcesHash } from './sources.ts';

const { values, positionals } = readArgs({
  options: {
    graphs: { type: 'string' },
    seed: { type: 'string' },
    every: { type: 'string' },
    backends: { type: 'string' },
    small: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '30' },
    json: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
  allowPositionals: true,
});

/** Ends the program with a line that says what is wrong with the command. */
function misuse(line: string): never {
  console.error(line);
  process.exit(2);
}

/** A whole number of at least `least`. */
function whole(flag: 'graphs' | 'seed' | 'every' | 'minutes', otherwise: number, least: number): number {
  const text = values[flag];
  if (text === undefined) return otherwise;
  if (!/^\d{1,12}$/.test(text) || Number(text) < least) misuse(`--${flag} is a whole number from ${least}`);
  return Number(text);
}

const all: Readonly<Record<string, TestBed>> = { ...BEDS, page: PAGE };
const unknown = positionals.filter((n) => all[n] === undefined);
if (unknown.length > 0) misuse(`no bed ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
const names = positionals.length > 0 ? positionals : values.with.length > 0 ? [] : Object.keys(BEDS);
const wanted = values.backends?.split(',');
const offered = new Set(names.flatMap((n) => all[n]!.backends));
const odd = wanted?.filter((b) => !offered.has(b)) ?? [];
if (odd.length > 0) misuse(`no backend ${odd.join(', ')} in these beds; there are ${[...offered].join(', ')}`);

/** JSON of a file. */
function read<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (e) {
    misuse(`${path}: ${(e as Error).message}`);
  }
}

/** Says what went wrong and that the whole has failed. */
function fail(line: string): void {
  console.error(`  FAILED: ${line}`);
  process.exitCode = 1;
}

const guests: Row[] = values.with.flatMap((path) => read<Row[]>(path));
const rows: Row[] = [];
const refusals: Refused[] = [];

/** Takes what a bed says: a lane is a row, and a refusal a failure unless it is due. */
function take(bed: TestBed, { browser, version, lanes, refused }: Bed): void {
  const engine = bed === PAGE ? `${browser}, by hand` : bed.engine;
  for (const { backend, device, checks, digest, differences, seconds } of lanes) {
    rows.push({ engine, version, device, backend, checks, digest, differing: differences.length, seconds });
    console.log(
      `  ${backend.padEnd(9)} ${checks} runs, ${differences.length} differ, ${digest}, ${seconds} s, ${device}`,
    );
    for (const d of differences.slice(0, 10)) fail(`${d.name}, run ${d.run}`);
    if (bed.refuses !== undefined) fail(`${backend} must be refused here`);
  }
  for (const { backend, error } of refused) {
    if (bed.refuses?.test(error)) {
      console.log(`  ${backend.padEnd(9)} refused, as it must be: ${error}`);
      refusals.push({ engine: bed.engine, version, backend, error });
    } else fail(`${backend}: ${error}`);
  }
}

const limit = whole('minutes', 30, 1) * 60_000;
let task: Omit<Task, 'backends'>;
const work = mkdtempSync(join(tmpdir(), 'samebit-engines-'));
try {
  const bundle = join(work, 'bundle.mjs');
  installPinned(['gpu.js', ...names.flatMap((n) => all[n]!.pinned)]);
  await build({
    entryPoints: [join(import.meta.dirname, '../test/engines/bed.ts')],
    nodePaths: [PACKAGES],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
  const full = await wholeTask(values.small);
  task = {
    ...full,
    every: whole('every', full.every, 1),
    seed: whole('seed', full.seed, 0),
    graphs: whole('graphs', full.graphs, 0),
  };
  for (const name of names) {
    const bed = all[name]!;
    console.log(`${name}:`);
    const folder = mkdtempSync(join(work, 'bed-'));
    const backends = wanted?.filter((b) => bed.backends.includes(b)) ?? bed.backends;
    const own: Task = { ...task, backends };
    try {
      take(bed, await bed.run({ folder, bundle, task: own, limit, say: (line) => console.error(`    ${line}`) }));
    } catch (e) {
      fail(String(e));
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
const what = `The conformance suite, ${task.models.length} models and ${task.graphs} random graphs.`;
const beside = values.out?.replace(/(\.md)?$/, '.json');
const made: Kept = { sources: sourcesHash(), what, rows, refusals };
const base = names.length > 0 || beside === undefined ? made : read<Kept>(beside);
const { kept, left } = joined(base, guests);
for (const line of left) fail(line);
const digests = new Set(kept.rows.map((r) => r.digest));
console.log(`${kept.rows.length} rows, ${digests.size} digests`);
if (kept.rows.length === 0) fail('nothing was run');
if (digests.size > 1) fail('the digests are not the same');
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
if (values.out !== undefined && beside !== undefined && left.length === 0) {
  writeFileSync(values.out, table(kept));
  writeFileSync(beside, `${JSON.stringify(kept, null, 1)}\n`);
}
