/**
 * Makes the files of a case: the float ONNX file, its quantized twin for the peers, the samebit model and an input.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, type RealModel } from '../scripts/models/entries.ts';
import { readArray, readBytes } from '../src/cli/files.ts';
import { Random, randomInputs } from '../src/cli/random.ts';
import { encodeModel } from '../src/format/encode.ts';
import type { Graph } from '../src/graph/ir.ts';
import { lower } from '../src/onnx/lower.ts';
import { parseOnnx } from '../src/onnx/parse.ts';
import { convertOnnx } from '../src/quant/convert.ts';
import { type FloatGraph, sizeOf, sourceShape } from '../src/quant/float-graph.ts';
import { foldNormalization } from '../src/quant/normalize.ts';
import { observe } from '../src/quant/observe.ts';
import { outputWidths, quantize } from '../src/quant/quantize.ts';
import { sampleReader } from '../src/quant/samples.ts';
import { loadModel } from '../src/runtime/load.ts';
import { channelsLast, ENCODER, encoderNetwork, fileOf, type ImageCase, type Prepared } from './cases.ts';
import { EncoderNet, ImageNet } from './net.ts';
import { OnnxDynamic, OnnxFloat, OnnxQuantized, type Ranges } from './onnx-targets.ts';
import { SamebitEncoder } from './samebit-encoder.ts';

/** Range of every tensor of a float network on one input, by ONNX Runtime. */
async function rangesOf(model: Uint8Array, input: Float32Array, shape: readonly number[]): Promise<Ranges> {
  const ort = await import('onnxruntime-node');
  const session = await ort.InferenceSession.create(model, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 });
  const outputs = await session.run({ x: new ort.Tensor('float32', input, shape) });
  await session.release();
  const range = (data: Ort.Tensor['data']): readonly [number, number] => {
    let [lo, hi] = [0, 0];
    for (const v of data) {
      if (v < lo) lo = v;
      else if (v > hi) hi = v;
    }
    return [lo, hi];
  };
  return new Map(Object.entries(outputs).map(([name, t]) => [name, range(t.data)]));
}

/** The names that a network of this many tensors gives them. */
function namesUpTo(last: string): string[] {
  return Array.from({ length: Number(last.slice(1)) + 1 }, (_, i) => `v${i}`);
}

/** NHWC to NCHW. */
function channelsFirst([n, h, w, c]: readonly number[]): number[] {
  return w === undefined ? [n!, h!] : [n!, c!, h!, w];
}

/**
 * What the converter makes of a float file whose input is bytes/255, with those bytes as its only sample. Weights go to the
 * nearest integer: their slow rounding by the layer's inputs is for accuracy alone. With `narrow` the outputs are bytes.
 */
function convert(file: Uint8Array, data: Uint8Array, shape: readonly number[], narrow = false): Graph {
  const { graph, scale, zero } = foldNormalization(lower(parseOnnx(file)), 0, { mean: [0], std: [255] }, 0, 255);
  const transform = { scale: Float64Array.of(scale), shift: Float64Array.of(-zero * scale) };
  const reader = sampleReader(graph, graph.inputs[0]!, { dtype: 'u8', shape, data }, transform);
  const type = { dtype: 'i8', zp: zero - 128, scale, lo: -128, hi: 127 } as const;
  const inputs = [{ type, storedScale: scale, u8: true }];
  const { ranges } = observe(graph, [reader], 'minmax');
  const widths = narrow ? new Map(graph.outputs.map((o) => [o.tensor, 8 as const])) : outputWidths(graph);
  return quantize(graph, ranges, { inputs, stats: new Map(), widths }).graph;
}

/** A network on images, or one layer, as floats, with bytes for its input. */
function floatOf({ shape, network }: Pick<ImageCase, 'shape' | 'network'>) {
  const own = channelsFirst(shape);
  const random = new Random(2);
  const bytes = Uint8Array.from({ length: own.reduce((n, d) => n * d, 1) }, () => random.int(0, 255));
  const float = new OnnxFloat();
  const net = new ImageNet(float);
  const last = network(net, { v: 'x', shape }).v;
  return { own, bytes, net, last, writer: float.writer };
}

/** The samebit graph of a network on images. */
export function graphOf(of: Pick<ImageCase, 'shape' | 'network'>): Graph {
  const { own, bytes, last, writer } = floatOf(of);
  return convert(writer.finish(own, [last]), bytes, own);
}

/** Writes the files of a network on images, or of one layer. */
export async function prepareImage(
  { name, shape, network, bytes: narrow }: ImageCase,
  folder: string,
): Promise<Prepared> {
  const { own, bytes, net, last, writer } = floatOf({ shape, network });
  const floats = Float32Array.from(bytes, (v) => Math.fround(v / 255));
  const file = writer.finish(own, [last]);
  const quantized = new OnnxQuantized(await rangesOf(writer.finish(own, namesUpTo(last)), floats, own));
  const output = network(new ImageNet(quantized), { v: { name: 'x', scale: Math.fround(1 / 255), zero: 0 }, shape }).v;
  const { macs, weights } = net;
  const c: Prepared = { name, folder, macs, weights, input: 'x', shape: own, quantized: 'bytes', output, real: false };
  writeFileSync(fileOf(c, 'f32.onnx'), file);
  writeFileSync(fileOf(c, 'u8s8.onnx'), quantized.writer.finish(own, [last], true));
  writeFileSync(fileOf(c, 'sbm'), encodeModel(convert(file, bytes, own, narrow)));
  writeFileSync(fileOf(c, 'floats'), floats);
  writeFileSync(fileOf(c, 'integers'), Uint8Array.from(channelsLast(Float32Array.from(bytes), own)));
  return c;
}

/** The encoder; its input is i8 of this scale, uniform of variance 1. */
export async function prepareEncoder(folder: string): Promise<Prepared> {
  const { name, shape } = ENCODER;
  const scale = Math.sqrt(3) / 127;
  const random = new Random(2);
  const integers = Int8Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => random.int(-127, 127));
  const floats = Float32Array.from(integers, (v) => v * scale);
  const float = new OnnxFloat();
  const net = new EncoderNet(float);
  const last = encoderNetwork(net, { v: 'x', shape }).v;
  const ranges = await rangesOf(float.writer.finish(shape, namesUpTo(last)), floats, shape);
  const dynamic = new OnnxDynamic();
  encoderNetwork(new EncoderNet(dynamic), { v: 'x', shape });
  const samebit = new SamebitEncoder(ranges, shape, scale);
  const graph = samebit.finish(encoderNetwork(new EncoderNet(samebit), { v: samebit.input, shape }).v);
  const { macs, weights } = net;
  const c: Prepared = { name, folder, macs, weights, input: 'x', shape, quantized: 'floats', real: false };
  writeFileSync(fileOf(c, 'f32.onnx'), float.writer.finish(shape, [last]));
  writeFileSync(fileOf(c, 'u8s8.onnx'), dynamic.writer.finish(shape, [last]));
  writeFileSync(fileOf(c, 'sbm'), encodeModel(graph));
  writeFileSync(fileOf(c, 'floats'), floats);
  writeFileSync(fileOf(c, 'integers'), integers);
  return c;
}

/** Products and weights of the layers with weights, and of the products of activations. */
function countsOf(graph: FloatGraph): Pick<Prepared, 'macs' | 'weights'> {
  let [macs, weights] = [0, 0];
  for (const { op, inputs, output } of graph.nodes) {
    const outputs = sizeOf(graph.tensors[output]!.shape);
    if (op.kind === 'matmul') macs += outputs * graph.tensors[inputs[0]!]!.shape.at(-1)!;
    if (op.kind !== 'conv2d' && op.kind !== 'dense') continue;
    macs += (outputs * op.weight.length) / op.bias.length;
    weights += op.weight.length;
  }
  return { macs, weights };
}

/** Calibration samples of a real model: enough for its speed. */
const SAMPLES = 8;

/** A real model as `npm run models` converts it, on random inputs; undefined where its files are not on this machine. */
export function prepareReal(model: RealModel, folder: string): Prepared | undefined {
  const from = folderOf(model);
  if (from === undefined) return undefined;
  const source = readBytes(join(from, 'model.onnx'));
  const calib = readArray(join(from, 'calib.npy'));
  const samples = { ...calib, shape: [Math.min(calib.shape[0]!, SAMPLES), ...calib.shape.slice(1)] };
  const { graph, float } = convertOnnx(source, { ...model.options, samples });
  const port = float.inputs[0]!;
  const shape = sourceShape(float, port);
  const c: Prepared = {
    name: model.name,
    folder,
    ...countsOf(float),
    input: port.name,
    shape,
    quantized: 'none',
    real: true,
  };
  const bytes = encodeModel(graph);
  const integers = randomInputs(loadModel(bytes), new Random(4), [])[port.name]!.data;
  const random = new Random(2);
  const floats = Float32Array.from({ length: sizeOf(shape) }, () => random.next() / 2 ** 32);
  writeFileSync(fileOf(c, 'f32.onnx'), source);
  writeFileSync(fileOf(c, 'sbm'), bytes);
  writeFileSync(fileOf(c, 'floats'), floats);
  writeFileSync(fileOf(c, 'integers'), integers);
  return c;
}
