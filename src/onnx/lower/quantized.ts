/**
 * Quantized ONNX: values that are integers in the source are reals here, with the types that the source gives them
 * (spec/10-ops.md §12). Integers of the weights are kept.
 * @module
 */
import { type QType, toPin } from '../../quant/scales.ts';
import { integerLimits, RESEARCH_DOMAINS } from '../eval/research.ts';
import type { OnnxArray } from '../tensor.ts';
import type { Params } from './builder.ts';
import { Conv } from './Conv.ts';
import type { LowerContext, OpLowering } from './context.ts';
import { setAffine } from './elementwise.ts';
import { MatMul } from './Gemm.ts';

/** Scale and zero point of inputs `s` and `z`: one constant each. */
function paramsAt(c: LowerContext, s: number, z: number): Params {
  const scale = c.weights(s, 'the scale');
  const zero = c.given(z) ? c.weights(z, 'the zero point') : undefined;
  const one = scale.data.length === 1 && (zero?.data.length ?? 1) === 1;
  if (!one)
    c.fail('UnsupportedForm', 'activations take one scale; scales by channel or block are for constant weights');
  if (!(scale.data[0]! > 0)) c.fail('UnsupportedForm', 'the scale must be positive');
  const named = c.int('output_dtype', 0);
  const dtype = zero?.dtype ?? ({ 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16' } as const)[named] ?? 'uint8';
  return { scale: scale.data[0]!, zero: zero?.data[0] ?? 0, dtype };
}

/** The integer type of values of an ONNX type. */
export function pinOf(c: LowerContext, p: Params): QType {
  return toPin(p) ?? c.fail('UnsupportedForm', `${p.dtype} with zero point ${p.zero} has no 16-bit form here`);
}

function same(a: Params, b: Params): boolean {
  return a.scale === b.scale && a.zero === b.zero;
}

const QuantizeLinear: OpLowering = (c) => {
  const params = paramsAt(c, 1, 2);
  const view = c.view(0);
  if (c.graph.domain(view.id) !== 'real') c.fail('UnsupportedForm', 'integer data cannot be quantized');
  const id = c.emit({ kind: 'quant', type: pinOf(c, params) }, [view.id], c.graph.stored(view.id));
  c.set({ ...view, id }, 0, params);
};

/** Integers as the reals of other parameters than their own: ((q − z)·s) from (q − z₀)·s₀. */
function retyped(c: LowerContext, from: Params, to: Params): void {
  const scale = to.scale / from.scale;
  setAffine(c, c.view(0), Float64Array.of(scale), Float64Array.of((from.zero - to.zero) * to.scale));
}

const DequantizeLinear: OpLowering = (c) => {
  const own = c.params(0);
  const to = paramsAt(c, 1, 2);
  if (own) return same(own, to) ? c.set(c.view(0)) : retyped(c, own, to);
  const view = c.view(0);
  const real =
    c.graph.domain(view.id) === 'real' ? view.id : c.emit({ kind: 'cast' }, [view.id], c.graph.stored(view.id), 'real');
  const affine = {
    kind: 'affine',
    scale: Float64Array.of(to.scale),
    shift: Float64Array.of(-to.zero * to.scale),
  } as const;
  return c.set({ ...view, id: c.emit(affine, [real], c.graph.stored(view.id)) });
};

/** Quantization by each input's own range: the reals go on, and calibration gives them one type. */
const DynamicQuantizeLinear: OpLowering = (c) => {
  const one: OnnxArray = { dtype: 'float32', shape: [], data: Float64Array.of(1) };
  c.set(c.view(0), 0, { scale: 1, zero: 0, dtype: 'uint8', dynamic: true });
  c.setConstant(one, 1);
  c.setConstant({ dtype: 'uint8', shape: [], data: Float64Array.of(0) }, 2);
};

/** Integer weights less their zero point (one, or one a slice along `axis`), each a step of 1/scale. */
function weights(c: LowerContext, i: number, z: number, axis: number, scale: number): OnnxArray {
  const w = c.weights(i, 'the weight');
  const zero = c.given(z) ? c.weights(z, 'the zero point of the weight').data : Float64Array.of(0);
  const inner = w.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const at = (k: number): number => zero[zero.length === 1 ? 0 : Math.floor(k / inner) % zero.length]!;
  return {
    dtype: 'float32',
    shape: w.shape,
    data: w.data.map((v, k) => (v - at(k)) / scale),
    steps: { scales: Float64Array.of(1 / scale), axis: 0 },
  };
}

/** A product of integers: that of the reals they stand for, in steps of their scales. */
function integerProduct(lowering: OpLowering, axis: (w: OnnxArray) => number): OpLowering {
  return (c) => {
    const p = c.params(0) ?? c.fail('UnsupportedForm', 'its first operand must come from a quantizer');
    const zero = c.given(2) ? c.weights(2, 'the zero point').data : Float64Array.of(0);
    if (zero.some((v) => v !== p.zero)) c.fail('UnsupportedForm', 'its zero point must be that of the quantizer');
    const raw = c.weights(1, 'the weight');
    const w = weights(c, 1, 3, axis(raw), p.scale);
    const name = `${c.node.outputs[0]}/weight`;
    c.graph.values.set(name, { constant: w });
    lowering(c.as({ ...c.node, inputs: [c.node.inputs[0]!, name] }));
  };
}

/** A research quantizer of activations: the type of its bits, in 8 or 16. */
const Quant: OpLowering = (c) => {
  const [scale, zero] = [c.weights(1, 'the scale'), c.weights(2, 'the zero point')];
  const bits = c.weights(3, 'the number of bits').data[0]!;
  if (scale.data.length !== 1 || zero.data.length !== 1)
    c.fail('UnsupportedForm', 'activations take one scale; scales by channel are for constant weights');
  if (c.string('rounding_mode', 'ROUND').toUpperCase() !== 'ROUND')
    c.fail('UnsupportedForm', 'activations are rounded to nearest');
  if (!(bits >= 1 && bits <= 16)) c.fail('UnsupportedForm', `activations of ${bits} bits are not supported`);
  const limits = integerLimits(c, bits);
  const signed = limits[0] < 0;
  const dtype = bits <= 8 ? (signed ? 'int8' : 'uint8') : signed ? 'int16' : 'uint16';
  const source = { scale: scale.data[0]!, zero: zero.data[0]!, dtype, limits } as const;
  const type = toPin(source) ?? c.fail('UnsupportedForm', `${bits} bits from ${limits[0]} have no 16-bit form here`);
  const view = c.view(0);
  c.set({ ...view, id: c.emit({ kind: 'quant', type }, [view.id], c.graph.stored(view.id)) });
};

/** ±scale by the sign. */
const BipolarQuant: OpLowering = (c) => {
  const scale = c.weights(1, 'the scale');
  if (scale.data.length !== 1) c.fail('UnsupportedForm', 'activations take one scale');
  const s = scale.data[0]!;
  const view = c.view(0);
  const sign = c.emit({ kind: 'unary', fns: [{ fn: 'bipolar', alpha: s }] }, [view.id], c.graph.stored(view.id));
  const type = { dtype: 'i8', zp: 0, scale: s, lo: -1, hi: 1 } as const;
  c.set({ ...view, id: c.emit({ kind: 'quant', type }, [sign], c.graph.stored(view.id)) });
};

/** Quantizers, and products of integers. */
export const QUANTIZED: Readonly<Record<string, OpLowering>> = {
  ...Object.fromEntries(
    RESEARCH_DOMAINS.flatMap((d) => [
      [`${d}:Quant`, Quant],
      [`${d}:IntQuant`, Quant],
      [`${d}:BipolarQuant`, BipolarQuant],
    ]),
  ),
  ConvInteger: integerProduct(Conv, () => 0),
  DequantizeLinear,
  DynamicQuantizeLinear,
  MatMulInteger: integerProduct(MatMul, (w) => w.shape.length - 1),
  QuantizeLinear,
  'com.microsoft:DequantizeLinear': DequantizeLinear,
  'com.microsoft:QuantizeLinear': QuantizeLinear,
};
