/**
 * Unary functions of the float graph, each from f64 + − × ÷ √ and the functions of `math.ts`. A chain of them becomes one
 * table in the integer graph (spec/10-ops.md §12).
 * @module
 */
import { erf, exp, log, sigmoid, tanh } from './math.ts';
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, pow, sin, sinh, tan } from './trig.ts';

/** Name of a circular or hyperbolic function. */
export type CircularFn = 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | HyperbolicFn;

type HyperbolicFn = 'sinh' | 'cosh' | 'asinh' | 'acosh' | 'atanh';

const CIRCULAR: Readonly<Record<CircularFn, (x: number) => number>> = {
  ...{ sin, cos, tan, asin, acos, atan },
  ...{ sinh, cosh, asinh, acosh, atanh },
};

/** A function of one real number with its parameters. */
export type UnaryFn =
  | {
      readonly fn:
        | 'sigmoid'
        | 'tanh'
        | 'exp'
        | 'log'
        | 'sqrt'
        | 'abs'
        | 'erf'
        | 'softplus'
        | 'softsign'
        | 'hard_swish'
        | 'silu'
        | 'gelu'
        | 'gelu_tanh'
        | 'reciprocal'
        | 'floor'
        | 'ceil'
        | 'square'
        | 'mish'
        | 'round_even'
        | 'sign'
        | CircularFn;
    }
  | {
      readonly fn: 'bipolar' | 'leaky_relu' | 'elu' | 'celu' | 'swish' | 'thresholded_relu' | 'power';
      readonly alpha: number;
    }
  | { readonly fn: 'shrink'; readonly lambda: number; readonly bias: number }
  | { readonly fn: 'selu' | 'hard_sigmoid'; readonly alpha: number; readonly beta: number }
  | { readonly fn: 'affine'; readonly scale: number; readonly shift: number }
  | {
      /** Both chains of the same x, joined: ca·left + cb·right, left·right, left/right, or their extremum. */
      readonly fn: 'join';
      readonly how: 'linear' | 'mul' | 'div' | 'min' | 'max';
      readonly ca: number;
      readonly cb: number;
      readonly left: readonly UnaryFn[];
      readonly right: readonly UnaryFn[];
    }
  | { readonly fn: 'clip'; readonly lo: number; readonly hi: number };

function clip(x: number, lo: number, hi: number): number {
  return Math.min(Math.max(x, lo), hi);
}

function softplus(x: number): number {
  return x > 0 ? x + log(1 + exp(-x)) : log(1 + exp(x));
}

/** Nearest whole number, ties to even. */
export function roundEven(x: number): number {
  const f = Math.floor(x);
  const rest = x - f;
  return rest > 0.5 || (rest === 0.5 && f % 2 !== 0) ? f + 1 : f;
}

function join(f: Extract<UnaryFn, { fn: 'join' }>, a: number, b: number): number {
  switch (f.how) {
    case 'linear':
      return f.ca * a + f.cb * b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
  }
}

/** f(x); NaN where f is undefined. */
export function applyUnary(f: UnaryFn, x: number): number {
  switch (f.fn) {
    case 'sigmoid':
      return sigmoid(x);
    case 'tanh':
      return tanh(x);
    case 'exp':
      return exp(x);
    case 'log':
      return log(x);
    case 'sqrt':
      return Math.sqrt(x);
    case 'abs':
      return Math.abs(x);
    case 'erf':
      return erf(x);
    case 'softplus':
      return softplus(x);
    case 'softsign':
      return x / (1 + Math.abs(x));
    case 'hard_swish':
      return x * clip(x / 6 + 0.5, 0, 1);
    case 'silu':
      return x * sigmoid(x);
    case 'gelu':
      return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
    case 'gelu_tanh':
      return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case 'reciprocal':
      return 1 / x;
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'square':
      return x * x;
    case 'bipolar':
      return x >= 0 ? f.alpha : -f.alpha;
    case 'leaky_relu':
      return x < 0 ? f.alpha * x : x;
    case 'elu':
      return x < 0 ? f.alpha * (exp(x) - 1) : x;
    case 'selu':
      return f.beta * (x < 0 ? f.alpha * (exp(x) - 1) : x);
    case 'celu':
      return x < 0 ? f.alpha * (exp(x / f.alpha) - 1) : x;
    case 'swish':
      return x * sigmoid(f.alpha * x);
    case 'thresholded_relu':
      return x > f.alpha ? x : 0;
    case 'power':
      return pow(x, f.alpha);
    case 'shrink':
      return x < -f.lambda ? x + f.bias : x > f.lambda ? x - f.bias : 0;
    case 'mish':
      return x * tanh(softplus(x));
    case 'round_even':
      return roundEven(x);
    case 'sign':
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case 'hard_sigmoid':
      return clip(f.alpha * x + f.beta, 0, 1);
    case 'affine':
      return f.scale * x + f.shift;
    case 'clip':
      return clip(x, f.lo, f.hi);
    case 'join':
      return join(f, applyChain(f.left, x), applyChain(f.right, x));
    default:
      return CIRCULAR[f.fn](x);
  }
}

/** fₙ(…f₁(x)) of a chain. */
export function applyChain(fns: readonly UnaryFn[], x: number): number {
  let y = x;
  for (const f of fns) y = applyUnary(f, y);
  return y;
}
