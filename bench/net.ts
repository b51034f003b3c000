/**
 * Networks written once and built for every runtime: a `Net` draws the weights from a seed, tracks shapes and counts
 * products; a target turns each layer into what its runtime reads.
 * @module
 */
import { Random } from '../src/cli/random.ts';

/** A convolution: weights [O,C/g,KH,KW] row-major, bias [O], the same padding on all sides. */
export interface Conv {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly groups: number;
  readonly relu: boolean;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** A dense layer over the last axis: weights [K,N] row-major, bias [N]. */
export interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** What every target builds; V is its tensor, `name` the new tensor's: the same for every target. */
export interface Target<V> {
  dense(name: string, x: V, spec: Dense): V;
  /** a + b, or relu(a + b). */
  add(name: string, a: V, b: V, relu: boolean): V;
}

/** Layers on images. */
export interface ImageTarget<V> extends Target<V> {
  conv(name: string, x: V, spec: Conv): V;
  /** Greatest of 3×3, stride 2, padding 1. */
  maxPool(name: string, x: V): V;
  /** Mean of each channel, as a row. */
  mean(name: string, x: V): V;
}

/** Layers on [1,length,width]. */
export interface EncoderTarget<V> extends Target<V> {
  /** [1,length,width] to [1,heads,length,width/heads]. */
  split(name: string, x: V, shape: readonly number[]): V;
  /** And back. */
  merge(name: string, x: V, shape: readonly number[]): V;
  /** a·b, or a·bᵀ, over the last two axes. */
  matmul(name: string, a: V, b: V, transposed: boolean): V;
  softmax(name: string, x: V): V;
  gelu(name: string, x: V): V;
  /** Over the last axis, ε = 10⁻⁵; gamma and beta have its length. */
  layerNorm(name: string, x: V, gamma: Float32Array, beta: Float32Array): V;
}

/** A tensor of a network; images are [1,H,W,C] here, whatever the target makes of them. */
export interface Value<V> {
  readonly v: V;
  readonly shape: readonly number[];
}

function product(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** A network while it is written down. */
class Net<V, T extends Target<V>> {
  protected readonly target: T;
  readonly #random: Random;
  #names = 0;
  /** Products of a run, and weights. */
  macs = 0;
  weights = 0;

  constructor(target: T, seed = 1) {
    this.target = target;
    this.#random = new Random(seed);
  }

  /** `n` values, uniform in ±reach. */
  protected draw(n: number, reach: number): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = (this.#random.next() / 2 ** 31 - 1) * reach;
    return out;
  }

  /** Weights of variance gain/k, which keep the power of what they meet, for a layer of `rows` outputs at `positions`. */
  protected layer(rows: number, k: number, positions: number, gain: number): Pick<Dense, 'weight' | 'bias'> {
    this.macs += rows * k * positions;
    this.weights += rows * k;
    return { weight: this.draw(rows * k, Math.sqrt((3 * gain) / k)), bias: this.draw(rows, 0.05) };
  }

  /** A new tensor: what `build` gives for the next name. */
  protected made(shape: readonly number[], build: (name: string) => V): Value<V> {
    return { v: build(`v${this.#names++}`), shape };
  }

  /** `gain` is the variance of the outputs in that of x. */
  dense(x: Value<V>, outputs: number, gain = 1): Value<V> {
    const inputs = x.shape.at(-1)!;
    const spec = { inputs, outputs, ...this.layer(outputs, inputs, product(x.shape) / inputs, gain) };
    return this.made([...x.shape.slice(0, -1), outputs], (name) => this.target.dense(name, x.v, spec));
  }

  add(a: Value<V>, b: Value<V>, relu = false): Value<V> {
    return this.made(a.shape, (name) => this.target.add(name, a.v, b.v, relu));
  }
}

/** A network on images. */
export class ImageNet<V> extends Net<V, ImageTarget<V>> {
  conv(
    x: Value<V>,
    channels: number,
    kernel: number,
    { stride = 1, groups = 1, relu = true }: Partial<Pick<Conv, 'stride' | 'groups' | 'relu'>> = {},
  ): Value<V> {
    const size = x.shape[1]! / stride;
    const weights = this.layer(channels, (x.shape[3]! / groups) * kernel ** 2, size ** 2, relu ? 2 : 1);
    const spec = { channels, kernel, stride, pad: kernel >> 1, groups, relu, ...weights };
    return this.made([1, size, size, channels], (name) => this.target.conv(name, x.v, spec));
  }

  /** A 3×3 convolution of each channel by itself. */
  depthwise(x: Value<V>, stride = 1): Value<V> {
    return this.conv(x, x.shape[3]!, 3, { stride, groups: x.shape[3]! });
  }

  maxPool(x: Value<V>): Value<V> {
    const size = x.shape[1]! / 2;
    return this.made([1, size, size, x.shape[3]!], (name) => this.target.maxPool(name, x.v));
  }

  mean(x: Value<V>): Value<V> {
    return this.made([1, x.shape[3]!], (name) => this.target.mean(name, x.v));
  }
}

/** A network on [1,length,width]. */
export class EncoderNet<V> extends Net<V, EncoderTarget<V>> {
  split(x: Value<V>, heads: number): Value<V> {
    const [, length, width] = x.shape as [number, number, number];
    const shape = [1, heads, length, width / heads];
    return this.made(shape, (name) => this.target.split(name, x.v, shape));
  }

  merge(x: Value<V>): Value<V> {
    const [, heads, length, width] = x.shape as [number, number, number, number];
    const shape = [1, length, heads * width];
    return this.made(shape, (name) => this.target.merge(name, x.v, shape));
  }

  matmul(a: Value<V>, b: Value<V>, transposed = false): Value<V> {
    const columns = b.shape.at(transposed ? -2 : -1)!;
    this.macs += product(a.shape) * columns;
    return this.made([...a.shape.slice(0, -1), columns], (name) => this.target.matmul(name, a.v, b.v, transposed));
  }

  softmax(x: Value<V>): Value<V> {
    return this.made(x.shape, (name) => this.target.softmax(name, x.v));
  }

  gelu(x: Value<V>): Value<V> {
    return this.made(x.shape, (name) => this.target.gelu(name, x.v));
  }

  layerNorm(x: Value<V>): Value<V> {
    const width = x.shape.at(-1)!;
    const gamma = this.draw(width, 0.2).map((v) => 1 + v);
    const beta = this.draw(width, 0.1);
    return this.made(x.shape, (name) => this.target.layerNorm(name, x.v, gamma, beta));
  }
}
