/**
 * `npm run examples -- [NAME…]`: runs every example of package.json (`example:NAME`) in turn, each in a process of its own, and prints
 * how long each took. Exits with 1 if one fails or takes longer than two minutes; prints the output of those that do.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import pc from 'picocolors';

const ROOT = join(import.meta.dirname, '..');
/** Milliseconds that an example may take. */
const MOST = 120_000;

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const all = Object.keys(scripts)
  .filter((s) => s.startsWith('example:'))
  .map((s) => s.slice('example:'.length));
const asked = process.argv.slice(2);
const unknown = asked.filter((n) => !all.includes(n));
if (unknown.length > 0) throw new Error(`no example ${unknown.join(', ')}; there are ${all.join(', ')}`);

const table = new Table({ head: ['example', 'seconds', 'result'], style: { head: [], border: [] } });
let failed = 0;
for (const name of asked.length > 0 ? asked : all) {
  const started = performance.now();
  const run = spawnSync('npm', ['run', '--silent', `example:${name}`], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: MOST,
    maxBuffer: 1 << 26,
  });
  const seconds = (performance.now() - started) / 1000;
  const late = run.error !== undefined && 'code' in run.error && run.error.code === 'ETIMEDOUT';
  const result = run.status === 0 ? pc.green('passed') : pc.red(late ? 'took too long' : `failed (${run.status})`);
  if (run.status !== 0) {
    failed++;
    console.error(`${run.stdout}${run.stderr}`);
  }
  console.log(`${name}: ${result} in ${seconds.toFixed(1)} s`);
  table.push([name, seconds.toFixed(1), result]);
}
console.log(table.toString());
console.log(`examples: ${table.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
