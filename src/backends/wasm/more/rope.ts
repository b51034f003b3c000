/**
 * rope (spec/10-ops.md §7).
 * @module
 */
import { floorDiv } from '../../../core/int.ts';
import { SIN } from '../../../core/sin.ts';
import type { Arg, Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { oneStage } from '../pack.ts';

/** rope: the rotations of a row once for all that lie at its position. */
export function rope(s: Site<'rope'>, b: Builder): Prepared {
  const [x, position] = s.in as readonly [Arg, Arg?];
  const y = s.out[0]!;
  const { step, interleaved, stage } = s.attrs;
  const [rows, d] = x.shape.slice(-2) as [number, number];
  b.scratch((step.length + 8) * 8);
  const record = b.record([
    floorDiv(x.count, rows * d),
    rows,
    d,
    x.size,
    step.length,
    interleaved,
    b.raw(step),
    b.shared('SIN', () => Int16Array.from(SIN)),
    s.attrs.position,
    position === undefined ? 0 : b.at(position),
    ...oneStage(stage, y.size),
  ]);
  return prepared(`rope_i${x.size * 8}`, 'rope', rows, record, b.at(x), b.at(y));
}
