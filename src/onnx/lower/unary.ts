import type { UnaryFn } from '../../quant/unary.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Emits a one-operand op that keeps its operand's layout. */
function emitUnary(c: LowerContext, f: UnaryFn): void {
  const view = c.view(0);
  const shape = c.graph.stored(view.id);
  const op =
    f.fn === 'clip' ? ({ kind: 'clamp', lo: f.lo, hi: f.hi } as const) : ({ kind: 'unary', fns: [f] } as const);
  c.set({ ...view, id: c.emit(op, [view.id], shape) });
}

/** The lowering of a unary function whose parameters come from attributes. */
function unary(f: (c: LowerContext) => UnaryFn): OpLowering {
  return { lower: (c) => emitUnary(c, f(c)) };
}

/** Functions without parameters, by ONNX op. */
const PLAIN = {
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Exp: 'exp',
  Log: 'log',
  Sqrt: 'sqrt',
  Abs: 'abs',
  Erf: 'erf',
  Softplus: 'softplus',
  Softsign: 'softsign',
  HardSwish: 'hard_swish',
  Reciprocal: 'reciprocal',
  Floor: 'floor',
  Ceil: 'ceil',
} as const;

/** Clip limits: attributes up to opset 10, constant inputs after. */
function clipLimits(c: LowerContext): UnaryFn {
  const at = (i: number, name: string, fallback: number): number => {
    if (c.opset < 11) return c.float(name, fallback);
    return c.given(i) ? (c.constant(i)?.data[0] ?? c.fail('UnsupportedForm', `${name} must be a constant`)) : fallback;
  };
  const [lo, hi] = [at(1, 'min', Number.NEGATIVE_INFINITY), at(2, 'max', Number.POSITIVE_INFINITY)];
  if (!(lo <= hi)) c.fail('BadGraph', `the limits ${lo}…${hi} are empty`);
  return { fn: 'clip', lo, hi };
}

/** The unary ops: Relu and Clip as limits, the others as tables. */
export const UNARY: Readonly<Record<string, OpLowering>> = {
  ...Object.fromEntries(Object.entries(PLAIN).map(([op, fn]) => [op, unary(() => ({ fn }))])),
  Relu: unary(() => ({ fn: 'clip', lo: 0, hi: Number.POSITIVE_INFINITY })),
  Clip: unary(clipLimits),
  LeakyRelu: unary((c) => ({ fn: 'leaky_relu', alpha: c.float('alpha', Math.fround(0.01)) })),
  Elu: unary((c) => ({ fn: 'elu', alpha: c.float('alpha', 1) })),
  Selu: unary((c) => ({
    fn: 'selu',
    alpha: c.float('alpha', Math.fround(1.6732632423543772)),
    beta: c.float('gamma', Math.fround(1.0507009873554805)),
  })),
  HardSigmoid: unary((c) => ({
    fn: 'hard_sigmoid',
    alpha: c.float('alpha', Math.fround(0.2)),
    beta: c.float('beta', 0.5),
  })),
  Gelu: unary((c) => ({ fn: c.string('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu' })),
  Neg: unary(() => ({ fn: 'affine', scale: -1, shift: 0 })),
};
