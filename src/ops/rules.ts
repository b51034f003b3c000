/**
 * Rules that several ops share: stages, broadcasting, element counts (spec/10-ops.md, "Conventions").
 * @module
 */
import { type CostClass, type CostVector, sumCosts } from '../core/cost.ts';
import { addDim, type Dim, greatest, least, sameDim } from '../core/dim.ts';
import { bitlen, clamp, mulhr, stage } from '../core/int.ts';
import { type Poly, product, times } from '../core/poly.ts';
import { DTYPE_RANGE } from '../core/tensor.ts';
import type {
  Interval,
  NodeCost,
  Output,
  OutType,
  RuleContext,
  Slots,
  Stage,
  TensorType,
  TypedContext,
} from './define.ts';

/** Interval with numeric endpoints. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

const LIMIT = 2147483648;

/** The endpoints over all values of the symbols: lo at its least, hi at its greatest. */
export function worst(c: RuleContext<never, never> | Pick<RuleContext<unknown, Slots>, 'symbols'>, t: Interval): Range {
  return { lo: least(t.lo, c.symbols), hi: greatest(t.hi, c.symbols) };
}

/** The interval of x' = x − zp. */
export function centred(c: Pick<RuleContext<unknown, Slots>, 'symbols'>, t: TensorType): Range {
  const w = worst(c, t);
  return { lo: w.lo - t.zp, hi: w.hi - t.zp };
}

/** Greatest magnitude of an interval. */
export function magnitude(r: Range): number {
  return Math.max(Math.abs(r.lo), Math.abs(r.hi));
}

/** n·r for an integer n of either sign. */
export function scaled(n: number, r: Range): Range {
  const [p, q] = [n * r.lo + 0, n * r.hi + 0];
  return p < q ? { lo: p, hi: q } : { lo: q, hi: p };
}

/** Least interval that holds both. */
export function hull(a: Range, b: Range): Range {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}

type Fail = Pick<RuleContext<unknown, Slots>, 'fail'>;

/** Checks dtype, zero point and limits of an output record. */
export function checkOutput(c: Fail, o: Output): void {
  const [min, max] = DTYPE_RANGE[o.dtype];
  if (o.dtype !== 'i8' && o.zp !== 0) c.fail('BadType', `an ${o.dtype} tensor has zero point 0`, 0, o.zp);
  if (o.zp < -128 || o.zp > 127) c.fail('BadType', 'zero point outside i8', '-128…127', o.zp);
  if (o.lo > o.hi || o.lo < min || o.hi > max)
    c.fail('BadStage', 'limits lo…hi outside the output dtype or empty', `${min}…${max}`, `${o.lo}…${o.hi}`);
}

/** The output type of a stage: its record, or raw i32. */
export function stagedType(c: Fail, s: Stage | undefined, shape: readonly Dim[], channels: number): OutType {
  if (s === undefined) return { dtype: 'i32', shape, zp: 0 };
  checkOutput(c, s);
  checkMultipliers(c, s.m, s.l, channels, 'm');
  return { dtype: s.dtype, shape, zp: s.zp };
}

/** Checks a vector of multipliers: length 1 if all entries are equal, else `channels`; the least-l rule. */
export function checkMultipliers(c: Fail, m: Int32Array, l: number, channels: number, name: string): void {
  if (m.length !== 1) {
    if (m.length !== channels) c.fail('BadStage', `${name} has one entry or one a channel`, channels, m.length);
    if (m.every((v) => v === m[0]))
      c.fail('NotCanonical', `${name} has length 1 when all its entries are equal`, 1, m.length);
  }
  let max = 0;
  for (const v of m) {
    if (v < 0) c.fail('BadStage', `${name} must lie in 0…2^31−1`, '0…2147483647', v);
    if (v > max) max = v;
  }
  checkLeastL(c, max, l, name);
}

/** l > 0 requires a greatest multiplier of at least 2^30. */
export function checkLeastL(c: Fail, max: number, l: number, name: string): void {
  if (l > 0 && max < 1073741824)
    c.fail('BadStage', `l is not the least: with l > 0 the greatest ${name} is at least 2^30`, 'l least', l);
}

/** Proves a bound A < 2^31. */
export function proveBound(c: Fail, bound: number, what: string): void {
  if (bound >= LIMIT) c.fail('Overflow', `${what} can reach ${bound}`, 'below 2147483648', bound);
}

/** Proves the two figures of a stage for one channel and returns its output interval. */
export function stageRange(c: Fail, s: Stage, m: number, acc: Range): Range {
  const reach = magnitude(acc) * 2 ** s.l;
  if (reach >= LIMIT) c.fail('Overflow', `|acc|·2^l can reach ${reach}`, 'below 2147483648', reach);
  const at = (v: number): number => clamp(s.zp + mulhr(v * 2 ** s.l, m), s.lo, s.hi);
  return { lo: at(acc.lo), hi: at(acc.hi) };
}

/** An output element: the accumulator behind an optional stage, with the multiplier of its channel. */
export function staged(acc: number, s: Stage | undefined, channel: number): number {
  return s === undefined ? acc : stage(acc, s.m.length === 1 ? s.m[0]! : s.m[channel]!, s.l, s.zp, s.lo, s.hi);
}

/** The interval of one accumulator behind an optional stage with one multiplier. */
export function stagedInterval(c: Fail, s: Stage | undefined, acc: Range): Range {
  return s === undefined ? acc : Array.from(s.m, (m) => stageRange(c, s, m, acc)).reduce(hull);
}

/** NumPy broadcasting of two shapes; only a literal 1 broadcasts. */
export function broadcast(c: Fail, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p !== 1 && q !== 1 && !sameDim(p, q))
      c.fail('BadShape', `shapes do not broadcast on axis ${i}`, JSON.stringify(p), JSON.stringify(q));
    out.push(p === 1 ? q : p);
  }
  return out;
}

/** Number of elements as a polynomial. */
export function elements(c: Pick<RuleContext<unknown, Slots>, 'symbols'>, t: { readonly shape: readonly Dim[] }): Poly {
  return product(t.shape, c.symbols);
}

/** The cost of `count` elements of a class. */
export function counts(...parts: readonly (readonly [CostClass, Poly])[]): CostVector {
  return sumCosts(parts.map(([k, p]) => ({ [k]: p })));
}

/** `n` rows of the cost vector for each of `positions`. */
export function rows(
  c: Pick<RuleContext<unknown, Slots>, 'symbols'>,
  positions: readonly Dim[],
  n: number,
): readonly ['row', Poly] {
  return ['row', times(product(positions, c.symbols), n)];
}

/** One unit of a class an element of a shape, and `n` rows a row of its last axis. */
export function perRow(
  c: Pick<RuleContext<unknown, Slots>, 'symbols'>,
  cls: CostClass,
  shape: readonly Dim[],
  n: number,
): NodeCost {
  return { counts: counts([cls, product(shape, c.symbols)], rows(c, shape.slice(0, -1), n)) };
}

/** The cost rule of an op whose outputs cost one unit of a class an element, and `n` rows a row. */
export function perOutput(cls: CostClass, n = 0): (c: TypedContext<never, never>) => NodeCost {
  return (c: TypedContext<never, never>) => perRow(c, cls, c.out[0]!.shape, n);
}

/** The same where operands broadcast: rows only where one is neither a single element nor as large as the output. */
export function perBroadcast(cls: CostClass): (c: TypedContext<never, never>) => NodeCost {
  return (c: TypedContext<never, never>) => {
    const { shape } = c.out[0]!;
    const spread = (c.in as readonly (TensorType | undefined)[]).some(
      (x) =>
        x?.shape.some((d) => d !== 1) &&
        shape.some((d, i) => !sameDim(d, x.shape[i - shape.length + x.shape.length] ?? 1)),
    );
    return perRow(c, cls, shape, spread ? 5 : 0);
  };
}

/** Cost of the first k of lines of n elements in order: (n + k) · bitlen(k) of `order` a line. */
export function orderCost(
  c: Pick<RuleContext<unknown, Slots>, 'symbols'>,
  lines: readonly Dim[],
  n: Dim,
  k: number,
): readonly ['order', Poly] {
  return ['order', times(product([...lines, addDim(n, k)], c.symbols), bitlen(k))];
}

/** Checks an axis against a rank. */
export function checkAxis(c: Fail, axis: number, rank: number): void {
  if (axis >= rank) c.fail('BadAttribute', 'axis is not below the rank', `0…${rank - 1}`, axis);
}

/** A dim that the op requires to be static. */
export function staticDim(c: Fail, d: Dim, what: string): number {
  return typeof d === 'number' ? d : c.fail('BadShape', `${what} must not be symbolic`);
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = n;
    n *= shape[i]!;
  }
  return out;
}
