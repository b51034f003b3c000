/**
 * State pairs: an output that a run writes back to an input (spec/20-format.md §4).
 * @module
 */
import { type Dim, sameShape } from '../core/dim.ts';
import { ModelError } from '../core/errors.ts';
import type { TensorType } from '../ops/define.ts';
import type { Graph } from './ir.ts';

function fail(index: number, message: string, expected?: string, actual?: string): never {
  throw new ModelError('BadState', `state ${index}: ${message}`, { expected, actual });
}

function asNumbers(t: TensorType, index: number): { lo: number; hi: number } {
  const number = (d: Dim): number => (typeof d === 'number' ? d : fail(index, 'the interval of a state is static'));
  return { lo: number(t.lo), hi: number(t.hi) };
}

/**
 * Checks every pair: ascending by input, each tensor in at most one; equal dtype, zero point and static shape; the input's
 * interval contains the zero point and the proved interval of the output.
 */
export function checkStates(g: Graph, tensors: readonly TensorType[]): void {
  const outputs = new Set<number>();
  g.states.forEach((s, i) => {
    const previous = i === 0 ? -1 : g.states[i - 1]!.input;
    if (s.input <= previous || s.input >= g.inputs.length)
      fail(i, 'inputs ascend and exist', `${previous + 1}…${g.inputs.length - 1}`, String(s.input));
    if (s.output >= g.outputs.length || outputs.has(s.output))
      fail(i, 'the output exists and is in one pair', `below ${g.outputs.length}`, String(s.output));
    outputs.add(s.output);
    const [x, o] = [tensors[s.input]!, g.outputs[s.output]!];
    const y = tensors[o.tensor]!;
    if (g.inputs[s.input]!.u8 || o.u8) fail(i, 'a state is no u8 view');
    if (x.shape.some((d) => typeof d !== 'number')) fail(i, 'the shape of a state is static');
    if (x.dtype !== y.dtype || x.zp !== y.zp || !sameShape(x.shape, y.shape))
      fail(i, 'both ends have one type', `${x.dtype} zp ${x.zp} [${x.shape}]`, `${y.dtype} zp ${y.zp} [${y.shape}]`);
    const [a, b] = [asNumbers(x, i), asNumbers(y, i)];
    if (a.lo > x.zp || a.hi < x.zp || a.lo > b.lo || a.hi < b.hi)
      fail(
        i,
        'the input’s interval contains the zero point and the output’s interval',
        `within ${a.lo}…${a.hi}`,
        `${b.lo}…${b.hi}, zp ${x.zp}`,
      );
  });
}
