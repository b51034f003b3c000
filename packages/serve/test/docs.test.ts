/** The program of docs/serve.md runs and prints what the text says. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folder, ROOT } from './support.ts';

it('docs/serve.md says what its program prints', () => {
  const text = readFileSync(join(ROOT, 'docs/serve.md'), 'utf8');
  const programs = [...text.matchAll(/^```js(?: [^\n]*)?\n([\s\S]*?)^```$[\s\S]*?^```text\n([\s\S]*?)^```$/gm)];
  const work = folder();
  mkdirSync(join(work, 'node_modules'));
  symlinkSync(join(ROOT, 'packages/serve'), join(work, 'node_modules/samebit-serve'), 'junction');
  symlinkSync(join(ROOT, 'examples'), join(work, 'examples'), 'junction');
  for (const [, program, printed] of programs) {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program!], {
      cwd: work,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe(printed);
  }
  expect(programs.length).toBe(1);
});
