/**
 * Strided iteration over up to three operands: an inner run and a counter over the outer dims.
 *
 * Record: inner length, number of runs, three start addresses, three inner strides, outer rank, then per outer dim from the
 * innermost: length, three strides, counter. Strides are in bytes.
 */
import { copyRun } from './simd';

export let p0: usize = 0;
export let p1: usize = 0;
export let p2: usize = 0;

/** Loads the start addresses and clears the counters. Returns the number of runs. */
export function ndStart(r: usize): u32 {
  p0 = load<u32>(r, 8);
  p1 = load<u32>(r, 12);
  p2 = load<u32>(r, 16);
  const rank = load<u32>(r, 32);
  for (let d: u32 = 0; d < rank; d++) store<u32>(r + 36 + d * 20, 0, 16);
  return load<u32>(r, 4);
}

/** Advances to the next run. */
export function ndNext(r: usize): void {
  let d = r + 36;
  const end = d + load<u32>(r, 32) * 20;
  while (d < end) {
    const n = load<u32>(d);
    const c = load<u32>(d, 16) + 1;
    if (c < n) {
      store<u32>(d, c, 16);
      p0 += load<u32>(d, 4);
      p1 += load<u32>(d, 8);
      p2 += load<u32>(d, 12);
      return;
    }
    store<u32>(d, 0, 16);
    p0 -= load<u32>(d, 4) * (n - 1);
    p1 -= load<u32>(d, 8) * (n - 1);
    p2 -= load<u32>(d, 12) * (n - 1);
    d += 20;
  }
}

// @ts-ignore: decorator
@inline
function run<T>(n: i32, s: usize, t: usize): void {
  let p = p0, q = p1;
  for (let i = 0; i < n; i++) {
    store<T>(q, load<T>(p));
    p += s;
    q += t;
  }
}

/** Copies elements of `size` bytes from operand 0 to operand 1. */
export function move(r: usize, size: i32): void {
  const n = load<i32>(r), s = load<u32>(r, 20), t = load<u32>(r, 24);
  const dense = s == <u32>size && t == <u32>size && n * size >= 16;
  for (let c = ndStart(r); c > 0; c--) {
    if (dense) memory.copy(p1, p0, <usize>n * size);
    else if (size == 1) run<u8>(n, s, t);
    else if (size == 2) run<u16>(n, s, t);
    else run<u32>(n, s, t);
    ndNext(r);
  }
}

/** gather: `inner` bytes of x an index, for every one of `outer` blocks of `step` bytes. */
export function gather(x: usize, y: usize, indices: usize, outer: i32, step: usize, count: i32, inner: usize): void {
  for (; outer > 0; outer--) {
    for (let k = 0; k < count; k++) {
      copyRun(y, x + load<u32>(indices + (<usize>k << 2)) * inner, inner);
      y += inner;
    }
    x += step;
  }
}

/** Copies `n` bytes. */
export function copy(dst: usize, src: usize, n: usize): void {
  memory.copy(dst, src, n);
}
