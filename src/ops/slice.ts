/**
 * slice: a regular part of each axis (spec/10-ops.md, "Move").
 * @module
 */
import { addDim, type Dim, greatest, least, sameDim } from '../core/dim.ts';
import { times } from '../core/poly.ts';
import { byteLength } from '../core/tensor.ts';
import { defineOp, type OpDef, type RuleContext } from './define.ts';
import { lastAxis, MOVABLE, moveCost } from './move.ts';
import { elements } from './rules.ts';

/** Attributes of slice, one entry an axis. A size that is at most 1 has step 1. */
export interface SliceAttrs {
  readonly start: readonly Dim[];
  readonly step: readonly number[];
  readonly size: readonly Dim[];
}

/** Operand slots. */
export type In = readonly [x: 1];

/** Proves that every index start + step·i, 0 ≤ i < size, lies in 0…n−1, for all values of the symbols. */
function proveAxis(c: RuleContext<SliceAttrs, In>, n: Dim, i: number): void {
  const [start, step, size] = [c.a.start[i]!, c.a.step[i]!, c.a.size[i]!];
  if (step === 0) c.fail('BadAttribute', 'step is not 0', '≠ 0', 0);
  if (step !== 1 && greatest(size, c.symbols) <= 1) c.fail('NotCanonical', 'a size of at most 1 has step 1', 1, step);
  if (least(size, c.symbols) < 0) c.fail('BadShape', 'size is not negative', '≥ 0', least(size, c.symbols));
  const end = addDim(addDim(start, size, step), -step); // the last index
  const [low, high] = step > 0 ? [start, end] : [end, start];
  if (least(low, c.symbols) < 0) c.fail('IndexRange', `axis ${i} starts before 0`, '≥ 0', least(low, c.symbols));
  const room = addDim(addDim(n, high, -1), -1); // n − 1 − high
  if (least(room, c.symbols) < 0)
    c.fail('IndexRange', `axis ${i} reaches behind its end`, '≥ 0 left', least(room, c.symbols));
}

/** Definition of slice: y[i] = x[start + step·i]. */
export const slice: OpDef<SliceAttrs, In> = /* @__PURE__ */ defineOp<SliceAttrs, In>({
  code: 33,
  since: 1,
  // x[start + step·i], every index proved in range
  operands: [{ name: 'x', dtypes: MOVABLE }],
  attrs: {
    start: { kind: 'dims', tag: 1, min: -1073741824, max: 1073741824 },
    step: { kind: 'ints', tag: 2, min: -1048576, max: 1048576, maxLength: 8 },
    size: { kind: 'dims', tag: 3, min: 0, max: 1073741824 },
  },
  type(c) {
    const [x] = c.in;
    const rank = x.shape.length;
    const { start, step, size } = c.a;
    if (start.length !== rank || step.length !== rank || size.length !== rank) {
      c.fail(
        'BadAttribute',
        'start, step and size have one entry an axis',
        rank,
        `${start.length}, ${step.length}, ${size.length}`,
      );
    }
    x.shape.forEach((n, i) => proveAxis(c, n, i));
    return [{ dtype: x.dtype, shape: size, zp: x.zp }];
  },
  bounds: (c) => ({ y: [{ lo: c.in[0].lo, hi: c.in[0].hi, rowSum: c.in[0].rowSum }] }),
  cost(c) {
    const [x] = c.in;
    const { start, step, size } = c.a;
    const axis = lastAxis(size.length, (i) => step[i] !== 1 || start[i] !== 0 || !sameDim(size[i]!, x.shape[i]!));
    const changed = axis < 0 ? null : { axis, share: step[axis] === 1 ? least(size[axis]!, c.symbols) : 1 };
    return { ...moveCost(c, c.out[0]!, changed), bytes: times(elements(c, c.out[0]!), 2 * byteLength(x.dtype, 1)) };
  },
});
