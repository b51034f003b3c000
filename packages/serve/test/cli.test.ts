/** The program, by itself and as a command of samebit. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { example, folder, models, ROOT } from './support.ts';

const OWN = [join(ROOT, 'packages/serve/dist/main.js')];
const COMMAND = [join(ROOT, 'dist/cli/main.js'), 'serve'];

it.each([
  ['samebit-serve', OWN],
  ['samebit serve', COMMAND],
])('%s listens, reads again at SIGHUP, ends at SIGTERM', async (_, program) => {
  const directory = models('face-api/recogniser.sbm');
  const child = spawn(process.execPath, [...program, directory, '--port', '0', '--json', '--workers', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SAMEBIT_SERVE_LOG: 'info' },
  });
  const [text] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { event, url, models: ids } = JSON.parse(text) as { event: string; url: string; models: string[] };
  expect([event, ids.length]).toEqual(['listening', 1]);
  const log = createInterface(child.stderr);
  writeFileSync(join(directory, 'more.sbm'), example('chat/model.sbm'));
  const reread = (async () => {
    for await (const line of log) {
      const { msg, models: count } = JSON.parse(line) as { msg: string; models: number };
      if (msg === 'models were read' && count === 2) return;
    }
    throw new Error('the log ended');
  })();
  child.kill('SIGHUP');
  await reread;
  expect(((await (await fetch(`${url}/v1/models`)).json()) as { models: unknown[] }).models.length).toBe(2);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it.each([
  [['--help'], 0, 'Examples:'],
  [[], 2, 'missing required argument'],
  [['x', '--port', '-1'], 2, 'whole number in 0…65535'],
  [['x', '--wrong'], 2, 'unknown option'],
  [[join(folder(), 'none')], 1, 'BadDirectory'],
  [[folder(), '--key', join(folder(), 'none')], 2, 'ENOENT'],
  [[folder(), '--key', join(ROOT, 'package.json')], 1, 'BadKey'],
])('%j exits with %i', (args, code, text) => {
  for (const program of [OWN, COMMAND]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], { encoding: 'utf8' });
    expect(stdout + stderr).toContain(text);
    expect(status).toBe(code);
    if (code !== 0) expect(stderr).toContain('next: ');
  }
});
