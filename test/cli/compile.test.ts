/** docs/aot.md: its program runs in plain Node on a module that the command line wrote, and gives the bits of a session. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { toWasm, toWasmChunks } from '../../src/compile/wasm.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { folder, json, ROOT, samebit } from './samebit.ts';

const work = folder();
const text = readFileSync(join(ROOT, 'docs/aot.md'), 'utf8');
copyFileSync(join(ROOT, 'test/golden/models/mnist-cnn.sbm'), join(work, 'digits.sbm'));
const model = loadModel(new Uint8Array(readFileSync(join(work, 'digits.sbm'))));

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

it('the program of the text that loads chunks gives the bits of a session', async () => {
  const [command] = /^\$ npx samebit (.*--chunk-bytes.*)$/m.exec(text)!.slice(1);
  expect(samebit(command!.split(' '), work)).toMatchObject({ code: 0, stderr: '' });
  const program = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)]
    .map((m) => m[1]!)
    .find((t) => t.includes('load_chunk'))!;
  const plain = ['--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, plain, { cwd: work, encoding: 'utf8' });
  expect(stderr).toBe('');
  const session = await createSession(model, { backend: 'reference' });
  const { outputs } = await session.run({ input: new Uint8Array(28 * 28).fill(128) }); // stored as 0
  expect(stdout.trim()).toBe([...Object.values(outputs)[0]!.data].join(' '));
});

it.each(['mvp', 'simd128'] as const)(
  'the command writes the same %s module in an engine without a compiler',
  (profile) => {
    const out = `${profile}.wasm`;
    const args = ['compile', 'digits.sbm', '-o', out, '--profile', profile];
    const said = json<{ bytes: number; hosts: Record<string, string[]> }>(args, work);
    const bytes = toWasm(model, { profile });
    expect(Buffer.compare(readFileSync(join(work, out)), bytes)).toBe(0);
    expect(said.bytes).toBe(bytes.length);
    expect(said.hosts[profile]).toEqual([]);
    const program = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { loadModel } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/index.js')))};
      import { toWasm, toWasmChunks } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/compile.js')))};
      const model = loadModel(new Uint8Array(readFileSync('digits.sbm')));
      writeFileSync('again.wasm', toWasm(model, { profile: '${profile}' }));`;
    const plain = ['--jitless', '--input-type=module', '-e', program];
    expect(spawnSync(process.execPath, plain, { cwd: work, encoding: 'utf8' }).status).toBe(0);
    expect(Buffer.compare(readFileSync(join(work, 'again.wasm')), bytes)).toBe(0);
  },
);

it('--chunk-bytes writes the weights beside the module', () => {
  const { module, chunks } = toWasmChunks(model, { profile: 'simd128', chunkBytes: 20_000 });
  const args = ['compile', 'digits.sbm', '-o', 'parts.wasm', '--profile', 'simd128', '--chunk-bytes', '20000'];
  const said = json<{ bytes: number; chunks: { output: string; bytes: number; sha256: string }[] }>(args, work);
  expect(said.bytes).toBe(module.length);
  expect(Buffer.compare(readFileSync(join(work, 'parts.wasm')), module)).toBe(0);
  expect(said.chunks.map((c) => c.output)).toEqual(chunks.map((_, i) => `parts.wasm.${i}`));
  chunks.forEach((c, i) => {
    const { output, bytes, sha256 } = said.chunks[i]!;
    expect(Buffer.compare(readFileSync(join(work, output)), c)).toBe(0);
    expect([bytes, sha256]).toEqual([c.length, createHash('sha256').update(c).digest('hex')]);
  });
  expect(samebit(args, work).stdout).toMatch(/bytes of weights in \d+ chunks: parts\.wasm\.0/);
  const refused = (...more: readonly string[]) => samebit(['compile', 'digits.sbm', '-o', 'no.wasm', ...more], work);
  expect(refused('--chunk-bytes', '1023').code).toBe(2);
  expect(refused('--chunk-bytes', '2048', '--contract', 'cosmwasm').stderr).toMatch(/Leave --chunk-bytes out/);
  expect(refused('--chunk-bytes', '2048', '--target', 'evm').code).toBe(2);
  copyFileSync(join(work, 'digits.sbm'), join(work, 'own.1')); // where a chunk would stand
  expect(samebit(['compile', 'own.1', '-o', 'own', '--chunk-bytes', '65536'], work).code).toBe(2);
  expect(readdirSync(work).filter((f) => f.startsWith('own'))).toEqual(['own.1']);
});

it('--data takes one address for each data contract, none twice', () => {
  const evm = (...data: readonly string[]) =>
    samebit(
      ['compile', 'digits.sbm', '--target', 'evm', '-o', 'contracts', ...data.flatMap((a) => ['--data', a])],
      work,
    );
  expect(evm().code).toBe(0);
  const count = readdirSync(join(work, 'contracts')).filter((f) => f.startsWith('data')).length;
  expect(count).toBeGreaterThan(1);
  const addresses = Array.from({ length: count }, (_, i) => `0x${(i + 1).toString(16).padStart(40, 'a')}`);
  expect(evm(...addresses.slice(1)).stderr).toMatch(/DataContracts/);
  expect(evm(...addresses.with(1, addresses[0]!)).stderr).toMatch(/BadAddress.*given twice/s);
  expect(evm(...addresses.with(0, `0x${'0'.repeat(40)}`)).stderr).toMatch(/BadAddress.*no contract lies at/s);
  expect(evm(...addresses.with(0, '0x12')).stderr).toMatch(/BadAddress.*no address/s);
  expect(readdirSync(join(work, 'contracts'))).not.toContain('main.hex');
  expect(evm(...addresses).code).toBe(0);
  expect(readdirSync(join(work, 'contracts'))).toContain('main.hex');
});

it('the command prints the rules of hosts', () => {
  const { stdout, code } = samebit(['compile', 'digits.sbm', '-o', 'x.wasm', '--profile', 'simd128'], work);
  expect(code).toBe(0);
  expect(stdout).toMatch(/bytes of code in \d+ functions/);
  expect(stdout).toMatch(/cosmwasm.*simd is not taken/);
  expect(samebit(['compile', 'digits.sbm'], work).code).toBe(2);
  expect(samebit(['compile', 'digits.sbm', '-o', 'x.wasm', '--target', 'riscv'], work).code).toBe(2);
});

it('symbols take their values from --dim, and info says what code an op takes', () => {
  const symbolic = MODELS.map((g) => ({ g, m: loadModel(fileOf(g)) })).find(({ m }) => m.symbols.length === 1)!;
  writeFileSync(join(work, 'symbolic.sbm'), fileOf(symbolic.g));
  const { name, min, max } = symbolic.m.symbols[0]!;
  const compile = (...dims: readonly string[]): string => {
    const flags = dims.flatMap((d) => ['--dim', d]);
    const { code, stderr } = samebit(['compile', 'symbolic.sbm', '-o', 'symbolic.wasm', ...flags], work);
    expect(code).toBe(stderr === '' ? 0 : 2);
    return stderr;
  };
  const next = `Pass --dim ${name}=VALUE with ${min} to ${max}.`;
  for (const dims of [[], [`${name}=${max + 1}`], ['other=4'], [`${name}=${min}`, 'other=4']])
    expect(compile(...dims)).toContain(next);
  expect(compile(`${name}=${min}`)).toBe('');
  expect(() => toWasm(symbolic.m, { dims: { [name]: min, other: 4 } })).toThrow(
    `no symbol other; its symbols are ${name}`,
  );
  expect(() => toWasm(model, { dims: { other: 4 } })).toThrow('no symbol other');
  const bytes = toWasm(symbolic.m, { dims: { [name]: min } });
  expect(Buffer.compare(readFileSync(join(work, 'symbolic.wasm')), bytes)).toBe(0);
  const { ops } = json<{ ops: { op: string; code: { mvp: number; simd128: number } }[] }>(['info', 'digits.sbm'], work);
  for (const { code } of ops) expect(Math.min(code.mvp, code.simd128)).toBeGreaterThan(100);
});

it('refuses to write over the model, and takes - for no file', () => {
  for (const [out, code] of [
    ['digits.sbm', 'SameFile'],
    ['-', 'NotAFile'],
  ] as const) {
    const { code: status, stderr } = samebit(['compile', 'digits.sbm', '-o', out], work);
    expect([status, stderr.includes(code)]).toEqual([2, true]);
  }
});

it('a folder of EVM code holds one program', () => {
  const [onnx, calib] = ['model.onnx', 'calib.npy'].map((n) => join(ROOT, 'examples/german-credit', n)) as [
    string,
    string,
  ];
  expect(samebit(['convert', onnx, '--calib', calib, '-o', 'credit.sbm'], work).code).toBe(0);
  const evm = (...args: readonly string[]): readonly string[] => {
    expect(samebit(['compile', 'credit.sbm', '--target', 'evm', '-o', 'evm', ...args], work).code).toBe(0);
    return readdirSync(join(work, 'evm')).filter((n) => n.endsWith('.hex'));
  };
  expect(evm()).toEqual(['main.hex']);
  writeFileSync(join(work, 'evm/notes.txt'), 'kept');
  expect(evm('--code-budget', '6000')).toEqual(expect.arrayContaining(['data0.hex', 'data1.hex']));
  expect(readdirSync(join(work, 'evm'))).not.toContain('main.hex');
  expect(evm()).toEqual(['main.hex']);
  expect(readFileSync(join(work, 'evm/notes.txt'), 'utf8')).toBe('kept');
});
