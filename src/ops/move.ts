/**
 * Rules that the move ops share (spec/10-ops.md, "Move").
 * @module
 */
import type { CostClass } from '../core/cost.ts';
import { type Dim, least, sameDim } from '../core/dim.ts';
import type { Poly } from '../core/poly.ts';
import type { DType } from '../core/tensor.ts';
import type { Bounds, NodeCost, RuleContext, Slots, TypedContext } from './define.ts';
import { counts, elements } from './rules.ts';

/** Dtypes that a move op carries. */
export const MOVABLE: readonly DType[] = ['i8', 'i16', 'i32', 'bool'];

const ELEMENT_BYTES: Readonly<Record<string, number>> = { i8: 1, i16: 2, i32: 4, bool: 1 };

/**
 * Cost of a move: class `move` if its run is at least 16 bytes, else `move_scatter`. Run = element size × the output
 * extents behind the last axis it changes × the share of that axis which is copied whole (`share`; null: no axis changes,
 * one run). Symbols count at their least. `more` is counted too.
 */
export function moveCost(
  c: Pick<RuleContext<unknown, Slots>, 'symbols'>,
  out: { readonly dtype: DType; readonly shape: readonly Dim[] },
  changed: { readonly axis: number; readonly share: number } | null,
  ...more: readonly (readonly [CostClass, Poly])[]
): NodeCost {
  const whole = changed === null ? out.shape : out.shape.slice(changed.axis + 1);
  const run = whole.reduce<number>(
    (n, d) => n * least(d, c.symbols),
    ELEMENT_BYTES[out.dtype]! * (changed?.share ?? 1),
  );
  return { counts: counts([changed === null || run >= 16 ? 'move' : 'move_scatter', elements(c, out)], ...more) };
}

/** The last axis for which `changes` holds, or −1. */
export function lastAxis(rank: number, changes: (axis: number) => boolean): number {
  for (let i = rank - 1; i >= 0; i--) if (changes(i)) return i;
  return -1;
}

/** Bounds of x under another shape; the sum of its rows is kept where the length of a row is. */
export function reshaped(x: TypedContext<unknown, readonly [x: 1]>['in'][0], shape: readonly Dim[]): Bounds {
  const [p, q] = [x.shape[x.shape.length - 1], shape[shape.length - 1]];
  const keeps = p !== undefined && q !== undefined && sameDim(p, q);
  return { y: [{ lo: x.lo, hi: x.hi, rowSum: keeps ? x.rowSum : undefined }] };
}
