/** topk and sample (spec/10-ops.md §4, §7). */
import { mulhr, read, rsh, scratch, write } from './simd';

/** Sinks the key at i of a heap of n keys whose greatest is the first. */
function sink(h: usize, i: u32, n: u32): void {
  const key = load<u64>(h + (<usize>i << 3));
  for (let c: u32 = 2 * i + 1; c < n; c = 2 * i + 1) {
    if (c + 1 < n && load<u64>(h + (<usize>c << 3), 8) > load<u64>(h + (<usize>c << 3))) c++;
    const below = load<u64>(h + (<usize>c << 3));
    if (below <= key) break;
    store<u64>(h + (<usize>i << 3), below);
    i = c;
  }
  store<u64>(h + (<usize>i << 3), key);
}

/**
 * Leaves the least k of n keys at h in ascending order. A key is an element of x, `step` bytes apart, xor `flip`, above its index: so
 * the order of the keys is that of topk.
 */
export function select(h: usize, k: u32, n: u32, x: usize, size: i32, step: usize, flip: u32): void {
  for (let i: u32 = 0; i < k; i++, x += step) store<u64>(h + (<usize>i << 3), (<u64>(<u32>read(x, size) ^ flip) << 32) | i);
  for (let i = <i32>(k >> 1) - 1; i >= 0; i--) sink(h, i, k);
  for (let i = k; i < n; i++, x += step) {
    const key = (<u64>(<u32>read(x, size) ^ flip) << 32) | i;
    if (key >= load<u64>(h)) continue;
    store<u64>(h, key);
    sink(h, 0, k);
  }
  for (let last = k - 1; last > 0; last--) {
    const at = h + (<usize>last << 3), greatest = load<u64>(h);
    store<u64>(h, load<u64>(at));
    store<u64>(at, greatest);
    sink(h, 0, last);
  }
}

/** topk along the middle axis of [outer, n, inner]; units are lines. flip: 0x7fffffff for the greatest, 0x80000000 for the least. */
export function topk(from: u32, to: u32, x: usize, values: usize, indices: usize, n: u32, k: u32, inner: u32, size: i32, flip: u32): void {
  const step = <usize>inner * size, h = scratch();
  for (; from < to; from++) {
    const column = from % inner, block = <usize>(from / inner);
    select(h, k, n, x + block * n * step + <usize>column * size, size, step, flip);
    let at = block * k * inner + column;
    for (let j: u32 = 0; j < k; j++, at += inner) {
      const key = load<u64>(h + (<usize>j << 3));
      write(values + at * size, <i32>(key >> 32) ^ flip, size);
      store<u32>(indices + (at << 2), <u32>key);
    }
  }
}

/** t(d). */
// @ts-ignore: decorator
@inline
export function exponent(d: u32, l: i32, m: i32): i32 {
  return mulhr(min<u32>(d, <u32>0x7fffffff >> l) << l, m);
}

/** E(t) by the tables of the specification (softmax.ts has it on lanes). */
// @ts-ignore: decorator
@inline
export function weightAt(t: i32, e: i32, exp2: usize): u32 {
  const p = exp2 + (((t >> 8) & 255) << 2), a = load<i32>(p);
  const v = a - rsh((a - load<i32>(p, 4)) * (t & 255), 8);
  return rsh(v, min((t >> 16) + 23 - e, 25));
}

function weight(d: u32, l: i32, m: i32, e: i32, exp2: usize): u32 {
  return weightAt(exponent(d, l, m), e, exp2);
}

// @ts-ignore: decorator
@inline
function rotl(v: u32, s: u32): u32 {
  return (v << s) | (v >> (32 - s));
}

/** First word of Threefry-2x32-20. */
function threefry(k0: u32, k1: u32, c0: u32, c1: u32): u32 {
  let a = c0 + k0, b = c1 + k1, p = k1, q = k0 ^ k1 ^ 0x1bd11bda, r = k0;
  for (let j: u32 = 1; j <= 5; j++) {
    const s: u32 = j & 1 ? 0x0d0f1a06 : 0x111d1018; // 13, 15, 26, 6; 17, 29, 16, 24
    for (let i: u32 = 24; i < 32; i -= 8) {
      a += b;
      b = rotl(b, (s >> i) & 31) ^ a;
    }
    a += p;
    b += q + j;
    const next = p;
    p = q, q = r, r = next;
  }
  return a;
}

/**
 * sample; units are rows. Record: V, bytes of x, l, m, e, EXP2, k, p16, seed, step (addresses). Scratch holds the keys of an order, then
 * nothing: weights are computed where they are summed.
 */
export function sample(from: u32, to: u32, r: usize, x: usize, y: usize): void {
  const V = load<u32>(r), size = load<i32>(r, 4), l = load<i32>(r, 8), m = load<i32>(r, 12), e = load<i32>(r, 16), exp2 = load<u32>(r, 20);
  const k = load<u32>(r, 24), p16 = load<u32>(r, 28), seed = load<u32>(r, 32), step = load<u32>(load<u32>(r, 36));
  const n = k ? k : V, h = scratch();
  for (; from < to; from++) {
    const row = x + <usize>from * V * size;
    if (k) select(h, k, V, row, size, size, 0x7fffffff);
    let mx = i32.MIN_VALUE, S: u32 = 0, cut: u32 = 0, j: u32 = 0;
    if (k) mx = <i32>(load<u64>(h) >> 32) ^ 0x7fffffff;
    else for (let i: u32 = 0; i < V; i++) mx = max(mx, read(row + <usize>i * size, size));
    for (let i: u32 = 0; i < n; i++) S += weightOf(i, k, h, row, size, mx, l, m, e, exp2);
    const least = <u64>p16 * S;
    do cut += weightOf(j++, k, h, row, size, mx, l, m, e, exp2);
    while (j < n && <u64>cut << 16 < least);
    const bound = <u32>((<u64>threefry(load<u32>(seed), load<u32>(seed, 4), step, from) * cut) >> 32);
    let sum: u32 = 0;
    j = 0;
    for (;;) {
      sum += weightOf(j, k, h, row, size, mx, l, m, e, exp2);
      if (sum > bound) break;
      j++;
    }
    store<u32>(y + (<usize>from << 2), k ? load<u32>(h + (<usize>j << 3)) : j);
  }
}

/** Weight of entry i of the order. */
function weightOf(i: u32, k: u32, h: usize, row: usize, size: i32, mx: i32, l: i32, m: i32, e: i32, exp2: usize): u32 {
  const v = k ? <i32>(load<u64>(h + (<usize>i << 3)) >> 32) ^ 0x7fffffff : read(row + <usize>i * size, size);
  return weight(mx - v, l, m, e, exp2);
}
