/**
 * topk and sample (spec/10-ops.md §4, §7).
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import { ROTATIONS } from '../../core/threefry.ts';
import type { Arg, Builder, Place, Target } from './builder.ts';
import { summed, words } from './cumsum.ts';
import { divisor } from './divisor.ts';
import { elementKernel, kernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import type { Filled, RowFacts } from './rows.ts';
import { HEADER, joined, LANES, ROW, rowGroups, SOFTMAX, softmaxFacts, UNMASKED, WEIGHTS } from './rows.ts';

/** Record of the kernels over keys of lines. */
export const LINES = 'x: u32, x_size: u32, n: u32, inner: Divisor, flip: u32, mask: u32';
/** WGSL over `LINES`: the place of an element in the order of its line, ties apart: as an unsigned number. */
export const KEY: string = `
fn key(i: u32) -> u32 { return (bitcast<u32>(load(p.x, p.x_size, i)) ^ p.flip) & p.mask; }`;

/** The least key that k elements of a line do not exceed, bit by bit. */
const LAST = /* @__PURE__ */ kernel(
  'topk_last',
  `${LINES}, k: u32, bits: u32, last: u32, row: u32, end_row: u32`,
  `${KEY}
var<workgroup> part_of: array<u32, ${LANES}>;
${HEADER}${ROW}
  let block = quotient(row, p.inner);
  let start = block * p.n * p.inner.n + row - block * p.inner.n;
  var least = 0u;
  for (var bit = p.bits; bit > 0u; bit--) {
    let most = least + ((1u << (bit - 1u)) - 1u);
    var count = 0u;
    for (var j = lane; j < p.n; j += ${LANES}u) {
      if (key(start + j * p.inner.n) <= most) { count++; }
    }
    part_of[lane] = count;${joined((a, b) => `${a} += ${b};`)}
    if (part_of[0] < p.k) { least = most + 1u; }
    workgroupBarrier();
  }
  if (lane == 0u) { arena[p.last + row] = least; }
}`,
);

/** Elements of the line that come before each, those from … to − 1 of it; n where k do anyway. */
const RANK = /* @__PURE__ */ elementKernel(
  'topk_rank',
  `${LINES}, lines: Divisor, last: u32, ranks: u32, start: u32, stop: u32`,
  `${KEY}
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let block: u32 = quotient(line, p.lines);
  let own: u32 = line - block * p.n;
  let column: u32 = i - line * p.inner.n;
  let mine: u32 = key(i);
  if (mine > arena[p.last + block * p.inner.n + column]) { return bitcast<i32>(p.n); }
  var rank: u32 = 0u;
  if (p.start > 0u) { rank = arena[p.ranks + i]; }
  for (var t: u32 = p.start; t < p.stop; t++) {
    let other: u32 = key((block * p.n + t) * p.inner.n + column);
    if (other < mine || (other == mine && t < own)) { rank++; }
  }
  return bitcast<i32>(rank);
}`,
);

/** The index of the element at each rank, sought among start … stop − 1 of its line. */
const PLACE = /* @__PURE__ */ elementKernel(
  'topk_place',
  'inner: Divisor, k: Divisor, n: u32, ranks: u32, indices: u32, start: u32, stop: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let block: u32 = quotient(line, p.k);
  let rank: u32 = line - block * p.k.n;
  let at: u32 = p.ranks + block * p.n * p.inner.n + i - line * p.inner.n;
  for (var t: u32 = p.start; t < p.stop; t++) {
    if (arena[at + t * p.inner.n] == rank) { return bitcast<i32>(t); }
  }
  return bitcast<i32>(arena[p.indices + i]);
}`,
);

const VALUES = /* @__PURE__ */ elementKernel(
  'topk_values',
  'x: u32, x_size: u32, n: u32, inner: Divisor, k: Divisor, indices: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let block: u32 = quotient(line, p.k);
  let at: u32 = (block * p.n + arena[p.indices + i]) * p.inner.n + i - line * p.inner.n;
  return load(p.x, p.x_size, at);
}`,
);

/** Adds the dispatches that leave the least key that k elements of a line do not exceed, for each of `count` lines. */
export type Last = (
  b: Builder,
  line: Filled<typeof LINES>,
  count: number,
  own: { readonly n: number; readonly k: number; readonly bits: number; readonly last: Place },
) => void;

/** The last key that counts, by one workgroup a line. */
export const lastKeys: Last = (b, line, count, own) => {
  const work = own.n * own.bits;
  for (const { groups, ...range } of rowGroups(b, count, work))
    b.dispatch(LAST, { ...line, ...range, ...own }, groups, (range.end_row - range.row) * work);
};

/** Indices of the first k of each line of x [outer,n,inner], as words [outer,k,inner]. */
export function order(
  findLast: Last,
  b: Builder,
  x: Arg,
  [n, inner, k]: readonly [number, number, number],
  smallest: boolean,
  indices: Place,
): void {
  const bits = 8 << x.size;
  const high = 2 ** (bits - 1);
  const flip = smallest ? high : high - 1;
  const line = { x: b.at(x), x_size: x.size, n, inner: divisor(inner), flip, mask: 2 ** bits - 1 };
  const count = floorDiv(x.count, n);
  const last = b.scratch(count);
  findLast(b, line, count, { n, k, bits, last });
  const ranks = words(b, x.count);
  const found: Target = { at: indices, size: 2, count: count * k };
  const step = Math.max(64, Math.min(4096, b.limits.work >>> 6));
  const parts = Array.from({ length: floorDiv(n + step - 1, step) }, (_, i) => ({
    start: i * step,
    stop: Math.min(n, (i + 1) * step),
  }));
  for (const part of parts)
    b.elements(RANK, ranks, { ...line, lines: divisor(n), last, ranks: ranks.at, ...part }, part.stop - part.start);
  const place = { inner: line.inner, k: divisor(k), n, ranks: ranks.at, indices };
  for (const part of parts) b.elements(PLACE, found, { ...place, ...part }, part.stop - part.start);
}

/** topk: the last key that counts, ranks of what does not exceed it, and the index at each rank. */
export function topkBy(last: Last, s: Site<'topk'>, b: Builder): string {
  const x = s.in[0]!;
  const [values, indices] = [s.out[0]!, s.out[1]!];
  const { axis, k, smallest } = s.attrs;
  const n = x.shape[axis]!;
  const inner = elementCount(x.shape.slice(axis + 1));
  order(last, b, x, [n, inner, k], smallest, b.at(indices));
  const own = { x: b.at(x), x_size: x.size, n, inner: divisor(inner), k: divisor(k), indices: b.at(indices) };
  b.elements(VALUES, b.target(values), own);
  return 'topk';
}

/** topk: lines by workgroups. */
export const topk = (s: Site<'topk'>, b: Builder): string => topkBy(lastKeys, s, b);

/** Weight of each entry of the order, as words. */
const ENTRY = /* @__PURE__ */ elementKernel(
  'sample_weights',
  `${SOFTMAX}, n: Divisor, order: u32, ordered: u32`,
  `${WEIGHTS}
fn element(i: u32) -> i32 {
  let row: u32 = quotient(i, p.n);
  var j: u32 = i - row * p.n.n;
  if (p.ordered == 1u) { j = arena[p.order + i]; }
  return bitcast<i32>(weight(arena[p.facts + 2u * row] - bitcast<u32>(load(p.x, p.x_size, row * p.k.n + j))));
}`,
);

/** Rounds of Threefry-2x32 (spec/00-numerics.md §2.4). */
const ROUNDS = /* @__PURE__ */ Array.from({ length: 20 }, (_, r) => {
  const next = (r + 1) >> 2;
  const keys = (r & 3) === 3 ? ` a += k${next % 3}; b += k${(next + 1) % 3} + ${next}u;` : '';
  return `  a += b; b = rotl(b, ${ROTATIONS[r & 7]}u) ^ a;${keys}\n`;
}).join('');

/** The index of each row from the sums of its weights: where the prefix ends, then where the sum passes the bound. */
const DRAW = /* @__PURE__ */ elementKernel(
  'sample',
  'sums: u32, n: u32, order: u32, ordered: u32, p16: u32, seed: u32, step: u32',
  `
fn rotl(v: u32, s: u32) -> u32 { return (v << s) | (v >> (32u - s)); }
fn threefry(k0: u32, k1: u32, c0: u32, c1: u32) -> u32 {
  let k2: u32 = k0 ^ k1 ^ 0x1bd11bdau;
  var a: u32 = c0 + k0;
  var b: u32 = c1 + k1;
${ROUNDS}  return a;
}
fn element(row: u32) -> i32 {
  let at: u32 = p.sums + row * p.n;
  let all: u32 = arena[at + p.n - 1u];
  let high: u32 = mulhi(p.p16, all);
  let low: u32 = p.p16 * all;
  // the first sum with sum·2^16 >= p16·S
  var first: u32 = 0u;
  var last: u32 = p.n - 1u;
  while (first < last) {
    let middle: u32 = (first + last) >> 1u;
    let sum: u32 = arena[at + middle];
    if ((sum >> 16u) > high || ((sum >> 16u) == high && (sum << 16u) >= low)) { last = middle; } else { first = middle + 1u; }
  }
  let bound: u32 = mulhi(threefry(arena[p.seed], arena[p.seed + 1u], arena[p.step], row), arena[at + last]);
  // the first sum above the bound
  first = 0u;
  while (first < last) {
    let middle: u32 = (first + last) >> 1u;
    if (arena[at + middle] > bound) { last = middle; } else { first = middle + 1u; }
  }
  if (p.ordered == 1u) { return bitcast<i32>(arena[p.order + row * p.n + last]); }
  return bitcast<i32>(last);
}`,
);

/** sample: weights of the order, their running sums, and one draw a row. */
export function sampleBy(facts: RowFacts<typeof SOFTMAX>, last: Last, s: Site<'sample'>, b: Builder): string {
  const [x, seed, step] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const { l, m, k, p16 } = s.attrs;
  const [rows, v] = [y.count, x.shape[x.shape.length - 1]!];
  const n = k > 0 ? k : v;
  const list = { order: b.scratch(rows * k), ordered: k > 0 };
  if (k > 0) order(last, b, x, [v, 1, k], false, list.order);
  const table = { l, m, e: s.facts['weightBits']!, exp2: b.shared('EXP2', () => EXP2), facts: b.scratch(2 * rows) };
  const own = { x: b.at(x), x_size: x.size, k: divisor(v), rows: divisor(1), ...UNMASKED, ...table };
  facts(b, own, rows, v);
  const weights = words(b, rows * n);
  b.elements(ENTRY, weights, { ...own, n: divisor(n), ...list }, 8);
  const sums = summed(b, weights, { n: divisor(n), inner: divisor(1), reverse: false }).at;
  const end = { sums, n, ...list, p16, seed: b.at(seed), step: b.at(step) };
  b.elements(DRAW, b.target(y), end, 128);
  return k > 0 ? 'sample_topk' : 'sample';
}

/** sample: rows and lines by workgroups. */
export const sample = (s: Site<'sample'>, b: Builder): string => sampleBy(softmaxFacts, lastKeys, s, b);
