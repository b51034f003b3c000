/**
 * The integer road: the test's graph converted with ranges from the test's own data, encoded, loaded and run on the
 * reference backend. Inputs that give shapes and parameters, and the weights of layers, are fixed; data never is.
 * @module
 */
import { SamebitError } from '../../src/core/errors.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { isFloat } from '../../src/onnx/array.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import type { OnnxModel } from '../../src/onnx/parse.ts';
import type { OnnxArray } from '../../src/onnx/tensor.ts';
import { type ConvertResult, convertModel } from '../../src/quant/convert.ts';
import { quantizeInput } from '../../src/quant/float-io.ts';
import { createInterpreter } from '../../src/quant/interpret.ts';
import { type SampleTensor, sourceOrder } from '../../src/quant/samples.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { errorBounds } from './bound.ts';
import { type Case, loadCase, type Row } from './cases.ts';
import { COARSE } from './float.ts';

/** Inputs by position that are fixed to the test's values: shapes, axes, pads, repeats and the like, and layer weights. */
const FIXED: Readonly<Record<string, readonly number[]>> = {
  ...{ Conv: [1, 2], ConvTranspose: [1, 2], Gemm: [1, 2], Reshape: [1], Expand: [1], Tile: [1], Slice: [1, 2, 3, 4] },
  ...{ Squeeze: [1], Unsqueeze: [1], Pad: [1, 2, 3], Resize: [1, 2, 3], Upsample: [1], Split: [1], Dropout: [1, 2] },
  ...{ ReduceSum: [1], ReduceMean: [1], ReduceMax: [1], ReduceMin: [1], ConstantOfShape: [0], Range: [0, 1, 2] },
  ...{ ReduceL1: [1], ReduceL2: [1], ReduceSumSquare: [1], ReduceLogSum: [1], ReduceLogSumExp: [1], ReduceProd: [1] },
  ...{ Clip: [1, 2], Pow: [1], PRelu: [1], BatchNormalization: [1, 2, 3, 4], Trilu: [1], OneHot: [1, 2], CumSum: [1] },
  ...{ LayerNormalization: [1, 2], RMSNormalization: [1], InstanceNormalization: [1, 2], GroupNormalization: [1, 2] },
  ...{ GatherElements: [1], GatherND: [1], ScatterElements: [1], ScatterND: [1], Scatter: [1], TensorScatter: [2] },
  ...{ QuantizeLinear: [1, 2], DequantizeLinear: [1, 2], QLinearConv: [1, 2, 3, 4, 5, 6, 7, 8] },
  ...{ QLinearMatMul: [1, 2, 4, 5, 6, 7], ConvInteger: [1, 2, 3], MatMulInteger: [1, 2, 3] },
  ...{ ReverseSequence: [1], Compress: [1], CenterCropPad: [1], TopK: [1], RotaryEmbedding: [1, 2, 3] },
  ...{ LSTM: [1, 2, 3, 4, 7], GRU: [1, 2, 3, 4], NonMaxSuppression: [2, 3, 4] },
};

/** Share of the output's range that no error may exceed. */
const SHARE = 0.02;

/** Conversion aims at this ratio of signal to rounding error in dB: 16 bits wherever sums allow. */
const TARGET = 90;

/** Relative rounding of expected values in their own type. */
const STORED: Readonly<Partial<Record<OnnxArray['dtype'], number>>> = {
  ...{ float32: 2 ** -20, float16: 2 ** -10, bfloat16: 2 ** -7 },
};

function percent(v: number): string {
  return `${(v * 100).toPrecision(3)} %`;
}

/** The model with structural inputs as initialisers and the data's shapes on the others. */
function specialise(model: OnnxModel, inputs: ReadonlyMap<string, OnnxArray>): OnnxModel {
  const fixed = new Set(model.nodes.flatMap((n) => (FIXED[n.op] ?? []).flatMap((i) => n.inputs[i] || [])));
  const initializers = new Map(model.initializers);
  for (const name of fixed) if (inputs.has(name)) initializers.set(name, { name, ...inputs.get(name)! });
  const left = model.inputs.filter((i) => !initializers.has(i.name));
  return { ...model, initializers, inputs: left.map((i) => ({ ...i, shape: inputs.get(i.name)?.shape ?? i.shape })) };
}

/** A test's input as one calibration sample. */
function sampleOf(x: OnnxArray): SampleTensor {
  return {
    dtype: isFloat(x.dtype) ? 'f32' : x.dtype === 'bool' ? 'bool' : 'i32',
    shape: [1, ...x.shape],
    data: x.data,
  };
}

/** Reals in the layout of an input of the graph. */
function stored(result: ConvertResult, i: number, x: OnnxArray): Float64Array {
  const port = result.float.inputs[i]!;
  const order = sourceOrder(result.float, port);
  const values = order ? Float64Array.from(order, (at) => x.data[at]!) : x.data;
  const own = port.integers;
  return own ? values.map((q) => (q - own.zp) * own.scale) : values;
}

function tensorOf(result: ConvertResult, i: number, x: OnnxArray): Tensor {
  const decl = result.graph.inputs[i]!;
  const values = stored(result, i, x);
  if (decl.dtype === 'i8' || decl.dtype === 'i16') return quantizeInput(decl, values);
  const data = decl.dtype === 'bool' ? Int8Array.from(values) : Int32Array.from(values);
  return { dtype: decl.dtype, shape: decl.shape as readonly number[], data };
}

/** How one output compares: error and bound as shares of the expected range; `exact` where no integer differs. `rounding` is that of the stored output. */
function compare(
  result: ConvertResult,
  k: number,
  y: Tensor,
  expected: OnnxArray,
  bounds: Float64Array,
  rounding: number,
): { exact: boolean; error: number; limit: number; within: boolean } {
  const port = result.float.outputs[k]!;
  const type = result.types[port.tensor]!;
  const order = sourceOrder(result.float, port);
  const own = port.integers;
  const real = (e: number): number => (own ? (e - own.zp) * own.scale : e);
  const [lo, hi] = expected.data
    .map(real)
    .reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)] as const, [0, 0] as readonly [number, number]);
  const span = hi - lo || 1;
  let [exact, within, error, limit] = [true, true, 0, 0];
  for (let i = 0; i < y.data.length; i++) {
    const e = real(expected.data[order ? order[i]! : i]!);
    const q = y.data[i]! - (y.dtype === 'u8' ? 128 : 0);
    if (q !== Math.floor(e / type.scale + 0.5) + type.zp) exact = false;
    const d = Math.abs((q - type.zp) * type.scale - e);
    const most = bounds[i]! + Math.abs(e) * (STORED[expected.dtype] ?? 0) + rounding;
    error = Math.max(error, d);
    limit = Math.max(limit, most);
    if (!(d <= most)) within = false;
  }
  return { exact, error: error / span, limit: limit / span, within };
}

/** True where NonMaxSuppression makes an output. */
export function selects(model: OnnxModel, name: string): boolean {
  return model.nodes.some((n) => n.op === 'NonMaxSuppression' && n.outputs.includes(name));
}

/** Rows (batch, class, box) without those behind the kept ones, whose box is −1. */
export function selected<T extends { readonly data: ArrayLike<number> }>(y: T): T {
  const data = Array.from(y.data);
  return { ...y, data: data.filter((_, i) => data[i - (i % 3) + 2] !== -1) };
}

/** Runs one test on the integer road. */
export async function integerRow(folder: string, test: Case): Promise<Row> {
  const row = { test: test.name, road: 'integer' } as const;
  try {
    const { model, inputs, expected } = loadCase(folder, test);
    const own = specialise(model, inputs);
    const samples = Object.fromEntries(own.inputs.map((i) => [i.name, sampleOf(inputs.get(i.name)!)]));
    if (own.inputs.length === 0)
      throw new ImportError('UnsupportedForm', 'all inputs are structural: nothing is left to run');
    const result = convertModel(own, 1e9, { samples, target: TARGET, fitWeights: false, correctBias: false });
    const session = await createSession(loadModel(encodeModel(result.graph)), { backend: 'reference' });
    const given = Object.fromEntries(own.inputs.map((i, k) => [i.name, tensorOf(result, k, inputs.get(i.name)!)]));
    const { outputs } = await session.run(given);
    const interpreter = createInterpreter(result.float);
    interpreter.run(own.inputs.map((i, k) => stored(result, k, inputs.get(i.name)!)));
    const bounds = errorBounds(result.float, interpreter.values, result.types);
    let [all, figure] = [true, 0];
    for (const [k, o] of result.graph.outputs.entries()) {
      const e = expected.get(o.name)!;
      const y = selects(model, o.name) ? selected(outputs[o.name]!) : outputs[o.name]!;
      const shape = `${e.shape}`;
      const own = bounds[result.float.outputs[k]!.tensor]!;
      if (selects(model, o.name) && y.data.length !== e.data.length && own.includes(Number.POSITIVE_INFINITY))
        return {
          ...row,
          class: 'refused',
          reason: `UnsupportedForm: the scales allow an error in what ${o.name} selects`,
        };
      if (y.data.length !== e.data.length)
        return { ...row, class: 'fail', reason: `${o.name} has ${y.data.length} elements instead of [${shape}]` };
      const { exact, error, limit, within } = compare(result, k, y, e, own, COARSE[test.name]?.rounding ?? 0);
      figure = Math.max(figure, error);
      if (exact) continue;
      all = false;
      if (!(limit <= SHARE))
        return {
          ...row,
          class: 'refused',
          reason: `UnsupportedForm: the scales allow an error of ${percent(limit)} of the range of ${o.name}, more than ${percent(SHARE)}`,
        };
      if (!within)
        return {
          ...row,
          class: 'fail',
          figure: error,
          reason: `${o.name} differs by ${percent(error)} of its range, bound ${percent(limit)}`,
        };
    }
    return { ...row, class: all ? 'exact' : 'bounded', figure };
  } catch (error) {
    if (error instanceof SamebitError)
      return { ...row, class: 'refused', reason: `${error.family} ${error.code}: ${error.message}` };
    return {
      ...row,
      class: 'fail',
      reason: `crash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    };
  }
}
