/**
 * How a bed is run: a script in a process of its own, or a page in a browser.
 * @module
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bed, Task } from '../../test/engines/bed.ts';
import { type Say, served, type Visit } from './browsers.ts';

/** A bed to run: a folder of its own, the bundle of test/engines/bed.ts in it as bed.mjs, and the task. */
export interface Job {
  readonly folder: string;
  readonly bundle: string;
  readonly task: Task;
  /** Environment beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly say: Say;
  /** Milliseconds until the bed counts as dead. */
  readonly limit: number;
}

const MARK = 'bed: ';

/** Runs the bundle by a command; `first` are its own first lines. The marked line that it prints is the answer. */
export async function inProcess(job: Job, command: string, args: readonly string[], first = ''): Promise<Bed> {
  const script = join(job.folder, 'main.mjs');
  cpSync(job.bundle, join(job.folder, 'bed.mjs'));
  writeFileSync(join(job.folder, 'task.json'), JSON.stringify(job.task));
  const lines = `import './bed.mjs';
import { readFileSync } from 'node:fs';
${first}
const task = JSON.parse(readFileSync(new URL('task.json', import.meta.url), 'utf8'));
console.log('${MARK}' + JSON.stringify(await bed(task)));
process.exit(0);
`;
  writeFileSync(script, lines);
  const child = spawn(command, [...args, script], { env: { ...process.env, ...job.env }, timeout: job.limit });
  let answer: Bed | undefined;
  let errors = '';
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith(MARK)) answer = JSON.parse(line.slice(MARK.length)) as Bed;
    else job.say(line);
  });
  child.stderr.on('data', (d) => {
    errors = (errors + String(d)).slice(-2000);
  });
  const status = await new Promise<unknown>((done, fail) => {
    child.on('error', fail).on('close', (code, signal) => done(code ?? signal));
  });
  if (answer === undefined || status !== 0) throw new Error(`${command} ended with ${String(status)}: ${errors}`);
  return answer;
}

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>samebit: engine test</title><pre id="out">running…</pre>
<script type="module">
import './bed.mjs';
const text = document.getElementById('out');
const log = console.log;
console.log = (line) => { log(line); text.textContent += '\\n' + line; };
try {
  const answer = await bed(await (await fetch('task.json')).json());
  text.textContent += '\\n' + JSON.stringify(answer, null, 2);
  await fetch('answer', { method: 'POST', body: JSON.stringify(answer) });
} catch (e) {
  text.textContent += '\\n' + e;
  await fetch('answer', { method: 'POST', body: JSON.stringify({ error: String(e) }) });
}
</script>`;

/** Runs the bundle in a page. */
export async function inPage({ bundle, task, limit }: Job, visit: Visit): Promise<Bed> {
  const files = {
    '/': ['text/html', () => PAGE],
    '/bed.mjs': ['text/javascript', () => readFileSync(bundle)],
    '/task.json': ['application/json', () => JSON.stringify(task)],
  } as const;
  const said = JSON.parse(await served(files, visit, limit)) as Bed & { readonly error?: string };
  if (said.error !== undefined) throw new Error(said.error);
  return said;
}
