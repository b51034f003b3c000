/** Convolutions over words, products of one or two rows, products of two activations, depthwise convolutions. */
import { list } from '../wasm/depthwise';
import { ndNext, ndStart, p0, p1, p2 } from '../wasm/nd';
import { clamp, copyRun, mulhr, read, scratch, write } from '../wasm/simd';
import { packRow, rowBytes, share, tile } from './words';

/** Copies n bytes; where these are few, up to 8 more. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, n: usize): void {
  if (n <= 8) store<u64>(to, load<u64>(from));
  else copyRun(to, from, n);
}

/** The taps of a pixel as a row of K elements; those outside the image come from `zrow`. */
function gather(r: usize, d: usize, image: usize, y0: i32, x0: i32, first: usize): void {
  const H = load<u32>(r, 12), W = load<u32>(r, 16), KH = load<i32>(r, 28), KW = load<i32>(r, 32), dh = load<i32>(r, 44), dw = load<i32>(r, 48);
  const size = load<u32>(r, 60), n = load<u32>(r, 24) * size, pixel = load<u32>(r, 20) * size, zrow = load<u32>(r, 68);
  const joined = dw == 1 && load<i32>(r, 72) == 1 && x0 >= 0 && x0 + KW <= <i32>W;
  for (let ky = 0; ky < KH; ky++, y0 += dh) {
    const inside = <u32>y0 < H, row = image + <usize>y0 * W * pixel + first;
    if (joined && inside) {
      copy(d, row + <usize>x0 * pixel, KW * n);
      d += KW * n;
    } else {
      for (let kx = 0, x = x0; kx < KW; kx++, x += dw, d += n) copy(d, inside && <u32>x < W ? row + <usize>x * pixel : zrow, n);
    }
  }
}

/**
 * conv2d; units are four pixels. x is taken as it is: the zero point is in the bias. Record: pixels, OH, OW, H, W, C, C/g, KH, KW, sh, sw,
 * dh, dw, pt, pl, element bytes, 0, zrow, groups, scratch bytes of a row of elements, then G, whose columns are those of a group.
 */
export function conv(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const pixels = load<i32>(r), OH = load<i32>(r, 4), OW = load<i32>(r, 8), size = load<i32>(r, 60), groups = load<i32>(r, 72), g = r + 80;
  const image = load<u32>(r, 12) * load<u32>(r, 16) * load<u32>(r, 20) * size, part = load<u32>(r, 24) * size;
  const K = load<u32>(g), count = load<u32>(g, 8), ld = load<u32>(g, 44), per = size == 2 ? 2 : 3, bytes = rowBytes(K, per), each = share(size, 0, 0);
  const row = scratch(), a = row + load<u32>(r, 76), step = count * load<u32>(g, 40);
  for (let m = from << 2, end = min(pixels, to << 2); m < end; m += 4) {
    const n = min(4, end - m);
    for (let j = 0; j < groups; j++) {
      for (let i = 0; i < n; i++) {
        const q = m + i, t = q / OW;
        gather(r, row, x + <usize>(t / OH) * image, (t % OH) * load<i32>(r, 36) - load<i32>(r, 52), (q % OW) * load<i32>(r, 40) - load<i32>(r, 56), <usize>j * part);
        packRow(a + (<usize>i << 3), row, K, size, 0, per, 32);
      }
      tile(g, load<u32>(g, 12) + <usize>j * count * bytes, <u32>j * count, a, n, bytes, 0, count, out + <usize>m * ld + <usize>j * step, per, each);
    }
  }
}

/**
 * Rows of x times weights that are read once: a word of eight weights, each plus 128, is split into four words of two, which meet words of two
 * elements in reverse; bits 32…63 of the sum are that of the products. Record: rows, bytes from row to row, element bytes, K, weights, then G.
 * Units are columns. Up to 15 bytes behind the weights meet zeros.
 */
export function gemv(from: u32, to: u32, r: usize, x: usize, out: usize): void {
  const rows = load<i32>(r), lda = load<u32>(r, 4), size = load<i32>(r, 8), K = load<u32>(r, 12), g = r + 20;
  const bias = load<u32>(g, 16), m = load<u32>(g, 20), l = load<i32>(g, 24), zp = load<i32>(g, 28), lo = load<i32>(g, 32), hi = load<i32>(g, 36);
  const ty = load<i32>(g, 40), ld = load<u32>(g, 44), a = scratch(), limit = a + (((K + 15) >> 4) << 6), each: usize = size == 1 ? 4096 << 6 : 16 << 6;
  const mask: i64 = 0x000000ff000000ff;
  for (let i = 0; i < rows; i++, x += lda, out += ld) {
    let sum = 0, p = a;
    for (let k: u32 = 0; p < limit; k += 8) {
      for (let j: u32 = k; j < k + 4; j++, p += 8) {
        const u = j < K ? read(x + j * size, size) : 0, v = j + 4 < K ? read(x + (j + 4) * size, size) : 0;
        sum += u + v;
        store<i64>(p, <i64>v + (<i64>u << 32));
      }
    }
    for (let o = from; o < to; o++) {
      let w = load<u32>(r, 16) + o * K, v = load<i32>(bias + (o << 2)) - (sum << 7);
      p = a;
      while (p < limit) {
        let acc: i64 = 0x80000000;
        for (const stop = min(p + each, limit); p < stop; p += 64, w += 16) {
          const b = load<i64>(w), c = load<i64>(w, 8);
          acc += (b & mask) * load<i64>(p) + ((b >> 8) & mask) * load<i64>(p, 8) + ((b >> 16) & mask) * load<i64>(p, 16) + ((b >> 24) & mask) * load<i64>(p, 24) +
            (c & mask) * load<i64>(p, 32) + ((c >> 8) & mask) * load<i64>(p, 40) + ((c >> 16) & mask) * load<i64>(p, 48) + ((c >> 24) & mask) * load<i64>(p, 56);
        }
        v += <i32>(acc >> 32);
      }
      if (ty < 4) v = clamp(mulhr(v << l, load<i32>(m + (o << 2))) + zp, lo, hi);
      write(out + o * ty, v, ty);
    }
  }
}

/**
 * Batched product of two activations: nd over the batch. Units are panels of eight columns. Record b: K, columns, element bytes, transposed; record
 * a: rows, element bytes, panels, then G.
 */
export function matmul(from: i32, to: i32, nd: usize, b: usize, a: usize): void {
  const rows = load<i32>(a), sx = load<i32>(a, 4), panels = load<i32>(a, 8), g = a + 12, K = load<u32>(b), N = load<i32>(b, 4), sy = load<i32>(b, 8), tb = load<i32>(b, 12);
  const per = sx + sy == 2 ? 3 : sx + sy == 3 ? 2 : 1, bytes = rowBytes(K, per), each: usize = per == 3 ? 20 << 3 : 256 << 3;
  const left = scratch(), right = left + 4 * bytes, column = right + 8 * bytes, ld = load<u32>(g, 44);
  ndStart(nd, from / panels, (to + panels - 1) / panels);
  while (ndNext()) {
    const last = min(panels, from % panels + to - from);
    for (let i = from % panels; i < last; i++, from++) {
      const first = i << 3, n = min(8, N - first);
      for (let j = 0; j < n; j++) {
        let p = p1 + <usize>(first + j) * K * sy;
        if (!tb) {
          p = column;
          for (let k: u32 = 0, q = p1 + (first + j) * sy; k < K; k++, q += N * sy) write(p + k * sy, read(q, sy), sy);
        }
        packRow(right + j * bytes, p, K, sy, 0, per, 8);
      }
      const skip = -<isize>first * bytes;
      for (let m = 0; m < rows; m += 4) {
        const h = min(4, rows - m);
        for (let k = 0; k < h; k++) packRow(left + (<usize>k << 3), p0 + <usize>(m + k) * K * sx, K, sx, 0, per, 32);
        tile(g, right + skip, 0, left, h, bytes, first, first + n, p2 + <usize>m * ld, per, each);
      }
    }
  }
}

/** The accumulator of channel sizeof<A>() − sizeof<B>() of nine taps of i8, behind its bias. */
// @ts-ignore: decorator
@inline
function nine<A, B>(t0: usize, t1: usize, t2: usize, t3: usize, t4: usize, t5: usize, t6: usize, t7: usize, t8: usize, w: usize, b: usize): i32 {
  return load<i32>(b, 4 * (sizeof<A>() - sizeof<B>())) + <i32>load<i8>(t0, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>())) +
    <i32>load<i8>(t1, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 1) +
    <i32>load<i8>(t2, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 2) +
    <i32>load<i8>(t3, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 3) +
    <i32>load<i8>(t4, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 4) +
    <i32>load<i8>(t5, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 5) +
    <i32>load<i8>(t6, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 6) +
    <i32>load<i8>(t7, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 7) +
    <i32>load<i8>(t8, sizeof<A>() - sizeof<B>()) * <i32>load<i8>(w, 9 * (sizeof<A>() - sizeof<B>()) + 8);
}

/** depthwise conv2d; units are pixels. The record is that of kernels/wasm/depthwise.ts with weights [C][taps] as they are. */
export function depthwise(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), C = load<i32>(r, 20), n = load<i32>(r, 24) * load<i32>(r, 28), sh = load<i32>(r, 32), sw = load<i32>(r, 36);
  const pt = load<i32>(r, 48), pl = load<i32>(r, 52), size = load<i32>(r, 56), l = load<i32>(r, 76), zp = load<i32>(r, 80), lo = load<i32>(r, 84), hi = load<i32>(r, 88), ty = load<i32>(r, 92);
  const image = load<u32>(r, 12) * load<u32>(r, 16) * C * size, t = scratch(), fast = n == 9 && size == 1 && ty == 1 ? C & ~3 : 0;
  out += <usize>from * C * ty;
  for (; from < to; from++) {
    const row = from / OW;
    list(r, t, x + <usize>(row / OH) * image, (row % OH) * sh - pt, (from % OW) * sw - pl);
    let w = load<u32>(r, 64), b = load<u32>(r, 68), m = load<u32>(r, 72), c = 0;
    if (fast) {
      let t0 = load<u32>(t), t1 = load<u32>(t, 4), t2 = load<u32>(t, 8), t3 = load<u32>(t, 12), t4 = load<u32>(t, 16), t5 = load<u32>(t, 20), t6 = load<u32>(t, 24), t7 = load<u32>(t, 28), t8 = load<u32>(t, 32);
      for (; c < fast; c += 4) {
        store<i8>(out, <i8>clamp(mulhr(nine<i8, i8>(t0, t1, t2, t3, t4, t5, t6, t7, t8, w, b) << l, load<i32>(m)) + zp, lo, hi));
        store<i8>(out, <i8>clamp(mulhr(nine<i16, i8>(t0, t1, t2, t3, t4, t5, t6, t7, t8, w, b) << l, load<i32>(m, 4)) + zp, lo, hi), 1);
        store<i8>(out, <i8>clamp(mulhr(nine<i32, i16>(t0, t1, t2, t3, t4, t5, t6, t7, t8, w, b) << l, load<i32>(m, 8)) + zp, lo, hi), 2);
        store<i8>(out, <i8>clamp(mulhr(nine<i32, i8>(t0, t1, t2, t3, t4, t5, t6, t7, t8, w, b) << l, load<i32>(m, 12)) + zp, lo, hi), 3);
        t0 += 4, t1 += 4, t2 += 4, t3 += 4, t4 += 4, t5 += 4, t6 += 4, t7 += 4, t8 += 4, w += 36, b += 16, m += 16, out += 4;
      }
    }
    for (; c < C; c++, w += n, b += 4, m += 4, out += ty) {
      let v = load<i32>(b);
      for (let k = 0; k < n; k++) v += read(load<u32>(t + (k << 2)) + c * size, size) * <i32>load<i8>(w + k);
      if (ty < 4) v = clamp(mulhr(v << l, load<i32>(m)) + zp, lo, hi);
      write(out, v, ty);
    }
  }
}
