/**
 * An encoder as a samebit graph: i8 but for the attention weights (i16), by the ranges of the float network. Written op by op
 * because the importer does not read LayerNormalization; shapes and products are those of the ONNX file.
 * @module
 */
import type { Graph } from '../src/graph/ir.ts';
import { GraphWriter, type Ref } from '../src/quant/graph-writer.ts';
import {
  clampReal,
  compactMultipliers,
  linearShift,
  multiplier,
  quantizeLayer,
  round,
  toScale,
} from '../src/quant/scales.ts';
import { applyUnary } from '../src/quant/unary.ts';
import type { Dense, EncoderTarget } from './net.ts';
import type { Ranges } from './onnx-targets.ts';

/** A tensor with zero point 0: real = q·scale. */
interface Symmetric {
  readonly ref: Ref;
  readonly scale: number;
}

const I8 = { dtype: 'i8', zp: 0, lo: -128, hi: 127 } as const;
const CENTRED = { lo: -128, hi: 127 };
/** Of layer_norm (spec/10-ops.md): g, f for i8, fraction bits of n. */
const NORM_SHIFT = 8;
const ROW_BITS = 6;
const NORM_BITS = 26;
const EPSILON = 1e-5;

/** Builds the graph; the input `x` is i8 of the given scale. */
export class SamebitEncoder implements EncoderTarget<Symmetric> {
  readonly #writer: GraphWriter = new GraphWriter();
  readonly #ranges: Ranges;
  readonly input: Symmetric;

  constructor(ranges: Ranges, shape: readonly number[], scale: number) {
    this.#ranges = ranges;
    this.input = { ref: this.#writer.input({ name: 'x', shape, ...I8, scale: toScale(scale) }), scale };
  }

  /** The graph whose output is y. */
  finish(y: Symmetric): Graph {
    return this.#writer.finish([{ name: 'y', ref: y.ref, scale: toScale(y.scale) }]);
  }

  #scale(name: string): number {
    const [lo, hi] = this.#ranges.get(name)!;
    return Math.max(-lo, hi) / 127;
  }

  dense(name: string, x: Symmetric, spec: Dense): Symmetric {
    const { inputs, outputs } = spec;
    const scale = this.#scale(name);
    const weight = new Float64Array(inputs * outputs);
    spec.weight.forEach((v, i) => (weight[(i % outputs) * inputs + Math.floor(i / outputs)] = v));
    const bias = Float64Array.from(spec.bias);
    const { w, b, m, l } = quantizeLayer({ weight, bias, inputScale: x.scale, centred: CENTRED, outputScale: scale })!;
    const constants = [this.#writer.constant('i8', [outputs, inputs], w), this.#writer.constant('i32', [outputs], b)];
    const stage = { ...I8, l, m: compactMultipliers(m) };
    return { ref: this.#writer.node('dense', [x.ref, ...constants], { block: 0, stage }), scale };
  }

  add(name: string, a: Symmetric, b: Symmetric): Symmetric {
    const scale = this.#scale(name);
    const factors = linearShift(a.scale / scale, b.scale / scale, 128, 128, 0)!;
    return { ref: this.#writer.node('linear2', [a.ref, b.ref], { ...factors, output: I8 }), scale };
  }

  split(_: string, x: Symmetric, [, heads, length, width]: readonly number[]): Symmetric {
    const parts = this.#writer.node('reshape', [x.ref], { shape: [1, length!, heads!, width!] });
    return { ...x, ref: this.#writer.node('transpose', [parts], { perm: [0, 2, 1, 3] }) };
  }

  merge(_: string, x: Symmetric, shape: readonly number[]): Symmetric {
    const parts = this.#writer.node('transpose', [x.ref], { perm: [0, 2, 1, 3] });
    return { ...x, ref: this.#writer.node('reshape', [parts], { shape }) };
  }

  matmul(name: string, a: Symmetric, b: Symmetric, transposed: boolean): Symmetric {
    const scale = this.#scale(name);
    const { m, l } = multiplier((a.scale * b.scale) / scale);
    const stage = { ...I8, l, m: Int32Array.of(m) };
    return { ref: this.#writer.node('matmul', [a.ref, b.ref], { tb: transposed, stage }), scale };
  }

  softmax(_: string, x: Symmetric): Symmetric {
    const { m, l } = multiplier(x.scale * Math.LOG2E * 65536);
    const output = { dtype: 'i16', zp: 0, lo: 0, hi: 32767 } as const;
    const ref = this.#writer.node('softmax', [x.ref], { l, m, o: 15, output, causal: false, offset: 0 });
    return { ref, scale: 1 / 32768 };
  }

  gelu(name: string, x: Symmetric): Symmetric {
    const scale = this.#scale(name);
    const entry = (i: number): number => round(applyUnary({ fn: 'gelu' }, (i - 128) * x.scale) / scale);
    const table = Int8Array.from({ length: 256 }, (_, i) => clampReal(entry(i), -128, 127));
    return { ref: this.#writer.node('lut8', [x.ref, this.#writer.constant('i8', [256], table)], { zp: 0 }), scale };
  }

  layerNorm(name: string, x: Symmetric, gamma: Float32Array, beta: Float32Array): Symmetric {
    const scale = this.#scale(name);
    const fixed = (v: Float32Array, unit: number): Ref => {
      const integers = Int32Array.from(v, (r) => round((r / scale) * unit));
      return this.#writer.constant('i32', [v.length], integers);
    };
    const eps = BigInt(round((gamma.length * EPSILON * 4 ** ROW_BITS) / x.scale ** 2));
    const norm = Math.sqrt(gamma.length) * 2 ** (32 - NORM_BITS); // of a row divided by the root of its sum of squares
    const operands = [x.ref, fixed(gamma, norm * 2 ** NORM_SHIFT), fixed(beta, 2 ** NORM_SHIFT)];
    return { ref: this.#writer.node('layer_norm', operands, { eps, g: NORM_SHIFT, output: I8 }), scale };
  }
}
