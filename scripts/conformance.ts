/**
 * The ONNX backend tests by two roads: the float interpreter, and integer `.sbm` execution. Writes CONFORMANCE.md, and with
 * `--json FILE` one row a test and road.
 *
 * Usage: `tsx scripts/conformance.ts [--json FILE] [--out FILE]`. The tests lie in $SAMEBIT_SHARED/conformance/onnx.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, conformanceFolder, listCases, type Row } from './conformance/cases.ts';
import { floatRow } from './conformance/float.ts';
import { integerRow } from './conformance/integer.ts';
import { report } from './conformance/report.ts';
import { sourcesHash } from './sources.ts';

/** Runs every test on both roads, float first. */
async function runAll(folder: string, cases: readonly Case[]): Promise<Row[]> {
  const rows = cases.map((test) => floatRow(folder, test));
  for (const test of cases) rows.push(await integerRow(folder, test));
  return rows;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function main(): Promise<void> {
  const folder = conformanceFolder();
  if (!folder) throw new Error('the ONNX backend tests are absent: set SAMEBIT_SHARED to the shared folder');
  const cases = listCases(folder);
  const sources = sourcesHash(); // as they are when the run begins
  const rows = await runAll(folder, cases);
  const json = option('--json');
  if (json !== undefined) writeFileSync(json, `[\n${rows.map((r) => JSON.stringify(r)).join(',\n')}\n]\n`);
  writeFileSync(option('--out') ?? join(import.meta.dirname, '../CONFORMANCE.md'), report(cases, rows, sources));
  const failed = rows.filter((r) => r.class === 'fail');
  for (const r of failed) console.error(`${r.road} ${r.test}: ${r.reason ?? ''}`);
  if (failed.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
