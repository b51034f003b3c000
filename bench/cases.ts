/**
 * What is timed: whole networks, single layers, products of matrices, and real models. `Prepared` is a case as files, which
 * a process that times it reads.
 * @module
 */
import type { EncoderNet, Value } from './net.ts';
import { encoder, type ImageNetwork, mobileNetV1, mobileNetV2, resNet50 } from './networks.ts';

/** A network from a seed; images are [1,H,W,C] and read bytes/255, rows [M,K] do too. */
export interface ImageCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly network: ImageNetwork;
  /** Whether samebit writes bytes as the peers' quantized files do, and not the 16 bits that the converter gives to outputs. */
  readonly bytes?: boolean;
}

const image = (size: number, channels: number): readonly number[] => [1, size, size, channels];

function square(name: string, m: number, n: number): ImageCase {
  return { name, shape: [m, n], network: (net, x) => net.dense(x, n) };
}

/** Whole networks on images. */
export const NETWORKS: readonly ImageCase[] = [
  { name: 'mobilenet-v1', shape: image(224, 3), network: mobileNetV1 },
  { name: 'mobilenet-v2', shape: image(224, 3), network: mobileNetV2 },
  { name: 'resnet-50', shape: image(224, 3), network: resNet50 },
];

/** Single layers; a product of matrices is a dense layer. */
const SINGLE: readonly ImageCase[] = [
  { name: 'conv3x3-56x56x64', shape: image(56, 64), network: (net, x) => net.conv(x, 64, 3) },
  { name: 'conv3x3-14x14x256', shape: image(14, 256), network: (net, x) => net.conv(x, 256, 3) },
  { name: 'conv1x1-112x112x32-64', shape: image(112, 32), network: (net, x) => net.conv(x, 64, 1) },
  { name: 'conv1x1-28x28x128-256', shape: image(28, 128), network: (net, x) => net.conv(x, 256, 1) },
  { name: 'conv1x1-14x14x512-512', shape: image(14, 512), network: (net, x) => net.conv(x, 512, 1) },
  { name: 'depthwise-112x112x32', shape: image(112, 32), network: (net, x) => net.depthwise(x) },
  { name: 'depthwise-14x14x512', shape: image(14, 512), network: (net, x) => net.depthwise(x) },
  square('gemm-128', 128, 128),
  square('gemm-512', 512, 512),
  square('gemm-1024', 1024, 1024),
  square('gemv-2048x2048', 1, 2048),
  { name: 'gemv-6144x8192', shape: [1, 6144], network: (net, x) => net.dense(x, 8192) }, // 50 MB of int8: beyond the caches
];

/** The same as they are inside a network: bytes in, bytes out. */
export const LAYERS: readonly ImageCase[] = SINGLE.map((layer) => ({ ...layer, bytes: true }));

/** The encoder: six layers of width 384 and 12 heads on 128 rows. */
export const ENCODER: { readonly name: string; readonly shape: readonly number[] } = {
  name: 'encoder-6x384',
  shape: [1, 128, 384],
};

/** Writes the encoder down. */
export function encoderNetwork<V>(net: EncoderNet<V>, x: Value<V>): Value<V> {
  return encoder(net, x, 6, 12);
}

/** A case as files below `folder`, each name with the case's before it. */
export interface Prepared {
  readonly name: string;
  readonly folder: string;
  /** Products of a run, and weights. */
  readonly macs: number;
  readonly weights: number;
  /** Of the ONNX file: name and shape of the input, images NCHW. */
  readonly input: string;
  readonly shape: readonly number[];
  /** How the peers' quantized file comes by its bytes: it reads bytes, or floats; none where there is no such file. */
  readonly quantized: 'bytes' | 'floats' | 'none';
  /** What the bytes of that file's output stand for, where it yields bytes: (q − zero)·scale. */
  readonly output?: { readonly scale: number; readonly zero: number };
  /** A real model: only its ONNX file says what it computes. */
  readonly real: boolean;
}

/** Path of a file of a case: the ONNX files, the converted model, and the input for either (raw little-endian values). */
export function fileOf(c: Prepared, part: 'f32.onnx' | 'u8s8.onnx' | 'sbm' | 'floats' | 'integers'): string {
  return `${c.folder}/${c.name}.${part}`;
}

/** [1,C,H,W] to [1,H,W,C]; other shapes stay. */
export function channelsLast(data: Float32Array, [, c, h, w, ...more]: readonly number[]): Float32Array {
  if (h === undefined || w === undefined || more.length > 0) return data;
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[(i % (h * w)) * c! + Math.floor(i / (h * w))] = data[i]!;
  return out;
}
