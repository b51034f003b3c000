/**
 * The 4×8 tile over packed i16 panels: A is [rows/4][K/2][4][2], B is [cols/8][K/2][8][2], K even, both padded with zeros.
 * Each k-step of two is one load_splat a row and one pair dot a half panel; eight accumulators, two B vectors and one A
 * vector fit the 16 vector registers of x64 (unrolling spills and is slower, measured). The output stage follows in registers.
 *
 * Matrix record G (48 bytes): K, panels, columns, B, bias, m, l, zp, lo, hi, output bytes, bytes from row to row of the output.
 * Bias and m hold eight words a panel.
 */
import { limit4, load8, mulhr4, own, read, scratch, store8, tail } from './simd';
import { ndNext, ndStart, p0, p1, p2 } from './nd';
import { product as words } from '../mvp/words';
import { pack4, packRows } from './pack';

// @ts-ignore: decorator
@inline
function mac(c: v128, a: v128, b: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/** One row of eight values of `size` bytes: narrowed, shifted by zp, clamped. Saturation on the way is exact: clamps are monotone. */
// @ts-ignore: decorator
@inline
export function put(p: usize, a: v128, b: v128, size: i32, zp: v128, lo: v128, hi: v128): void {
  const r = i16x8.narrow_i32x4_s(a, b);
  if (size == 1) {
    const s = i16x8.add_sat_s(r, zp);
    v128.store_lane<i64>(p, i8x16.max_s(i8x16.min_s(i8x16.narrow_i16x8_s(s, s), hi), lo), 0);
  } else if (size == 2) v128.store(p, i16x8.min_s(i16x8.max_s(r, lo), hi));
  else {
    v128.store(p, a);
    v128.store(p, b, 16);
  }
}

/** Moves the valid part of a tile from the tail, 8 elements a row. */
function edge(out: usize, ld: usize, rows: i32, bytes: i32, size: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < bytes; j++) store<u8>(out + j, load<u8>(tail() + i * 8 * size + j));
    out += ld;
  }
}

/** All tiles of `rows` packed rows at `a`. */
export function gemm(g: usize, a: usize, rows: i32, out: usize): void {
  if (isDefined(ONLY_I8)) tiles<i8>(g, a, rows, out);
  else if (load<i32>(g, 40) == 1) tiles<i8>(g, a, rows, out);
  else tiles<i32>(g, a, rows, out);
}

/** The same for outputs of T = i8, or of any size. */
function tiles<T>(g: usize, a: usize, rows: i32, out: usize): void {
  const K = load<u32>(g);
  const cols = load<i32>(g, 8);
  const l = load<i32>(g, 24);
  const size = sizeof<T>() == 1 ? 1 : load<i32>(g, 40);
  const ld = load<u32>(g, 44);
  const panel = K << 3;
  const zp = v128.load_splat<i16>(g + 28);
  const lo = size == 1 ? v128.load_splat<i8>(g + 32) : v128.load_splat<i16>(g + 32);
  const hi = size == 1 ? v128.load_splat<i8>(g + 36) : v128.load_splat<i16>(g + 36);
  let B = load<u32>(g, 12);
  let bias = load<u32>(g, 16);
  let m = load<u32>(g, 20);
  // While a panel is used the next one is read, a share a tile, so that it is in the cache when its turn comes. Panels too short
  // to gain and those that would drive the one in use out are left alone.
  const share: usize = K >= 256 && K <= 768 ? ((K << 4) / ((rows + 3) >> 2) + 63) & ~63 : 0;
  let seen: u32 = 0;
  for (let n = 0; n < cols; n += 8) {
    let p = a;
    let next = B + (K << 4);
    for (let i = 0; i < rows; i += 4) {
      const end = p + panel;
      let b = B;
      for (const stop = next + share; next < stop; next += 64) seen |= load<u32>(next);
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
      if (size < 4) {
        if (l) {
          c00 = i32x4.shl(c00, l), c01 = i32x4.shl(c01, l), c10 = i32x4.shl(c10, l), c11 = i32x4.shl(c11, l);
          c20 = i32x4.shl(c20, l), c21 = i32x4.shl(c21, l), c30 = i32x4.shl(c30, l), c31 = i32x4.shl(c31, l);
        }
        const m0 = v128.load(m), m1 = v128.load(m, 16);
        c00 = mulhr4(c00, m0), c01 = mulhr4(c01, m1), c10 = mulhr4(c10, m0), c11 = mulhr4(c11, m1);
        c20 = mulhr4(c20, m0), c21 = mulhr4(c21, m1), c30 = mulhr4(c30, m0), c31 = mulhr4(c31, m1);
      }
      const full = rows - i >= 4 && cols - n >= 8;
      const at = out + <usize>i * ld + n * size;
      let o = full ? at : tail();
      const s = full ? ld : size << 3;
      put(o, c00, c01, size, zp, lo, hi);
      o += s;
      put(o, c10, c11, size, zp, lo, hi);
      o += s;
      put(o, c20, c21, size, zp, lo, hi);
      o += s;
      put(o, c30, c31, size, zp, lo, hi);
      if (!full) edge(at, ld, min(4, rows - i), min(8, cols - n) * size, size);
    }
    B += K << 4;
    bias += 32;
    m += 32;
  }
  store<u32>(tail(), seen);
}

/** The own record becomes that of panels from…to−1 of g, of `bytes` each at B. Returns their first column in bytes of the output. */
export function panelsOf(g: usize, B: usize, bytes: usize, from: i32, to: i32): usize {
  const r = own(), first = from << 3;
  memory.copy(r, g, 48);
  store<i32>(r, min(load<i32>(g, 8), to << 3) - first, 8);
  store<u32>(r, B + <usize>from * bytes, 12);
  store<u32>(r, load<u32>(g, 16) + (first << 2), 16);
  store<u32>(r, load<u32>(g, 20) + (first << 2), 20);
  return <usize>first * load<u32>(g, 40);
}

/** Stages and writes up to eight columns of one row; `left` columns remain, m is that of the panel. */
// @ts-ignore: decorator
@inline
export function finish(g: usize, p: usize, a0: v128, a1: v128, m: usize, left: i32): void {
  const size = load<i32>(g, 40);
  if (size < 4) {
    const l = load<i32>(g, 24);
    const zp = v128.load_splat<i32>(g + 28), lo = v128.load_splat<i32>(g + 32), hi = v128.load_splat<i32>(g + 36);
    a0 = limit4(mulhr4(i32x4.shl(a0, l), v128.load(m)), zp, lo, hi);
    a1 = limit4(mulhr4(i32x4.shl(a1, l), v128.load(m, 16)), zp, lo, hi);
  }
  store8(p, a0, a1, left, size);
}

/** One row against all panels of i8, for weights that stream from memory. */
function gemv(g: usize, x: usize, out: usize): void {
  const cols = load<i32>(g, 8);
  const size = load<i32>(g, 40);
  let b = load<u32>(g, 12);
  let bias = load<u32>(g, 16);
  let m = load<u32>(g, 20);
  const end = x + (load<u32>(g) << 1);
  for (let n = 0; n < cols; n += 8) {
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let p = x;
    do {
      const t = v128.load_splat<i32>(p);
      const w = v128.load(b);
      a0 = mac(a0, t, i16x8.extend_low_i8x16_s(w));
      a1 = mac(a1, t, i16x8.extend_high_i8x16_s(w));
      p += 4;
      b += 16;
    } while (p < end);
    finish(g, out + n * size, a0, a1, m, cols - n);
    bias += 32;
    m += 32;
  }
}

/** Eight times the sum of each block of x, for `gemv4`. */
function blockSums(d: usize, x: usize, end: usize, block: u32): void {
  while (x < end) {
    const stop = min(x + (block << 1), end);
    let sum = 0;
    for (; x < stop; x += 2) sum += load<i16>(x);
    store<i32>(d, sum << 3);
    d += 4;
  }
}

/**
 * One row against panels of i4, [cols/8][K/2][8] bytes; block sums times their u8 scales at u, [cols/8][blocks][8]. Byte i of a k-step
 * holds lane i of columns 0…3 plus 8 in its low nibble, of columns 4…7 in its high. So Σ x·byte less 16·Σ x·high less 8·Σ x is
 * the sum of columns 0…3. Two panels at a time; without a second one the first stands for it.
 */
function gemv4(g: usize, u: usize, block: u32, x: usize, out: usize, sums: usize): void {
  const cols = load<i32>(g, 8), size = load<i32>(g, 40), K = load<u32>(g);
  const end = x + (<usize>K << 1), panel = <usize>K << 2, scales = <usize>((K + block - 1) / block) << 3;
  let b = load<u32>(g, 12), bias = load<u32>(g, 16), m = load<u32>(g, 20);
  blockSums(sums, x, end, block);
  for (let n = 0; n < cols; n += 16) {
    const more = n + 8 < cols, far = more ? panel : 0, next = more ? scales : 0, side = more ? 32 : 0;
    let a0 = v128.load(bias), a1 = v128.load(bias, 16), a2 = v128.load(bias + side), a3 = v128.load(bias + side, 16);
    let p = x, eights = sums, q = b + far, v = u + next;
    do {
      const stop = min(p + (block << 1), end), twos = p + ((stop - p) & ~7);
      let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (; p < twos; p += 8) {
        const t = v128.load_splat<i32>(p), w = v128.load_splat<i32>(p, 4), e = v128.load(b), f = v128.load(q);
        let c = i16x8.extend_low_i8x16_s(e), d = i16x8.extend_high_i8x16_s(e);
        s0 = mac(mac(s0, t, c), w, d);
        s1 = mac(mac(s1, t, i16x8.shr_s(c, 4)), w, i16x8.shr_s(d, 4));
        c = i16x8.extend_low_i8x16_s(f), d = i16x8.extend_high_i8x16_s(f);
        s2 = mac(mac(s2, t, c), w, d);
        s3 = mac(mac(s3, t, i16x8.shr_s(c, 4)), w, i16x8.shr_s(d, 4));
        b += 16;
        q += 16;
      }
      if (p < stop) {
        const t = v128.load_splat<i32>(p), c = v128.load_ext<i8>(b), d = v128.load_ext<i8>(q);
        s0 = mac(s0, t, c);
        s1 = mac(s1, t, i16x8.shr_s(c, 4));
        s2 = mac(s2, t, d);
        s3 = mac(s3, t, i16x8.shr_s(d, 4));
        p += 4;
        b += 8;
        q += 8;
      }
      const eight = v128.load_splat<i32>(eights), k = v128.load_ext<u8>(u), h = v128.load_ext<u8>(v);
      a0 = i32x4.add(a0, i32x4.mul(i32x4.sub(i32x4.sub(s0, i32x4.shl(s1, 4)), eight), i32x4.extend_low_i16x8_u(k)));
      a1 = i32x4.add(a1, i32x4.mul(s1, i32x4.extend_high_i16x8_u(k)));
      a2 = i32x4.add(a2, i32x4.mul(i32x4.sub(i32x4.sub(s2, i32x4.shl(s3, 4)), eight), i32x4.extend_low_i16x8_u(h)));
      a3 = i32x4.add(a3, i32x4.mul(s3, i32x4.extend_high_i16x8_u(h)));
      u += 8;
      v += 8;
      eights += 4;
    } while (p < end);
    finish(g, out + n * size, a0, a1, m, cols - n);
    if (more) finish(g, out + (n + 8) * size, a2, a3, m + 32, cols - n - 8);
    b = q;
    u = v;
    bias += 64;
    m += 64;
  }
}

/** Widens one i4 panel into an i16 panel of w·u, |w·u| ≤ 8·255. */
function unpack(d: usize, b: usize, u: usize, K: usize, block: usize): void {
  const end = d + (K << 4);
  do {
    const stop = min(d + (block << 4), end);
    const s = v128.load_ext<u8>(u);
    const s0 = v128.shuffle<i16>(s, s, 0, 0, 1, 1, 2, 2, 3, 3), s1 = v128.shuffle<i16>(s, s, 4, 4, 5, 5, 6, 6, 7, 7);
    do {
      const v = v128.load_ext<i8>(b);
      v128.store(d, i16x8.mul(i16x8.sub(v128.and(v, i16x8.splat(15)), i16x8.splat(8)), s0));
      v128.store(d, i16x8.mul(i16x8.shr_s(v, 4), s1), 16);
      b += 8;
      d += 32;
    } while (d < stop);
    u += 8;
  } while (d < end);
}

/**
 * Rows start…end−1 of a matrix times panels from…to−1 at B. Record (48 bytes, then G): rows, bytes from row to row, element
 * bytes (1, 2), zp, rows a block, panels (0: i16 tiles; 1: one row, i8; 4: i4), scratch offset of A; for i4: weights a
 * scale, scales, scratch offset of a widened panel; then 1 where the units of `matrix` are panels.
 */
function panelProduct(r: usize, B: usize, x: usize, out: usize, start: i32, end: i32, from: i32, to: i32): void {
  const lda = load<u32>(r, 4), size = load<i32>(r, 8), zp = load<i32>(r, 12), kind = load<i32>(r, 20);
  const a = scratch() + load<u32>(r, 24), g = r + 48, one = own();
  const K = load<u32>(g), ld = load<u32>(g, 44), scale = load<u32>(r, 28);
  const scales = kind == 4 ? ((K + scale - 1) / scale) << 3 : 0, u = load<u32>(r, 32);
  if (load<i32>(r) == 1 && kind) {
    widen(a, x, K, size, zp);
    out += panelsOf(g, B, kind == 1 ? K << 3 : K << 2, from, to);
    if (isDefined(ONLY_I8) || kind == 1) gemv(one, a, out);
    else gemv4(one, u + <usize>from * scales, scale, a, out, scratch() + load<u32>(r, 36));
    return;
  }
  const block = load<i32>(r, 16), panel = scratch() + load<u32>(r, 36);
  for (let i = start; i < end; i += block) {
    const rows = min(block, end - i), y = out + <usize>i * ld;
    packRows(a, x + <usize>i * lda, lda, rows, K, size, zp);
    if (!isDefined(ONLY_I8) && kind) {
      for (let n = from; n < to; n++) {
        unpack(panel, B + <usize>n * (K << 2), u + <usize>n * scales, K, scale);
        const at = y + panelsOf(g, 0, 0, n, n + 1);
        store<u32>(one, panel, 12);
        gemm(one, a, rows, at);
      }
    } else gemm(one, a, rows, y + panelsOf(g, B, K << 4, from, to));
  }
}

/** `panelProduct`, or that of words where there are no vectors. */
// @ts-ignore: decorator
@inline
export function product(r: usize, B: usize, x: usize, out: usize, start: i32, end: i32, from: i32, to: i32): void {
  if (ASC_FEATURE_SIMD) panelProduct(r, B, x, out, start, end, from, to);
  else words(r, B, x, out, start, end, from, to);
}

/** A matrix of contiguous rows times panels; units are panels, or four rows. */
export function matrix(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const rows = load<i32>(r), byPanels = load<i32>(r, 40);
  const start = byPanels ? 0 : from << 2, end = byPanels ? rows : min(rows, to << 2);
  product(r, load<u32>(r, 60), x, out, start, end, byPanels ? from : 0, byPanels ? to : load<i32>(r, 52));
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
 * Packs panels from…to−1 of a dynamic right operand. Record: K, columns, element bytes, transposed, scratch offset of B. Ragged
 * panels are cleared first, so that padding is zero.
 */
function packB(r: usize, b: usize, from: i32, to: i32): void {
  const K = load<i32>(r);
  const N = load<i32>(r, 4), end = min(N, to << 3);
  const size = load<i32>(r, 8);
  const tb = load<i32>(r, 12);
  const panel = <usize>max(2, (K + 1) & ~1) << 4;
  let d = scratch() + load<u32>(r, 16) + <usize>from * panel;
  const sk = <usize>(tb ? size : N * size);
  const sn = <usize>(tb ? K * size : size);
  for (let n = from << 3; n < end; n += 8) {
    const cols = min(8, N - n);
    const p = b + <usize>n * sn;
    let k = 0;
    if (cols < 8 || (K & 1) || K == 0) memory.fill(d, 0, panel);
    if (cols == 8 && tb && !(K & 7)) {
      for (let j = 0; j < 8; j += 4) {
        const q = p + <usize>j * sn;
        pack4(d + (j << 2), q, q + sn, q + 2 * sn, q + 3 * sn, K, size, 0, 32);
      }
      k = K;
    } else if (cols == 8 && !tb) {
      for (; k + 1 < K; k += 2) {
        const q = p + <usize>k * sk;
        const u = size == 1 ? load8<i8>(q) : load8<i16>(q), v = size == 1 ? load8<i8>(q + sk) : load8<i16>(q + sk);
        const o = d + (<usize>k << 4);
        v128.store(o, v128.shuffle<i16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11));
        v128.store(o, v128.shuffle<i16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      }
    }
    for (let j = 0; j < cols; j++) packColumn(d + (j << 2), p + <usize>j * sn, sk, k, K, size);
    d += panel;
  }
}

/** Elements k…K−1 of a column, `sk` bytes apart, by pairs 32 bytes apart. */
function packColumn(d: usize, p: usize, sk: usize, k: i32, K: i32, size: i32): void {
  p += <usize>k * sk;
  d += <usize>k << 4;
  for (; k < K; k += 2) {
    store<i16>(d, <i16>read(p, size));
    if (k + 1 < K) store<i16>(d, <i16>read(p + sk, size), 2);
    p += sk << 1;
    d += 32;
  }
}

/** Batched product of two activations: nd over the batch, `b` the record of packB, `a` that of matrix. Units are panels. */
export function matmul(from: i32, to: i32, nd: usize, b: usize, a: usize): void {
  const panels = load<i32>(a, 52), B = scratch() + load<u32>(b, 16);
  let packed: usize = 0, first = 0, last = 0;
  ndStart(nd, from / panels, (to + panels - 1) / panels);
  while (ndNext()) {
    const i = from % panels, end = min(panels, i + to - from);
    if (packed != p1 || i < first || end > last) packB(b, p1, i, end);
    packed = p1, first = i, last = end;
    product(a, B, p0, p2, 0, load<i32>(a), i, end);
    from += end - i;
  }
}
