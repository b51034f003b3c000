/**
 * Results in two parts: both in i16 on finer steps of the planned type, and their sum in it.
 * @module
 */
import type { Ref } from '../graph-writer.ts';
import { exp2i } from '../math.ts';
import type { QType } from '../scales.ts';
import { type EmitContext, output, type Quantized, reach } from './context.ts';

/** Greatest reach of a planned type in steps of its parts, which have as much room again. */
const ROOM = 16384;

/** Powers of two by which the steps of the parts are finer than a type's. */
function finer(type: QType): number {
  let j = 0;
  while (j < 8 && reach(type) * exp2i(j + 1) <= ROOM) j++;
  return j;
}

/** The type of the parts whose sum has `type`. */
export function partType(type: QType): QType {
  return { dtype: 'i16', zp: 0, scale: type.scale * exp2i(-finer(type)), lo: -32768, hi: 32767 };
}

/** The sum of two parts. */
export function joinParts(c: EmitContext, a: Ref, b: Ref, type: QType): Quantized {
  const attrs = { ma: 1, mb: 1, s: finer(type), output: output(type) };
  return { ref: c.writer.node('linear2', [a, b], attrs), type };
}
