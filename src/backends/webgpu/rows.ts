/**
 * Ops over rows: facts of a row by one workgroup, then elements (spec/10-ops.md §5).
 * @module
 */
import { EXP2 } from '../../core/exp2.ts';
import { floorDiv } from '../../core/int.ts';
import { broadcastStrides } from '../wasm/strided.ts';
import type { Builder, Value } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel, kernel, type Names, ROW_GROUPS } from './kernel.ts';
import type { Site } from './kernels.ts';

/** Invocations that share a row. */
const LANES = 64;
/** Elements of a row that one dispatch visits. */
export function rowStep(b: Builder): number {
  return Math.max(LANES, b.limits.work >>> 6);
}

/** The row of a workgroup. */
const ROW = `
  let row = p.row + group.y * ${ROW_GROUPS}u + group.x;
  if (row >= p.end_row) { return; }`;
const HEADER = `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {`;

/** Joins `part_of` over the workgroup into its first entry. */
function joined(join: (a: string, b: string) => string): string {
  return `
  workgroupBarrier();
  for (var half = ${LANES >> 1}u; half > 0u; half >>= 1u) {
    if (lane < half) { ${join('part_of[lane]', 'part_of[lane + half]')} }
    workgroupBarrier();
  }`;
}

/** Record of softmax. */
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
fn weight(d: u32) -> u32 {
  let t: u32 = bitcast<u32>(mulhr(bitcast<i32>(min(d, 0x7fffffffu >> p.l) << p.l), p.m));
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
function* rowGroups(
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
type Filled<S extends string> = { readonly [K in Names<S>]: Value };

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
const softmaxFacts: RowFacts<typeof SOFTMAX> = (b, own, rows, k) => {
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

/** Record of the row facts of layer_norm. */
export const NORM_ROW = 'x: u32, x_size: u32, zx: i32, n: u32, f: u32, eps_low: u32, eps_high: u32, facts: u32';

/**
 * WGSL over `NORM_ROW`: the facts of a row, mean_F, the shifts F and J, and R, from S1 and from the sums of c and of the low
 * and high halves of c², which make V (64 bits in two words).
 */
export const NORM_FACTS_OF: string = `
// roundDiv(sum·2^k, n), k <= 14, n <= 65536
fn mean(sum: i32, k: u32) -> u32 {
  let magnitude: u32 = select(bitcast<u32>(sum), ~bitcast<u32>(sum), sum < 0);
  let q: u32 = divide(magnitude, p.n);
  let floored: u32 = select(q, ~q, sum < 0);
  let r: u32 = bitcast<u32>(sum) - floored * p.n;
  return (floored << k) + divide((r << (k + 1u)) + p.n, 2u * p.n);
}
fn facts_of(sum: i32, total: vec3<u32>) -> vec4<u32> {
  // V = Σc² − floor(ρ²/n) + eps
  var low: u32 = total.y + (total.z << 16u);
  var high: u32 = (total.z >> 16u) + select(0u, 1u, low < total.y);
  let bent: u32 = divide(total.x * total.x, p.n);
  high -= select(0u, 1u, low < bent);
  low -= bent;
  low += p.eps_low;
  high += p.eps_high + select(0u, 1u, low < p.eps_low);
  // k: the greatest even number <= 32 − bitlen(V); vn = floor(V·2^k)
  var k: i32 = 0; var vn: u32 = 0u;
  if (high == 0u) {
    let under: u32 = countLeadingZeros(low) & 0xfffffffeu; // 0…30
    k = bitcast<i32>(under);
    vn = low << under;
  } else {
    let over: u32 = (33u - countLeadingZeros(high)) & 0xfffffffeu; // −k, 2…18
    k = -bitcast<i32>(over);
    vn = (high << (32u - over)) | (low >> over);
  }
  let root: u32 = isqrt(vn);
  let more: u32 = min(divide((vn - root * root) << 14u, root), 32767u);
  let shift: i32 = bitcast<i32>(p.f) + (k >> 1u) + 13;
  let f: i32 = min(14, shift);
  return vec4<u32>(mean(sum, bitcast<u32>(f)), bitcast<u32>(f), bitcast<u32>(shift - f), divq(0x40000000u, (root << 15u) + more, 30u));
}`;

/** The sums of a row by one workgroup, then its facts. */
const NORM_FACTS = /* @__PURE__ */ kernel(
  'layer_norm_facts',
  `${NORM_ROW}, row: u32, end_row: u32`,
  `${NORM_FACTS_OF}
var<workgroup> part_of: array<vec3<u32>, ${LANES}>;

${HEADER}${ROW}
  var sums = vec3<u32>(0u);
  for (var j = lane; j < p.n; j += ${LANES}u) {
    sums.x += bitcast<u32>(load(p.x, p.x_size, row * p.n + j) - p.zx);
  }
  part_of[lane] = sums;${joined((a, b) => `${a} += ${b};`)}
  let sum = bitcast<i32>(part_of[0].x);
  workgroupBarrier();
  let centre = mean(sum, p.f);
  sums = vec3<u32>(0u); // of c, of the low and of the high halves of c²
  for (var j = lane; j < p.n; j += ${LANES}u) {
    let c = (bitcast<u32>(load(p.x, p.x_size, row * p.n + j) - p.zx) << p.f) - centre;
    let square = c * c;
    sums += vec3<u32>(c, square & 0xffffu, square >> 16u);
  }
  part_of[lane] = sums;${joined((a, b) => `${a} += ${b};`)}
  if (lane > 0u) { return; }
  let total = part_of[0];
  let facts = facts_of(sum, total);
  for (var k = 0u; k < 4u; k++) { arena[p.facts + 4u * row + k] = facts[k]; }
}`,
);

const NORM = /* @__PURE__ */ elementKernel(
  'layer_norm',
  'x: u32, x_size: u32, zx: i32, n: Divisor, facts: u32, gamma: u32, beta: u32, g: u32, zp: i32, lo: i32, hi: i32',
  `
fn element(i: u32) -> i32 {
  let row: u32 = quotient(i, p.n);
  let j: u32 = i - row * p.n.n;
  let t: u32 = p.facts + 4u * row;
  let centred: u32 = (bitcast<u32>(load(p.x, p.x_size, i) - p.zx) << arena[t + 1u]) - arena[t];
  let norm: i32 = mulhr(bitcast<i32>(centred << arena[t + 2u]), bitcast<i32>(arena[t + 3u]));
  let scaled: i32 = mulhr(norm, bitcast<i32>(constants[p.gamma + j])) + bitcast<i32>(constants[p.beta + j]);
  return clamp(p.zp + rsh(scaled, p.g), p.lo, p.hi);
}`,
);

/** layer_norm: exact variance by limbs, then elements. */
export function layerNormOver(facts: RowFacts<typeof NORM_ROW>, s: Site<'layer_norm'>, b: Builder): string {
  const [x, gamma, beta] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const { eps, g, output } = s.attrs;
  const n = x.shape[x.shape.length - 1]!;
  const rows = floorDiv(x.count, n);
  const row = { x: b.at(x), x_size: x.size, zx: x.zp, facts: b.scratch(4 * rows) };
  const eps_low = Number(eps & 0xffffffffn);
  facts(b, { ...row, n, f: s.facts['fraction']!, eps_low, eps_high: Number(eps >> 32n) }, rows, n);
  const { zp, lo, hi } = output;
  const channel = { gamma: b.constant(gamma.data!), beta: b.constant(beta.data!) };
  b.elements(NORM, b.target(y), { ...row, n: divisor(n), ...channel, g, zp, lo, hi }, 4);
  return `layer_norm_i${8 << x.size}`;
}

/** Facts of each row by one workgroup. */
const normFacts: RowFacts<typeof NORM_ROW> = (b, own, rows, n) => {
  for (const { groups, ...range } of rowGroups(b, rows, n))
    b.dispatch(NORM_FACTS, { ...own, ...range }, groups, (range.end_row - range.row) * 2 * n);
};

/** layer_norm: rows by workgroups. */
export const layer_norm = (s: Site<'layer_norm'>, b: Builder): string => layerNormOver(normFacts, s, b);
