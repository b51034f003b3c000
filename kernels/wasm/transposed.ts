/** conv_transpose2d pixel by pixel (spec/10-ops.md §2), for geometries of so many phases that products do not pay. */
import { clamp, mulhr, read, write } from './simd';

/**
 * Units are output pixels. Record: OH, OW, O, H, W, C, C/g, O/g, KH, KW, sh, sw, dh, dw, pt, pl, bytes of x, zx, weights, bias, m (words
 * of O; 0: raw), l, zp, lo, hi, bytes of y.
 */
export function transposed(from: u32, to: u32, r: usize, x: usize, y: usize): void {
  const OH = load<u32>(r), OW = load<u32>(r, 4), O = load<i32>(r, 8), H = load<i32>(r, 12), W = load<i32>(r, 16), C = load<i32>(r, 20);
  const cg = load<i32>(r, 24), og = load<i32>(r, 28), KH = load<i32>(r, 32), KW = load<i32>(r, 36), sh = load<i32>(r, 40), sw = load<i32>(r, 44);
  const dh = load<i32>(r, 48), dw = load<i32>(r, 52), size = load<i32>(r, 64), zx = load<i32>(r, 68), m = load<u32>(r, 80), ty = load<i32>(r, 100);
  y += <usize>from * O * ty;
  for (; from < to; from++) {
    const oy = <i32>(from / OW % OH) + load<i32>(r, 56), ox = <i32>(from % OW) + load<i32>(r, 60), image = <usize>(from / OW / OH) * H;
    for (let o = 0; o < O; o++) {
      let acc = load<i32>(load<u32>(r, 76) + (<usize>o << 2));
      for (let ky = 0; ky < KH; ky++) {
        const row = oy - ky * dh;
        if (row < 0 || row % sh || row / sh >= H) continue;
        for (let kx = 0; kx < KW; kx++) {
          const column = ox - kx * dw;
          if (column < 0 || column % sw || column / sw >= W) continue;
          let p = x + (((image + row / sh) * W + column / sw) * C + o / og * cg) * size;
          let w = load<u32>(r, 72) + ((<usize>o * KH + ky) * KW + kx) * cg;
          for (const end = w + cg; w < end; w++, p += size) acc += <i32>load<i8>(w) * (read(p, size) - zx);
        }
      }
      if (m) acc = clamp(load<i32>(r, 88) + mulhr(acc << load<i32>(r, 84), load<i32>(m + (<usize>o << 2))), load<i32>(r, 92), load<i32>(r, 96));
      write(y, acc, ty);
      y += ty;
    }
  }
}
