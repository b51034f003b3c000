/**
 * `npm run hosts:consumers`: programs in Python, Go and Rust that know nothing of this library check receipts of real models and refuse
 * forged ones (docs/consumers.md). Needs python3, Go and cargo; what they build lies in .hosts/consumers. Writes a part of HOSTS.md.
 *
 *   --out FILE    the table (default HOSTS.md)
 * @module
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArgs } from '../../scripts/args.ts';
import { sourcesHash } from '../../scripts/sources.ts';
import { inspect } from '../../src/compile/inspect.ts';
import { HASHES } from '../../src/consensus.ts';
import { checkOut, writePart } from '../parts.ts';
import { cargo, go, HOSTS_HOME, samebit, tool, venv } from '../tools.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const HOME = join(HOSTS_HOME, 'consumers');

interface Consumer {
  readonly name: string;
  readonly version: string;
  readonly command: readonly string[];
}

/** What a consumer is given: a folder, a module, and the two hashes that it trusts. */
interface Case {
  readonly folder: string;
  readonly module: string;
  readonly header: string;
  readonly pin: string;
}

const MODELS: readonly { readonly name: string; readonly input: string; readonly convert: readonly string[] }[] = [
  { name: 'german-credit', input: 'test.npy', convert: [] },
  { name: 'mnist', input: 'test.npy', convert: ['--input-type', 'u8', '--std', '255'] },
];

function pinned(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(HERE, file), 'utf8'))![1]!;
}

function build(): Consumer[] {
  const python = venv(HOME, ['-r', join(HERE, 'python/requirements.txt')]);
  go(join(HERE, 'go'), join(HOME, 'verify-go'));
  cargo(join(HERE, 'rust'), HOME);
  return [
    {
      name: 'Python',
      version: `${tool(python, ['-V']).trim().split(' ')[1]}, wasmtime ${pinned('python/requirements.txt', /wasmtime==(.+)/)}`,
      command: [python, join(HERE, 'python/verify.py')],
    },
    {
      name: 'Go',
      version: `${/go([\d.]+)/.exec(tool('go', ['version']))![1]}, wazero ${pinned('go/go.mod', /wazero v([\d.]+)/)}`,
      command: [join(HOME, 'verify-go')],
    },
    {
      name: 'Rust',
      version: `${tool('rustc', ['-V']).split(' ')[1]}, wasmi ${pinned('rust/Cargo.toml', /wasmi = \{ version = "=([\d.]+)"/)}`,
      command: [join(HOME, 'target/release/samebit-verify')],
    },
  ];
}

function consume(
  c: Consumer,
  { folder, module, header, pin }: Case,
): { code: number | null; out: string; err: string } {
  const [program, ...args] = c.command as [string, ...string[]];
  const { status, stdout, stderr } = spawnSync(program, [...args, folder, module, header, pin], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function flipped(path: string, at: number): void {
  const bytes = readFileSync(path);
  const i = at < 0 ? bytes.length + at : at;
  bytes[i] = bytes[i]! ^ 1;
  writeFileSync(path, bytes);
}

/** Outputs of a module on input 0 in this engine; undefined where it traps. */
async function outputsOf(wasm: Uint8Array, input: Uint8Array): Promise<string | undefined> {
  try {
    const { instance } = await WebAssembly.instantiate(wasm.slice());
    const m = instance.exports as unknown as Record<string, (i?: number) => number> & { memory: WebAssembly.Memory };
    new Uint8Array(m.memory.buffer).set(input, m['input_ptr']!(0));
    m['infer']!();
    return sha256(new Uint8Array(m.memory.buffer, m['output_ptr']!(0), m['output_len']!(0)));
  } catch {
    return undefined;
  }
}

/** The module with a byte of its data flipped that this input's outputs depend on: a forged weight. */
async function forged(wasm: Uint8Array, input: Uint8Array): Promise<Uint8Array> {
  const honest = await outputsOf(wasm, input);
  const { dataBytes } = inspect(wasm);
  for (let at = wasm.length - Math.floor(dataBytes / 2); at < wasm.length; at++) {
    const other = wasm.slice();
    other[at] = other[at]! ^ 64;
    const outputs = await outputsOf(other, input);
    if (outputs !== undefined && outputs !== honest) return other;
  }
  throw new Error('no byte of the data changes the outputs');
}

/** What consumers say of a forgery. */
const SAYS = {
  input: 'the inputs are not those of the receipt',
  length: "input 0 is not as long as the model's",
  output: 'the files of outputs are others',
  claim: 'the model gives other outputs than the receipt claims',
  header: 'the header is not the one that is trusted',
  version: 'the receipt is of another version',
  model: 'the receipt is of another model',
  short: 'header or receipt is cut short',
  missing: 'o such file or directory',
  module: 'the module is another one',
};

/** A lie: what is false, what consumers must say of it, and how to tell it in a copy of the folder. */
type Lie = readonly [what: string, says: keyof typeof SAYS, tell: (c: Case) => Case];

async function lies(honest: Case): Promise<Lie[]> {
  const edit = (file: string, change: (path: string) => void) => (c: Case) => {
    change(join(c.folder, file));
    return c;
  };
  const flip = (file: string, at: number) => edit(file, (path) => flipped(path, at));
  const cut = (file: string, bytes: number) => edit(file, (path) => truncateSync(path, bytes));
  const wasm = new Uint8Array(readFileSync(honest.module));
  const input = readFileSync(join(honest.folder, 'input-0.bin'));
  const weights = await forged(wasm, input);
  const withModule = (c: Case, pin: string): Case => {
    const module = join(c.folder, 'forged.wasm');
    writeFileSync(module, weights);
    return { ...c, module, pin };
  };
  return [
    ['first byte of the input', 'input', flip('input-0.bin', 0)],
    ['last byte of the input', 'input', flip('input-0.bin', -1)],
    ['an input cut short', 'length', cut('input-0.bin', input.length - 1)],
    ['first byte of the output', 'output', flip('output-0.bin', 0)],
    ['last byte of the output', 'output', flip('output-0.bin', -1)],
    ['version of the header', 'header', flip('header.bin', 31)],
    ['hash of the header', 'header', flip('header.bin', 63)],
    ['model id of the header', 'header', flip('header.bin', 64)],
    ['last byte of the header', 'header', flip('header.bin', -1)],
    ['a header cut short', 'header', cut('header.bin', 320)],
    ['version of the receipt', 'version', flip('receipt.bin', 31)],
    ['header hash of the receipt', 'model', flip('receipt.bin', 32)],
    ['input root', 'input', flip('receipt.bin', 64)],
    ['output root', 'claim', flip('receipt.bin', 127)],
    ['a receipt cut short', 'short', cut('receipt.bin', 96)],
    ['a file missing', 'missing', edit('output-0.bin', unlinkSync)],
    ['another header trusted', 'header', (c) => ({ ...c, header: sha256(wasm) })],
    ['a weight of the module', 'module', (c) => withModule(c, c.pin)],
    ['a weight of the module, and that module trusted', 'claim', (c) => withModule(c, sha256(weights))],
  ];
}

/** Runs every consumer on one receipt and its forgeries; gives how many lies each refused. @throws Error where one does otherwise */
async function judge(consumers: readonly Consumer[], what: string, honest: Case): Promise<number> {
  const claimed = readFileSync(join(honest.folder, 'output-0.bin')).toString('hex');
  for (const c of consumers) {
    for (const spelled of [honest, { ...honest, header: `0x${honest.header.toUpperCase()}`, pin: `0X${honest.pin}` }]) {
      const { code, out, err } = consume(c, spelled);
      if (code !== 0 || out !== `output 0: ${claimed}\nverified\n`) throw new Error(`${c.name}, ${what}: ${out}${err}`);
    }
  }
  const all = await lies(honest);
  for (const [name, says, tell] of all) {
    const folder = mkdtempSync(join(tmpdir(), 'samebit-lie-'));
    cpSync(honest.folder, folder, { recursive: true });
    const lie = tell({ ...honest, folder });
    for (const c of consumers) {
      const { code, out, err } = consume(c, lie);
      if (code !== 1 || out.includes('verified') || !err.startsWith('refused: ') || !err.includes(SAYS[says]))
        throw new Error(`${c.name}, ${what}, ${name}: exit ${code}: ${out}${err}`);
    }
    rmSync(folder, { recursive: true });
  }
  console.log(`${what}: verified by ${consumers.length} consumers, ${all.length} lies refused by each`);
  return all.length;
}

const { values } = readArgs({ options: { out: { type: 'string', default: join(ROOT, 'HOSTS.md') } } });
checkOut(values.out);
const consumers = build();
let told = 0;
const rows: string[] = [];
for (const { name, input, convert } of MODELS) {
  const example = join(ROOT, 'examples', name);
  const [sbm, module] = [join(HOME, `${name}.sbm`), join(HOME, `${name}.wasm`)];
  samebit(['convert', join(example, 'model.onnx'), '-o', sbm, '--calib', join(example, 'calib.npy'), ...convert]);
  const pin = (JSON.parse(samebit(['compile', sbm, '-o', module, '--json'])) as { sha256: string }).sha256;
  for (const hash of HASHES) {
    const folder = join(HOME, `${name}-${hash}`);
    rmSync(folder, { recursive: true, force: true });
    const args = ['run', sbm, '--input', join(example, input), '--index', '0', '--receipt', folder, '--hash', hash];
    const { receipt } = JSON.parse(samebit([...args, '--json'])) as { receipt: { header: { hash: string } } };
    told += await judge(consumers, `${name}, ${hash}`, { folder, module, header: receipt.header.hash, pin });
    rows.push(`| ${name} | ${hash} | \`${sha256(readFileSync(join(folder, 'output-0.bin'))).slice(0, 16)}\` |`);
  }
}
const names = consumers.map((c) => `${c.name} ${c.version}`).join('; ');
writePart(
  values.out,
  'consumers',
  `## Consumers of receipts

Written by \`npm run hosts:consumers\`; sources: \`${sourcesHash()}\`. ${names}.

Programs that know nothing of this library (docs/consumers.md) check a receipt of each row by running the module, profile mvp. All verify every row, and
refuse all ${told} forgeries: one byte of an input, an output, the header, the roots of the receipt or a weight is another, or a file is cut or missing.
Digest: sha256 of the output, the first 16 digits.

| model | hash | digest |
| --- | --- | --- |
${rows.join('\n')}
`,
);
