/**
 * Conversion in a worker: the same calls as `samebit convert` and `samebit eval`.
 * @module
 */
import { expose, transfer } from 'comlink';
import { createSession, hex, loadModel, type Model } from 'samebit';
import { encodeModel } from 'samebit/format';
import { lower, type OnnxModel, parseOnnx } from 'samebit/onnx';
import { type ConvertOptions, convertOnnx } from 'samebit/quant';
import { type Accuracy, classes, compareModels } from '../../../src/cli/accuracy.ts';
import { gasAtMaxima, macs } from '../../../src/cli/figures.ts';
import { literalWords, stepDifference } from '../../../src/cli/literal.ts';
import { type NpyArray, readNpy } from '../../../src/cli/npy.ts';
import { convertReport } from '../../../src/cli/report/convert.ts';
import { TARGET } from '../../../src/quant/tune.ts';
import { type Failure, failureOf } from '../shell/error.ts';
import type { Gathered, Named } from './files.ts';
import type { FormOptions } from './form.ts';

/** Hears how far the work is. */
export type Hear = (stage: string, done?: number, of?: number) => void;

/** One sample by both models, of the first output. `top`: the class of each, where the output is a row of them. */
export interface Side {
  readonly float: readonly number[];
  readonly ours: readonly number[];
  readonly greatest: number;
  readonly top?: readonly [float: number, ours: number] | undefined;
  readonly label?: number | undefined;
}

/** What a conversion gave. */
export interface Converted {
  readonly name: string;
  readonly sbm: Uint8Array<ArrayBuffer>;
  readonly id: string;
  readonly onnxBytes: number;
  readonly ops: number;
  readonly macs: number;
  readonly gas: bigint;
  readonly warnings: readonly string[];
  readonly literal?: string | undefined;
  /** The report as one HTML file. */
  readonly report: string;
  /** Both models over the samples; the refusal where they cannot be compared, none without samples. */
  readonly accuracy?: Accuracy | Failure | undefined;
  readonly sides: readonly Side[];
  readonly seconds: number;
}

/** Samples that both models run, of which the first are shown one by one; random inputs of a quantized source. */
const COMPARED = 256;
const SHOWN = 12;
const LITERAL_INPUTS = 8;
/** Values of an output that a line of a sample holds. */
const VALUES = 1024;

function arrays(samples: readonly Named[]): { one?: NpyArray; byName: Record<string, NpyArray> } {
  const byName = Object.create(null) as Record<string, NpyArray>; // names are the user's: no prototype
  for (const { name, bytes } of samples) byName[name.replace(/\.npy$/i, '')] = readNpy(bytes);
  const [one] = Object.values(byName);
  return samples.length === 1 ? { one: one!, byName } : { byName };
}

async function compared(
  source: OnnxModel,
  model: Model,
  { one, byName }: ReturnType<typeof arrays>,
  labels: NpyArray | undefined,
  options: ConvertOptions,
  hear: Hear,
): Promise<{ accuracy: Accuracy; sides: Side[] }> {
  const graph = lower(source, { dims: options.dims });
  const inputs = one && graph.inputs.length === 1 ? [[graph.inputs[0]!.name, one] as const] : Object.entries(byName);
  const session = await createSession(model, { backend: 'wasm' });
  const [first] = graph.outputs;
  const sides: Side[] = [];
  const see = (output: string, float: ArrayLike<number>, ours: ArrayLike<number>): void => {
    if (output !== first?.name || sides.length >= SHOWN || float.length > VALUES) return;
    const [f, o] = [Array.from(float), Array.from(ours)];
    const top = model.outputs.length === 1 && f.length > 1 && f.length <= VALUES;
    const greatest = f.reduce((most, v, i) => Math.max(most, Math.abs(v - o[i]!)), 0);
    sides.push({
      float: f,
      ours: o,
      greatest,
      top: top ? [classes(f, f.length)[0]!, classes(o, o.length)[0]!] : undefined,
      label: labels?.data[sides.length],
    });
  };
  try {
    const comparison = {
      inputs: new Map(inputs),
      reference: new Map<string, NpyArray>(),
      labels,
      limit: COMPARED,
      mean: options.mean,
      std: options.std,
      see,
    };
    const accuracy = await compareModels(model, session, graph, comparison, (done, of) =>
      hear('Both models on the samples', done, of),
    );
    return { accuracy, sides };
  } finally {
    session.dispose();
  }
}

/** Reads the file beside the model that holds some of its weights, and counts its bytes once. */
function readerOf(beside: readonly Named[]): { read: (path: string) => Uint8Array | undefined; bytes: () => number } {
  const read = new Map<string, number>();
  return {
    read: (path) => {
      const found = beside.find((f) => f.name === path.replace(/^.*\//, ''));
      if (found) read.set(found.name, found.bytes.length);
      return found?.bytes;
    },
    bytes: () => [...read.values()].reduce((a, b) => a + b, 0),
  };
}

async function work(files: Gathered, form: FormOptions, hear: Hear): Promise<Converted> {
  const began = performance.now();
  const model = files.model!;
  const external = readerOf(files.beside);
  hear('Reading');
  const samples = arrays(files.samples);
  const own = samples.one ?? (files.samples.length > 0 ? samples.byName : undefined);
  const options: ConvertOptions = { ...form, samples: own, external: external.read };
  const result = convertOnnx(model.bytes, options, (done, of) => hear('Calibrating', done, of));
  const sbm = Uint8Array.from(encodeModel(result.graph));
  const loaded = loadModel(sbm); // what is offered is valid
  hear('Writing the report');
  const source = parseOnnx(model.bytes, { external: external.read });
  const fixed = loaded.symbols.length === 0;
  const quantized = result.float.tensors.some((t) => t.pin);
  const literal =
    quantized && fixed ? await stepDifference(source, result, loaded, options, LITERAL_INPUTS) : undefined;
  const onnxBytes = model.bytes.length + external.bytes();
  const told = { source: model.name, onnxBytes, target: form.target ?? TARGET, literal };
  const report = await convertReport(result, loaded, told);
  let sides: Side[] = [];
  let accuracy: Converted['accuracy'];
  if (own !== undefined && fixed) {
    try {
      const labels = files.labels && readNpy(files.labels.bytes);
      ({ accuracy, sides } = await compared(source, loaded, samples, labels, options, hear));
    } catch (e) {
      accuracy = failureOf(e); // the model is made all the same
    }
  }
  return {
    name: model.name.replace(/(\.onnx)?$/i, '.sbm'),
    sbm,
    id: hex(loaded.id),
    onnxBytes,
    ops: loaded.nodes.length,
    macs: macs(loaded),
    gas: gasAtMaxima(loaded),
    warnings: result.report.warnings,
    literal: literal && literalWords(literal),
    report,
    accuracy,
    sides,
    seconds: (performance.now() - began) / 1000,
  };
}

const api = {
  /** Converts; a refusal comes back as what is shown of it. */
  async convert(files: Gathered, form: FormOptions, hear: Hear): Promise<Converted | Failure> {
    let last = 0;
    const seldom: Hear = (stage, done, of) => {
      if (done !== undefined && done !== of && performance.now() - last < 40) return;
      last = performance.now();
      hear(stage, done, of);
    };
    try {
      const made = await work(files, form, seldom);
      return transfer(made, [made.sbm.buffer]);
    } catch (e) {
      return failureOf(e);
    }
  },
};
/** What the page calls. */
export type Converter = typeof api;
expose(api);
