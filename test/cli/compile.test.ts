/** docs/aot.md: its program runs in plain Node on a module that the command line wrote, and gives the bits of a session. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { toWasm } from '../../src/compile/wasm.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
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

it('symbols take their values from --dim, and info says what code an op takes', () => {
  const symbolic = MODELS.map((g) => ({ g, m: loadModel(fileOf(g)) })).find(({ m }) => m.symbols.length === 1)!;
  writeFileSync(join(work, 'symbolic.sbm'), fileOf(symbolic.g));
  const { name, min, max } = symbolic.m.symbols[0]!;
  const compile = (...args: readonly string[]): number | null =>
    samebit(['compile', 'symbolic.sbm', '-o', 'symbolic.wasm', ...args], work).code;
  expect(compile()).toBe(1);
  expect(compile('--dim', `${name}=${max + 1}`)).toBe(1);
  expect(compile('--dim', `${name}=${min}`)).toBe(0);
  const bytes = toWasm(symbolic.m, { dims: { [name]: min } });
  expect(Buffer.compare(readFileSync(join(work, 'symbolic.wasm')), bytes)).toBe(0);
  const { ops } = json<{ ops: { op: string; code: { mvp: number; simd128: number } }[] }>(['info', 'mnist.sbm'], work);
  for (const { code } of ops) expect(Math.min(code.mvp, code.simd128)).toBeGreaterThan(100);
});
