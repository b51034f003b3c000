/**
 * ONNX functions of one element.
 * @module
 */
import { exp, log, sigmoid, tanh } from '../../quant/math.ts';
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan } from '../../quant/trig.ts';
import { applyUnary, type UnaryFn } from '../../quant/unary.ts';
import { arrayOf, castValue, integerBits } from '../array.ts';
import { DTYPE_NAMES, type OnnxDType } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';

/** The op that applies f to every element and keeps the type. */
function map(f: (c: EvalContext) => (x: number) => number): EvalOp {
  return (c) => {
    const x = c.get(0);
    const g = f(c);
    return arrayOf(x.dtype, x.shape, x.data.map(g));
  };
}

/** The op whose result is a truth value. */
function test(f: (c: EvalContext) => (x: number) => boolean): EvalOp {
  return (c) => {
    const x = c.get(0);
    const g = f(c);
    return { dtype: 'bool', shape: x.shape, data: x.data.map((v) => (g(v) ? 1 : 0)) };
  };
}

/** Functions of `quant/unary.ts` with their attributes and defaults. */
export const UNARY_FNS: Readonly<Record<string, (c: Pick<EvalContext, 'float' | 'string'>) => UnaryFn>> = {
  Abs: () => ({ fn: 'abs' }),
  Ceil: () => ({ fn: 'ceil' }),
  Erf: () => ({ fn: 'erf' }),
  Exp: () => ({ fn: 'exp' }),
  Floor: () => ({ fn: 'floor' }),
  HardSwish: () => ({ fn: 'hard_swish' }),
  Log: () => ({ fn: 'log' }),
  Reciprocal: () => ({ fn: 'reciprocal' }),
  Sigmoid: () => ({ fn: 'sigmoid' }),
  Softplus: () => ({ fn: 'softplus' }),
  Softsign: () => ({ fn: 'softsign' }),
  Sqrt: () => ({ fn: 'sqrt' }),
  Tanh: () => ({ fn: 'tanh' }),
  Neg: () => ({ fn: 'affine', scale: -1, shift: 0 }),
  Relu: () => ({ fn: 'clip', lo: 0, hi: Number.POSITIVE_INFINITY }),
  LeakyRelu: (c) => ({ fn: 'leaky_relu', alpha: c.float('alpha', Math.fround(0.01)) }),
  Elu: (c) => ({ fn: 'elu', alpha: c.float('alpha', 1) }),
  Celu: (c) => ({ fn: 'celu', alpha: c.float('alpha', 1) }),
  Selu: (c) => ({
    fn: 'selu',
    alpha: c.float('alpha', Math.fround(1.6732632423543772)),
    beta: c.float('gamma', Math.fround(1.0507009873554805)),
  }),
  HardSigmoid: (c) => ({
    fn: 'hard_sigmoid',
    alpha: c.float('alpha', Math.fround(0.2)),
    beta: c.float('beta', 0.5),
  }),
  Gelu: (c) => ({ fn: c.string('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu' }),
  Mish: () => ({ fn: 'mish' }),
  Swish: (c) => ({ fn: 'swish', alpha: c.float('alpha', 1) }),
  ThresholdedRelu: (c) => ({ fn: 'thresholded_relu', alpha: c.float('alpha', 1) }),
  Shrink: (c) => ({ fn: 'shrink', lambda: c.float('lambd', 0.5), bias: c.float('bias', 0) }),
  Round: () => ({ fn: 'round_even' }),
  Sign: () => ({ fn: 'sign' }),
};

/** Functions of `quant/trig.ts`, as unary functions of the float graph too. */
const TRIG = { Sin: sin, Cos: cos, Tan: tan, Asin: asin, Acos: acos, Atan: atan } as const;
const HYPERBOLIC = { Sinh: sinh, Cosh: cosh, Asinh: asinh, Acosh: acosh, Atanh: atanh } as const;

/** Clip: limits from attributes up to opset 10, from inputs after. */
const Clip: EvalOp = (c) => {
  const x = c.get(0);
  const attributes = c.opset < 11;
  const at = (i: number, name: string, open: number): number =>
    attributes ? c.float(name, open) : c.inputs[i] ? c.scalar(i) : open;
  const [lo, hi] = [at(1, 'min', Number.NEGATIVE_INFINITY), at(2, 'max', Number.POSITIVE_INFINITY)];
  return arrayOf(
    x.dtype,
    x.shape,
    x.data.map((v) => Math.min(Math.max(v, lo), hi)),
  );
};

function cast(c: EvalContext, to: OnnxDType): ReturnType<EvalOp> {
  const x = c.get(0);
  return { dtype: to, shape: x.shape, data: x.data.map((v) => castValue(v, x.dtype, to)) };
}

/** The type that attribute `name` holds by its ONNX number. */
export function dtypeAttribute(c: EvalContext, name: string, fallback: OnnxDType): OnnxDType {
  if (!c.has(name)) return fallback;
  const number = c.int(name, 0);
  return DTYPE_NAMES[number] ?? c.fail('UnsupportedForm', `element type ${number} is not supported`);
}

/** ~x in the integer's type. */
const BitwiseNot: EvalOp = (c) => {
  const x = c.get(0);
  if (!integerBits(x.dtype)) c.fail('BadGraph', 'BitwiseNot takes integers');
  return arrayOf(
    x.dtype,
    x.shape,
    x.data.map((v) => -1 - v + (x.dtype === 'uint64' ? 2 ** 64 : 0)),
  );
};

/** Dropout: identity at inference, and a mask of ones. */
const Dropout: EvalOp = (c) => {
  const x = c.get(0);
  const training = c.inputs[2]?.data[0] === 1;
  const ratio = c.opset < 12 ? c.float('ratio', 0.5) : (c.inputs[1]?.data[0] ?? 0.5);
  if (training && ratio !== 0) c.fail('UnsupportedOp', 'Dropout in training mode draws random numbers');
  return [x, { dtype: 'bool', shape: x.shape, data: new Float64Array(x.data.length).fill(1) }];
};

/** Ops of one operand, element by element. */
export const UNARY: Readonly<Record<string, EvalOp>> = {
  ...Object.fromEntries(
    Object.entries(UNARY_FNS).map(([op, f]) => [
      op,
      map((c) => {
        const fn = f(c);
        return (x) => applyUnary(fn, x);
      }),
    ]),
  ),
  ...Object.fromEntries(Object.entries({ ...TRIG, ...HYPERBOLIC }).map(([op, f]) => [op, map(() => f)])),
  BitwiseNot,
  Cast: (c) => cast(c, dtypeAttribute(c, 'to', 'float32')),
  CastLike: (c) => cast(c, c.get(1).dtype),
  Clip,
  Dropout,
  Identity: (c) => c.get(0),
  IsInf: test((c) => {
    const [plus, minus] = [c.int('detect_positive', 1) !== 0, c.int('detect_negative', 1) !== 0];
    return (x) => (plus && x === Number.POSITIVE_INFINITY) || (minus && x === Number.NEGATIVE_INFINITY);
  }),
  IsNaN: test(() => Number.isNaN),
  Not: test(() => (x) => x === 0),
};

/** σ, tanh and softplus-like functions by the name recurrent ops give them. */
export const ACTIVATIONS: Readonly<Record<string, (alpha: number, beta: number) => (x: number) => number>> = {
  Sigmoid: () => sigmoid,
  Tanh: () => tanh,
  Relu: () => (x) => Math.max(x, 0),
  Affine: (alpha, beta) => (x) => alpha * x + beta,
  LeakyRelu: (alpha) => (x) => (x < 0 ? alpha * x : x),
  ThresholdedRelu: (alpha) => (x) => (x > alpha ? x : 0),
  ScaledTanh: (alpha, beta) => (x) => alpha * tanh(beta * x),
  HardSigmoid: (alpha, beta) => (x) => Math.min(Math.max(alpha * x + beta, 0), 1),
  Elu: (alpha) => (x) => (x < 0 ? alpha * (exp(x) - 1) : x),
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Softplus: () => (x) => (x > 0 ? x + log(1 + exp(-x)) : log(1 + exp(x))),
};
