/**
 * layer_norm, rms_norm and group_norm: facts of a row by one workgroup, then elements (spec/10-ops.md §5).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel, kernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { HEADER, joined, LANES, ROW, rowGroups } from './rows.ts';

/**
 * Row facts of the norms: mean_F, the shifts F and J, and R, from S1 and V (64 bits in two words).
 */
const NORM_FACTS = /* @__PURE__ */ kernel(
  'norm_facts',
  'x: u32, x_size: u32, zx: i32, n: u32, width: Divisor, step: u32, groups: Divisor, block: u32, rms: u32, f: u32, eps_low: u32, eps_high: u32, facts: u32, row: u32, end_row: u32',
  `
var<workgroup> part_of: array<vec3<u32>, ${LANES}>;

// x' of element j of a row: lines of width neighbours, step apart
fn centred(row: u32, j: u32) -> i32 {
  let image = quotient(row, p.groups);
  let line = quotient(j, p.width);
  let start = image * p.block + (row - image * p.groups.n) * p.width.n;
  return load(p.x, p.x_size, start + line * p.step + j - line * p.width.n) - p.zx;
}
// roundDiv(sum·2^k, n), k <= 14, n <= 65536
fn mean(sum: i32, k: u32) -> u32 {
  let magnitude = select(bitcast<u32>(sum), ~bitcast<u32>(sum), sum < 0);
  let q = divide(magnitude, p.n);
  let floored = select(q, ~q, sum < 0);
  let r = bitcast<u32>(sum) - floored * p.n;
  return (floored << k) + divide((r << (k + 1u)) + p.n, 2u * p.n);
}
${HEADER}${ROW}
  var sums = vec3<u32>(0u);
  for (var j = lane; j < p.n; j += ${LANES}u) {
    sums.x += bitcast<u32>(centred(row, j));
  }
  part_of[lane] = sums;${joined((a, b) => `${a} += ${b};`)}
  let sum = select(bitcast<i32>(part_of[0].x), 0, p.rms == 1u);
  workgroupBarrier();
  let centre = mean(sum, p.f);
  sums = vec3<u32>(0u); // of c, of the low and of the high halves of c²
  for (var j = lane; j < p.n; j += ${LANES}u) {
    let c = (bitcast<u32>(centred(row, j)) << p.f) - centre;
    let square = c * c;
    sums += vec3<u32>(c, square & 0xffffu, square >> 16u);
  }
  part_of[lane] = sums;${joined((a, b) => `${a} += ${b};`)}
  if (lane > 0u) { return; }
  let total = part_of[0];
  // V = Σc² − floor(ρ²/n) + eps
  var low = total.y + (total.z << 16u);
  var high = (total.z >> 16u) + select(0u, 1u, low < total.y);
  let bent = select(divide(total.x * total.x, p.n), 0u, p.rms == 1u);
  high -= select(0u, 1u, low < bent);
  low -= bent;
  low += p.eps_low;
  high += p.eps_high + select(0u, 1u, low < p.eps_low);
  // k: the greatest even number <= 32 − bitlen(V); vn = floor(V·2^k)
  var k = 0; var vn = 0u;
  if (high == 0u) {
    let under = countLeadingZeros(low) & 0xfffffffeu; // 0…30
    k = bitcast<i32>(under);
    vn = low << under;
  } else {
    let over = (33u - countLeadingZeros(high)) & 0xfffffffeu; // −k, 2…18
    k = -bitcast<i32>(over);
    vn = (high << (32u - over)) | (low >> over);
  }
  let root = isqrt(vn);
  let more = min(divide((vn - root * root) << 14u, root), 32767u);
  let shift = bitcast<i32>(p.f) + (k >> 1u) + 13;
  let f = min(14, shift);
  let to = p.facts + 4u * row;
  arena[to] = mean(sum, bitcast<u32>(f));
  arena[to + 1u] = bitcast<u32>(f);
  arena[to + 2u] = bitcast<u32>(shift - f);
  arena[to + 3u] = divq(0x40000000u, (root << 15u) + more, 30u);
}`,
);

const NORM = /* @__PURE__ */ elementKernel(
  'norm',
  'x: u32, x_size: u32, zx: i32, channels: Divisor, width: Divisor, elements: Divisor, groups: Divisor, facts: u32, gamma: u32, beta: u32, g: u32, zp: i32, lo: i32, hi: i32',
  `
fn element(i: u32) -> i32 {
  let j = i - quotient(i, p.channels) * p.channels.n;
  let t = p.facts + 4u * (quotient(i, p.elements) * p.groups.n + quotient(j, p.width));
  let centred = (bitcast<u32>(load(p.x, p.x_size, i) - p.zx) << arena[t + 1u]) - arena[t];
  let norm = mulhr(bitcast<i32>(centred << arena[t + 2u]), bitcast<i32>(arena[t + 3u]));
  let scaled = mulhr(norm, bitcast<i32>(constants[p.gamma + j])) + bitcast<i32>(constants[p.beta + j]);
  return clamp(p.zp + rsh(scaled, p.g), p.lo, p.hi);
}`,
);

type Norm = Site<'layer_norm'> | Site<'rms_norm'> | Site<'group_norm'>;

/** Exact variance by limbs, then elements. Rows are lines of `width` channels; `groups` of them are a block of lines. */
function normed(name: string, s: Norm, b: Builder, lines: number, groups: number, rms: boolean): string {
  const [x, gamma, beta] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const { eps, g, output } = s.attrs;
  const channels = x.shape[x.shape.length - 1]!;
  const [step, width, block] = [channels, floorDiv(channels, groups), lines * channels];
  const n = lines * width;
  const rows = floorDiv(x.count, n);
  const row = { x: b.at(x), x_size: x.size, zx: x.zp, facts: b.scratch(4 * rows) };
  const shape = { n, width: divisor(width), step, groups: divisor(groups), block, rms };
  const eps_low = Number(eps & 0xffffffffn);
  const own = { ...row, ...shape, f: s.facts['fraction']!, eps_low, eps_high: Number(eps >> 32n) };
  for (const { groups: size, ...range } of rowGroups(b, rows, n))
    b.dispatch(NORM_FACTS, { ...own, ...range }, size, (range.end_row - range.row) * 2 * n);
  const { zp, lo, hi } = output;
  const channel = { gamma: b.constant(gamma.data!), beta: b.constant(beta.data!) };
  const places = { channels: divisor(channels), elements: divisor(block), width: shape.width, groups: shape.groups };
  b.elements(NORM, b.target(s.out[0]!), { ...row, ...places, ...channel, g, zp, lo, hi }, 4);
  return `${name}_i${8 << x.size}`;
}

/** layer_norm: rows of the last axis. */
export const layer_norm = (s: Site<'layer_norm'>, b: Builder): string => normed('layer_norm', s, b, 1, 1, false);
/** rms_norm: the same without a mean. */
export const rms_norm = (s: Site<'rms_norm'>, b: Builder): string => normed('rms_norm', s, b, 1, 1, true);
/** group_norm: rows of an image’s group of channels. */
export const group_norm = (s: Site<'group_norm'>, b: Builder): string =>
  normed('group_norm', s, b, s.in[0]!.shape[1]! * s.in[0]!.shape[2]!, s.attrs.groups, false);
