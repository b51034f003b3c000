/**
 * The whole road from an ONNX file and calibration samples to an integer graph: parse, lower, observe, quantize. Same
 * bytes, samples and options give the same graph on every engine.
 * @module
 */

import { showDim } from '../core/dim.ts';
import { ModelError, printable } from '../core/errors.ts';
import { checkOptions, FLAG, FUNCTION, OBJECT, type OptionRule, oneOf } from '../core/options.ts';
import { encodeModel } from '../format/encode.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { validateGraph } from '../graph/validate.ts';
import type { Dims } from '../onnx/dims.ts';
import { ImportError } from '../onnx/errors.ts';
import { lower } from '../onnx/lower.ts';
import { type OnnxModel, parseOnnx } from '../onnx/parse.ts';
import type { ExternalReader } from '../onnx/tensor.ts';
import { checkSizes } from './bounds.ts';
import type { Equalised } from './equalise.ts';
import { type FloatGraph, type FloatInput, isIndex } from './float-graph.ts';
import { type FoldedInput, foldNormalization } from './normalize.ts';
import type { ObserveProgress, RangeMethod, Ranges } from './observe.ts';
import { HEADROOM } from './plan.ts';
import { type InputForm, type LayerReport, type QuantizeResult, type QuantPolicy, quantize } from './quantize.ts';
import type { WeightType } from './rounding.ts';
import { type SampleReader, type SampleTensor, type SampleTransform, sampleReader } from './samples.ts';
import { i8Type, i16Type, type LayerForms, type QType, type Range } from './scales.ts';
import type { Widened } from './sensitivity.ts';
import { resized, sampledAt } from './symbolic.ts';
import { type TuneOptions, tune } from './tune.ts';
import { idle, rawBytes, sizeGoal, warningsOf } from './warnings.ts';

/** What the integer model's inputs take: bytes, small integers, whole numbers (indices), or floats by a stored scale. */
export type InputType = 'u8' | 'i8' | 'i32' | 'f32';

/** What a conversion may be told. */
export interface ConvertOptions extends TuneOptions {
  /** Values of symbolic dimensions by name, or ranges that stay symbolic in the model; the batch is 1 by default. */
  readonly dims?: Dims | undefined;
  /** Of all inputs; f32 by default, i32 for integer inputs of the source. */
  readonly inputType?: InputType | undefined;
  /** Model input = (value − mean)/std, one value or one a channel; 0 and 1 by default. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /**
   * Calibration samples in the source model's layout: for the one input, or by input name. Integer samples hold raw
   * values, which mean and std apply to; float samples for a u8 or i8 input are normalised already.
   */
  readonly samples?: SampleTensor | Readonly<Record<string, SampleTensor>> | undefined;
  /** Reads files beside the model that hold its weights, by relative path; without it external data is refused. */
  readonly external?: ExternalReader | undefined;
  /** Weights of a row are rounded together so that its output changes least on the samples; true by default. */
  readonly fitWeights?: boolean | undefined;
  /** The mean error that rounding leaves in a row goes into its bias; true by default. */
  readonly correctBias?: boolean | undefined;
  /** Element type of the weights of dense layers and of convolutions without groups: i4 in blocks of 32 halves them; i8 by default. */
  readonly weights?: WeightType | undefined;
}

/** What became of the model. */
export interface ConvertReport {
  readonly name: string;
  readonly opset: number;
  readonly samples: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    /** A symbolic dim is written in the model's symbols. */
    readonly shape: readonly (number | string)[];
    readonly layout: 'NHWC' | 'source';
  }[];
  readonly layers: readonly LayerReport[];
  /** How ranges were chosen. */
  readonly ranges: RangeMethod;
  /** Tensors whose channels were scaled against the weights that read them. */
  readonly equalised: readonly Equalised[];
  /** Tensors that got more than 8 bits because an output would have missed its target. */
  readonly widened: readonly Widened[];
  /** Layers whose weights are i4. */
  readonly int4: readonly { readonly name: string; readonly source: string }[];
  /** Whether weights were rounded together, and biases corrected. */
  readonly fitWeights: boolean;
  readonly correctBias: boolean;
  /** Transposes that are left in the integer graph. */
  readonly transposes: number;
  readonly warnings: readonly string[];
}

/** The integer graph, the float graph it stands for (its inputs as raw values), and the report. */
export interface ConvertResult {
  readonly graph: Graph;
  readonly float: FloatGraph;
  /** Type of every tensor of `float` by id, and its range in floats. */
  readonly types: readonly (QType | undefined)[];
  readonly ranges: Ranges;
  readonly report: ConvertReport;
  /** What each tensor and node of `float` became in `graph`. */
  readonly tensors: QuantizeResult['tensors'];
  readonly became: QuantizeResult['became'];
  /** The calibration samples of every input in the reals of `float`; none where the types are the source's. */
  readonly readers: readonly SampleReader[] | undefined;
}

const RAW_RANGE: Readonly<Record<'u8' | 'i8', readonly [number, number]>> = { u8: [0, 255], i8: [-128, 127] };

function isSampleTensor(s: SampleTensor | Readonly<Record<string, SampleTensor>>): s is SampleTensor {
  return Array.isArray(s.shape) && 'data' in s;
}

/** The samples of each input, or a refusal that says which are missing. */
function samplesOf(graph: FloatGraph, samples: ConvertOptions['samples']): SampleTensor[] {
  if (!samples)
    throw new ImportError(
      'NeedsCalibration',
      'quantization needs calibration samples to learn the range of every tensor',
    );
  const names = graph.inputs.map((i) => i.name);
  const other = isSampleTensor(samples) ? undefined : Object.keys(samples).find((name) => !names.includes(name));
  if (other !== undefined)
    throw new ImportError('BadOption', `there are samples for ${printable(other)}, which is no input of the model`, {
      expected: names.map(printable).join(', '),
      actual: other,
    });
  return graph.inputs.map((input) => {
    const own = isSampleTensor(samples) ? (graph.inputs.length === 1 ? samples : undefined) : samples[input.name];
    if (!own) throw new ImportError('NeedsCalibration', `there are no calibration samples for input "${input.name}"`);
    return own;
  });
}

/** How samples become the reals of a folded input. */
function transformOf(type: InputType, folded: FoldedInput, samples: SampleTensor): SampleTransform {
  const normalised = type !== 'f32' && (samples.dtype === 'f32' || samples.dtype === 'f64');
  if (!normalised) return { scale: Float64Array.of(folded.scale), shift: Float64Array.of(-folded.zero * folded.scale) };
  return { scale: folded.factor.map((f) => 1 / f), shift: folded.shift.map((s, c) => -s / folded.factor[c]!) };
}

/** The type of the only quantizer that reads an input, which it then takes itself. */
function quantizerOf(graph: FloatGraph, input: FloatInput): QType | undefined {
  const readers = graph.nodes.filter((n) => n.inputs.includes(input.tensor));
  const [only] = readers;
  return readers.length === 1 && only!.op.kind === 'quant' ? only!.op.type : undefined;
}

/** The form of a float input: integers of the source as they are; raw integers as they are, floats as i8 for images and i16 for everything else. */
function inputForm(
  type: InputType,
  graph: FloatGraph,
  input: FloatInput,
  folded: FoldedInput,
  ranges: Ranges,
): InputForm {
  const range = ranges[input.tensor]!;
  const { pin } = graph.tensors[input.tensor]!;
  if (input.integers && pin) return { type: pin, storedScale: pin.scale, u8: input.integers.u8 };
  if (type === 'u8' || type === 'i8') {
    const zp = folded.zero - (type === 'u8' ? 128 : 0);
    const raw: QType = { dtype: 'i8', zp, scale: folded.scale, lo: -128, hi: 127 };
    return { type: raw, storedScale: folded.scale, u8: type === 'u8' };
  }
  const image = graph.tensors[input.tensor]!.shape.length === 4;
  const quantizer = quantizerOf(graph, input);
  if (quantizer) return { type: quantizer, storedScale: quantizer.scale / folded.scale, u8: false };
  const own = image ? i8Type(range) : i16Type(range, HEADROOM);
  return { type: own, storedScale: own.scale / folded.scale, u8: false, free: image };
}

/** Range of an index input: the axis that it is looked up in, whatever the samples hold; else what they hold. */
function indexRange(graph: FloatGraph, input: FloatInput, ranges: Ranges): Range {
  const readers = graph.nodes.filter((n) => n.inputs.includes(input.tensor));
  const sizes = readers.map(({ op, inputs }) =>
    op.kind === 'gather' && inputs[0] !== input.tensor ? graph.tensors[inputs[0]!]!.shape[op.axis]! : 0,
  );
  const least = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return Number.isFinite(least) && least > 0 ? { lo: 0, hi: least - 1 } : ranges[input.tensor]!;
}

/** Folds the normalisation of every float input; index inputs stay as they are. */
function foldInputs(
  graph: FloatGraph,
  type: InputType,
  options: ConvertOptions,
): { graph: FloatGraph; folded: (FoldedInput | undefined)[] } {
  const normalisation = { mean: options.mean ?? [0], std: options.std ?? [1] };
  const [least, greatest] = type === 'u8' || type === 'i8' ? RAW_RANGE[type] : [0, 0];
  let current = graph;
  const folded = graph.inputs.map((input, i) => {
    if (isIndex(graph, input)) return undefined;
    if (input.integers) {
      const { scale, zp } = input.integers;
      return { graph: current, zero: zp, scale, factor: Float64Array.of(1), shift: Float64Array.of(0) };
    }
    const f = foldNormalization(current, i, normalisation, least, greatest);
    current = f.graph;
    return f;
  });
  return { graph: current, folded };
}

/** Layers that became a node of i4 weights. */
function int4Layers({ graph, layers, became }: QuantizeResult): ConvertReport['int4'] {
  const four = (n: Node): boolean => n.op === 'dense' && (n.attrs['block'] as number) > 0;
  return layers
    .filter((_, i) => graph.nodes.slice(...became[i]!).some(four))
    .map(({ name, source }) => ({ name, source }));
}

/** Error shares, in dB, at which a layer takes one multiplier for all rows; the later ones only where the size asks for it. */
const FINENESS: readonly number[] = [45, 38, 32, 26, 20];
/** Shares below it cost accuracy that is seen: they are taken only where the model then reaches the goal of its size. */
const HARMLESS = 38;

/** Quantizes; a model above the goal of its size is tried again with more layers of one multiplier. */
function withinSize(graph: FloatGraph, ranges: Ranges, policy: QuantPolicy, source: number): QuantizeResult {
  const forms = new Map<number, LayerForms>();
  const attempt = (dB: number): QuantizeResult =>
    quantize(graph, ranges, { ...policy, forms, rounding: { ...policy.rounding!, fine: 10 ** (-dB / 10) } });
  const fits = (result: QuantizeResult): boolean => encodeModel(result.graph).length <= sizeGoal(source);
  let result = attempt(FINENESS[0]!);
  for (const dB of FINENESS.slice(1)) {
    if (fits(result)) break;
    const next = attempt(dB);
    if (dB >= HARMLESS || fits(next)) result = next;
  }
  return result;
}

/** Refuses a symbolic graph that is not valid at all its sizes. */
function checkSymbolic(graph: Graph): void {
  try {
    validateGraph(graph);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new ImportError(
      'UnsupportedForm',
      `the graph does not hold at every size of its symbolic dimensions: ${error.message}`,
      undefined,
      'Give the dimension one value, --dim NAME=VALUE, or a smaller range.',
    );
  }
}

/** A symbolic graph at the sizes of the samples, which calibration runs; any other as it is. */
function asSampled(graph: FloatGraph, samples: ConvertOptions['samples']): FloatGraph {
  const { symbols } = graph;
  if (!symbols) return graph;
  const of = (name: string): SampleTensor | undefined => samples && (isSampleTensor(samples) ? samples : samples[name]);
  return resized(
    graph,
    sampledAt(
      graph,
      symbols,
      graph.inputs.map((i) => of(i.name)?.shape),
    ),
  );
}

/** A symbolic graph at its greatest sizes, which bounds are proved for; any other as it is. */
function atMaxima(graph: FloatGraph): FloatGraph {
  return graph.symbols
    ? resized(
        graph,
        graph.symbols.map((s) => s.max),
      )
    : graph;
}

/** Reads the samples of every input of the folded graph. */
function readersOf(
  graph: FloatGraph,
  type: InputType,
  folded: readonly (FoldedInput | undefined)[],
  samples: readonly SampleTensor[],
): SampleReader[] {
  const readers = graph.inputs.map((input, i) => {
    const f = folded[i];
    const own = input.integers ? 'f32' : type; // integers of the source are never normalised
    return sampleReader(graph, input, samples[i]!, f && transformOf(own, f, samples[i]!));
  });
  if (readers.some((r) => r.count !== readers[0]!.count))
    throw new ImportError('BadSamples', 'the inputs have different numbers of samples');
  return readers;
}

/**
 * Converts an ONNX file. Images are NHWC in the result, whatever they are in the source; its report says which inputs are.
 * `progress` is called after every calibration sample of every pass. Throws `ImportError`; TypeError for an option of another name or kind.
 */
export function convertOnnx(
  bytes: Uint8Array,
  options: ConvertOptions = {},
  progress?: ObserveProgress,
): ConvertResult {
  return convertModel(parseOnnx(bytes, { external: options.external }), bytes.length, options, progress);
}

/** What the options that are chosen from few may be; tuning and samples are checked where they are used. */
const RULES: Readonly<Record<keyof ConvertOptions, OptionRule>> = {
  dims: OBJECT,
  inputType: oneOf(['u8', 'i8', 'i32', 'f32']),
  mean: OBJECT,
  std: OBJECT,
  samples: OBJECT,
  external: FUNCTION,
  fitWeights: FLAG,
  correctBias: FLAG,
  weights: oneOf(['i8', 'i4']),
  ranges: [
    (v) => v === 'minmax' || v === 'mse' || v === 'auto' || (typeof v === 'object' && v !== null && 'percentile' in v),
    'minmax, mse, auto or { percentile: … }',
  ],
  target: [(v) => typeof v === 'number' && v >= 0, 'a number of dB from 0'],
  budget: [(v) => typeof v === 'number', 'a number'],
  equalise: FLAG,
  wideWeights: FLAG,
};

/** As `convertOnnx`, for a parsed model of `source` bytes. */
export function convertModel(
  model: OnnxModel,
  source: number,
  options: ConvertOptions = {},
  progress?: ObserveProgress,
): ConvertResult {
  checkOptions(options, RULES);
  const greatest = lower(model, { dims: options.dims });
  checkSizes(greatest);
  const lowered = asSampled(greatest, options.samples);
  const type = options.inputType ?? 'f32';
  if (type === 'i32' && lowered.inputs.some((i) => !isIndex(lowered, i)))
    throw new ImportError(
      'BadOption',
      `input "${lowered.inputs.find((i) => !isIndex(lowered, i))!.name}" takes floats, so its type cannot be i32`,
    );
  const pinned = lowered.tensors.some((t) => t.pin);
  const samples = pinned && options.samples === undefined ? undefined : samplesOf(lowered, options.samples);
  const { graph: raw, folded } = foldInputs(lowered, type, options);
  const readers = samples && readersOf(raw, type, folded, samples);
  const formsOf = (own: FloatGraph, ranges: Ranges): InputForm[] =>
    own.inputs.map((input, i) => {
      const f = folded[i];
      return f ? inputForm(type, own, input, f, ranges) : { index: indexRange(own, input, ranges) };
    });
  const size = pinned ? Number.POSITIVE_INFINITY : source; // integers of the source are kept, whatever they take
  const rounding = { fit: options.fitWeights ?? true, correct: options.correctBias ?? true, fine: 0 };
  const choice = options.weights === 'i4' ? { ...options, wideWeights: false } : options;
  const tuned = tune(raw, readers, formsOf, choice, { rounding, goal: sizeGoal(size) }, progress);
  const { ranges } = tuned;
  const graph = atMaxima(tuned.graph);
  const result = withinSize(graph, ranges, { ...tuned.policy, rounding, weights: options.weights }, size);
  if (graph.symbols) checkSymbolic(result.graph);
  const count = readers?.[0]?.count;
  const int4 = int4Layers(result);
  const report: ConvertReport = {
    name: model.name,
    opset: model.opset,
    samples: count ?? 0,
    inputs: graph.inputs.map((input, i) => ({
      name: input.name,
      dtype: result.graph.inputs[i]!.u8 ? 'u8' : result.graph.inputs[i]!.dtype,
      shape: result.graph.inputs[i]!.shape.map((d) => (typeof d === 'number' ? d : showDim(d, result.graph.symbols))),
      layout: `${input.perm}` === '0,3,1,2' ? 'NHWC' : 'source',
    })),
    layers: result.layers,
    ...tuned.report,
    int4,
    fitWeights: rounding.fit,
    correctBias: rounding.correct,
    transposes: result.graph.nodes.filter((n) => n.op === 'transpose').length,
    warnings: [
      ...idle(graph, ranges, int4.length, options.weights),
      ...rawBytes(
        lowered.inputs.filter(
          (input, i) => !isIndex(lowered, input) && !input.integers && samples?.[i]?.dtype === 'u8',
        ),
        options,
      ),
      ...warningsOf(result.layers, count, encodeModel(result.graph).length, size),
    ],
  };
  const { types, tensors, became } = result;
  return { graph: result.graph, float: graph, types, ranges, report, tensors, became, readers };
}
