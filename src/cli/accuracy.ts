/**
 * How near an integer model is to the float one: both on the same samples, compared in the float model's layout.
 * @module
 */
import { InputError, printable } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { InputDecl, Model } from '../graph/ir.ts';
import { type FloatGraph, type FloatInput, isIndex } from '../quant/float-graph.ts';
import { dequantizeOutput, quantizeInput } from '../quant/float-io.ts';
import { createInterpreter } from '../quant/interpret.ts';
import { type SampleReader, sampleReader, sourceOrder } from '../quant/samples.ts';
import { fromScale } from '../quant/scales.ts';
import type { Session } from '../runtime/session.ts';
import { checkFinite, labelRows, referenceRows, widthOf } from './expected.ts';
import type { NpyArray } from './npy.ts';

/** What is compared with what. */
export interface Comparison {
  /** Samples by input name; the first axis is the sample. */
  readonly inputs: ReadonlyMap<string, NpyArray>;
  /** Float outputs by name; the interpreter computes them where an output has none. */
  readonly reference: ReadonlyMap<string, NpyArray>;
  readonly labels?: NpyArray | undefined;
  readonly limit?: number | undefined;
  /** Normalisation of raw values; without it, what a u8 input declares. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /** Is shown every output of every sample by both models, in the float model's layout. */
  readonly see?: (output: string, float: ArrayLike<number>, ours: ArrayLike<number>) => void;
}

/** An output over all samples; sqnrDb is Infinity where every value is equal, else -Infinity where the reference is 0 throughout. */
export interface OutputAccuracy {
  readonly name: string;
  readonly sqnrDb: number;
  readonly cosine: number;
  readonly maxAbsError: number;
}

/** Shares of 1: the labels that the integer and the float model hit, and where both say the same. */
export interface TopOne {
  readonly top1: number;
  readonly floatTop1: number;
  readonly agreement: number;
}

/** What `compareModels` finds. */
export interface Accuracy extends Partial<TopOne> {
  readonly samples: number;
  readonly outputs: readonly OutputAccuracy[];
  readonly warnings: readonly string[];
}

/** A sample for both models: integers for one, reals for the other, both in the graph's layout. */
interface Pair {
  readonly integers: Tensor;
  readonly reals: Float64Array;
}

interface Feed {
  readonly name: string;
  readonly count: number;
  readonly read: (i: number) => Pair;
}

/** One value a channel. */
function perChannel(v: readonly number[] | undefined, fallback: number, channels: number, what: string): number[] {
  const list = v ?? [fallback];
  if (list.length !== 1 && list.length !== channels)
    throw new InputError('WrongShape', `${what} has another number of values than the input has channels`, {
      expected: `1 or ${channels}`,
      actual: String(list.length),
    });
  return Array.from({ length: channels }, (_, c) => list[list.length === 1 ? 0 : c]!);
}

/** Raw integers of a sample as they are, refused where the type cannot hold them. */
function rawTensor(input: InputDecl, shape: readonly number[], values: Float64Array): Tensor {
  if (input.u8) return { dtype: 'u8', shape, data: Uint8Array.from(values) };
  const { scale, ...plain } = input;
  return quantizeInput({ ...plain, zp: 0 }, values, shape);
}

/**
 * Reads an input's samples. An array of the input's own element type holds raw integers; floats of a u8 input are
 * normalised already; everything else is in the units of the input's scale, which mean and std apply to.
 */
function feedOf(graph: FloatGraph, port: FloatInput, input: InputDecl, array: NpyArray, options: Comparison): Feed {
  const reader: SampleReader = sampleReader(graph, port, array);
  const shape = graph.tensors[port.tensor]!.shape;
  const name = port.name;
  if (isIndex(graph, port))
    return {
      name,
      count: reader.count,
      read: (i) => {
        const values = reader.read(i).slice();
        return { integers: rawTensor(input, shape, values), reals: values };
      },
    };
  const channels = shape.at(-1) ?? 1;
  const raw = array.dtype === (input.u8 ? 'u8' : input.dtype);
  const declared = raw || input.u8 === true;
  const unit = input.scale ? fromScale(input.scale) : 1;
  const mean = perChannel(options.mean, declared ? input.zp + (input.u8 ? 128 : 0) : 0, channels, '--mean');
  const std = perChannel(options.std, declared ? 1 / unit : 1, channels, '--std');
  const normalised = input.u8 === true && (array.dtype === 'f32' || array.dtype === 'f64');
  if (input.u8 && !raw && !normalised)
    throw new InputError('WrongDType', `input ${printable(name)}: the array has another element type`, {
      expected: 'u8, or f32 after normalisation',
      actual: array.dtype,
    });
  const bytes = (v: number, e: number): number =>
    Math.min(Math.max(Math.floor(v * std[e % channels]! + mean[e % channels]! + 0.5), 0), 255);
  return {
    name,
    count: reader.count,
    read(i) {
      const values = reader.read(i);
      if (normalised) return { integers: rawTensor(input, shape, values.map(bytes)), reals: values.slice() };
      const reals = values.map((v, e) => (v - mean[e % channels]!) / std[e % channels]!);
      return { integers: raw ? rawTensor(input, shape, values) : quantizeInput(input, values, shape), reals };
    },
  };
}

/** Values of a port in the float model's own layout. */
function inSourceOrder(values: ArrayLike<number>, order: Int32Array | null): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[order === null ? i : order[i]!] = values[i]!;
  return out;
}

/** Sums over the samples of an output. */
class Sums {
  #signal = 0;
  #ours = 0;
  #product = 0;
  #noise = 0;
  #greatest = 0;

  add(float: ArrayLike<number>, ours: ArrayLike<number>): void {
    for (let i = 0; i < float.length; i++) {
      const [f, o] = [float[i]!, ours[i]!];
      this.#signal += f * f;
      this.#ours += o * o;
      this.#product += f * o;
      this.#noise += (f - o) ** 2;
      this.#greatest = Math.max(this.#greatest, Math.abs(f - o));
    }
  }

  result(name: string): OutputAccuracy {
    const norm = Math.sqrt(this.#signal) * Math.sqrt(this.#ours);
    const cosine = norm > 0 ? this.#product / norm : this.#noise === 0 ? 1 : 0;
    const sqnrDb = this.#noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(this.#signal / this.#noise);
    return { name, sqnrDb, cosine, maxAbsError: this.#greatest };
  }
}

/** Class of each row of the last axis: the first greatest value; a single probability is class 1 from 0.5. */
export function classes(values: ArrayLike<number>, width: number): number[] {
  return Array.from({ length: values.length / width }, (_, row) => {
    if (width === 1) return values[row]! >= 0.5 ? 1 : 0;
    let best = 0;
    for (let k = 1; k < width; k++) if (values[row * width + k]! > values[row * width + best]!) best = k;
    return best;
  });
}

/** Counts of classes that hit the labels, of the first output. */
class Hits {
  readonly #labels: NpyArray['data'];
  readonly #width: number;
  #seen = 0;
  #ours = 0;
  #float = 0;
  #same = 0;

  constructor(labels: NpyArray['data'], width: number) {
    this.#labels = labels;
    this.#width = width;
  }

  add(float: ArrayLike<number>, ours: ArrayLike<number>): void {
    const [f, o] = [classes(float, this.#width), classes(ours, this.#width)];
    for (let k = 0; k < f.length; k++) {
      const label = this.#labels[this.#seen++]!;
      if (o[k] === label) this.#ours++;
      if (f[k] === label) this.#float++;
      if (o[k] === f[k]) this.#same++;
    }
  }

  result(): TopOne {
    const n = this.#seen;
    return { top1: this.#ours / n, floatTop1: this.#float / n, agreement: this.#same / n };
  }
}

/** Samples that all files cover; says which file ends before the inputs do. */
function countOf(graph: FloatGraph, feeds: readonly Feed[], c: Comparison): { count: number; warnings: string[] } {
  const given = Math.min(...feeds.map((f) => f.count));
  const warnings: string[] = [];
  for (const f of feeds)
    if (f.count > given)
      warnings.push(`input ${printable(f.name)} has ${f.count} samples and another input ${given}: ${given} are used`);
  const wanted = Math.min(given, c.limit ?? given);
  const files = graph.outputs.flatMap((o) => {
    const array = c.reference.get(o.name);
    const what = `reference of output ${printable(o.name)}`;
    return array ? [{ what, rows: referenceRows(graph, o, what, array) }] : [];
  });
  const [first] = graph.outputs;
  if (c.labels && first) files.push({ what: 'label file', rows: labelRows(graph, first, 'label file', c.labels) });
  for (const { what, rows } of files)
    if (rows < wanted) warnings.push(`the ${what} has ${rows} rows for ${given} samples: only these are compared`);
  return { count: Math.min(wanted, ...files.map((f) => f.rows)), warnings };
}

/**
 * Runs the samples through `session` and the float graph and compares every output. The graph is the lowered ONNX model
 * with its own, normalised inputs. Throws `InputError` and `ImportError` where files and models do not fit.
 */
export async function compareModels(
  model: Model,
  session: Session,
  graph: FloatGraph,
  comparison: Comparison,
  progress?: (done: number, total: number) => void,
): Promise<Accuracy> {
  const feeds = graph.inputs.map((port) => {
    const input = model.inputs.find((d) => d.name === port.name);
    const array = comparison.inputs.get(port.name);
    if (!input || !array)
      throw new InputError('MissingInput', `input ${printable(port.name)} ${input ? 'has no samples' : 'is missing'}`);
    if (`${input.shape}` !== `${graph.tensors[port.tensor]!.shape}`)
      throw new InputError('WrongShape', `input ${printable(port.name)} has another shape in the two models`, {
        expected: `[${graph.tensors[port.tensor]!.shape.join(', ')}]`,
        actual: `[${input.shape.map(String).join(', ')}]`,
      });
    return feedOf(graph, port, input, array, comparison);
  });
  const outputs = graph.outputs.map((port) => {
    const decl = model.outputs.find((o) => o.name === port.name);
    if (!decl) throw new InputError('WrongShape', `the integer model has no output ${printable(port.name)}`);
    return { port, decl, order: sourceOrder(graph, port), zp: model.tensors[decl.tensor]!.zp, sums: new Sums() };
  });
  const { count, warnings } = countOf(graph, feeds, comparison);
  const float = outputs.every((o) => comparison.reference.has(o.port.name)) ? undefined : createInterpreter(graph);
  const hits = comparison.labels && new Hits(comparison.labels.data, widthOf(graph, graph.outputs[0]!));
  for (let n = 0; n < count; n++) {
    const pairs = feeds.map((f) => f.read(n));
    const result = await session.run(Object.fromEntries(feeds.map((f, i) => [f.name, pairs[i]!.integers])));
    float?.run(pairs.map((p) => p.reals));
    for (const [k, { port, decl, order, zp, sums }] of outputs.entries()) {
      const ours = inSourceOrder(dequantizeOutput(decl, result.outputs[decl.name]!, zp), order);
      const stored = comparison.reference.get(port.name)?.data.subarray(n * ours.length, (n + 1) * ours.length);
      const theirs = stored ?? inSourceOrder(float!.values[port.tensor]!, order);
      if (theirs.length !== ours.length)
        throw new InputError('WrongShape', `output ${printable(port.name)} has another size in the two models`);
      if (!stored) checkFinite(`float model's output ${printable(port.name)} for sample ${n}`, theirs);
      sums.add(theirs, ours);
      comparison.see?.(port.name, theirs, ours);
      if (k === 0) hits?.add(theirs, ours);
    }
    progress?.(n + 1, count);
  }
  return { samples: count, outputs: outputs.map((o) => o.sums.result(o.port.name)), ...hits?.result(), warnings };
}

/** Sample `index` of every input as the integers that the model takes. */
export function integerInputs(
  model: Model,
  graph: FloatGraph,
  comparison: Comparison,
  index: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    graph.inputs.map((port) => {
      const input = model.inputs.find((d) => d.name === port.name)!;
      const feed = feedOf(graph, port, input, comparison.inputs.get(port.name)!, comparison);
      return [port.name, feed.read(index).integers];
    }),
  );
}
