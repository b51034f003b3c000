/**
 * Float ops of the domain com.microsoft that onnxruntime's optimiser writes.
 * @module
 */
import type { Expand, Expansion } from './context.ts';

function biased(e: Expansion): string {
  return e.given(1) ? e.op('Add', [e.input(0), e.input(1)]) : e.input(0);
}

/** x + skip (+ bias), normalised; output 3 is the sum. */
function skip(op: 'LayerNormalization' | 'RMSNormalization'): Expand {
  return (e) => {
    const bias = op === 'LayerNormalization' ? 4 : 3;
    const sum = e.op('Add', [e.input(0), e.input(1)]);
    const x = e.given(bias) ? e.op('Add', [sum, e.input(bias)]) : sum;
    const factors = op === 'LayerNormalization' && e.given(3) ? [e.input(2), e.input(3)] : [e.input(2)];
    e.give(0, op, [x, ...factors], { axis: -1, epsilon: { float: e.float('epsilon', Math.fround(1e-12)) } });
    e.set(3, x);
  };
}

/** Float ops of com.microsoft by name, behind the domain. */
export const MICROSOFT: Readonly<Record<string, Expand>> = {
  'com.microsoft:Gelu': (e) => e.give(0, 'Gelu', [e.input(0)]),
  'com.microsoft:BiasGelu': (e) => e.give(0, 'Gelu', [biased(e)]),
  'com.microsoft:FastGelu': (e) => e.give(0, 'Gelu', [biased(e)], { approximate: 'tanh' }),
  'com.microsoft:QuickGelu': (e) =>
    e.give(0, 'Mul', [
      e.input(0),
      e.op('Sigmoid', [e.op('Mul', [e.input(0), e.real(e.float('alpha', Math.fround(1.702)))])]),
    ]),
  'com.microsoft:SkipLayerNormalization': skip('LayerNormalization'),
  'com.microsoft:SkipSimplifiedLayerNormalization': skip('RMSNormalization'),
};
