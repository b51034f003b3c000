/**
 * One row against constant i4 weights, 32 columns at a time, from one stream that holds the block scales too. By groups of 32 columns
 * and blocks of K: 32 scales, then 32 bytes a k-step of two. A half of 16 bytes is a vector of i16 lanes, one for each k of the step and
 * each c = 0…3, whose nibbles from the low one are columns c, c + 4, c + 8 and c + 12: the first three plus 8, the last as it is. Scales
 * are words of bytes in the same order.
 *
 * With V those lanes, the sums of x·(V >> 4i) are t_i = s_i + 16·t_(i+1), t_3 = s_3: three shifts and no masks. A block starts the first
 * three at what the 8 adds, −8·Σx times 273, 17 and 1 (spec/10-ops.md §10, facts 1 and 7).
 */
import { finish, panelsOf, widen } from './gemm';
import { copyRun, own, scratch } from './simd';

/**
 * Bytes between a load and the one that asks for its page and line ahead of it, once in as many: V8 has no prefetch. More of them follow the
 * last group: biases, multipliers and x of a layer of 65,536 weights take 2,048 or more.
 */
const AHEAD: usize = 1024;

// @ts-ignore: decorator
@inline
function mac(c: v128, x: v128, w: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/** Four sums and their products with four scales each, added to y. */
// @ts-ignore: decorator
@inline
function fold(y: usize, u: usize, t0: v128, t1: v128, t2: v128, t3: v128): void {
  const k = v128.load(u), low = i32x4.splat(255);
  const s0 = i32x4.sub(t0, i32x4.shl(t1, 4)), s1 = i32x4.sub(t1, i32x4.shl(t2, 4)), s2 = i32x4.sub(t2, i32x4.shl(t3, 4));
  v128.store(y, i32x4.add(v128.load(y), i32x4.mul(s0, v128.and(k, low))));
  v128.store(y, i32x4.add(v128.load(y, 16), i32x4.mul(s1, v128.and(i32x4.shr_u(k, 8), low))), 16);
  v128.store(y, i32x4.add(v128.load(y, 32), i32x4.mul(s2, v128.and(i32x4.shr_u(k, 16), low))), 32);
  v128.store(y, i32x4.add(v128.load(y, 48), i32x4.mul(t3, i32x4.shr_u(k, 24))), 48);
}

/** For each block of x…end−1: what its first three sums start at. */
function starts(d: usize, x: usize, end: usize, block: usize): void {
  while (x < end) {
    const stop = min(x + block, end);
    let e = 0;
    for (; x < stop; x += 2) e -= load<i16>(x);
    store<i32>(d, e * 2184);
    store<i32>(d, e * 136, 4);
    store<i32>(d, e << 3, 8);
    d += 12;
  }
}

/**
 * Groups of 32 columns from…to−1. Record: bytes of a block of x in i16, bytes of an element of x, zp, bytes of a group, bytes of the starts;
 * then G of gemm.ts with K even. Scratch: 128 bytes of sums, the starts, 12 bytes a block, then x.
 */
export function streams4(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const block = load<usize>(r), group = load<usize>(r, 12), K = load<usize>(r, 20), g = own();
  const sums = scratch(), first = sums + 128, a = first + load<usize>(r, 16), end = a + (K << 1);
  widen(a, x, K, load<i32>(r, 4), load<i32>(r, 8));
  starts(first, a, end, block);
  out += panelsOf(r + 20, load<usize>(r, 32), group >> 2, from << 2, to << 2);
  const cols = load<i32>(g, 8), size = load<i32>(g, 40);
  let b = load<usize>(g, 12), bias = load<usize>(g, 16), m = load<usize>(g, 20), seen: u32 = 0, next = b;
  for (let n = 0; n < cols; n += 32) {
    let p = a, e = first;
    copyRun(sums, bias, 128);
    do {
      const stop = min(p + block, end), u = b;
      if (b >= next) {
        seen |= load<u32>(b + AHEAD);
        next = b + AHEAD;
      }
      b += 32;
      let s0 = v128.load_splat<i32>(e), s1 = v128.load_splat<i32>(e, 4), s2 = v128.load_splat<i32>(e, 8), s3 = i32x4.splat(0);
      let t0 = s0, t1 = s1, t2 = s2, t3 = s3;
      do {
        const v = v128.load_splat<i32>(p);
        let w = v128.load(b);
        s0 = mac(s0, v, w);
        s1 = mac(s1, v, i16x8.shr_s(w, 4));
        s2 = mac(s2, v, i16x8.shr_s(w, 8));
        s3 = mac(s3, v, i16x8.shr_s(w, 12));
        w = v128.load(b, 16);
        t0 = mac(t0, v, w);
        t1 = mac(t1, v, i16x8.shr_s(w, 4));
        t2 = mac(t2, v, i16x8.shr_s(w, 8));
        t3 = mac(t3, v, i16x8.shr_s(w, 12));
        p += 4;
        b += 32;
      } while (p < stop);
      fold(sums, u, s0, s1, s2, s3);
      fold(sums + 64, u + 16, t0, t1, t2, t3);
      e += 12;
    } while (p < end);
    for (let j = 0, left = cols - n; j < min(left, 32); j += 8) {
      const s = sums + (<usize>j << 2);
      finish(g, out + (n + j) * size, v128.load(s), v128.load(s, 16), m + (<usize>j << 2), left - j);
    }
    bias += 128;
    m += 128;
  }
  // Behind the loop, so that no engine drops the loads ahead
  store<u32>(sums, seen);
}
