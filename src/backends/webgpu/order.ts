/**
 * topk and sample (spec/10-ops.md §4, §7).
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import type { Builder, Place, Target } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel, itemKernel, kernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { HEADER, joined, LANES, ROW, rowFacts, rowGroups, SOFTMAX, UNMASKED, WEIGHTS } from './rows.ts';

const LINES = 'x: u32, x_size: u32, n: u32, inner: Divisor, flip: u32, mask: u32';
/** The place of an element in the order of its line, ties apart: as an unsigned number. */
const KEY = `
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
  let line = quotient(i, p.inner);
  let block = quotient(line, p.lines);
  let own = line - block * p.n;
  let column = i - line * p.inner.n;
  let mine = key(i);
  if (mine > arena[p.last + block * p.inner.n + column]) { return bitcast<i32>(p.n); }
  var rank = 0u;
  if (p.start > 0u) { rank = arena[p.ranks + i]; }
  for (var t = p.start; t < p.stop; t++) {
    let other = key((block * p.n + t) * p.inner.n + column);
    if (other < mine || (other == mine && t < own)) { rank++; }
  }
  return bitcast<i32>(rank);
}`,
);

/** The index of each element at its rank. */
const PLACE = /* @__PURE__ */ itemKernel(
  'topk_place',
  'inner: Divisor, lines: Divisor, k: u32, ranks: u32, indices: u32',
  `
fn item(i: u32) {
  let rank = arena[p.ranks + i];
  if (rank >= p.k) { return; }
  let line = quotient(i, p.inner);
  let block = quotient(line, p.lines);
  arena[p.indices + (block * p.k + rank) * p.inner.n + i - line * p.inner.n] = line - block * p.lines.n;
}`,
);

const VALUES = /* @__PURE__ */ elementKernel(
  'topk_values',
  'x: u32, x_size: u32, n: u32, inner: Divisor, k: Divisor, indices: u32',
  `
fn element(i: u32) -> i32 {
  let line = quotient(i, p.inner);
  let block = quotient(line, p.k);
  let at = (block * p.n + arena[p.indices + i]) * p.inner.n + i - line * p.inner.n;
  return load(p.x, p.x_size, at);
}`,
);

/** Indices of the first k of each line of x [outer,n,inner], as words [outer,k,inner]. */
function order(
  b: Builder,
  x: { readonly at: Place; readonly size: number; readonly count: number },
  [n, inner, k]: readonly [number, number, number],
  smallest: boolean,
  indices: Place,
): void {
  const bits = 8 << x.size;
  const high = 2 ** (bits - 1);
  const flip = smallest ? high : high - 1;
  const line = { x: x.at, x_size: x.size, n, inner: divisor(inner), flip, mask: 2 ** bits - 1 };
  const count = floorDiv(x.count, n);
  const last = b.scratch(count);
  for (const { groups, ...range } of rowGroups(b, count, n * bits))
    b.dispatch(LAST, { ...line, ...range, k, bits, last }, groups, (range.end_row - range.row) * n * bits);
  const ranks = { at: b.scratch(x.count), size: 2, count: x.count };
  const step = Math.max(64, Math.min(4096, b.limits.work >>> 6));
  for (let from = 0; from < n; from += step) {
    const to = Math.min(n, from + step);
    b.elements(RANK, ranks, { ...line, lines: divisor(n), last, ranks: ranks.at, start: from, stop: to }, to - from);
  }
  b.items(PLACE, x.count, { inner: line.inner, lines: divisor(n), k, ranks: ranks.at, indices }, 1);
}

/** topk: the last key that counts, ranks of what does not exceed it, and each index at its rank. */
export function topk(s: Site<'topk'>, b: Builder): string {
  const x = s.in[0]!;
  const [values, indices] = [s.out[0]!, s.out[1]!];
  const { axis, k, smallest } = s.attrs;
  const n = x.shape[axis]!;
  const inner = elementCount(x.shape.slice(axis + 1));
  order(b, { at: b.at(x), size: x.size, count: x.count }, [n, inner, k], smallest, b.at(indices));
  const own = { x: b.at(x), x_size: x.size, n, inner: divisor(inner), k: divisor(k), indices: b.at(indices) };
  b.elements(VALUES, b.target(values), own);
  return 'topk';
}

/** Weight of each entry of the order, as words. */
const ENTRY = /* @__PURE__ */ elementKernel(
  'sample_weights',
  `${SOFTMAX}, n: Divisor, order: u32, ordered: u32`,
  `${WEIGHTS}
fn element(i: u32) -> i32 {
  let row = quotient(i, p.n);
  var j = i - row * p.n.n;
  if (p.ordered == 1u) { j = arena[p.order + i]; }
  return bitcast<i32>(weight(arena[p.facts + 2u * row] - bitcast<u32>(load(p.x, p.x_size, row * p.k.n + j))));
}`,
);

/** Words of a row’s state: S; S' and whether its prefix is complete; a running sum and whether the index is found. */
const STATE = 5;

/** Entries from … to − 1 of the order of a row: turn 0 sums weights, 1 those of the prefix, 2 looks for the index. */
const SCAN = /* @__PURE__ */ itemKernel(
  'sample_scan',
  'weights: u32, n: u32, order: u32, ordered: u32, state: u32, p16: u32, seed: u32, step: u32, y: u32, turn: u32, start: u32, stop: u32',
  `
fn rotl(v: u32, s: u32) -> u32 { return (v << s) | (v >> (32u - s)); }
fn threefry(k0: u32, k1: u32, c0: u32, c1: u32) -> u32 {
  var keys = array<u32, 3>(k0, k1, k0 ^ k1 ^ 0x1bd11bdau);
  var turns = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var a = c0 + k0; var b = c1 + k1;
  var next = 1u;
  for (var r = 0u; r < 20u; r++) {
    a += b;
    b = rotl(b, turns[r & 7u]) ^ a;
    if ((r & 3u) == 3u) {
      let after = select(next + 1u, 0u, next == 2u);
      a += keys[next];
      b += keys[after] + (r >> 2u) + 1u;
      next = after;
    }
  }
  return a;
}
fn item(row: u32) {
  let s = p.state + ${STATE}u * row;
  if (p.start == 0u) {
    if (p.turn == 0u) { arena[s] = 0u; }
    if (p.turn == 1u) { arena[s + 1u] = 0u; arena[s + 2u] = 0u; }
    if (p.turn == 2u) { arena[s + 3u] = 0u; arena[s + 4u] = 0u; }
  }
  let bound = mulhi(threefry(arena[p.seed], arena[p.seed + 1u], arena[p.step], row), arena[s + 1u]);
  for (var j = p.start; j < p.stop; j++) {
    let w = arena[p.weights + row * p.n + j];
    if (p.turn == 0u) { arena[s] += w; }
    if (p.turn == 1u && arena[s + 2u] == 0u) {
      let sum = arena[s + 1u] + w;
      arena[s + 1u] = sum;
      let high = mulhi(p.p16, arena[s]);
      if ((sum >> 16u) > high || ((sum >> 16u) == high && (sum << 16u) >= p.p16 * arena[s])) { arena[s + 2u] = 1u; }
    }
    if (p.turn == 2u && arena[s + 4u] == 0u) {
      let sum = arena[s + 3u] + w;
      arena[s + 3u] = sum;
      if (sum > bound) {
        arena[s + 4u] = 1u;
        var found = j;
        if (p.ordered == 1u) { found = arena[p.order + row * p.n + j]; }
        arena[p.y + row] = found;
      }
    }
  }
}`,
);

/** sample: weights of the order, then running sums, one invocation a row. */
export function sample(s: Site<'sample'>, b: Builder): string {
  const [x, seed, step] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const { l, m, k, p16 } = s.attrs;
  const [rows, v] = [y.count, x.shape[x.shape.length - 1]!];
  const n = k > 0 ? k : v;
  const entries = b.scratch(rows * k);
  if (k > 0) order(b, { at: b.at(x), size: x.size, count: x.count }, [v, 1, k], false, entries);
  const facts = { l, m, e: s.facts['weightBits']!, exp2: b.shared('EXP2', () => EXP2), facts: b.scratch(2 * rows) };
  const own = { x: b.at(x), x_size: x.size, k: divisor(v), rows: divisor(1), ...UNMASKED, ...facts };
  rowFacts(b, own, rows, v);
  const weights: Target = { at: b.scratch(rows * n), size: 2, count: rows * n };
  const list = { order: entries, ordered: k > 0 };
  b.elements(ENTRY, weights, { ...own, n: divisor(n), ...list }, 8);
  const places = {
    weights: weights.at,
    state: b.scratch(STATE * rows),
    seed: b.at(seed),
    step: b.at(step),
    y: b.at(y),
  };
  const part = Math.max(64, b.limits.work >>> 6);
  for (let turn = 0; turn < 3; turn++) {
    for (let from = 0; from < n; from += part) {
      const to = Math.min(n, from + part);
      b.items(SCAN, rows, { ...places, ...list, n, p16, turn, start: from, stop: to }, 2 * (to - from));
    }
  }
  return k > 0 ? 'sample_topk' : 'sample';
}
