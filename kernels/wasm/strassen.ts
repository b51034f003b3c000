/**
 * A matrix of i8 times constant i8 weights by one level of Strassen’s algorithm: two tiles of four rows, two panels of eight columns and
 * two halves of K are the quadrants, so that seven products of half a K take the place of eight. Sums of two x' = x − zp and of two
 * weights fit i16; all else wraps mod 2^32, where the algorithm is an identity (spec/10-ops.md §10, fact 1).
 *
 * `strassenRows` writes the seven left operands of every eight rows to A [rows/8][7][K/4][4][2] i16. `strassen` widens the seven right
 * operands of a pair of panels, multiplies a block of rows by them and combines the products. Units of the first are eight rows, of the
 * second a block of rows times a pair of panels; the last eight rows repeat the last row.
 *
 * Record (32 bytes, then G of gemm.ts): rows, bytes from row to row, zp, A, rows of eight a block, scratch offset of B
 * [7][K/4][8][2] i16, of the products [rows/8][7][4][8] i32, one word that is not read. K is a multiple of 16, columns are one of 16.
 * Panels of weights are i8.
 */
import { put } from './gemm';
import { product } from './tile';
import { load8, mulhr4, scratch } from './simd';

/** Products of a pair of tiles and a pair of panels, and the bytes of one. */
const SEVEN: usize = 7;
const TILE: usize = 128;

/** Eight elements of each of four rows `lda` bytes apart, interleaved by pairs: 64 bytes at d. */
// @ts-ignore: decorator
@inline
function interleave(d: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const r0 = load8<i8>(p0), r1 = load8<i8>(p1), r2 = load8<i8>(p2), r3 = load8<i8>(p3);
  const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const c = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), e = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(d, v128.shuffle<i64>(a, c, 0, 2));
  v128.store(d, v128.shuffle<i64>(a, c, 1, 3), 16);
  v128.store(d, v128.shuffle<i64>(b, e, 0, 2), 32);
  v128.store(d, v128.shuffle<i64>(b, e, 1, 3), 48);
}

/** Left operands of the groups from…to−1 of eight rows. */
export function strassenRows(from: u32, to: u32, r: usize, x: usize): void {
  const last = load<u32>(r) - 1, lda = load<usize>(r, 4), K = load<usize>(r, 32), half = K >> 1;
  const z = v128.load_splat<i16>(r + 8), zz = i16x8.add(z, z), tile = K << 2, t = scratch();
  let d = load<usize>(r, 12) + from * SEVEN * tile;
  for (let i = from << 3; i < to << 3; i += 8) {
    const p0 = x + min(i, last) * lda, p1 = x + min(i + 1, last) * lda, p2 = x + min(i + 2, last) * lda, p3 = x + min(i + 3, last) * lda;
    const q0 = x + min(i + 4, last) * lda, q1 = x + min(i + 5, last) * lda, q2 = x + min(i + 6, last) * lda, q3 = x + min(i + 7, last) * lda;
    for (let k: usize = 0; k < half; k += 8) {
      const h = k + half;
      interleave(t, p0 + k, p1 + k, p2 + k, p3 + k);
      interleave(t + 64, p0 + h, p1 + h, p2 + h, p3 + h);
      interleave(t + 128, q0 + k, q1 + k, q2 + k, q3 + k);
      interleave(t + 192, q0 + h, q1 + h, q2 + h, q3 + h);
      let o = d + (k << 3);
      for (let j: usize = 0; j < 64; j += 16) {
        const a11 = v128.load(t + j), a12 = v128.load(t + j, 64), a21 = v128.load(t + j, 128), a22 = v128.load(t + j, 192);
        v128.store(o, i16x8.sub(i16x8.add(a11, a22), zz));
        v128.store(o + tile, i16x8.sub(i16x8.add(a21, a22), zz));
        v128.store(o + 2 * tile, i16x8.sub(a11, z));
        v128.store(o + 3 * tile, i16x8.sub(a22, z));
        v128.store(o + 4 * tile, i16x8.sub(i16x8.add(a11, a12), zz));
        v128.store(o + 5 * tile, i16x8.sub(a21, a11));
        v128.store(o + 6 * tile, i16x8.sub(a12, a22));
        o += 16;
      }
    }
    d += SEVEN * tile;
  }
}

/** The right operands of a pair of panels at p, each of K·8 bytes. */
function right(b: usize, p: usize, K: usize): void {
  const half = K << 2, panel = K << 3;
  for (let i: usize = 0; i < half; i += 8) {
    const b11 = load8<i8>(p + i), b21 = load8<i8>(p + half + i), b12 = load8<i8>(p + panel + i), b22 = load8<i8>(p + panel + half + i);
    const o = b + (i << 1);
    v128.store(o, i16x8.add(b11, b22));
    v128.store(o + panel, b11);
    v128.store(o + 2 * panel, i16x8.sub(b12, b22));
    v128.store(o + 3 * panel, i16x8.sub(b21, b11));
    v128.store(o + 4 * panel, b22);
    v128.store(o + 5 * panel, i16x8.add(b11, b12));
    v128.store(o + 6 * panel, i16x8.add(b21, b22));
  }
}

/** Eight outputs of a row, from the sums without their bias. */
// @ts-ignore: decorator
@inline
function finish(p: usize, a: v128, b: v128, bias: usize, m: usize, l: i32, size: i32, zp: v128, lo: v128, hi: v128): void {
  a = i32x4.add(a, v128.load(bias)), b = i32x4.add(b, v128.load(bias, 16));
  if (size < 4) a = mulhr4(i32x4.shl(a, l), v128.load(m)), b = mulhr4(i32x4.shl(b, l), v128.load(m, 16));
  put(p, a, b, size, zp, lo, hi);
}

/** The outputs of `rows` ≤ 8 rows and sixteen columns, whose products are at p. */
function combine(g: usize, p: usize, rows: u32, out: usize, bias: usize, m: usize): void {
  const l = load<i32>(g, 24), size = load<i32>(g, 40), ld = load<usize>(g, 44);
  const zp = v128.load_splat<i16>(g + 28);
  const lo = size == 1 ? v128.load_splat<i8>(g + 32) : v128.load_splat<i16>(g + 32);
  const hi = size == 1 ? v128.load_splat<i8>(g + 36) : v128.load_splat<i16>(g + 36);
  const beside: usize = size << 3;
  for (let i: u32 = 0; i < 4 && i < rows; i++) {
    const m1 = v128.load(p), m2 = v128.load(p, 128), m3 = v128.load(p, 256), m4 = v128.load(p, 384);
    const m5 = v128.load(p, 512), m6 = v128.load(p, 640), m7 = v128.load(p, 768);
    const n1 = v128.load(p, 16), n2 = v128.load(p, 144), n3 = v128.load(p, 272), n4 = v128.load(p, 400);
    const n5 = v128.load(p, 528), n6 = v128.load(p, 656), n7 = v128.load(p, 784);
    const u = i32x4.add(i32x4.sub(i32x4.add(m1, m4), m5), m7), v = i32x4.add(i32x4.sub(i32x4.add(n1, n4), n5), n7);
    finish(out, u, v, bias, m, l, size, zp, lo, hi);
    finish(out + beside, i32x4.add(m3, m5), i32x4.add(n3, n5), bias + 32, m + 32, l, size, zp, lo, hi);
    if (i + 4 < rows) {
      const o = out + (ld << 2);
      finish(o, i32x4.add(m2, m4), i32x4.add(n2, n4), bias, m, l, size, zp, lo, hi);
      const s = i32x4.add(i32x4.add(i32x4.sub(m1, m2), m3), m6), t = i32x4.add(i32x4.add(i32x4.sub(n1, n2), n3), n6);
      finish(o + beside, s, t, bias + 32, m + 32, l, size, zp, lo, hi);
    }
    p += 32;
    out += ld;
  }
}

/** The units from…to−1. */
export function strassen(from: u32, to: u32, r: usize, out: usize): void {
  const rows = load<u32>(r), groups = (rows + 7) >> 3, block = load<u32>(r, 16), g = r + 32;
  const K = load<usize>(g), pairs = load<u32>(g, 4) >> 1, panels = load<usize>(g, 12), ld = load<usize>(g, 44);
  const B = scratch() + load<usize>(r, 20), M = scratch() + load<usize>(r, 24), panel = K << 3, tile = K << 2;
  for (; from < to; from++) {
    const n = from % pairs, first = (from / pairs) * block, count = min(block, groups - first);
    right(B, panels + <usize>n * 2 * panel, K);
    for (let k: usize = 0; k < SEVEN; k++) {
      let a = load<usize>(r, 12) + (first * SEVEN + k) * tile, m = M + k * TILE;
      for (let i: u32 = 0; i < count; i++) {
        product(a, B + k * panel, tile, m);
        a += SEVEN * tile;
        m += SEVEN * TILE;
      }
    }
    const channels = <usize>n << 6, y = out + (<usize>n << 4) * load<usize>(g, 40);
    for (let i: u32 = 0; i < count; i++) {
      const row = (first + i) << 3;
      combine(g, M + i * SEVEN * TILE, rows - row, y + row * ld, load<usize>(g, 16) + channels, load<usize>(g, 20) + channels);
    }
  }
}
