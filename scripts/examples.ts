/**
 * `npm run examples -- [NAME…]`: runs every example of package.json (`example:NAME`) in turn, each in a process of its own, and prints
 * how long each took. Exits with 1 if one fails or takes longer than two minutes; prints the output of those that do.
 * @module
 */
import { spawn } from 'node:child_process';
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

interface Ran {
  readonly code: number | null;
  readonly late: boolean;
  readonly output: string;
}

/** Runs an example in a group of processes of its own, which ends with it. */
function run(name: string): Promise<Ran> {
  const child = spawn('npm', ['run', '--silent', `example:${name}`], { cwd: ROOT, detached: true });
  let [output, late] = ['', false];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => (output += d.toString()));
  const timer = setTimeout(() => {
    late = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, MOST);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, late, output });
    });
  });
}

const table = new Table({ head: ['example', 'seconds', 'result'], style: { head: [], border: [] } });
let failed = 0;
for (const name of asked.length > 0 ? asked : all) {
  const started = performance.now();
  const { code, late, output } = await run(name);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const result = code === 0 ? pc.green('passed') : pc.red(late ? 'took too long' : `failed (${code})`);
  if (code !== 0) {
    failed++;
    console.error(output);
  }
  console.log(`${name}: ${result} in ${seconds} s`);
  table.push([name, seconds, result]);
}
console.log(table.toString());
console.log(`examples: ${table.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
