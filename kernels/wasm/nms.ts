/** nms (spec/10-ops.md §9). */
import { select } from './order';
import { read, scratch } from './simd';

/** What boxes p and q of four corners have in common along an axis `at` bytes on; at least 0. */
// @ts-ignore: decorator
@inline
function common(p: usize, q: usize, at: usize, size: i32): i64 {
  const far = at + (<usize>size << 1), a = read(p + at, size), b = read(p + far, size), c = read(q + at, size), d = read(q + far, size);
  return max(0, <i64>min(max(a, b), max(c, d)) - max(min(a, b), min(c, d)));
}

/** Area of a box, which shares all of itself with itself. */
function area(p: usize, size: i32): i64 {
  return common(p, p, 0, size) * common(p, p, size, size);
}

/** Units are rows of scores. Record: N, C, bytes of a coordinate, bytes of a score, t15, threshold, limit. Scratch holds keys. */
export function nms(from: u32, to: u32, r: usize, boxes: usize, scores: usize, indices: usize, count: usize): void {
  const N = load<u32>(r), C = load<u32>(r, 4), tb = load<i32>(r, 8), ts = load<i32>(r, 12), t15 = load<i32>(r, 16), threshold = load<i32>(r, 20), limit = load<u32>(r, 24);
  const h = scratch(), box = <usize>tb << 2;
  for (; from < to; from++) {
    const own = boxes + <usize>(from / C) * N * box, y = indices + ((<usize>from * limit) << 2);
    if (N) select(h, N, N, scores + <usize>from * N * ts, ts, ts, 0x7fffffff);
    let kept: u32 = 0;
    for (let j: u32 = 0; j < N && kept < limit; j++) {
      const key = load<u64>(h + (<usize>j << 3)), i = <u32>key;
      if ((<i32>(key >> 32) ^ 0x7fffffff) <= threshold) break;
      const p = own + i * box, a = area(p, tb);
      let free = true;
      for (let k: u32 = 0; k < kept && free; k++) {
        const q = own + load<u32>(y + (<usize>k << 2)) * box, inter = common(p, q, 0, tb) * common(p, q, tb, tb);
        free = inter << 15 <= t15 * (a + area(q, tb) - inter);
      }
      if (free) {
        store<u32>(y + (<usize>kept << 2), i);
        kept++;
      }
    }
    store<u32>(count + (<usize>from << 2), kept);
    for (; kept < limit; kept++) store<i32>(y + (<usize>kept << 2), -1);
  }
}
