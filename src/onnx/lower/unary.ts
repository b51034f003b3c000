import type { UnaryFn } from '../../quant/unary.ts';
import { UNARY_FNS } from '../eval/unary.ts';
import type { View } from './builder.ts';
import type { LowerContext, OpLowering } from './context.ts';

/** Defines output 0 as a chain of functions of a view, which keeps its layout; a lone clip becomes limits. */
export function setUnary(c: LowerContext, view: View, fns: readonly UnaryFn[]): void {
  if (c.graph.domain(view.id) !== 'real') c.fail('UnsupportedForm', 'the function is not supported for integer data');
  const [f] = fns;
  const clip = fns.length === 1 && f!.fn === 'clip' ? ({ kind: 'clamp', lo: f!.lo, hi: f!.hi } as const) : undefined;
  const id = c.emit(clip ?? { kind: 'unary', fns }, [view.id], c.graph.stored(view.id));
  c.set({ ...view, id });
}

/** Clip limits: attributes up to opset 10, constant inputs after. */
function clipLimits(c: LowerContext): UnaryFn {
  const at = (i: number, name: string, fallback: number): number => {
    if (c.opset < 11) return c.float(name, fallback);
    return c.given(i) ? (c.constant(i)?.data[0] ?? c.fail('UnsupportedForm', `${name} must be a constant`)) : fallback;
  };
  const [lo, hi] = [at(1, 'min', Number.NEGATIVE_INFINITY), at(2, 'max', Number.POSITIVE_INFINITY)];
  return { fn: 'clip', lo: Math.min(lo, hi), hi };
}

const CIRCULAR = ['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh'] as const;

/** The unary ops: Relu and Clip as limits, the others as tables. */
export const UNARY: Readonly<Record<string, OpLowering>> = {
  ...Object.fromEntries(
    Object.entries(UNARY_FNS).map(([op, f]): [string, OpLowering] => [op, (c) => setUnary(c, c.view(0), [f(c)])]),
  ),
  ...Object.fromEntries(
    CIRCULAR.map((fn): [string, OpLowering] => [
      fn[0]!.toUpperCase() + fn.slice(1),
      (c) => setUnary(c, c.view(0), [{ fn }]),
    ]),
  ),
  Clip: (c) => setUnary(c, c.view(0), [clipLimits(c)]),
};
