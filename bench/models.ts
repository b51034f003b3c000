/**
 * Models for the benches: real shapes, deterministic random weights.
 * @module
 */
import type { Constant, Graph, Node } from '../src/graph/ir.ts';
import type { Stage } from '../src/ops/define.ts';
import type { OpName } from '../src/ops/index.ts';

/** xorshift32 of a seed: integers in lo…hi. */
export function integers(seed: number): (lo: number, hi: number) => number {
  let s = seed | 1;
  return (lo, hi) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return lo + ((s >>> 0) % (hi - lo + 1));
  };
}

type Ref = { readonly node: number } | { readonly constant: number } | 'input';

/** An activation while a model is built: its tensor, extent and channels. */
interface Image {
  readonly ref: Ref;
  readonly size: number;
  readonly channels: number;
}

/** Collects nodes and constants; ids are given out at the end. */
class Net {
  readonly #nodes: { op: OpName; inputs: readonly Ref[]; attrs: Record<string, unknown> }[] = [];
  readonly #constants: Constant[] = [];
  readonly #random: (lo: number, hi: number) => number;

  constructor(seed: number) {
    this.#random = integers(seed);
  }

  add(op: OpName, inputs: readonly Ref[], attrs: Record<string, unknown>): Ref {
    this.#nodes.push({ op, inputs, attrs });
    return { node: this.#nodes.length - 1 };
  }

  #constant(dtype: 'i8' | 'i32', shape: readonly number[], reach: number): Ref {
    const n = shape.reduce((a, b) => a * b, 1);
    const data = dtype === 'i8' ? new Int8Array(n) : new Int32Array(n);
    for (let i = 0; i < n; i++) data[i] = this.#random(-reach, reach);
    this.#constants.push({ dtype, shape, zp: 0, data });
    return { constant: this.#constants.length - 1 };
  }

  /** A stage that brings sums of k products to a spread of `spread`. */
  #stage(k: number, channels: number, relu: boolean, spread = 60): Stage {
    const m = Math.floor((spread / (Math.sqrt(k) * 7000)) * 2 ** 32);
    return {
      dtype: 'i8',
      zp: relu ? -128 : 0,
      lo: -128,
      hi: 127,
      l: 0,
      m: Int32Array.from({ length: channels }, () => m + this.#random(0, m >> 2)),
    };
  }

  conv(x: Image, channels: number, kernel: number, stride: number, relu: boolean, depthwise = false): Image {
    const cg = depthwise ? 1 : x.channels;
    const k = kernel * kernel * cg;
    const [before, after] = stride === 1 ? [kernel >> 1, kernel >> 1] : [0, Math.max(0, kernel - 2)];
    const pads = [before, before, after, after];
    const weights = this.#constant('i8', [channels, kernel, kernel, cg], 127);
    const bias = this.#constant('i32', [channels], 20000);
    const attrs = {
      strides: [stride, stride],
      pads,
      dilations: [1, 1],
      groups: depthwise ? x.channels : 1,
      stage: this.#stage(k, channels, relu),
    };
    return { ref: this.add('conv2d', [x.ref, weights, bias], attrs), size: Math.ceil(x.size / stride), channels };
  }

  sum(a: Image, b: Image): Image {
    return {
      ...b,
      ref: this.add('linear2', [a.ref, b.ref], {
        ma: 1,
        mb: 1,
        s: 0,
        output: { dtype: 'i8', zp: 0, lo: -128, hi: 127 },
      }),
    };
  }

  /** Global average over the whole image, then a dense layer. */
  head(x: Image, classes: number): Ref {
    const kernel = [x.size, x.size];
    const window = { kernel, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], overhang: [0, 0] };
    const mean = this.add('avg_pool2d', [x.ref], {
      ...window,
      include_pad: false,
      m1: 2 ** 30,
      l: 2,
      output: { dtype: 'i8', zp: -128, lo: -128, hi: 127 },
    });
    const flat = this.add('reshape', [mean], { shape: [1, x.channels] });
    const weights = this.#constant('i8', [classes, x.channels], 127);
    return this.add('dense', [flat, weights, this.#constant('i32', [classes], 20000)], {
      block: 0,
      stage: { ...this.#stage(x.channels, classes, false, 6000), dtype: 'i16', lo: -32768, hi: 32767 },
    });
  }

  /** A dense layer of `n` by `n` on a row of `n`. */
  square(x: Ref, n: number): Ref {
    const weights = this.#constant('i8', [n, n], 127);
    return this.add('dense', [x, weights, this.#constant('i32', [n], 20000)], {
      block: 0,
      stage: this.#stage(n, n, false),
    });
  }

  graph(shape: readonly number[], output: Ref, u8 = false): Graph {
    const first = 1 + this.#constants.length;
    const id = (r: Ref): number => (r === 'input' ? 0 : 'constant' in r ? 1 + r.constant : first + r.node);
    return {
      symbols: [],
      inputs: [{ name: 'x', dtype: 'i8', shape, zp: 0, lo: -128, hi: 127, ...(u8 ? { u8 } : {}) }],
      constants: this.#constants,
      nodes: this.#nodes.map((n): Node => ({ op: n.op, inputs: n.inputs.map(id), attrs: n.attrs })),
      outputs: [{ name: 'logits', tensor: id(output) }],
      states: [],
    };
  }
}

/** Blocks of MobileNetV2: expansion, channels, repeats, first stride. */
const BLOCKS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** MobileNetV2 of width 1 on size × size images (a multiple of 32): 300 M products and 3.5 M weights at 224. */
export function mobileNetV2(size = 224): Graph {
  const net = new Net(20240229);
  let x = net.conv({ ref: 'input', size, channels: 3 }, 32, 3, 2, true);
  for (const [expansion, channels, repeats, stride] of BLOCKS) {
    for (let i = 0; i < repeats; i++) {
      const wide = expansion === 1 ? x : net.conv(x, x.channels * expansion, 1, 1, true);
      const deep = net.conv(wide, wide.channels, 3, i === 0 ? stride : 1, true, true);
      const y = net.conv(deep, channels, 1, 1, false);
      x = i > 0 ? net.sum(x, y) : y;
    }
  }
  return net.graph([1, size, size, 3], net.head(net.conv(x, 1280, 1, 1, true), 1000), true);
}

/** Blocks of MobileNetV1: channels, stride of the depthwise convolution. */
const SEPARABLE = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
] as const;

/** MobileNetV1 of width 1: 570 M products and 4.2 M weights at 224. */
export function mobileNetV1(size = 224): Graph {
  const net = new Net(20170417);
  let x = net.conv({ ref: 'input', size, channels: 3 }, 32, 3, 2, true);
  for (const [channels, stride] of SEPARABLE) {
    x = net.conv(net.conv(x, x.channels, 3, stride, true, true), channels, 1, 1, true);
  }
  return net.graph([1, size, size, 3], net.head(x, 1000), true);
}

/** Stages of ResNet-50: channels, blocks, stride of the first. */
const BOTTLENECKS = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
] as const;

/** ResNet-50: 4.1 G products and 25 M weights at 224. */
export function resNet50(size = 224): Graph {
  const net = new Net(20151210);
  const stem = net.conv({ ref: 'input', size, channels: 3 }, 64, 7, 2, true);
  const window = { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 1, 1], overhang: [0, 0] };
  let x: Image = { ref: net.add('max_pool2d', [stem.ref], window), size: stem.size >> 1, channels: 64 };
  for (const [channels, blocks, first] of BOTTLENECKS) {
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 ? first : 1;
      const short = i === 0 ? net.conv(x, 4 * channels, 1, stride, false) : x;
      const deep = net.conv(net.conv(x, channels, 1, 1, true), channels, 3, stride, true);
      x = net.sum(short, net.conv(deep, 4 * channels, 1, 1, false));
    }
  }
  return net.graph([1, size, size, 3], net.head(x, 1000), true);
}

/** `layers` dense layers of n × n on one row: a model that is nothing but weights. */
export function denseStack(layers = 8, n = 2048): Graph {
  const net = new Net(7);
  let x: Ref = 'input';
  for (let i = 0; i < layers; i++) x = net.square(x, n);
  return net.graph([1, n], x);
}
