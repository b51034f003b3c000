/** `samebit run --receipt`, and docs/consumers.md: its program of Node verifies such a receipt, its excerpts are those of hosts/consumers. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ReceiptList } from '../../src/cli/receipt.ts';
import { toWasm } from '../../src/compile.ts';
import { leafHash } from '../../src/consensus/merkle.ts';
import * as consensus from '../../src/consensus.ts';
import { hex } from '../../src/core/digest.ts';
import { type Tensor, toBytes } from '../../src/core/tensor.ts';
import { createSession, loadModel, type Model } from '../../src/index.ts';
import { randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { bytes, example, folder, json, type Outcome, ROOT, samebit, saveTensor } from './samebit.ts';

const work = folder();
const docs = readFileSync(join(ROOT, 'docs/consumers.md'), 'utf8');
const verify = join(work, 'verify.mjs');
writeFileSync(verify, /^```js[^\n]*\n([\s\S]*?)^```$/m.exec(docs)![1]!);

interface Subject {
  readonly model: Model;
  readonly dims: readonly number[];
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly args: readonly string[];
}

/** A model on random inputs, and the arguments that run it. */
function subject(stem: string, file: Uint8Array): Subject {
  const [sbm, model] = [join(work, `${stem}.sbm`), loadModel(file)];
  writeFileSync(sbm, file);
  const dims = model.symbols.map((s) => s.max);
  const inputs = randomInputs(model, new Prng(5), dims);
  const given = Object.entries(inputs).flatMap(([name, t], i) => [
    '--input',
    `${name}=${saveTensor(join(work, `${stem}-${i}.npy`), t)}`,
  ]);
  return { model, dims, inputs, args: ['run', sbm, ...given] };
}

const GOLDEN = MODELS.map((g) => ({ file: fileOf(g), model: loadModel(fileOf(g)) }));
const first = (fits: (m: Model) => boolean): Uint8Array => GOLDEN.find((g) => fits(g.model))!.file;
const SUBJECTS: Readonly<Record<string, Uint8Array>> = {
  'a u8 input': bytes(join(ROOT, 'test/golden/models/mnist-cnn.sbm')),
  'a u8 output': first((m) => m.outputs.some((o) => o.u8)),
  states: first((m) => m.states.length > 0),
  symbols: first((m) => m.symbols.length > 0),
  'several outputs': first((m) => m.outputs.length > 1),
};

function consume(to: string, module: string, trusted: string, pin: string): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [verify, to, module, trusted, pin], {
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

it.each(Object.keys(SUBJECTS).flatMap((name) => consensus.HASHES.map((hash) => [name, hash] as const)))(
  'a receipt of a model with %s under %s is that of the reference backend',
  async (name, hash) => {
    const { model, dims, inputs, args } = subject(name.replaceAll(' ', '-'), SUBJECTS[name]!);
    const to = join(work, `${name}-${hash}`);
    const { receipt: list } = json<{ receipt: ReceiptList }>([...args, '--receipt', to, '--hash', hash]);
    const read = (file: string): Uint8Array => bytes(join(to, file));
    expect(JSON.parse(readFileSync(join(to, 'receipt.json'), 'utf8'))).toEqual(list);

    const commitment = consensus.commit(model, hash);
    const session = await createSession(model, { backend: 'reference', mode: 'trace' });
    const { result, trace } = await consensus.traceRun(commitment, session, inputs);
    const header = consensus.headerOf(commitment);
    const receipt = consensus.receiptOf(header, trace);
    expect(hex(read('header.bin'))).toBe(hex(consensus.encodeHeader(header)));
    expect(hex(read('receipt.bin'))).toBe(hex(consensus.encodeReceipt(receipt)));
    expect(list).toMatchObject({
      hash,
      modelId: hex(model.id),
      header: { file: 'header.bin', hash: hex(consensus.headerHash(header)) },
      receipt: { file: 'receipt.bin', hash: hex(consensus.receiptHash(hash, receipt)) },
      dims: Object.fromEntries(model.symbols.map((s, i) => [s.name, dims[i]])),
      gas: Number(result.gasUsed),
    });

    const stored = (t: Tensor): Uint8Array =>
      t.dtype === 'u8' ? toBytes(t.data).map((b) => b ^ 128) : toBytes(t.data);
    const states = new Set(model.states.map((s) => s.input));
    expect(list.inputs.map((d) => d.name)).toEqual(model.inputs.map((d) => d.name));
    for (const [i, d] of list.inputs.entries()) {
      if (!states.has(i)) expect(hex(read(d.file))).toBe(hex(stored(inputs[d.name]!)));
      expect(d).toMatchObject({ dtype: model.inputs[i]!.dtype, u8: model.inputs[i]!.u8 === true });
    }
    for (const d of list.outputs) expect(hex(read(d.file))).toBe(hex(stored(result.outputs[d.name]!)));
    for (const [entries, root] of [
      [list.inputs, receipt.inputRoot],
      [list.outputs, receipt.outputRoot],
    ] as const) {
      const roots = entries.map((d) => consensus.treeOfChunks(hash, read(d.file)).root);
      expect(entries.map((d) => d.root)).toEqual(roots.map(hex));
      const leaves = roots.map((r) => leafHash(hash, r));
      expect(hex(consensus.treeOver(hash, leaves).root)).toBe(hex(root));
    }
    expect(readdirSync(to)).toHaveLength(3 + list.inputs.length + list.outputs.length);

    if (hash !== 'sha256') return;
    const wasm = toWasm(model, { dims: list.dims });
    const [module, pin] = [join(work, `${name}.wasm`), createHash('sha256').update(wasm).digest('hex')];
    writeFileSync(module, wasm);
    const printed = [...list.outputs.map((d) => hex(read(d.file))), 'verified', ''].join('\n');
    expect(consume(to, module, list.header.hash, pin)).toEqual({ code: 0, stdout: printed, stderr: '' });
    for (const [file, at, says] of [
      ['input-0.bin', 0, 'refused: (the inputs are not|an input is outside)'],
      ['header.bin', 100, 'refused: the header is not'],
      ['receipt.bin', 40, 'refused: the receipt is of another model'],
      ['receipt.bin', 70, 'refused: the inputs are not'],
      ['receipt.bin', 100, 'refused: the model gives other outputs'],
    ] as const) {
      const honest = read(file);
      writeFileSync(
        join(to, file),
        honest.map((b, i) => (i === at ? b ^ 1 : b)),
      );
      const { code, stdout, stderr } = consume(to, module, list.header.hash, pin);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(new RegExp(says));
      writeFileSync(join(to, file), honest);
    }
    expect(consume(to, module, list.header.hash, list.header.hash).stderr).toContain('the module is another one');
  },
);

it('the commands of docs/consumers.md write what its table says', () => {
  const sbm = join(work, 'credit.sbm');
  const convert = ['convert', example('german-credit/model.onnx'), '-o', sbm];
  expect(samebit([...convert, '--calib', example('german-credit/calib.npy')]).code).toBe(0);
  const commands = [...docs.matchAll(/^\$ npx samebit (.*)$/gm)].map((m) => m[1]!.split(' '));
  expect(commands).toHaveLength(2);
  const said = commands.map((args) => {
    const here = args.map((a) => (a.startsWith('examples/') ? join(ROOT, a) : a));
    const { code, stdout } = samebit(here, work);
    expect(code).toBe(0);
    return stdout;
  });
  const pin = createHash('sha256')
    .update(bytes(join(work, 'credit.wasm')))
    .digest('hex');
  expect(said[0]).toContain(`sha256 ${pin}`);
  const header = / {2}header ([0-9a-f]{64}) \(sha256\)/.exec(said[1]!)![1]!;
  expect(said[1]).toMatch(/ {2}receipt [0-9a-f]{64}, written to credit-run/);
  const files = readdirSync(join(work, 'credit-run')).sort();
  expect(files).toEqual(['header.bin', 'input-0.bin', 'output-0.bin', 'receipt.bin', 'receipt.json']);
  for (const file of files) expect(docs).toContain(`| \`${file}\``);
  const [folder, module] = [join(work, 'credit-run'), join(work, 'credit.wasm')];
  expect(consume(folder, module, header, pin).stdout).toMatch(/verified\n$/);
  const written = [header, pin].map((text) => `0x${text.toUpperCase()}`) as [string, string];
  expect(consume(folder, module, ...written).stdout).toMatch(/verified\n$/);
});

it.each([
  ['consumers.md', 'python', 'consumers/python/verify.py'],
  ['consumers.md', 'go', 'consumers/go/main.go'],
  ['consumers.md', 'rust', 'consumers/rust/src/main.rs'],
  ['aot.md', 'python', 'batch/scorer.py'],
])('the excerpt of docs/%s in %s is that of the program', (page, language, file) => {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  const excerpt = new RegExp(`^\`\`\`${language}[^\n]*\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text)![1]!;
  expect(readFileSync(join(ROOT, 'hosts', file), 'utf8')).toContain(excerpt);
  expect(excerpt.trim().split('\n').length).toBeLessThanOrEqual(18);
});

it('--hash wants --receipt, and a receipt a folder', () => {
  const { args } = subject('misuse', SUBJECTS['a u8 input']!);
  const alone = samebit([...args, '--hash', 'sha256']);
  expect([alone.code, alone.stdout]).toEqual([2, '']);
  expect(alone.stderr).toContain('NoReceipt');
  expect(samebit([...args, '--receipt', join(work, 'misuse.sbm')]).code).toBe(2);
  expect(samebit([...args, '--receipt', join(work, 'md5'), '--hash', 'md5']).code).toBe(2);
});
