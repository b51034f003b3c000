/** Places of a trace that a challenge may be about. */
import { termsOf } from '../../src/consensus/cell.ts';
import type { Trace } from '../../src/consensus/trace.ts';
import { tileOf } from '../../src/evm/rules.ts';

/** Which tensor and element a challenge is about: one of few terms, one of many, an input, a place behind the end. */
export type Aim = 'short' | 'long' | 'input' | 'trace padding' | 'tensor padding';

/** Trace index, element, chunk. */
export function aimAt(trace: Trace, aim: Aim): readonly [number, number, number] {
  const { commitment: c, plan } = trace;
  const first = c.model.inputs.length;
  if (aim === 'input') return [0, 0, 0];
  if (aim === 'trace padding') return [2 ** (trace.tree.levels.length - 1) - 1, 0, 0];
  const chunks = (i: number): number => trace.tensorTree(i).count;
  const fits = (i: number): boolean => {
    if (aim === 'tensor padding') return (chunks(i) & (chunks(i) - 1)) !== 0;
    const { count } = termsOf(c, i, 0, plan.dims);
    return aim === 'long' ? count > 4 * tileOf(c, i) : chunks(i) > 8 && count > 0 && count <= tileOf(c, i);
  };
  const index = c.trace.findIndex((e, i) => i >= first && e.node >= 0 && fits(i));
  const { data } = trace.tensor(index);
  const element = data.length >> 1;
  const chunk = Math.floor((element * data.BYTES_PER_ELEMENT) / 32);
  return [index, element, aim === 'tensor padding' ? chunks(index) : chunk];
}
