/** docs/aot.md: its program runs in plain Node on a module that the command line wrote, and gives the bits of a session. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { toWasm } from '../../src/compile/wasm.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { folder, json, ROOT, samebit } from './samebit.ts';

const work = folder();
const text = readFileSync(join(ROOT, 'docs/aot.md'), 'utf8');
copyFileSync(join(ROOT, 'test/golden/models/mnist-cnn.sbm'), join(work, 'mnist.sbm'));
const model = loadModel(new Uint8Array(readFileSync(join(work, 'mnist.sbm'))));

it('the program of the text gives the bits of a session', async () => {
  const [command] = /^\$ npx samebit (.*)$/m.exec(text)!.slice(1);
  expect(samebit(command!.split(' '), work)).toMatchObject({ code: 0, stderr: '' });
  const program = /^```js\n([\s\S]*?)^```$/m.exec(text)![1]!;
  expect(program.split('\n').filter((l) => l !== '').length).toBeLessThanOrEqual(15);
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: work,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const session = await createSession(model, { backend: 'reference' });
  const { outputs, gasUsed } = await session.run({ input: new Uint8Array(28 * 28).map((_, i) => (i * 7) % 256) });
  const logits = [...Object.values(outputs)[0]!.data];
  expect(stdout.trim()).toBe(`${gasUsed} gas, class ${logits.indexOf(Math.max(...logits))}: ${logits.join(' ')}`);
});

it.each(['mvp', 'simd128'] as const)(
  'the command writes the same %s module in an engine without a compiler',
  (profile) => {
    const out = `${profile}.wasm`;
    const args = ['compile', 'mnist.sbm', '-o', out, '--profile', profile];
    const said = json<{ bytes: number; hosts: Record<string, string[]> }>(args, work);
    const bytes = toWasm(model, { profile });
    expect(Buffer.compare(readFileSync(join(work, out)), bytes)).toBe(0);
    expect(said.bytes).toBe(bytes.length);
    expect(said.hosts[profile]).toEqual([]);
    const program = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { loadModel } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/index.js')))};
      import { toWasm } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/compile.js')))};
      const model = loadModel(new Uint8Array(readFileSync('mnist.sbm')));
      writeFileSync('again.wasm', toWasm(model, { profile: '${profile}' }));`;
    const plain = ['--jitless', '--input-type=module', '-e', program];
    expect(spawnSync(process.execPath, plain, { cwd: work, encoding: 'utf8' }).status).toBe(0);
    expect(Buffer.compare(readFileSync(join(work, 'again.wasm')), bytes)).toBe(0);
  },
);

it('the command prints the rules of hosts', () => {
  const { stdout, code } = samebit(['compile', 'mnist.sbm', '-o', 'x.wasm', '--profile', 'simd128'], work);
  expect(code).toBe(0);
  expect(stdout).toMatch(/bytes of code in \d+ functions/);
  expect(stdout).toMatch(/cosmwasm.*simd is not taken/);
  expect(samebit(['compile', 'mnist.sbm'], work).code).toBe(2);
  expect(samebit(['compile', 'mnist.sbm', '-o', 'x.wasm', '--target', 'riscv'], work).code).toBe(2);
});
