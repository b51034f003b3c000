/**
 * nms: boxes in the order of their scores; one pass a kept box, in which each row looks for its next (spec/10-ops.md §7).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { type Last, lastKeys, order } from './order.ts';

/**
 * Where in the order of its row the box at `slot` is: the first candidate behind the one before that meets none of the kept; n where
 * there is none. `places` holds these of the slots before, `rows` words each. 47-bit products as two words.
 */
const NEXT = /* @__PURE__ */ elementKernel(
  'nms_next',
  'boxes: u32, boxes_size: u32, scores: u32, scores_size: u32, order: u32, n: u32, channels: Divisor, t15: u32, threshold: i32, places: u32, rows: u32, slot: u32',
  `
fn least(at: u32) -> i32 { return min(load(p.boxes, p.boxes_size, at), load(p.boxes, p.boxes_size, at + 2u)); }
fn most(at: u32) -> i32 { return max(load(p.boxes, p.boxes_size, at), load(p.boxes, p.boxes_size, at + 2u)); }
fn overlap(a: u32, b: u32) -> i32 { return max(0, min(most(a), most(b)) - max(least(a), least(b))); }
fn area(a: u32, b: u32) -> u32 { return bitcast<u32>(overlap(a, b) * overlap(a + 1u, b + 1u)); }
fn meet(a: u32, b: u32) -> bool {
  let inter: u32 = area(a, b);
  let joined: u32 = area(a, a) + area(b, b) - inter;
  let high: u32 = mulhi(p.t15, joined);
  return (inter >> 17u) > high || ((inter >> 17u) == high && (inter << 15u) > p.t15 * joined);
}
fn element(row: u32) -> i32 {
  let list: u32 = p.order + row * p.n;
  let image: u32 = quotient(row, p.channels) * p.n;
  var t: u32 = 0u;
  if (p.slot > 0u) { t = arena[p.places + (p.slot - 1u) * p.rows + row] + 1u; }
  while (t < p.n) {
    let i: u32 = arena[list + t];
    if (load(p.scores, p.scores_size, row * p.n + i) <= p.threshold) { return bitcast<i32>(p.n); }
    var free: bool = true;
    for (var k: u32 = 0u; k < p.slot; k++) {
      let other: u32 = arena[list + arena[p.places + k * p.rows + row]];
      free = free && !meet(4u * (image + other), 4u * (image + i));
    }
    if (free) { return bitcast<i32>(t); }
    t++;
  }
  return bitcast<i32>(p.n);
}`,
);

/** Indices from places, −1 where there is none. */
const INDICES = /* @__PURE__ */ elementKernel(
  'nms_indices',
  'order: u32, n: u32, limit: Divisor, places: u32, rows: u32, slots: u32',
  `
fn element(i: u32) -> i32 {
  let row: u32 = quotient(i, p.limit);
  let slot: u32 = i - row * p.limit.n;
  if (slot >= p.slots) { return -1; }
  let place: u32 = arena[p.places + slot * p.rows + row];
  if (place >= p.n) { return -1; }
  return bitcast<i32>(arena[p.order + row * p.n + place]);
}`,
);

/** Kept boxes of each row. */
const COUNT = /* @__PURE__ */ elementKernel(
  'nms_count',
  'n: u32, places: u32, rows: u32, slots: u32',
  `
fn element(row: u32) -> i32 {
  var count: i32 = 0;
  for (var slot: u32 = 0u; slot < p.slots; slot++) {
    if (arena[p.places + slot * p.rows + row] < p.n) { count++; }
  }
  return count;
}`,
);

/** nms: the whole order, then slot by slot. */
export function nmsBy(last: Last, s: Site<'nms'>, b: Builder): string {
  const [boxes, scores] = s.in as readonly Arg[] as readonly [Arg, Arg];
  const [indices, count] = s.out as readonly [Arg, Arg];
  const { t15, threshold, limit } = s.attrs;
  const n = scores.shape[2]!;
  const rows = count.count;
  const slots = Math.min(n, limit);
  const list = { order: b.scratch(scores.count), n };
  if (n > 0) order(last, b, scores, [n, 1, n], false, list.order);
  const kept = { places: b.scratch(slots * rows), rows };
  const tensors = { boxes: b.at(boxes), boxes_size: boxes.size, scores: b.at(scores), scores_size: scores.size };
  const own = { ...tensors, ...list, ...kept, channels: divisor(scores.shape[1]!), t15, threshold };
  for (let slot = 0; slot < slots; slot++) {
    const y = { at: kept.places.plus(slot * rows), size: 2, count: rows };
    b.elements(NEXT, y, { ...own, slot }, floorDiv(n * (slot + 2), slot + 1));
  }
  if (indices.count > 0) b.elements(INDICES, b.target(indices), { ...list, ...kept, limit: divisor(limit), slots });
  b.elements(COUNT, b.target(count), { n, ...kept, slots }, slots);
  return 'nms';
}

/** nms, its order by workgroups. */
export const nms = (s: Site<'nms'>, b: Builder): string => nmsBy(lastKeys, s, b);
