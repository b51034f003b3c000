/**
 * The 4×8 tile over packed i16 panels: A is [rows/4][K/2][4][2], B is [cols/8][K/2][8][2], K even, both padded with zeros.
 * Each k-step of two is one load_splat a row and one pair dot a half panel; eight accumulators, two B vectors and one A
 * vector fit the 16 vector registers of x64 (unrolling spills and is slower, measured). The output stage follows in registers.
 *
 * Matrix record G (48 bytes): K, panels, columns, B, bias, m, l, zp, lo, hi, output bytes, bytes from row to row of the output.
 * Bias and m hold eight words a panel.
 */
import { fromTail, load8, limit4, mulhr4, scratch, store8, TAIL } from './simd';
import { packRows } from './pack';

// @ts-ignore: decorator
@inline
function mac(c: v128, a: v128, b: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/** One row of eight staged values: narrowed, shifted by zp, clamped. Saturation on the way is exact: clamps are monotone. */
// @ts-ignore: decorator
@inline
function put<T>(p: usize, a: v128, b: v128, zp: v128, lo: v128, hi: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(p, a);
    v128.store(p, b, 16);
  } else {
    const r = i16x8.narrow_i32x4_s(a, b);
    if (sizeof<T>() == 2) v128.store(p, i16x8.min_s(i16x8.max_s(r, lo), hi));
    else {
      const s = i16x8.add_sat_s(r, zp);
      v128.store_lane<i64>(p, i8x16.max_s(i8x16.min_s(i8x16.narrow_i16x8_s(s, s), hi), lo), 0);
    }
  }
}

/** Moves the valid part of a tile from TAIL, 8 elements a row. */
function edge(out: usize, ld: usize, rows: i32, bytes: i32, size: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < bytes; j++) store<u8>(out + j, load<u8>(TAIL + i * 8 * size + j));
    out += ld;
  }
}

function tiles<T>(g: usize, a: usize, rows: i32, out: usize): void {
  const K = load<u32>(g);
  const cols = load<i32>(g, 8);
  const l = load<i32>(g, 24);
  const ld = load<u32>(g, 44);
  const panel = K << 3;
  const zp = i16x8.splat(<i16>load<i32>(g, 28));
  const lo = sizeof<T>() == 1 ? i8x16.splat(<i8>load<i32>(g, 32)) : i16x8.splat(<i16>load<i32>(g, 32));
  const hi = sizeof<T>() == 1 ? i8x16.splat(<i8>load<i32>(g, 36)) : i16x8.splat(<i16>load<i32>(g, 36));
  let B = load<u32>(g, 12);
  let bias = load<u32>(g, 16);
  let m = load<u32>(g, 20);
  for (let n = 0; n < cols; n += 8) {
    let p = a;
    for (let i = 0; i < rows; i += 4) {
      const end = p + panel;
      let b = B;
      let c00 = v128.load(bias), c01 = v128.load(bias, 16);
      let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
      do {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        let t = v128.load_splat<i32>(p);
        c00 = mac(c00, t, b0);
        c01 = mac(c01, t, b1);
        t = v128.load_splat<i32>(p, 4);
        c10 = mac(c10, t, b0);
        c11 = mac(c11, t, b1);
        t = v128.load_splat<i32>(p, 8);
        c20 = mac(c20, t, b0);
        c21 = mac(c21, t, b1);
        t = v128.load_splat<i32>(p, 12);
        c30 = mac(c30, t, b0);
        c31 = mac(c31, t, b1);
        p += 16;
        b += 32;
      } while (p < end);
      if (sizeof<T>() < 4) {
        if (l) {
          c00 = i32x4.shl(c00, l), c01 = i32x4.shl(c01, l), c10 = i32x4.shl(c10, l), c11 = i32x4.shl(c11, l);
          c20 = i32x4.shl(c20, l), c21 = i32x4.shl(c21, l), c30 = i32x4.shl(c30, l), c31 = i32x4.shl(c31, l);
        }
        const m0 = v128.load(m), m1 = v128.load(m, 16);
        c00 = mulhr4(c00, m0), c01 = mulhr4(c01, m1), c10 = mulhr4(c10, m0), c11 = mulhr4(c11, m1);
        c20 = mulhr4(c20, m0), c21 = mulhr4(c21, m1), c30 = mulhr4(c30, m0), c31 = mulhr4(c31, m1);
      }
      const full = rows - i >= 4 && cols - n >= 8;
      const at = out + <usize>i * ld + <usize>n * sizeof<T>();
      let o = full ? at : TAIL;
      const s = full ? ld : 8 * sizeof<T>();
      put<T>(o, c00, c01, zp, lo, hi);
      o += s;
      put<T>(o, c10, c11, zp, lo, hi);
      o += s;
      put<T>(o, c20, c21, zp, lo, hi);
      o += s;
      put<T>(o, c30, c31, zp, lo, hi);
      if (!full) edge(at, ld, min(4, rows - i), min(8, cols - n) * sizeof<T>(), sizeof<T>());
    }
    B += K << 4;
    bias += 32;
    m += 32;
  }
}

/** All tiles of `rows` packed rows at `a`. */
export function gemm(g: usize, a: usize, rows: i32, out: usize): void {
  const size = load<i32>(g, 40);
  if (size == 1) tiles<i8>(g, a, rows, out);
  else if (size == 2) tiles<i16>(g, a, rows, out);
  else tiles<i32>(g, a, rows, out);
}

/** One row against all panels; W is i16, or i8 panels of half the bytes for weights that stream from memory. */
function gemv<W>(g: usize, x: usize, out: usize): void {
  const K = load<u32>(g);
  const cols = load<i32>(g, 8);
  const l = load<i32>(g, 24);
  const size = load<i32>(g, 40);
  const zp = i32x4.splat(load<i32>(g, 28));
  const lo = i32x4.splat(load<i32>(g, 32));
  const hi = i32x4.splat(load<i32>(g, 36));
  let b = load<u32>(g, 12);
  let bias = load<u32>(g, 16);
  let m = load<u32>(g, 20);
  const end = x + (K << 1);
  for (let n = 0; n < cols; n += 8) {
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let p = x;
    do {
      const t = v128.load_splat<i32>(p);
      const w = v128.load(b);
      a0 = mac(a0, t, sizeof<W>() == 1 ? i16x8.extend_low_i8x16_s(w) : w);
      a1 = mac(a1, t, sizeof<W>() == 1 ? i16x8.extend_high_i8x16_s(w) : v128.load(b, 16));
      p += 4;
      b += 16 * sizeof<W>();
    } while (p < end);
    if (size < 4) {
      a0 = limit4(mulhr4(i32x4.shl(a0, l), v128.load(m)), zp, lo, hi);
      a1 = limit4(mulhr4(i32x4.shl(a1, l), v128.load(m, 16)), zp, lo, hi);
    }
    store8(out + n * size, a0, a1, cols - n, size);
    bias += 32;
    m += 32;
  }
}

/**
 * A matrix of contiguous rows times panels. Record (32 bytes, then G): rows, bytes from row to row, element bytes (1, 2),
 * zp, rows a block, weight bytes of a one-row product (0: tiles), scratch offset of A.
 */
export function matrix(r: usize, x: usize, out: usize): void {
  const M = load<i32>(r);
  const lda = load<u32>(r, 4);
  const size = load<i32>(r, 8);
  const zp = load<i32>(r, 12);
  const block = load<i32>(r, 16);
  const wide = load<i32>(r, 20);
  const a = scratch() + load<u32>(r, 24);
  const g = r + 32;
  if (wide) {
    widen(a, x, load<i32>(g), size, zp);
    if (wide == 1) gemv<i8>(g, a, out);
    else gemv<i16>(g, a, out);
    return;
  }
  const ld = load<u32>(g, 44);
  for (let i = 0; i < M; i += block) {
    const rows = min(block, M - i);
    packRows(a, x + <usize>i * lda, lda, rows, load<i32>(g), size, zp);
    gemm(g, a, rows, out + <usize>i * ld);
  }
}

/** n values as x − zp in i16; reads and writes up to 7 elements more. */
export function widen(d: usize, x: usize, n: i32, size: i32, zp: i32): void {
  const z = i16x8.splat(<i16>zp);
  for (let i = 0; i < n; i += 8) {
    v128.store(d, size == 1 ? i16x8.sub(load8<i8>(x), z) : load8<i16>(x));
    d += 16;
    x += size << 3;
  }
}

/**
 * Packs a dynamic right operand into panels. Record: K, columns, element bytes, transposed, scratch offset of B. Padding
 * is zero: the area is cleared first where a panel is ragged.
 */
export function packB(r: usize, b: usize): void {
  const K = load<i32>(r);
  const N = load<i32>(r, 4);
  const size = load<i32>(r, 8);
  const tb = load<i32>(r, 12);
  let d = scratch() + load<u32>(r, 16);
  const panel = <usize>max(2, (K + 1) & ~1) << 4;
  const sk = <usize>(tb ? size : N * size);
  const sn = <usize>(tb ? K * size : size);
  for (let n = 0; n < N; n += 8) {
    const cols = min(8, N - n);
    if (cols < 8 || (K & 1) || K == 0) memory.fill(d, 0, panel);
    for (let j = 0; j < cols; j++) {
      let p = b + <usize>(n + j) * sn;
      let q = d + (j << 2);
      for (let k = 0; k < K; k += 2) {
        store<i16>(q, <i16>read16(p, size));
        if (k + 1 < K) store<i16>(q, <i16>read16(p + sk, size), 2);
        p += sk << 1;
        q += 32;
      }
    }
    d += panel;
  }
}

// @ts-ignore: decorator
@inline
function read16(p: usize, size: i32): i32 {
  return size == 1 ? <i32>load<i8>(p) : <i32>load<i16>(p);
}
