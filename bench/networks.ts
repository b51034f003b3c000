/**
 * The networks and single layers of the bench, for any target: real shapes, random weights.
 * @module
 */
import type { EncoderNet, ImageNet, Value } from './net.ts';

/** Writes a network on images down, from its input to its output. */
export type ImageNetwork = <V>(net: ImageNet<V>, x: Value<V>) => Value<V>;

/** MobileNetV1 of width 1: 569 M products and 4.2 M weights at 224 × 224 × 3. */
export const mobileNetV1: ImageNetwork = (net, image) => {
  let x = net.conv(image, 32, 3, { stride: 2 });
  for (const [channels, stride] of [
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    ...Array.from({ length: 5 }, () => [512, 1] as const),
    [1024, 2],
    [1024, 1],
  ] as const)
    x = net.conv(net.depthwise(x, stride), channels, 1);
  return net.dense(net.mean(x), 1000);
};

/** MobileNetV2 of width 1: 300 M products and 3.5 M weights. */
export const mobileNetV2: ImageNetwork = (net, image) => {
  let x = net.conv(image, 32, 3, { stride: 2 });
  for (const [expansion, channels, repeats, first] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const)
    for (let i = 0; i < repeats; i++) {
      const wide = expansion === 1 ? x : net.conv(x, x.shape[3]! * expansion, 1);
      const y = net.conv(net.depthwise(wide, i === 0 ? first : 1), channels, 1, { relu: false });
      x = i > 0 ? net.add(x, y) : y;
    }
  return net.dense(net.mean(net.conv(x, 1280, 1)), 1000);
};

/** ResNet-50, the stride on the 3 × 3: 4.1 G products and 25.5 M weights. */
export const resNet50: ImageNetwork = (net, image) => {
  let x = net.maxPool(net.conv(image, 64, 7, { stride: 2 }));
  for (const [width, repeats, first] of [
    [64, 3, 1],
    [128, 4, 2],
    [256, 6, 2],
    [512, 3, 2],
  ] as const)
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1;
      const inner = net.conv(net.conv(x, width, 1), width, 3, { stride });
      const skip = i === 0 ? net.conv(x, 4 * width, 1, { stride, relu: false }) : x;
      x = net.add(skip, net.conv(inner, 4 * width, 1, { relu: false }), true);
    }
  return net.dense(net.mean(x), 1000);
};

/**
 * A BERT-shaped encoder: layers of attention and a hidden layer of four times the width, normalised after each sum. The
 * 1/√(width of a head) of attention is in the query weights.
 */
export function encoder<V>(net: EncoderNet<V>, x: Value<V>, layers: number, heads: number): Value<V> {
  const width = x.shape[2]!;
  let y = x;
  for (let i = 0; i < layers; i++) {
    const [q, k, v] = [heads / width, 1, 1].map((gain) => net.split(net.dense(y, width, gain), heads));
    const context = net.matmul(net.softmax(net.matmul(q!, k!, true)), v!);
    const attended = net.layerNorm(net.add(y, net.dense(net.merge(context), width, 4)));
    const hidden = net.gelu(net.dense(attended, 4 * width));
    y = net.layerNorm(net.add(attended, net.dense(hidden, width, 2)));
  }
  return y;
}
