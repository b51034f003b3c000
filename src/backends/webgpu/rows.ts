/**
 * Ops over rows: facts of a row by one workgroup, then elements (spec/10-ops.md §5).
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv } from '../../core/int.ts';
import { LOG2 } from '../../core/log2.ts';
import { broadcastStrides } from '../wasm/strided.ts';
import type { Builder, Value } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel, kernel, type Names, ROW_GROUPS } from './kernel.ts';
import type { Site } from './kernels.ts';

/** Invocations that share a row. */
export const LANES: number = 64;
/** Elements of a row that one dispatch visits. */
export function rowStep(b: Builder): number {
  return Math.max(LANES, b.limits.work >>> 6);
}

/** The row of a workgroup. */
export const ROW: string = `
  let row = p.row + group.y * ${ROW_GROUPS}u + group.x;
  if (row >= p.end_row) { return; }`;
export const HEADER: string = `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {`;

/** Joins `part_of` over the workgroup into its first entry. */
export function joined(join: (a: string, b: string) => string): string {
  return `
  workgroupBarrier();
  for (var half = ${LANES >> 1}u; half > 0u; half >>= 1u) {
    if (lane < half) { ${join('part_of[lane]', 'part_of[lane + half]')} }
    workgroupBarrier();
  }`;
}

/** Record of the kernels over rows of weights. */
export const SOFTMAX =
  'x: u32, x_size: u32, k: Divisor, rows: Divisor, l: u32, m: i32, e: u32, exp2: u32, mask: u32, masked: u32, axes: u32, rank: u32, causal: u32, offset: i32, offset_at: u32, offset_given: u32, facts: u32';

/** WGSL over `SOFTMAX`: kept entries, and the weight E(t(d)) of a distance d (spec/00-numerics.md §2.2). */
export const WEIGHTS: string = `
fn kept(row: u32, j: u32) -> bool {
  if (p.masked == 1u && load(p.mask, 0u, walk(p.axes, p.rank, row * p.k.n + j).x) == 0) { return false; }
  if (p.causal == 0u) { return true; }
  var f: i32 = p.offset;
  if (p.offset_given == 1u) { f = bitcast<i32>(arena[p.offset_at]); }
  let i: u32 = row - quotient(row, p.rows) * p.rows.n;
  return bitcast<i32>(j) <= bitcast<i32>(i) + f;
}
fn exponent(d: u32) -> u32 {
  return bitcast<u32>(mulhr(bitcast<i32>(min(d, 0x7fffffffu >> p.l) << p.l), p.m));
}
fn weight(d: u32) -> u32 {
  let t: u32 = exponent(d);
  let i: u32 = p.exp2 + ((t >> 8u) & 255u);
  let v: u32 = constants[i] - (((constants[i] - constants[i + 1u]) * (t & 255u) + 128u) >> 8u);
  let s: u32 = min((t >> 16u) + 23u - p.e, 25u);
  return (v + ((1u << s) >> 1u)) >> s;
}`;

const SOFTMAX_MAX = /* @__PURE__ */ kernel(
  'softmax_max',
  `${SOFTMAX}, row: u32, end_row: u32, first: u32, end: u32`,
  `${WEIGHTS}
var<workgroup> part_of: array<i32, ${LANES}>;
${HEADER}${ROW}
  var best = bitcast<i32>(0x80000000u);
  for (var j = p.first + lane; j < p.end; j += ${LANES}u) {
    if (kept(row, j)) { best = max(best, load(p.x, p.x_size, row * p.k.n + j)); }
  }
  part_of[lane] = best;${joined((a, b) => `${a} = max(${a}, ${b});`)}
  if (lane == 0u) {
    let before = select(bitcast<i32>(arena[p.facts + 2u * row]), bitcast<i32>(0x80000000u), p.first == 0u);
    arena[p.facts + 2u * row] = bitcast<u32>(max(before, part_of[0]));
  }
}`,
);

const SOFTMAX_SUM = /* @__PURE__ */ kernel(
  'softmax_sum',
  `${SOFTMAX}, row: u32, end_row: u32, first: u32, end: u32`,
  `${WEIGHTS}
var<workgroup> part_of: array<u32, ${LANES}>;
${HEADER}${ROW}
  let most = arena[p.facts + 2u * row];
  var sum = 0u;
  for (var j = p.first + lane; j < p.end; j += ${LANES}u) {
    if (kept(row, j)) { sum += weight(most - bitcast<u32>(load(p.x, p.x_size, row * p.k.n + j))); }
  }
  part_of[lane] = sum;${joined((a, b) => `${a} += ${b};`)}
  if (lane == 0u) {
    let before = select(arena[p.facts + 2u * row + 1u], 0u, p.first == 0u);
    arena[p.facts + 2u * row + 1u] = before + part_of[0];
  }
}`,
);

const SOFTMAX_Y = /* @__PURE__ */ elementKernel(
  'softmax',
  `${SOFTMAX}, o: u32, zp: i32, lo: i32, hi: i32`,
  `${WEIGHTS}
fn element(i: u32) -> i32 {
  let row: u32 = quotient(i, p.k);
  let sum: u32 = arena[p.facts + 2u * row + 1u];
  if (sum == 0u || !kept(row, i - row * p.k.n)) { return p.zp; }
  let e: u32 = weight(arena[p.facts + 2u * row] - bitcast<u32>(load(p.x, p.x_size, i)));
  return clamp(p.zp + bitcast<i32>(divq(e, sum, p.o)), p.lo, p.hi);
}`,
);

/** Groups of one workgroup a row, few enough for a dispatch's bound. */
export function* rowGroups(
  b: Builder,
  rows: number,
  k: number,
): Generator<{ row: number; end_row: number; groups: [number, number, 1] }> {
  const most = Math.max(1, floorDiv(b.limits.work >>> 2, Math.max(k, LANES)));
  for (let row = 0; row < rows; row += most) {
    const end_row = Math.min(rows, row + most);
    const x = Math.min(end_row - row, ROW_GROUPS);
    yield { row, end_row, groups: [x, floorDiv(end_row - row + x - 1, x), 1] };
  }
}

/** Fields of a record, filled in. */
export type Filled<S extends string> = { readonly [K in Names<S>]: Value };

/** Adds the dispatches that leave facts of each of `rows` rows of k elements. */
export type RowFacts<S extends string> = (b: Builder, fields: Filled<S>, rows: number, k: number) => void;

/** softmax: maximum and sum of each row, then elements. */
export function softmaxOver(facts: RowFacts<typeof SOFTMAX>, s: Site<'softmax'>, b: Builder): string {
  const [x, mask, offset] = [s.in[0]!, s.in[1], s.in[2]];
  const y = s.out[0]!;
  const { l, m, o, output, causal } = s.attrs;
  const k = y.shape[y.shape.length - 1]!;
  const rows = floorDiv(y.count, k);
  const walk =
    mask === undefined
      ? { axes: 0, rank: 0 }
      : b.walk(y.shape, broadcastStrides({ shape: mask.shape, size: 1 }, y.shape));
  const own = {
    x: b.at(x),
    x_size: x.size,
    k: divisor(k),
    rows: divisor(y.shape[y.shape.length - 2] ?? 1),
    ...{ l, m, e: s.facts['weightBits']!, exp2: b.shared('EXP2', () => EXP2) },
    ...{ mask: mask === undefined ? 0 : b.at(mask), masked: mask !== undefined, ...walk },
    ...{ causal, offset: s.attrs.offset, offset_at: offset === undefined ? 0 : b.at(offset) },
    offset_given: offset !== undefined,
    facts: b.scratch(2 * rows),
  };
  facts(b, own, rows, k);
  const { zp, lo, hi } = output;
  b.elements(SOFTMAX_Y, b.target(y), { ...own, o, zp, lo, hi }, 16);
  return `softmax_i${8 << x.size}`;
}

/** Maximum and sum of each row by one workgroup. */
export const softmaxFacts: RowFacts<typeof SOFTMAX> = (b, own, rows, k) => {
  for (const pass of [SOFTMAX_MAX, SOFTMAX_SUM]) {
    for (const { groups, ...range } of rowGroups(b, rows, k)) {
      for (let first = 0; first < k; first += rowStep(b)) {
        const end = Math.min(k, first + rowStep(b));
        b.dispatch(pass, { ...own, ...range, first, end }, groups, (range.end_row - range.row) * (end - first));
      }
    }
  }
};

/** softmax: rows by workgroups. */
export const softmax = (s: Site<'softmax'>, b: Builder): string => softmaxOver(softmaxFacts, s, b);

const LOG_SOFTMAX = /* @__PURE__ */ elementKernel(
  'log_softmax',
  `${SOFTMAX}, log2: u32, m2: u32, l2: u32, zp: i32, lo: i32, hi: i32`,
  `${WEIGHTS}
// log2 of s in Q16, 1 <= s < 2^31
fn log2q(s: u32) -> u32 {
  let b: u32 = 31u - countLeadingZeros(s);
  let mantissa: u32 = (s << (31u - b)) & 0x7fffffffu;
  let i: u32 = p.log2 + (mantissa >> 23u);
  let rise: u32 = (constants[i + 1u] - constants[i]) * ((mantissa >> 7u) & 65535u);
  return (b << 16u) + constants[i] + ((rise + 32768u) >> 16u);
}
fn element(i: u32) -> i32 {
  let row: u32 = quotient(i, p.k);
  let t: u32 = exponent(arena[p.facts + 2u * row] - bitcast<u32>(load(p.x, p.x_size, i)));
  return stage((p.e << 16u) - t - log2q(arena[p.facts + 2u * row + 1u]), p.m2, p.l2, p.zp, p.lo, p.hi);
}`,
);

/** Fields of a row of which every entry is kept. */
export const UNMASKED = {
  mask: 0,
  masked: false,
  axes: 0,
  rank: 0,
  causal: false,
  offset: 0,
  offset_at: 0,
  offset_given: false,
} as const;

/** log_softmax: the facts of softmax, then the logarithm of the sum. */
export function logSoftmaxOver(facts: RowFacts<typeof SOFTMAX>, s: Site<'log_softmax'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { l, m, stage } = s.attrs;
  const k = y.shape[y.shape.length - 1]!;
  const rows = floorDiv(y.count, k);
  const shape = { x: b.at(x), x_size: x.size, k: divisor(k), rows: divisor(1), facts: b.scratch(2 * rows) };
  const own = { ...shape, ...UNMASKED, l, m, e: s.facts['weightBits']!, exp2: b.shared('EXP2', () => EXP2) };
  facts(b, own, rows, k);
  const { zp, lo, hi } = stage;
  const end = { log2: b.shared('LOG2', () => LOG2), m2: stage.m[0]!, l2: stage.l, zp, lo, hi };
  b.elements(LOG_SOFTMAX, b.target(y), { ...own, ...end }, 4);
  return `log_softmax_i${8 << x.size}`;
}

/** log_softmax: rows by workgroups. */
export const log_softmax = (s: Site<'log_softmax'>, b: Builder): string => logSoftmaxOver(softmaxFacts, s, b);
