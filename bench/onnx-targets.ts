/**
 * Networks as ONNX files, images in NCHW: float, with dense layers quantized at run time (u8 by s8), and quantized
 * throughout with u8 activations and s8 weights. ONNX Runtime has no fast kernel for s8 activations on x86-64 or wasm.
 * @module
 */
import type { Conv, Dense, EncoderTarget, ImageTarget } from './net.ts';
import { OnnxWriter } from './onnx.ts';

/** Least and greatest value of a tensor in the float network. */
export type Ranges = ReadonlyMap<string, readonly [lo: number, hi: number]>;

function windowOf({ kernel, stride, pad, groups }: Conv): Record<string, number | readonly number[]> {
  return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], group: groups };
}

const MAX_POOL = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };

/** The float network; a tensor is its name. */
export class OnnxFloat implements ImageTarget<string>, EncoderTarget<string> {
  readonly writer: OnnxWriter = new OnnxWriter();

  conv(name: string, x: string, spec: Conv): string {
    const { weight, bias, channels, kernel, relu } = spec;
    const rows = this.writer.constant(weight, [channels, weight.length / (channels * kernel ** 2), kernel, kernel]);
    const y = relu ? `${name}.sum` : name;
    this.writer.node('Conv', y, [x, rows, this.writer.constant(bias)], windowOf(spec));
    return relu ? this.writer.node('Relu', name, [y]) : y;
  }

  dense(name: string, x: string, { weight, bias, inputs, outputs }: Dense): string {
    const y = this.writer.node('MatMul', `${name}.product`, [x, this.writer.constant(weight, [inputs, outputs])]);
    return this.writer.node('Add', name, [y, this.writer.constant(bias)]);
  }

  add(name: string, a: string, b: string, relu: boolean): string {
    const y = this.writer.node('Add', relu ? `${name}.sum` : name, [a, b]);
    return relu ? this.writer.node('Relu', name, [y]) : y;
  }

  maxPool(name: string, x: string): string {
    return this.writer.node('MaxPool', name, [x], MAX_POOL);
  }

  mean(name: string, x: string): string {
    const y = this.writer.node('GlobalAveragePool', `${name}.image`, [x]);
    return this.writer.node('Flatten', name, [y], { axis: 1 });
  }

  #shaped(name: string, x: string, shape: readonly number[]): string {
    return this.writer.node('Reshape', name, [x, this.writer.constant(BigInt64Array.from(shape, BigInt))]);
  }

  split(name: string, x: string, [, heads, length, width]: readonly number[]): string {
    const parts = this.#shaped(`${name}.parts`, x, [1, length!, heads!, width!]);
    return this.writer.node('Transpose', name, [parts], { perm: [0, 2, 1, 3] });
  }

  merge(name: string, x: string, shape: readonly number[]): string {
    return this.#shaped(name, this.writer.node('Transpose', `${name}.parts`, [x], { perm: [0, 2, 1, 3] }), shape);
  }

  matmul(name: string, a: string, b: string, transposed: boolean): string {
    const right = transposed ? this.writer.node('Transpose', `${name}.right`, [b], { perm: [0, 1, 3, 2] }) : b;
    return this.writer.node('MatMul', name, [a, right]);
  }

  softmax(name: string, x: string): string {
    return this.writer.node('Softmax', name, [x], { axis: -1 });
  }

  gelu(name: string, x: string): string {
    return this.writer.node('Gelu@com.microsoft', name, [x]);
  }

  layerNorm(name: string, x: string, gamma: Float32Array, beta: Float32Array): string {
    const operands = [x, this.writer.constant(gamma), this.writer.constant(beta)];
    return this.writer.node('LayerNormalization', name, operands, { axis: -1, epsilon: { float: 1e-5 } });
  }
}

/** Scale of symmetric int8 values. */
function scaleOf(values: Float32Array): number {
  return values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-12) / 127;
}

/** Weights as integers, with one scale a column of [K,N]. */
function quantizeColumns({ weight, outputs }: Dense): { integers: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(outputs).fill(1e-12);
  weight.forEach((v, i) => (scales[i % outputs] = Math.max(scales[i % outputs]!, Math.abs(v) / 127)));
  return { integers: Int8Array.from(weight, (v, i) => Math.round(v / scales[i % outputs]!)), scales };
}

/** The float network, its dense layers quantized at run time: what quantize_dynamic makes of an encoder. */
export class OnnxDynamic extends OnnxFloat {
  readonly #quantized: Map<string, readonly [q: string, scale: string, zero: string]> = new Map();

  /** x as u8; layers that read the same tensor share it. */
  #bytes(x: string): readonly [q: string, scale: string, zero: string] {
    let names = this.#quantized.get(x);
    if (names === undefined) {
      names = [`${x}.q`, `${x}.scale`, `${x}.zero`];
      this.writer.nodes('DynamicQuantizeLinear', names, [x]);
      this.#quantized.set(x, names);
    }
    return names;
  }

  override dense(name: string, x: string, spec: Dense): string {
    const { writer } = this;
    const [q, scale, zero] = this.#bytes(x);
    const scaleOfAll = scaleOf(spec.weight);
    const integers = Int8Array.from(spec.weight, (v) => Math.round(v / scaleOfAll));
    const weights = writer.constant(integers, [spec.inputs, spec.outputs]);
    const sums = writer.node('MatMulInteger', `${name}.sums`, [q, weights, zero, writer.constant(Int8Array.of(0), [])]);
    const floats = writer.node('Cast', `${name}.floats`, [sums], { to: 1 });
    const both = writer.node('Mul', `${name}.scale`, [scale, writer.constant(Float32Array.of(scaleOfAll), [])]);
    const product = writer.node('Mul', `${name}.product`, [floats, both]);
    return writer.node('Add', name, [product, writer.constant(spec.bias)]);
  }
}

/** A u8 tensor: real = (q − zero)·scale. */
export interface Bytes {
  readonly name: string;
  readonly scale: number;
  readonly zero: number;
}

/** The network quantized throughout, by the ranges of the float one: QLinearConv and its kind. */
export class OnnxQuantized implements ImageTarget<Bytes> {
  readonly writer: OnnxWriter = new OnnxWriter();
  readonly #ranges: Ranges;

  constructor(ranges: Ranges) {
    this.#ranges = ranges;
  }

  /** The type that covers the tensor's range and zero. */
  #typed(name: string): Bytes {
    const [lo, hi] = this.#ranges.get(name)!;
    const scale = Math.max(Math.max(hi, 0) - Math.min(lo, 0), 1e-12) / 255;
    return { name, scale: Math.fround(scale), zero: Math.round(-Math.min(lo, 0) / scale) };
  }

  /** Scale and zero point as operands. */
  #operands({ scale, zero }: Bytes): [string, string] {
    return [this.writer.constant(Float32Array.of(scale), []), this.writer.constant(Uint8Array.of(zero), [])];
  }

  #bias(bias: Float32Array, x: Bytes, scales: Float32Array): string {
    return this.writer.constant(Int32Array.from(bias, (v, i) => Math.round(v / (x.scale * scales[i]!))));
  }

  conv(name: string, x: Bytes, spec: Conv): Bytes {
    const { writer } = this;
    const { weight, channels, kernel } = spec;
    const k = weight.length / channels;
    const scales = Float32Array.from({ length: channels }, (_, o) => scaleOf(weight.subarray(o * k, (o + 1) * k)));
    const rows = Int8Array.from(weight, (v, i) => Math.round(v / scales[Math.floor(i / k)]!));
    const weights = [
      writer.constant(rows, [channels, k / kernel ** 2, kernel, kernel]),
      writer.constant(scales),
      writer.constant(new Int8Array(channels)),
    ];
    const y = this.#typed(name);
    const bias = this.#bias(spec.bias, x, scales);
    const operands = [x.name, ...this.#operands(x), ...weights, ...this.#operands(y), bias];
    writer.node('QLinearConv', name, operands, windowOf(spec));
    return y;
  }

  dense(name: string, x: Bytes, spec: Dense): Bytes {
    const { writer } = this;
    const { integers, scales } = quantizeColumns(spec);
    const weights = [
      writer.constant(integers, [spec.inputs, spec.outputs]),
      writer.constant(scales),
      writer.constant(new Int8Array(spec.outputs)),
    ];
    const y = this.#typed(name);
    const operands = [x.name, ...this.#operands(x), ...weights, this.#bias(spec.bias, x, scales), ...this.#operands(y)];
    writer.node('QGemm@com.microsoft', name, operands);
    return y;
  }

  add(name: string, a: Bytes, b: Bytes): Bytes {
    const y = this.#typed(name);
    const operands = [a, b].flatMap((t) => [t.name, ...this.#operands(t)]);
    this.writer.node('QLinearAdd@com.microsoft', name, [...operands, ...this.#operands(y)]); // u8 from 0 on is a ReLU
    return y;
  }

  maxPool(name: string, x: Bytes): Bytes {
    return { ...x, name: this.writer.node('MaxPool', name, [x.name], MAX_POOL) };
  }

  mean(name: string, x: Bytes): Bytes {
    const y = this.#typed(name);
    const operands = [x.name, ...this.#operands(x), ...this.#operands(y)];
    this.writer.node('QLinearGlobalAveragePool@com.microsoft', `${name}.image`, operands, { channels_last: 0 });
    this.writer.node('Flatten', name, [`${name}.image`], { axis: 1 });
    return y;
  }
}
