/**
 * Rules that the reductions share (spec/10-ops.md, "Reduce").
 * @module
 */
import { type Dim, greatest, least } from '../core/dim.ts';
import { floorDiv } from '../core/int.ts';
import type { Cell, IntsField, NodeCost, RuleContext, TypedContext } from './define.ts';
import { hull, perRow, type Range, scaled } from './rules.ts';

/** Axes of a reduction: ascending, each below the rank. They are removed from the shape. */
export interface AxesAttrs {
  readonly axes: readonly number[];
}

type In = readonly [x: 1];

/** The attribute field of the axes. */
export const AXES: IntsField = { kind: 'ints', tag: 1, min: 0, max: 7, maxLength: 8 };

/** Checks the axes and gives the shape without them; `nonEmpty` refuses reductions of no elements. */
export function reducedShape(c: RuleContext<AxesAttrs, In>, nonEmpty: boolean): Dim[] {
  const { shape } = c.in[0];
  const { axes } = c.a;
  axes.forEach((axis, i) => {
    if (axis >= shape.length || (i > 0 && axis <= axes[i - 1]!))
      c.fail('BadAttribute', 'axes ascend and lie below the rank', `0…${shape.length - 1}, ascending`, axes.join());
    if (nonEmpty && least(shape[axis]!, c.symbols) < 1)
      c.fail('BadShape', 'a reduced axis is not empty', '≥ 1', least(shape[axis]!, c.symbols));
  });
  return shape.filter((_, i) => !axes.includes(i));
}

/** Least and greatest number of elements that one output reduces. */
export function reducedCounts(c: RuleContext<AxesAttrs, In>): Range {
  const dims = c.a.axes.map((axis) => c.in[0].shape[axis]!);
  return {
    lo: dims.reduce<number>((n, d) => n * least(d, c.symbols), 1),
    hi: dims.reduce<number>((n, d) => n * greatest(d, c.symbols), 1),
  };
}

/** hull of n·[x'] at the least and the greatest n. */
export function sumRange(n: Range, x: Range): Range {
  return hull(scaled(n.lo, x), scaled(n.hi, x));
}

/** Cost of a reduction: one `reduce` an input element, and rows a run of the input. */
export function reduceCost(c: TypedContext<AxesAttrs, In>): NodeCost {
  return perRow(c, 'reduce', c.in[0].shape, 6);
}

/** Number of elements that a cell reduces. */
export function reducedCount({ in: [x], a: { axes } }: Cell<AxesAttrs, In>): number {
  return axes.reduce((n, axis) => n * x.shape[axis]!, 1);
}

/** Calls `visit` with elements from … to − 1 of those that the cell reduces, the last axis fastest. */
export function forEachReduced(
  { in: [x], a: { axes }, at }: Cell<AxesAttrs, In>,
  from: number,
  to: number,
  visit: (value: number) => void,
): void {
  let start = 0;
  for (let d = 0, k = 0; d < x.shape.length; d++) if (!axes.includes(d)) start += at[k++]! * x.strides[d]!;
  const extents = axes.map((axis) => x.shape[axis]!);
  const index = axes.map(() => 0);
  for (let k = axes.length - 1, rest = from; k >= 0; k--) {
    index[k] = rest % extents[k]!;
    rest = floorDiv(rest, extents[k]!);
  }
  for (let i = from; i < to; i++) {
    visit(x.data[axes.reduce((sum, axis, k) => sum + index[k]! * x.strides[axis]!, start)]!);
    for (let k = axes.length - 1; k >= 0 && ++index[k]! === extents[k]; k--) index[k] = 0;
  }
}

/** Σ (x − zp) over elements from … to − 1 of those that the cell reduces. */
export function partialSum(c: Cell<AxesAttrs, In>, from: number, to: number): number {
  let sum = 0;
  forEachReduced(c, from, to, (v) => {
    sum += v - c.in[0].zp;
  });
  return sum;
}
