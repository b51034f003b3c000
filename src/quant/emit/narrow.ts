/**
 * How far the operands of a product are narrowed so that sums of it fit int32.
 * @module
 */
import { LIMIT, multiplier } from '../scales.ts';

/** An operand: the largest |x − zp|, and the scale. */
export interface Span {
  readonly reach: number;
  readonly scale: number;
}

/** The operand cut to integers of at most `top`; the scale grows as they shrink. */
function cut(x: Span, top: number): Span {
  return top >= x.reach ? x : { reach: top, scale: (x.reach * x.scale) / top };
}

/** Greatest product of two reaches for sums of `k` products of these scales. */
function room(k: number, a: Span, b: Span, scale: number): number {
  return (LIMIT - 1) / (k * 2 ** multiplier((a.scale * b.scale) / scale).l);
}

/**
 * The reaches that both operands of a sum of k products get for an output of `scale`; undefined where even narrow ones are
 * too large. What is small already keeps its precision.
 */
export function fitProducts(k: number, a: Span, b: Span, scale: number): readonly [Span, Span] | undefined {
  let [p, q] = [a, b];
  if (p.reach * q.reach > room(k, p, q, scale)) {
    const most = room(k, p, q, scale);
    const even = Math.floor(Math.sqrt(most));
    p = cut(p, Math.max(7, Math.min(p.reach, Math.max(even, Math.floor(most / q.reach)))));
    q = cut(q, Math.max(7, Math.min(q.reach, Math.floor(room(k, p, q, scale) / p.reach))));
  }
  const fits = multiplier((p.scale * q.scale) / scale).l <= 24 && p.reach * q.reach <= room(k, p, q, scale);
  return fits ? [p, q] : undefined;
}
