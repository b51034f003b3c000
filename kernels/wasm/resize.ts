/** resize_bilinear (spec/10-ops.md §6). */
import { load8, stage8 } from './simd';

/** rsh(a·(2^q − w) + b·w, s) of four channels in interleaved i16 lanes, times the weight of their column. */
// @ts-ignore: decorator
@inline
function lerp(ab: v128, w: v128, half: v128, s: i32, column: v128): v128 {
  return i32x4.mul(i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(ab, w), half), s), column);
}

/**
 * x [N,H,W,C] → y [N,OH,OW,C]; units are output rows. The zero point leaves as one bias of the accumulator: the weights of a pixel sum to a constant, and
 * where s1 > 0 it is 0. Record: N, OH, OW, C, bytes of x, bytes of an image, rows, columns (three words an output: bytes to both
 * sources, weight of the second), 2^q, s1, bias, stage.
 */
export function bilinear(from: i32, to: i32, r: usize, x: usize, y: usize): void {
  const OH = load<i32>(r, 4), OW = load<i32>(r, 8), C = load<i32>(r, 12), size = load<i32>(r, 16), one = load<i32>(r, 32);
  const s = load<i32>(r, 36), bias = v128.load_splat<i32>(r + 40), ty = load<i32>(r, 64), half = i32x4.splat((1 << s) >> 1);
  y += <usize>from * OW * C * ty;
  for (; from < to; from++) {
    const row = <usize>load<u32>(r, 24) + <usize>(from % OH) * 12;
    const top = x + <usize>(from / OH) * load<u32>(r, 20) + load<u32>(row), below = load<u32>(row, 4) - load<u32>(row), wy = load<i32>(row, 8);
    const pair = i32x4.splat((one - wy) | (wy << 16));
    for (let j = 0, col = <usize>load<u32>(r, 28); j < OW; j++, col += 12) {
      const wx = load<i32>(col, 8), p = top + load<u32>(col), q = top + load<u32>(col, 4);
      for (let c = 0; c < C; c += 8) {
        let u = bias, v = bias, w = i32x4.splat(one - wx);
        for (let t = p + c * size, k = 0; k < 2; k++) {
          const a = size == 1 ? load8<i8>(t) : load8<i16>(t), b = size == 1 ? load8<i8>(t + below) : load8<i16>(t + below);
          u = i32x4.add(u, lerp(v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), pair, half, s, w));
          v = i32x4.add(v, lerp(v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), pair, half, s, w));
          t = q + c * size;
          w = i32x4.splat(wx);
        }
        stage8(y, u, v, C - c, r + 44);
        y += min(C - c, 8) * ty;
      }
    }
  }
}
