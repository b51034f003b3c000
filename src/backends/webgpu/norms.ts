/**
 * layer_norm, rms_norm and group_norm: facts of a row, then elements (spec/10-ops.md §5).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel, kernel } from './kernel.ts';
import type { OpKernels, Site } from './kernels.ts';
import { HEADER, joined, LANES, ROW, type RowFacts, rowGroups } from './rows.ts';

/** Record of the row facts of the norms. */
export const NORM_ROW =
  'x: u32, x_size: u32, zx: i32, n: u32, width: Divisor, step: u32, groups: Divisor, block: u32, rms: u32, f: u32, eps_low: u32, eps_high: u32, facts: u32';

/**
 * WGSL over `NORM_ROW`: the elements of a row, and its facts, mean_F, the shifts F and J, and R, from S1 and from the sums of
 * c and of the low and high halves of c², which make V (64 bits in two words).
 */
export const NORM_FACTS_OF: string = `
// x' of element j of a row: lines of width neighbours, step apart
fn centred(row: u32, j: u32) -> i32 {
  let image: u32 = quotient(row, p.groups);
  let line: u32 = quotient(j, p.width);
  let start: u32 = image * p.block + (row - image * p.groups.n) * p.width.n;
  return load(p.x, p.x_size, start + line * p.step + j - line * p.width.n) - p.zx;
}
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
  let bent: u32 = select(divide(total.x * total.x, p.n), 0u, p.rms == 1u);
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
  'norm_facts',
  `${NORM_ROW}, row: u32, end_row: u32`,
  `${NORM_FACTS_OF}
var<workgroup> part_of: array<vec3<u32>, ${LANES}>;

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
  let facts = facts_of(sum, total);
  for (var k = 0u; k < 4u; k++) { arena[p.facts + 4u * row + k] = facts[k]; }
}`,
);

const NORM = /* @__PURE__ */ elementKernel(
  'norm',
  'x: u32, x_size: u32, zx: i32, channels: Divisor, width: Divisor, elements: Divisor, groups: Divisor, facts: u32, gamma: u32, beta: u32, g: u32, zp: i32, lo: i32, hi: i32',
  `
fn element(i: u32) -> i32 {
  let j: u32 = i - quotient(i, p.channels) * p.channels.n;
  let t: u32 = p.facts + 4u * (quotient(i, p.elements) * p.groups.n + quotient(j, p.width));
  let centred: u32 = (bitcast<u32>(load(p.x, p.x_size, i) - p.zx) << arena[t + 1u]) - arena[t];
  let norm: i32 = mulhr(bitcast<i32>(centred << arena[t + 2u]), bitcast<i32>(arena[t + 3u]));
  let scaled: i32 = mulhr(norm, bitcast<i32>(constants[p.gamma + j])) + bitcast<i32>(constants[p.beta + j]);
  return clamp(p.zp + rsh(scaled, p.g), p.lo, p.hi);
}`,
);

/** The three norms: each is a kernel. */
type Name = 'layer_norm' | 'rms_norm' | 'group_norm';
type Norms = Pick<OpKernels, Name>;

/** Exact variance by limbs, then elements. Rows are lines of `width` channels; `groups` of them are a block of lines. */
function normed(
  facts: RowFacts<typeof NORM_ROW>,
  name: Name,
  s: Site<Name>,
  b: Builder,
  lines: number,
  groups: number,
) {
  const [x, gamma, beta] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const { eps, g, output } = s.attrs;
  const channels = x.shape[x.shape.length - 1]!;
  const [step, width, block] = [channels, floorDiv(channels, groups), lines * channels];
  const n = lines * width;
  const rows = floorDiv(x.count, n);
  const row = { x: b.at(x), x_size: x.size, zx: x.zp, facts: b.scratch(4 * rows) };
  const shape = { n, width: divisor(width), step, groups: divisor(groups), block, rms: name === 'rms_norm' };
  const eps_low = Number(eps & 0xffffffffn);
  facts(b, { ...row, ...shape, f: s.facts['fraction']!, eps_low, eps_high: Number(eps >> 32n) }, rows, n);
  const { zp, lo, hi } = output;
  const channel = { gamma: b.constant(gamma.data!), beta: b.constant(beta.data!) };
  const places = { channels: divisor(channels), elements: divisor(block), width: shape.width, groups: shape.groups };
  b.elements(NORM, b.target(s.out[0]!), { ...row, ...places, ...channel, g, zp, lo, hi }, 4);
  return `${name}_i${8 << x.size}`;
}

/** Rows of the last axis, without a mean in rms_norm, or of an image’s group of channels; their facts as given. */
/* @__NO_SIDE_EFFECTS__ */
export function normsOver(facts: RowFacts<typeof NORM_ROW>): Norms {
  return {
    layer_norm: (s, b) => normed(facts, 'layer_norm', s, b, 1, 1),
    rms_norm: (s, b) => normed(facts, 'rms_norm', s, b, 1, 1),
    group_norm: (s, b) => normed(facts, 'group_norm', s, b, s.in[0]!.shape[1]! * s.in[0]!.shape[2]!, s.attrs.groups),
  };
}

/** The norms: rows by workgroups. */
export const NORMS: Norms = /* @__PURE__ */ normsOver((b, own, rows, n) => {
  for (const { groups, ...range } of rowGroups(b, rows, n))
    b.dispatch(NORM_FACTS, { ...own, ...range }, groups, (range.end_row - range.row) * 2 * n);
});
