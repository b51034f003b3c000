/**
 * Window pools over [N,H,W,C] (spec/10-ops.md §4). Record: N, OH, OW, H, W, C, KH, KW, sh, sw, dh, dw, pt, pl, pb, pr,
 * element bytes; avg: zx, include_pad, stage, whose m is m1.
 */
import { floorDiv, fromTail, own, stage8, tail } from './simd';

/** First tap of a window axis that is inside, for a window at `at`. */
export function firstTap(at: i32, d: i32): i32 {
  return at >= 0 ? 0 : (d - 1 - at) / d;
}

/** One past the last tap below `limit`; every window has one (spec/10-ops.md §4). */
export function endTap(at: i32, d: i32, k: i32, limit: i32): i32 {
  return min(k, (limit - 1 - at) / d + 1);
}

/** Maximum over ny·nx taps of one pixel, 16 bytes at a time. */
function maxPixel(p: usize, ny: i32, nx: i32, rowStep: usize, colStep: usize, bytes: i32, size: i32, out: usize): void {
  for (let c = 0; c < bytes; c += 16) {
    let m = v128.load(p);
    let row = p;
    for (let y = 0; y < ny; y++) {
      let q = row;
      for (let x = 0; x < nx; x++) {
        const v = v128.load(q);
        m = size == 1 ? i8x16.max_s(m, v) : i16x8.max_s(m, v);
        q += colStep;
      }
      row += rowStep;
    }
    if (bytes - c >= 16) v128.store(out, m);
    else {
      v128.store(tail(), m);
      fromTail(out, bytes - c);
    }
    p += 16;
    out += 16;
  }
}

/** Sum over ny·nx taps of one pixel behind the own stage, whose m is set: n is the divisor. */
function avgPixel(r: usize, p: usize, ny: i32, nx: i32, rowStep: usize, colStep: usize, n: i32, out: usize): void {
  const C = load<i32>(r, 20), size = load<i32>(r, 64), ty = load<i32>(r, 96), zero = i32x4.splat(-load<i32>(r, 68) * ny * nx);
  store<i32>(own(), <i32>floorDiv(2 * <i64>load<i32>(r, 76) + n, 2 * <i64>n));
  for (let c = 0; c < C; c += 8) {
    let u = zero, v = zero;
    let row = p;
    for (let y = 0; y < ny; y++) {
      let q = row;
      for (let x = 0; x < nx; x++) {
        const t = size == 1 ? v128.load_ext<i8>(q) : v128.load(q);
        u = i32x4.add(u, i32x4.extend_low_i16x8_s(t));
        v = i32x4.add(v, i32x4.extend_high_i16x8_s(t));
        q += colStep;
      }
      row += rowStep;
    }
    stage8(out, u, v, C - c, own());
    p += size << 3;
    out += ty << 3;
  }
}

/** max_pool2d, or with `avg` avg_pool2d; units are output rows. */
// @ts-ignore: decorator
@inline
function pool(from: i32, to: i32, r: usize, x: usize, out: usize, avg: bool): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), H = load<i32>(r, 12), W = load<i32>(r, 16);
  const KH = load<i32>(r, 24), KW = load<i32>(r, 28), dh = load<i32>(r, 40), dw = load<i32>(r, 44);
  const size = load<i32>(r, 64), bytes = load<i32>(r, 20) * size;
  const step = avg ? load<u32>(r, 20) * load<u32>(r, 96) : bytes;
  const colStep = <usize>dw * bytes, rowStep = <usize>dh * W * bytes;
  if (avg) memory.copy(own(), r + 76, 24);
  out += <usize>from * OW * step;
  for (let i = from; i < to; i++) {
    const y = (i % OH) * load<i32>(r, 32) - load<i32>(r, 48);
    const ky = firstTap(y, dh), ny = endTap(y, dh, KH, H) - ky;
    const image = x + <usize>(i / OH) * H * W * bytes;
    for (let j = 0; j < OW; j++) {
      const z = j * load<i32>(r, 36) - load<i32>(r, 52);
      const kx = firstTap(z, dw), nx = endTap(z, dw, KW, W) - kx;
      const p = image + (<usize>(y + ky * dh) * W + (z + kx * dw)) * bytes;
      if (avg) {
        const n = load<i32>(r, 72) ? endTap(y, dh, KH, H + load<i32>(r, 56)) * endTap(z, dw, KW, W + load<i32>(r, 60)) : ny * nx;
        avgPixel(r, p, ny, nx, rowStep, colStep, n, out);
      } else maxPixel(p, ny, nx, rowStep, colStep, bytes, size, out);
      out += step;
    }
  }
}

/** max_pool2d. */
export function maxPool(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  pool(from, to, r, x, out, false);
}

/** avg_pool2d. */
export function avgPool(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  pool(from, to, r, x, out, true);
}
