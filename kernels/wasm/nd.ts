/**
 * Strided iteration over up to three operands: an inner run and a counter over the outer dims. Its units are the pieces of
 * equal length that every run is cut into, from the first run to the last.
 *
 * Record: inner length, number of runs, three start addresses, three inner strides, outer rank, elements of a unit, then per
 * outer dim from the innermost: length, three strides. Strides are in bytes.
 */
import { copyRun, counters } from './simd';

/** Where the piece at hand starts in each operand, and its elements. */
export let p0: usize = 0;
export let p1: usize = 0;
export let p2: usize = 0;
export let length: i32 = 0;

/** The record, the starts of the next run, the units of it to skip, and the units that are left. */
let nd: usize = 0;
let q0: usize = 0;
let q1: usize = 0;
let q2: usize = 0;
let skip: u32 = 0;
let left: u32 = 0;

/** Adds c steps along the dim at d. */
// @ts-ignore: decorator
@inline
function advance(d: usize, c: u32): void {
  q0 += load<u32>(d, 4) * c;
  q1 += load<u32>(d, 8) * c;
  q2 += load<u32>(d, 12) * c;
}

/** Begins a walk over the units from…to−1; `ndNext` takes its pieces. */
export function ndStart(r: usize, from: u32, to: u32): void {
  nd = r;
  q0 = load<u32>(r, 8);
  q1 = load<u32>(r, 12);
  q2 = load<u32>(r, 16);
  left = to - from;
  if (left == 0) return;
  const unit = load<u32>(r, 36), units = (load<u32>(r) + unit - 1) / unit;
  let run = from / units;
  skip = from % units;
  const end = r + 40 + (load<u32>(r, 32) << 4);
  let counter = counters();
  for (let d = r + 40; d < end; d += 16, counter += 4) {
    const n = load<u32>(d), c = run % n;
    run /= n;
    store<u32>(counter, c);
    advance(d, c);
  }
}

/** Takes the next piece: what is wanted of one run. False if there is none. */
export function ndNext(): bool {
  if (left == 0) return false;
  const n = load<u32>(nd);
  p0 = q0, p1 = q1, p2 = q2;
  const unit = load<u32>(nd, 36), first = skip * unit, most = left * unit;
  if (first) {
    p0 += first * load<u32>(nd, 20);
    p1 += first * load<u32>(nd, 24);
    p2 += first * load<u32>(nd, 28);
    skip = 0;
  }
  const rest = n - first;
  length = min(rest, most);
  left = rest < most ? left - (rest + unit - 1) / unit : 0;
  nextRun();
  return true;
}

function nextRun(): void {
  const end = nd + 40 + (load<u32>(nd, 32) << 4);
  let counter = counters();
  for (let d = nd + 40; d < end; d += 16, counter += 4) {
    const n = load<u32>(d), c = load<u32>(counter) + 1, more = c < n;
    store<u32>(counter, more ? c : 0);
    advance(d, more ? 1 : 1 - n);
    if (more) return;
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
export function move(from: u32, to: u32, r: usize, size: i32): void {
  const s = load<u32>(r, 20), t = load<u32>(r, 24);
  const dense = s == <u32>size && t == <u32>size;
  ndStart(r, from, to);
  while (ndNext()) {
    const n = length;
    if (dense && n * size >= 16) memory.copy(p1, p0, <usize>n * size);
    else if (size == 1) run<u8>(n, s, t);
    else if (size == 2) run<u16>(n, s, t);
    else run<u32>(n, s, t);
  }
}

/** gather: `inner` bytes of x a unit, `count` indices into each block of `step` bytes. */
export function gather(from: u32, to: u32, x: usize, y: usize, indices: usize, step: usize, count: u32, inner: usize): void {
  let k = from % count;
  x += <usize>(from / count) * step;
  y += <usize>from * inner;
  for (; from < to; from++) {
    copyRun(y, x + load<u32>(indices + (<usize>k << 2)) * inner, inner);
    y += inner;
    if (++k == count) {
      k = 0;
      x += step;
    }
  }
}

/** resize_nearest: a gather a row of OW pixels; `rows` holds bytes, `columns` indices. */
export function nearest(from: u32, to: u32, x: usize, y: usize, image: usize, rows: usize, OH: u32, columns: usize, OW: u32, pixel: usize): void {
  for (; from < to; from++) {
    const row = x + <usize>(from / OH) * image + load<u32>(rows + (<usize>(from % OH) << 2));
    gather(0, OW, row, y + <usize>from * OW * pixel, columns, 0, OW, pixel);
  }
}

/** update: `n` rows of `inner` bytes into blocks of K rows from the position on; units are blocks. */
export function update(from: u32, to: u32, rows: usize, y: usize, position: usize, K: usize, n: usize, inner: usize): void {
  const at = <usize>load<u32>(position) * inner, block = n * inner;
  for (; from < to; from++) memory.copy(y + from * K * inner + at, rows + from * block, block);
}
