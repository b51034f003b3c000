/**
 * The last key of topk's lines without workgroups (spec/10-ops.md §4).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { words } from '../webgpu/cumsum.ts';
import { elementKernel } from '../webgpu/kernel.ts';
import { KEY, type Last, LINES } from '../webgpu/order.ts';
import { rowStep } from '../webgpu/rows.ts';

/** Most of log2 of the counts that share a line. */
const MOST_SHIFT = 6;

const BIT = `${LINES}, k: u32, bits: u32, last: u32, bit: u32, counts: u32, shift: u32`;
/** The bits of the least key above this one. */
const ABOVE = `
fn above(row: u32) -> u32 { return select(arena[p.last + row], 0u, p.bit == p.bits); }`;

/** Elements whose key has this bit clear under the bits above, or less: 2^shift counts a line, of start … stop − 1 of it. */
const COUNTS = /* @__PURE__ */ elementKernel(
  'topk_counts',
  `${BIT}, start: u32, stop: u32`,
  `${KEY}${ABOVE}
fn element(i: u32) -> i32 {
  let row: u32 = i >> p.shift;
  let block: u32 = quotient(row, p.inner);
  let at: u32 = block * p.n * p.inner.n + row - block * p.inner.n;
  let most: u32 = above(row) + ((1u << (p.bit - 1u)) - 1u);
  var count: u32 = 0u;
  if (p.start > 0u) { count = arena[p.counts + i]; }
  for (var j: u32 = p.start + i - (row << p.shift); j < p.stop; j += 1u << p.shift) {
    if (key(at + j * p.inner.n) <= most) { count++; }
  }
  return bitcast<i32>(count);
}`,
);

/** The bit of each line, set where fewer than k elements are counted. */
const SETTLE = /* @__PURE__ */ elementKernel(
  'topk_settle',
  BIT,
  `${ABOVE}
fn element(row: u32) -> i32 {
  var count: u32 = 0u;
  for (var j: u32 = 0u; j < (1u << p.shift); j++) { count += arena[p.counts + (row << p.shift) + j]; }
  return bitcast<i32>(above(row) + select(0u, 1u << (p.bit - 1u), count < p.k));
}`,
);

/** The last key that counts, from the highest bit on. */
export const lastKeys: Last = (b, line, count, own) => {
  const { n, bits, last } = own;
  const shift = Math.min(MOST_SHIFT, (32 - Math.clz32(n)) >> 1);
  const counts = words(b, count << shift);
  const step = rowStep(b);
  for (let bit = bits; bit > 0; bit--) {
    const fields = { ...line, ...own, bit, counts: counts.at, shift };
    for (let start = 0; start < n; start += step) {
      const stop = Math.min(n, start + step);
      b.elements(COUNTS, counts, { ...fields, start, stop }, 1 + floorDiv(stop - start, 2 ** shift));
    }
    b.elements(SETTLE, { at: last, size: 2, count }, fields, 2 ** shift);
  }
};
