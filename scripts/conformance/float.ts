/**
 * The float road: the model evaluated on the test's inputs, compared with 1e-5 relative to the output's largest value;
 * integers, truth values and moved data exactly.
 * @module
 */

import { isFloat } from '../../src/onnx/array.ts';
import { ImportError } from '../../src/onnx/errors.ts';
import { evaluateModel } from '../../src/onnx/evaluate.ts';
import type { OnnxArray } from '../../src/onnx/tensor.ts';
import { type Case, loadCase, type Row } from './cases.ts';

/** Bound of the float road, relative to the output's largest magnitude. */
const BOUND = 1e-5;

/** max |a − e| / max |e| over finite elements; infinite where the two differ in shape, NaN or an infinity. */
function difference(actual: OnnxArray, expected: OnnxArray): number {
  if (`${actual.shape}` !== `${expected.shape}`) return Number.POSITIVE_INFINITY;
  let [worst, reach] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [actual.data[i]!, expected.data[i]!];
    if (Number.isFinite(e)) reach = Math.max(reach, Math.abs(e));
    if (a === e || Object.is(a, e)) continue;
    const d = Math.abs(a - e);
    worst = Math.max(worst, Number.isNaN(d) ? Number.POSITIVE_INFINITY : d);
  }
  return worst === 0 ? 0 : worst / (reach === 0 ? 1 : reach);
}

/** Relative spacing that the output's own type allows. */
const PRECISION: Readonly<Partial<Record<OnnxArray['dtype'], number>>> = { float16: 2 ** -10, bfloat16: 2 ** -7 };

/** Tests whose stored outputs are coarser than the bound, with what they hold: a relative bound, and their absolute rounding. */
export const COARSE: Readonly<
  Record<string, { readonly bound: number; readonly rounding: number; readonly reason: string }>
> = {
  'node/test_averagepool_2d_ceil_last_window_starts_on_pad': {
    bound: 1e-3,
    rounding: 0.5e-4,
    reason: 'the stored output has four decimals',
  },
};

/** One output against the expected one: undefined where it is right, else what is wrong. */
function verdict(
  name: string,
  actual: OnnxArray,
  expected: OnnxArray,
  coarse: number,
): { figure: number; wrong?: string } {
  const figure = difference(actual, expected);
  if (actual.dtype !== expected.dtype)
    return { figure, wrong: `${name} is ${actual.dtype} instead of ${expected.dtype}` };
  if (`${actual.shape}` !== `${expected.shape}`)
    return { figure, wrong: `${name} has shape [${actual.shape}] instead of [${expected.shape}]` };
  const bound = isFloat(expected.dtype) ? Math.max(PRECISION[expected.dtype] ?? BOUND, coarse) : 0;
  return figure <= bound ? { figure } : { figure, wrong: `${name} differs by ${figure}` };
}

/** Runs one test on the float road. */
export function floatRow(folder: string, test: Case): Row {
  const row = { test: test.name, road: 'float' } as const;
  try {
    const { model, inputs, expected } = loadCase(folder, test);
    const outputs = evaluateModel(model, inputs);
    const coarse = COARSE[test.name];
    let figure = 0;
    for (const [name, e] of expected) {
      const v = verdict(name, outputs.get(name)!, e, coarse?.bound ?? 0);
      if (v.wrong !== undefined) return { ...row, class: 'fail', figure: v.figure, reason: v.wrong };
      figure = Math.max(figure, v.figure);
    }
    return { ...row, class: figure === 0 ? 'exact' : 'bounded', figure, ...(coarse ? { reason: coarse.reason } : {}) };
  } catch (error) {
    if (error instanceof ImportError) return { ...row, class: 'refused', reason: `${error.code}: ${error.message}` };
    return {
      ...row,
      class: 'fail',
      reason: `crash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    };
  }
}
