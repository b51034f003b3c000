/**
 * Networks for TensorFlow.js, in floats and NHWC, by its fused kernels: a list of steps that frees what no later one reads.
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Conv, Dense, EncoderTarget, ImageTarget } from './net.ts';

interface Step {
  readonly inputs: readonly number[];
  readonly run: (...operands: tf.Tensor[]) => tf.Tensor;
}

/** [O,C/g,KH,KW] to [KH,KW,C/g,O], or for a depthwise layer [KH,KW,C,1]. */
function filterOf({ weight, channels, kernel, groups }: Conv): tf.Tensor {
  const shape = [channels, weight.length / (channels * kernel ** 2), kernel, kernel];
  return tf.tidy(() => tf.transpose(tf.tensor(weight, shape), groups === 1 ? [2, 3, 1, 0] : [2, 3, 0, 1]));
}

/** The steps of a network; a tensor is its position, the input 0. */
export class TfNetwork implements ImageTarget<number>, EncoderTarget<number> {
  readonly #steps: Step[] = [];
  readonly #last: number[] = [];
  /** Weights, for the caller to free. */
  readonly constants: tf.Tensor[] = [];

  #step(inputs: readonly number[], run: Step['run']): number {
    for (const i of inputs) this.#last[i] = this.#steps.length;
    return this.#steps.push({ inputs, run });
  }

  #constant(tensor: tf.Tensor): tf.Tensor {
    this.constants.push(tensor);
    return tensor;
  }

  #vector(values: Float32Array): tf.Tensor {
    return this.#constant(tf.tensor(values, [values.length]));
  }

  /** One run; the caller frees the result. */
  run(x: tf.Tensor): tf.Tensor {
    const values = [x];
    this.#steps.forEach(({ inputs, run }, i) => {
      values.push(tf.tidy(() => run(...inputs.map((t) => values[t]!))));
      for (const t of inputs) if (t > 0 && this.#last[t] === i) values[t]!.dispose();
    });
    return values.at(-1)!;
  }

  conv(_: string, x: number, spec: Conv): number {
    const { stride: strides, pad, groups, relu } = spec;
    const options = { filter: this.#constant(filterOf(spec)), bias: this.#vector(spec.bias), strides, pad };
    const kernel = groups === 1 ? tf.fused.conv2d : tf.fused.depthwiseConv2d;
    return this.#step([x], (v) => kernel({ ...options, x: v!, activation: relu ? 'relu' : 'linear' }));
  }

  dense(_: string, x: number, { weight, bias, inputs, outputs }: Dense): number {
    const [b, row] = [this.#constant(tf.tensor(weight, [inputs, outputs])), this.#vector(bias)];
    return this.#step([x], (v) => {
      const rows = tf.reshape(v!, [-1, inputs]);
      return tf.reshape(tf.fused.matMul({ a: rows, b, bias: row }), [...v!.shape.slice(0, -1), outputs]);
    });
  }

  add(_: string, a: number, b: number, relu: boolean): number {
    return this.#step([a, b], (p, q) => (relu ? tf.relu(tf.add(p!, q!)) : tf.add(p!, q!)));
  }

  maxPool(_: string, x: number): number {
    return this.#step([x], (v) => tf.maxPool(v!, 3, 2, 1));
  }

  mean(_: string, x: number): number {
    return this.#step([x], (v) => tf.mean(v!, [1, 2]));
  }

  split(_: string, x: number, [, heads, length, width]: readonly number[]): number {
    return this.#step([x], (v) => tf.transpose(tf.reshape(v!, [1, length!, heads!, width!]), [0, 2, 1, 3]));
  }

  merge(_: string, x: number, shape: readonly number[]): number {
    return this.#step([x], (v) => tf.reshape(tf.transpose(v!, [0, 2, 1, 3]), shape));
  }

  matmul(_: string, a: number, b: number, transposed: boolean): number {
    return this.#step([a, b], (p, q) => tf.matMul(p!, q!, false, transposed));
  }

  softmax(_: string, x: number): number {
    return this.#step([x], (v) => tf.softmax(v!));
  }

  gelu(_: string, x: number): number {
    return this.#step([x], (v) => tf.mul(tf.mul(v!, 0.5), tf.add(tf.erf(tf.mul(v!, Math.SQRT1_2)), 1)));
  }

  layerNorm(_: string, x: number, gamma: Float32Array, beta: Float32Array): number {
    const [scale, shift] = [this.#vector(gamma), this.#vector(beta)];
    return this.#step([x], (v) => {
      const centred = tf.sub(v!, tf.mean(v!, -1, true));
      const deviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
      return tf.add(tf.mul(tf.mul(centred, deviation), scale), shift);
    });
  }
}
