/**
 * Rules that the ops with weights share: exact sums of rows, their proofs and their cost (spec/10-ops.md, "Linear").
 * @module
 */
import type { CostClass } from '../core/cost.ts';
import { charged } from '../core/cost.ts';
import type { Dim, SymbolDecl } from '../core/dim.ts';
import { assert } from '../core/errors.ts';
import { floorDiv } from '../core/int.ts';
import { type Poly, product, times } from '../core/poly.ts';
import { type DType, i4At } from '../core/tensor.ts';
import type { Facts, RuleContext, Slots, Stage, TensorType } from './define.ts';
import { hull, magnitude, proveBound, type Range, stageRange } from './rules.ts';

/** The largest |b| of a bias, exclusive. */
const BIAS_LIMIT = 1073741824;

type Fail = Pick<RuleContext<unknown, Slots>, 'fail'>;

/** Elements of a constant operand; the validator has checked that it is one. */
export function constantData(t: TensorType): { readonly [i: number]: number; readonly length: number } {
  assert(t.data !== undefined, 'a constant operand without data');
  return t.data;
}

/** Checks |b| < 2^30. */
export function checkBias(c: Fail, b: TensorType): void {
  const data = constantData(b);
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(data[i]!) >= BIAS_LIMIT)
      c.fail('Overflow', `bias ${i} must lie below 2^30`, 'below 1073741824', data[i]!);
  }
}

/** Block scales of i4 weights: u[o][k / block], each 1…255. */
export interface Blocks {
  readonly size: number;
  readonly u: TensorType;
}

/** Sums of the positive and the negative weights of each row, and the largest |w|. */
export interface RowSums {
  readonly plus: Float64Array;
  readonly minus: Float64Array;
  readonly maxWeight: number;
}

/** Exact sums over the rows of weights [rows, …]; a block scale multiplies its weights. */
export function rowSums(w: TensorType, rows: number, blocks?: Blocks): RowSums {
  const data = w.data!;
  const count = (w.shape as readonly number[]).reduce((n, d) => n * d, 1);
  const k = rows === 0 ? 0 : floorDiv(count, rows);
  const plus = new Float64Array(rows);
  const minus = new Float64Array(rows);
  let maxWeight = 0;
  for (let o = 0; o < rows; o++) {
    const row =
      w.dtype === 'i4' ? rowOf4(data as Int8Array, o, k, blocks) : rowOf8(data as Int8Array, o * k, (o + 1) * k);
    plus[o] = row.plus;
    minus[o] = row.minus;
    maxWeight = Math.max(maxWeight, row.max);
  }
  return { plus, minus, maxWeight };
}

interface RowSum {
  readonly plus: number;
  readonly minus: number;
  readonly max: number;
}

/** Elements whose i8 values and magnitudes sum to an int32. */
const CHUNK = 1 << 23;

/** One row of i8, without branches on the signs: Σ|w| and Σw give both sums. */
function rowOf8(data: Int8Array, from: number, to: number): RowSum {
  let [sum, reach, max] = [0, 0, 0];
  for (let start = from; start < to; start += CHUNK) {
    const end = Math.min(to, start + CHUNK);
    let [s, a] = [0, 0];
    for (let i = start; i < end; i++) {
      const v = data[i]!;
      const m = (v ^ (v >> 31)) - (v >> 31);
      s = (s + v) | 0;
      a = (a + m) | 0;
      if (m > max) max = m;
    }
    sum += s;
    reach += a;
  }
  return { plus: half(reach + sum), minus: half(sum - reach), max };
}

/** Half of an even number. */
function half(n: number): number {
  return floorDiv(n, 2);
}

/** One row of i4. */
function rowOf4(data: Int8Array, o: number, k: number, blocks: Blocks | undefined): RowSum {
  let [plus, minus, max] = [0, 0, 0];
  for (let j = 0; j < k; j++) {
    const raw = i4At(data, o * k + j);
    const v = blocks === undefined ? raw : raw * blockScale(blocks, o, j);
    if (v > 0) plus += v;
    else minus += v;
    max = Math.max(max, Math.abs(raw));
  }
  return { plus, minus, max };
}

function blockScale(blocks: Blocks, row: number, k: number): number {
  const width = blocks.u.shape[1] as number;
  return blocks.u.data![row * width + floorDiv(k, blocks.size)]! - blocks.u.zp;
}

/** Accumulator interval of row o: b[o] + Σ w·[x']. */
export function rowRange(s: RowSums, o: number, bias: number, tap: Range): Range {
  return {
    lo: bias + s.plus[o]! * tap.lo + s.minus[o]! * tap.hi,
    hi: bias + s.plus[o]! * tap.hi + s.minus[o]! * tap.lo,
  };
}

/** Proved figures of a linear op and its output interval. */
export interface LinearProof {
  readonly y: Range;
  readonly facts: Facts;
}

/**
 * Proves, per channel, A = |b| + Σ|w|·X < 2^31 and |acc|·2^l < 2^31, and gives the output interval.
 * Facts: `bound` the largest A, `accLo`, `accHi`, `maxWeight`.
 */
export function proveRows(
  c: Fail,
  sums: RowSums,
  bias: ArrayLike<number> | undefined,
  tap: Range,
  stage: Stage | undefined,
): LinearProof {
  const x = magnitude(tap);
  let [bound, acc, y]: [number, Range | undefined, Range | undefined] = [0, undefined, undefined];
  for (let o = 0; o < sums.plus.length; o++) {
    const b = bias?.[o] ?? 0;
    const a = Math.abs(b) + (sums.plus[o]! - sums.minus[o]!) * x;
    proveBound(c, a, `the accumulator of channel ${o}`);
    const r = rowRange(sums, o, b, tap);
    const out = stage === undefined ? r : stageRange(c, stage, stage.m.length === 1 ? stage.m[0]! : stage.m[o]!, r);
    bound = Math.max(bound, a);
    acc = acc === undefined ? r : hull(acc, r);
    y = y === undefined ? out : hull(y, out);
  }
  assert(acc !== undefined && y !== undefined, 'a linear op without channels');
  return { y, facts: { bound, accLo: acc.lo, accHi: acc.hi, maxWeight: sums.maxWeight } };
}

/** The cost class of a product of two dtypes. */
export function macClass(a: DType, b: DType): CostClass {
  if (b === 'i4') return a === 'i16' ? 'mac_i16_i4' : 'mac_i8_i4';
  if (a === 'i16' && b === 'i16') return 'mac_i16_i16';
  return a === 'i8' && b === 'i8' ? 'mac_i8_i8' : 'mac_i16_i8';
}

/** Charged products: positions × columns rounded up to 8 × terms rounded up to 4; a symbolic extent is taken as it is. */
export function chargedMacs(
  symbols: readonly SymbolDecl[],
  positions: readonly Dim[],
  columns: Dim,
  terms: Dim,
  groups = 1,
): Poly {
  const n = typeof columns === 'number' ? charged(columns, 8) : columns;
  const k = typeof terms === 'number' ? charged(terms, 4) : terms;
  return times(product([...positions, n, k], symbols), groups);
}
