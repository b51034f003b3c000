/**
 * Facts of rows without workgroups: one element of i32 scratch after another (spec/10-ops.md §5).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Place } from '../webgpu/builder.ts';
import { elementKernel } from '../webgpu/kernel.ts';
import { NORM_FACTS_OF, NORM_ROW } from '../webgpu/norms.ts';
import { type RowFacts, rowStep, SOFTMAX, WEIGHTS } from '../webgpu/rows.ts';

/** Entries first…end − 1 of each row: of two words a row, pass 0 makes the first, the maximum, and pass 1 the sum. */
const SOFTMAX_FACTS = /* @__PURE__ */ elementKernel(
  'softmax_facts',
  `${SOFTMAX}, pass: u32, from: u32, to: u32`,
  `${WEIGHTS}
fn element(i: u32) -> i32 {
  let row: u32 = i >> 1u;
  let before: i32 = bitcast<i32>(arena[p.facts + i]);
  if ((i & 1u) != p.pass) { return before; }
  if (p.pass == 0u) {
    var best: i32 = select(before, bitcast<i32>(0x80000000u), p.from == 0u);
    for (var j: u32 = p.from; j < p.to; j++) {
      if (kept(row, j)) { best = max(best, load(p.x, p.x_size, row * p.k.n + j)); }
    }
    return best;
  }
  let most: u32 = arena[p.facts + 2u * row];
  var sum: u32 = select(bitcast<u32>(before), 0u, p.from == 0u);
  for (var j: u32 = p.from; j < p.to; j++) {
    if (kept(row, j)) { sum += weight(most - bitcast<u32>(load(p.x, p.x_size, row * p.k.n + j))); }
  }
  return bitcast<i32>(sum);
}`,
);

/** Maximum and sum of each row, in parts of bounded length. */
export const softmaxFacts: RowFacts<typeof SOFTMAX> = (b, own, rows, k) => {
  const facts = { at: own.facts as Place, size: 2, count: 2 * rows };
  const step = Math.min(k, rowStep(b));
  for (let pass = 0; pass < 2; pass++)
    for (let from = 0; from < k; from += step)
      b.elements(SOFTMAX_FACTS, facts, { ...own, pass, from, to: Math.min(k, from + step) }, 4 * step);
};

/** Four words a row: S1 in pass 0 (0 without a mean), then the sums of c and of the low and the high halves of c². */
const NORM_SUMS = /* @__PURE__ */ elementKernel(
  'norm_sums',
  `${NORM_ROW}, sums: u32, pass: u32`,
  `${NORM_FACTS_OF}
fn element(i: u32) -> i32 {
  let row: u32 = i >> 2u;
  let which: u32 = i & 3u;
  if ((which == 0u) != (p.pass == 0u)) { return bitcast<i32>(arena[p.sums + i]); }
  if (which == 0u && p.rms == 1u) { return 0; }
  var centre: u32 = 0u;
  var up: u32 = 0u;
  if (p.pass == 1u) { centre = mean(bitcast<i32>(arena[p.sums + 4u * row]), p.f); up = p.f; }
  var sum: u32 = 0u;
  for (var j: u32 = 0u; j < p.n; j++) {
    let c: u32 = (bitcast<u32>(centred(row, j)) << up) - centre;
    let square: u32 = c * c;
    sum += select(select(square >> 16u, square & 0xffffu, which == 2u), c, which < 2u);
  }
  return bitcast<i32>(sum);
}`,
);

const NORM_FACTS = /* @__PURE__ */ elementKernel(
  'norm_facts',
  `${NORM_ROW}, sums: u32`,
  `${NORM_FACTS_OF}
fn element(i: u32) -> i32 {
  let at: u32 = p.sums + (i & 0xfffffffcu);
  let v: vec4<u32> = facts_of(bitcast<i32>(arena[at]), vec3<u32>(arena[at + 1u], arena[at + 2u], arena[at + 3u]));
  let low: u32 = select(v.y, v.x, (i & 1u) == 0u);
  let high: u32 = select(v.w, v.z, (i & 1u) == 0u);
  return bitcast<i32>(select(high, low, (i & 2u) == 0u));
}`,
);

/** Facts of each row from its sums; a row has at most 65,536 elements. */
export const normFacts: RowFacts<typeof NORM_ROW> = (b, own, rows, n) => {
  const words = (at: Place) => ({ at, size: 2, count: 4 * rows });
  const sums = b.scratch(4 * rows);
  const work = floorDiv(3 * n + 3, 4) + 128;
  for (let pass = 0; pass < 2; pass++) b.elements(NORM_SUMS, words(sums), { ...own, sums, pass }, work);
  b.elements(NORM_FACTS, words(own.facts as Place), { ...own, sums }, 128);
};
