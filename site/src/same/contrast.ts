/**
 * For contrast: a float and two quantized models in onnxruntime-web on the processor and on WebGPU. Its code is loaded when it is
 * asked for.
 * @module
 */
import { encode } from '../../../examples/chat/talk.ts';
import { bytesOf } from '../shell/data.ts';
import { digestView } from '../shell/digest.ts';
import { byId, el, say } from '../shell/dom.ts';
import { errorBox } from '../shell/error.ts';
import { progressBar } from '../shell/progress.ts';
import { type Name, sessionOn } from '../shell/subject.ts';
import { table } from '../shell/table.ts';
import type { Measured, OrtInput } from './ort.ts';

/** Digits that are compared; ten outputs each. */
const COUNT = 64;
const SIDE = 784;

/** What the character model reads, in windows of 64 letters; after each letter it scores the 65 that may follow. */
const TEXT = `ROMEO:
But, soft! what light through yonder window breaks?
It is the east, and Juliet is the sun.
Arise, fair sun, and kill the envious moon,
Who is already sick and pale with grief,
That thou her maid art far more fair than she:
Be not her maid, since she is envious;
`;
const [WINDOWS, WINDOW] = [4, 64];

/** A network that onnxruntime-web runs: its file, and over how many outputs an answer is the greatest. */
interface Contrasted {
  readonly title: string;
  readonly name: string;
  readonly of: number;
  readonly input: (digits: Uint8Array) => OrtInput;
}

/** Pictures as in training: bytes divided by 255. */
const pictures = (digits: Uint8Array): OrtInput => ({
  type: 'float32',
  data: Float32Array.from(digits, (v) => v / 255),
  shape: [COUNT, 1, 28, 28],
});

const letters = (): OrtInput => ({
  type: 'int64',
  data: BigInt64Array.from(encode(TEXT).slice(0, WINDOWS * WINDOW), BigInt),
  shape: [WINDOWS, WINDOW],
});

const NETWORKS: readonly Contrasted[] = [
  { title: 'onnxruntime-web, float32, digits', name: 'mnist', of: 10, input: pictures },
  { title: 'onnxruntime-web, int8 (QDQ), digits', name: 'mnist-qdq', of: 10, input: pictures },
  { title: 'onnxruntime-web, int8 (QDQ), character model', name: 'charlm-qdq', of: 65, input: letters },
];

/** SHA-256 of bytes in hexadecimal. */
async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Outputs of samebit on a backend, one digit behind the other. */
async function samebit(name: Name, digits: Uint8Array): Promise<Int16Array<ArrayBuffer>> {
  const { session } = await sessionOn(await bytesOf('mnist-cnn.sbm'), name);
  const all = new Int16Array(COUNT * 10);
  for (let i = 0; i < COUNT; i++) {
    const { outputs } = await session.run({ input: digits.subarray(i * SIDE, (i + 1) * SIDE) });
    all.set(outputs['output']!.data as Int16Array, i * 10);
  }
  session.dispose();
  return all;
}

type Values = Float32Array<ArrayBuffer> | Int16Array<ArrayBuffer>;

/** Place of the greatest of `of` values from `from`. */
function answerAt(v: Values, from: number, of: number): number {
  let best = 0;
  for (let i = 1; i < of; i++) if (v[from + i]! > v[from + best]!) best = i;
  return best;
}

/** How two results compare: values that differ and by how much, and answers that differ. */
function compared(a: Values, b: Values, of: number): { differing: number; most: number; answers: number } {
  let [differing, most, answers] = [0, 0, 0];
  for (let i = 0; i < a.length; i += of) if (answerAt(a, i, of) !== answerAt(b, i, of)) answers++;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs(a[i]! - b[i]!);
    if (gap !== 0) differing++;
    most = Math.max(most, gap);
  }
  return { differing, most, answers };
}

/** A line of the table from results on both devices. */
async function lineOf(title: string, of: number, cpu: Values, gpu: Values | undefined): Promise<(Node | string)[]> {
  const digest = async (v: Values): Promise<Node> =>
    digestView(await sha256(new Uint8Array(v.buffer, v.byteOffset, v.byteLength)), 16);
  if (gpu === undefined) return [title, await digest(cpu), 'no result, see below', '–', '–', '–'];
  const { differing, most, answers } = compared(cpu, gpu, of);
  const verdict = el('span', { class: differing === 0 ? 'good' : 'bad' }, `${differing} of ${cpu.length}`);
  const gap = differing === 0 ? '0' : most.toPrecision(3);
  return [title, await digest(cpu), await digest(gpu), verdict, gap, `${answers} of ${cpu.length / of}`];
}

async function measure(out: HTMLElement): Promise<void> {
  const bar = progressBar('Measurement');
  out.replaceChildren(bar.element);
  bar.set('Loading onnxruntime-web');
  const { runOrt } = await import('./ort.ts');
  const digits = (await bytesOf('digits.bin')).subarray(0, COUNT * SIDE);
  const adapter = await navigator.gpu?.requestAdapter();
  const gpu = adapter !== null && adapter !== undefined;
  const lines: (Node | string)[][] = [];
  const notes: string[] = [];
  for (const { title, name, of, input } of NETWORKS) {
    bar.set(`${title}, on the processor`);
    const model = await bytesOf(`${name}.onnx`);
    const onCpu: Measured = await runOrt(model, input(digits), 'wasm');
    let onGpu: Measured | undefined;
    if (gpu) {
      bar.set(`${title}, on WebGPU`);
      try {
        onGpu = await runOrt(model, input(digits), 'webgpu');
      } catch (e) {
        notes.push(`${title}, on WebGPU: ${(e as Error).message}`);
      }
    }
    lines.push(await lineOf(title, of, onCpu, onGpu));
  }
  bar.set('samebit on both');
  const onGpu = async (): Promise<Int16Array<ArrayBuffer> | undefined> => {
    try {
      return gpu ? await samebit('webgpu', digits) : undefined;
    } catch (e) {
      notes.push(`samebit refuses this device: ${(e as Error).message}`);
      return undefined;
    }
  };
  lines.push(await lineOf('samebit, digits', 10, await samebit('wasm', digits), await onGpu()));
  bar.end();
  const columns = [
    { head: 'Runtime and model' },
    { head: 'SHA-256 of outputs, WebAssembly' },
    { head: 'SHA-256 of outputs, WebGPU' },
    { head: 'Values that differ' },
    { head: 'Largest difference' },
    { head: 'Answers that differ' },
  ];
  out.append(table(`${COUNT} digits and ${WINDOWS * WINDOW} letters, measured now on this machine`, columns, lines));
  if (!gpu) notes.push('This browser offers no WebGPU adapter, so there is nothing to compare with here.');
  out.append(...notes.map((n) => el('p', { class: 'hint' }, n)));
  say('Measured');
}

/** Makes the button of the section work. */
export function contrast(): void {
  const run = byId<HTMLButtonElement>('contrast');
  const out = byId('contrast-out');
  run.addEventListener('click', async () => {
    run.disabled = true;
    await measure(out).catch((e: unknown) => out.replaceChildren(errorBox(e)));
    run.disabled = false;
  });
  run.disabled = false;
}
