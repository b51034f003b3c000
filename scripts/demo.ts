/**
 * `npm run demo`: the project in one screen. Converts the digit network of examples/mnist with the built command line,
 * then uses the built library as any program would.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import type { Model, RunResult, Session } from '../src/index.ts';
import { drawDigits, SIDE } from './demo-draw.ts';

type Library = typeof import('../src/index.ts');

const root: string = fileURLToPath(new URL('..', import.meta.url));
const { createSession, loadModel, OutOfGas } = (await import(
  new URL('../dist/index.js', import.meta.url).href
)) as Library;

/** Digits that are compared on every backend, and runs of the speed table. */
const COMPARED = 100;
const ROUNDS = 25;

/** The elements of an example's array: one-byte or float32 elements after the header. */
function elements(name: string): Uint8Array {
  const bytes = readFileSync(join(root, 'examples/mnist', name));
  return new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8)));
}

const images: Uint8Array = elements('test.npy');
const labels: Uint8Array = elements('labels.npy');
const floats: Float32Array = new Float32Array(elements('float_outputs.npy').buffer);

function image(i: number): Uint8Array {
  return images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
}

function argmax(values: ArrayLike<number>, from = 0, count: number = values.length): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[from + k]! > values[from + best]!) best = k;
  return best;
}

function grouped(n: number | bigint): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function classOf(model: Model, result: RunResult): number {
  return argmax(result.outputs[model.outputs[0]!.name]!.data);
}

/** Converts with the command line as a user would, and shows the command. */
function convert(output: string): Model {
  const args = [
    'examples/mnist/model.onnx',
    '-o',
    output,
    '--calib',
    'examples/mnist/calib.npy',
    '--input-type',
    'u8',
    '--std',
    '255',
  ];
  const json = execFileSync(process.execPath, ['dist/cli/main.js', 'convert', ...args, '--json'], {
    cwd: root,
    encoding: 'utf8',
  });
  const summary = JSON.parse(json) as {
    id: string;
    bytes: number;
    onnxBytes: number;
    ops: number;
    macs: number;
    gas: number;
  };
  console.log(`${pc.dim('$')} samebit convert model.onnx -o digits.sbm --calib calib.npy --input-type u8 …`);
  const share = ((100 * summary.bytes) / summary.onnxBytes).toFixed(1);
  console.log(
    `  float ONNX ${grouped(summary.onnxBytes)} bytes → integer model ${grouped(summary.bytes)} bytes (${share} %)`,
  );
  console.log(
    `  ${summary.ops} ops, ${grouped(summary.macs)} MACs, a fixed price of ${grouped(summary.gas)} gas a run; no float is left`,
  );
  console.log(`  id ${summary.id}\n`);
  return loadModel(new Uint8Array(readFileSync(output)));
}

/** Draws digits, the last one a digit that the network gets wrong, with what the model says of each. */
function draw(predictions: readonly number[]): void {
  const wrong = predictions.findIndex((p, i) => p !== labels[i]);
  const shown = [0, 1, 2, 3, wrong < 0 ? 4 : wrong];
  console.log(drawDigits(shown.map(image)));
  const mark = (i: number): string => (predictions[i] === labels[i] ? pc.green('✓') : pc.red(`✗ it is ${labels[i]}`));
  const captions = shown.map((i) => ({
    text: `→ ${predictions[i]} ${predictions[i] === labels[i] ? '✓' : `✗ it is ${labels[i]}`}`,
    shown: `→ ${pc.bold(String(predictions[i]))} ${mark(i)}`,
  }));
  console.log(
    `${captions
      .map((c) => `  ${c.shown}${' '.repeat(Math.max(0, 14 - c.text.length))}`)
      .join('')
      .trimEnd()}\n`,
  );
}

function showAccuracy(predictions: readonly number[]): void {
  const count = labels.length;
  const right = predictions.filter((p, i) => p === labels[i]).length;
  const floatClass = Array.from(labels, (_, i) => argmax(floats, i * 10, 10));
  const floatRight = floatClass.filter((p, i) => p === labels[i]).length;
  const line = (name: string, n: number): string =>
    `  ${name.padEnd(28)}${grouped(n).padStart(7)}${((100 * n) / count).toFixed(2).padStart(9)} %`;
  console.log(pc.bold(`  ${`${grouped(count)} unseen digits`.padEnd(28)}correct  accuracy`));
  console.log(line('float32, onnxruntime', floatRight));
  console.log(`${line('samebit, integers only', right)}\n`);
}

/** Runs the same digits on every backend: one digest over all runs, and interleaved times. */
async function compare(sessions: readonly Session[]): Promise<void> {
  const rows = sessions.map((session) => ({ session, hash: createHash('sha256'), times: [] as number[] }));
  for (let i = 0; i < COMPARED; i++) {
    for (const { session, hash, times } of rows) {
      const start = performance.now();
      const result = await session.run({ input: image(i) });
      if (i >= COMPARED - ROUNDS) times.push(performance.now() - start);
      hash.update(result.digest);
    }
  }
  const digests = rows.map((r) => r.hash.digest('hex'));
  console.log(pc.bold(`  ${'backend'.padEnd(12)}${`digest of ${COMPARED} runs`.padEnd(50)}ms a digit`));
  for (const [i, { session, times }] of rows.entries()) {
    const digest = `${digests[i]!.slice(0, 46)}…`;
    console.log(`  ${session.backend.padEnd(12)}${digest.padEnd(50)}${median(times).toFixed(2).padStart(10)}`);
  }
  const same = new Set(digests).size === 1;
  console.log(same ? pc.green('  the same bits on every backend ✓\n') : pc.red('  THE BACKENDS DIFFER\n'));
  if (!same) process.exitCode = 1;
}

async function showGas(session: Session): Promise<void> {
  const { gasUsed } = await session.run({ input: image(0) });
  try {
    await session.run({ input: image(0) }, { gasLimit: gasUsed - 1n });
  } catch (e) {
    if (!(e instanceof OutOfGas)) throw e;
    console.log(
      `  One gas too little is refused before the first op, everywhere alike:\n  ${pc.yellow(`${e.name}: ${e.message.replace(' (', '\n  (')}`)}`,
    );
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samebit-demo-'));
  try {
    console.log(pc.bold('\nsamebit: same model, same input, same bits, on every machine'));
    console.log('Float arithmetic rounds differently from machine to machine. samebit makes a');
    console.log('network of integers with one rounding rule: whoever doubts a result, reruns it.\n');
    const model = convert(join(folder, 'digits.sbm'));
    const wasm = await createSession(model, { backend: 'wasm' });
    const reference = await createSession(model, { backend: 'reference' });
    const predictions = Array.from(labels, (_, i) => classOf(model, wasm.runSync({ input: image(i) })));
    draw(predictions);
    showAccuracy(predictions);
    await compare([wasm, reference]);
    await showGas(wasm);
    console.log(`\n${pc.dim('Next: README.md, or')} node dist/cli/main.js --help`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (!existsSync(join(root, 'dist/index.js')) || statSync(join(root, 'dist/index.js')).size === 0)
  throw new Error('run npm run build first');
await main();
