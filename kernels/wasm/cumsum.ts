/** cumsum (spec/10-ops.md §4). */
import { load32 } from './elementwise';
import { read, store8 } from './simd';

/**
 * Running sums of x − zx along the middle axis of [outer, K, inner], in i32. Units are blocks of eight lines of inner, from
 * the first outer index on. Reversed ones walk from the end.
 */
export function cumsum(from: u32, to: u32, x: usize, y: usize, K: i32, inner: u32, size: i32, zx: i32, exclusive: i32, reverse: i32): void {
  const blocks = (inner + 7) >> 3, z = i32x4.splat(zx);
  const step = <isize>inner * size * (reverse ? -1 : 1), stride = <isize>inner * (reverse ? -4 : 4);
  for (; from < to; from++) {
    const column = (from % blocks) << 3, first = (<usize>(from / blocks) * K + <usize>(reverse ? K - 1 : 0)) * inner + column;
    let p = x + first * size, q = y + (first << 2), n = <i32>min(8, inner - column);
    if (inner == 1) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const next = sum + read(p, size) - zx;
        store<i32>(q, exclusive ? sum : next);
        sum = next;
        p += step;
        q += stride;
      }
      continue;
    }
    let u = i32x4.splat(0), v = u;
    for (let k = 0; k < K; k++) {
      const left = i32x4.add(u, i32x4.sub(load32(p, size, 1), z)), right = i32x4.add(v, i32x4.sub(load32(p + (size << 2), size, 1), z));
      if (exclusive) store8(q, u, v, n, 4);
      else store8(q, left, right, n, 4);
      u = left;
      v = right;
      p += step;
      q += stride;
    }
  }
}
