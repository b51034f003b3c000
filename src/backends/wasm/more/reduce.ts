/**
 * reduce_sum, reduce_mean, reduce_max and reduce_min (spec/10-ops.md §4).
 * @module
 */
import { floorDiv, roundDiv } from '../../../core/int.ts';
import type { Stage } from '../../../ops/define.ts';
import type { Builder } from '../builder.ts';
import { type Prepared, prepared } from '../call.ts';
import type { Site } from '../kernels.ts';
import { oneStage } from '../pack.ts';
import { collapse, denseStrides, recordOf } from '../strided.ts';

/** The operation of kernels/wasm/reduce.ts, and its neutral value. */
const ADD = [0, 0] as const;
const LEAST = [1, 2147483647] as const;
const GREATEST = [2, -2147483648] as const;

/** Accumulators of stride 0 along the reduced axes; a reduced axis just outside a kept run becomes its depth. */
function reduced(
  s: Site<'reduce_max'>,
  b: Builder,
  [op, neutral]: readonly [number, number],
  stage: Stage | undefined,
): Prepared {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const own = denseStrides(y.shape, 4);
  let kept = 0;
  const into = x.shape.map((_, i) => (s.attrs.axes.includes(i) ? 0 : own[kept++]!));
  const walks = [
    { at: b.at(x), strides: denseStrides(x.shape, x.size) },
    { at: 0, strides: into },
  ];
  const axes = collapse(x.shape, walks);
  const inner = axes.pop() ?? { n: 1, s: [x.size, 4] };
  const deep = inner.s[1] !== 0 && axes[axes.length - 1]?.s[1] === 0 ? axes.pop()! : { n: 1, s: [0] };
  const nd = recordOf(b, axes, inner, walks, Math.max(1, inner.n));
  const units = axes[0]?.s[1] ? axes[0].n : 1; // an outermost axis that is kept
  b.scratch(y.count * 4 + 32);
  const first = op === 0 ? -floorDiv(x.count, y.count) * x.zp : neutral;
  const record = b.record([
    op,
    x.size,
    floorDiv(y.count, units),
    first,
    neutral,
    deep.n,
    deep.s[0]!,
    ...oneStage(stage, y.size),
    floorDiv(nd.units, units),
  ]);
  return prepared(`reduce_i${x.size * 8}`, 'reduce', units, nd.at, record, b.at(y));
}

/** reduce_max: greatest raw values. */
export const reduce_max = (s: Site<'reduce_max'>, b: Builder): Prepared => reduced(s, b, GREATEST, undefined);
/** reduce_min: least raw values. */
export const reduce_min = (s: Site<'reduce_min'>, b: Builder): Prepared => reduced(s, b, LEAST, undefined);
/** reduce_sum: sums that start at −n·zx. */
export const reduce_sum = (s: Site<'reduce_sum'>, b: Builder): Prepared => reduced(s, b, ADD, s.attrs.stage);

/** reduce_mean: a sum behind a stage whose multiplier is divided by the count. */
export function reduce_mean(s: Site<'reduce_mean'>, b: Builder): Prepared {
  const { m1, l, output } = s.attrs;
  const n = floorDiv(s.in[0]!.count, s.out[0]!.count);
  return reduced(s, b, ADD, { ...output, l, m: Int32Array.of(roundDiv(m1, n)) });
}
