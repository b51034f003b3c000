/**
 * Convolution as implicit im2col: blocks of output pixels are packed as x' and multiplied by panels. A tap outside the
 * image reads `zrow`, a row of C zero points, so x' = 0.
 *
 * Record (96 bytes, then one G a group): pixels N·OH·OW, OH, OW, H, W, C, C/g, KH, KW, sh, sw, dh, dw, pt, pl, element bytes,
 * zp, zrow, pixels a block, groups, K, output bytes of a group, panels of a group where these
 * are the units (0: units are four pixels), row offset (scratch).
 */
import { gemm, panelsOf, widen } from './gemm';
import { pack4 } from './pack';
import { own, rows, scratch } from './simd';

/** Address of channel 0 of a pixel, or of the zero row. */
// @ts-ignore: decorator
@inline
function tap(r: usize, i: i32, y: i32, x: i32, pixel: usize): usize {
  const p = rows() + i * 12;
  const W = load<u32>(r, 16);
  y += load<i32>(p, 4);
  x += load<i32>(p, 8);
  return <u32>y < load<u32>(r, 12) && <u32>x < W ? load<u32>(p) + (<usize>y * W + x) * pixel : load<u32>(r, 68);
}

/** Image base and first tap of pixels m…m+3; pixels past the last repeat it. */
function rows4(r: usize, x: usize, m: u32, last: u32): void {
  const OH = load<u32>(r, 4), OW = load<u32>(r, 8);
  const image = load<u32>(r, 12) * load<u32>(r, 16) * load<u32>(r, 20) * load<u32>(r, 60);
  for (let i: u32 = 0; i < 4; i++) {
    const q = min(m + i, last);
    const t = q / OW;
    const p = rows() + i * 12;
    store<u32>(p, x + (t / OH) * image);
    store<i32>(p, <i32>(t % OH) * load<i32>(r, 36) - load<i32>(r, 52), 4);
    store<i32>(p, <i32>(q % OW) * load<i32>(r, 40) - load<i32>(r, 56), 8);
  }
}

/** Packs four pixels tap by tap; C/g is a multiple of 8. */
function packTaps(r: usize, d: usize, first: usize): void {
  const KH = load<i32>(r, 28), KW = load<i32>(r, 32), n = load<i32>(r, 24);
  const size = load<i32>(r, 60), zp = load<i32>(r, 64);
  const pixel = load<u32>(r, 20) * size;
  for (let ky = 0; ky < KH; ky++) {
    const y = ky * load<i32>(r, 44);
    for (let kx = 0; kx < KW; kx++) {
      const x = kx * load<i32>(r, 48);
      const p = own();
      for (let i = 0; i < 4; i++) store<u32>(p + (i << 2), tap(r, i, y, x, pixel) + first);
      pack4(d, load<u32>(p), load<u32>(p, 4), load<u32>(p, 8), load<u32>(p, 12), n, size, zp, 16);
      d += <usize>n << 3;
    }
  }
}

/** Widens the taps of one pixel into a row of K values; runs of adjacent taps inside the image are one copy. */
function gather(r: usize, d: usize, i: i32, first: usize): void {
  const KH = load<i32>(r, 28), KW = load<i32>(r, 32), n = load<i32>(r, 24);
  const dw = load<i32>(r, 48), size = load<i32>(r, 60), zp = load<i32>(r, 64);
  const pixel = load<u32>(r, 20) * size;
  const x0 = load<i32>(rows() + i * 12, 8);
  const joined = dw == 1 && load<i32>(r, 76) == 1 && x0 >= 0 && x0 + KW <= load<i32>(r, 16);
  for (let ky = 0; ky < KH; ky++) {
    const y = ky * load<i32>(r, 44);
    if (joined && <u32>(y + load<i32>(rows() + i * 12, 4)) < load<u32>(r, 12)) {
      widen(d, tap(r, i, y, 0, pixel), KW * n, size, zp);
      d += <usize>(KW * n) << 1;
    } else {
      for (let kx = 0; kx < KW; kx++) {
        widen(d, tap(r, i, y, kx * dw, pixel) + first, n, size, zp);
        d += <usize>n << 1;
      }
    }
  }
}

/** conv2d by tiles. */
export function conv(from: i32, to: i32, r: usize, x: usize, out: usize): void {
  const panels = load<i32>(r, 88), last = load<i32>(r) - 1;
  const start = panels ? 0 : from << 2, end = panels ? last + 1 : min(last + 1, to << 2);
  const first = panels ? from : 0, stop = panels ? to : load<i32>(r, 100);
  const block = load<i32>(r, 72), groups = load<i32>(r, 76), K = load<i32>(r, 80);
  const direct = (load<i32>(r, 24) & 7) == 0;
  const a = scratch(), row = scratch() + load<u32>(r, 92);
  const rowBytes = <usize>(K + 16) << 1;
  const groupBytes = load<u32>(r, 24) * load<u32>(r, 60);
  for (let m = start; m < end; m += block) {
    const n = min(block, end - m);
    let g = r + 96;
    let o = out + <usize>m * load<u32>(g, 44);
    for (let j = 0; j < groups; j++) {
      let d = a;
      const at = <usize>j * groupBytes;
      for (let i = 0; i < n; i += 4) {
        rows4(r, x, m + i, last);
        if (direct) packTaps(r, d, at);
        else {
          for (let k = 0; k < 4; k++) gather(r, row + k * rowBytes, k, at);
          pack4(d, row, row + rowBytes, row + 2 * rowBytes, row + 3 * rowBytes, K, 2, 0, 16);
        }
        d += <usize>K << 3;
      }
      gemm(own(), a, n, o + panelsOf(g, load<u32>(g, 12), <usize>K << 4, first, stop));
      g += 48;
      o += load<u32>(r, 84);
    }
  }
}
