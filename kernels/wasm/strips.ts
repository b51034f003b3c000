/**
 * Depthwise 3×3 convolution with strides 1 over i8, along rows: raw x, the zero point folded into the bias as in depthwise.ts.
 *
 * Record: that of depthwise.ts, with the weights as [C/8][3 columns][2 pairs][8][2].
 */
import { dot, finish, high, low } from './depthwise';
import { load8, scratch } from './simd';

/**
 * A row of 3×3 outputs with strides 1, eight channels at a time along the row. Each column of three taps is widened and
 * interleaved once, as (row 0, row 1) and (row 2, 0), and meets the weights of the three outputs it belongs to. `t` lists the
 * addresses of its OW + 2 columns; weights are [C/8][3 columns][2 pairs][8][2].
 */
function strip(r: usize, t: usize, out: usize): void {
  const OW = load<i32>(r, 8), C = load<i32>(r, 20);
  const size = load<u32>(r, 92), step = C * size;
  let w = load<u32>(r, 64), b = load<u32>(r, 68), m = load<u32>(r, 72);
  const zero = i16x8.splat(0);
  for (let c = 0; c < C; c += 8) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    // outputs x − 2, x − 1 and x of column x, each as two halves
    let p0 = b0, p1 = b1, q0 = b0, q1 = b1;
    let o = out - 2 * step;
    for (let x = 0, at = t; x < OW + 2; x++, at += 12) {
      const u = load8<i8>(load<u32>(at) + c), v = load8<i8>(load<u32>(at, 4) + c), e = load8<i8>(load<u32>(at, 8) + c);
      const ul = low(u, v), uh = high(u, v), el = low(e, zero), eh = high(e, zero);
      p0 = dot(dot(p0, ul, w + 128), el, w + 160), p1 = dot(dot(p1, uh, w + 144), eh, w + 176);
      if (x > 1) finish(r, o, p0, p1, m, C - c);
      p0 = dot(dot(q0, ul, w + 64), el, w + 96), p1 = dot(dot(q1, uh, w + 80), eh, w + 112);
      q0 = dot(dot(b0, ul, w), el, w + 32), q1 = dot(dot(b1, uh, w + 16), eh, w + 48);
      o += step;
    }
    w += 192, b += 32, m += 32, out += size << 3;
  }
}

/** Lists the three tap addresses of each of the OW + 2 columns of a row. */
function columns(r: usize, taps: usize, image: usize, y0: i32): void {
  const H = load<u32>(r, 12), W = load<u32>(r, 16), C = load<u32>(r, 20), zrow = load<u32>(r, 60);
  const end = load<i32>(r, 8) + 2 - load<i32>(r, 52);
  for (let x = -load<i32>(r, 52); x < end; x++) {
    for (let y = y0; y < y0 + 3; y++) {
      store<u32>(taps, <u32>y < H && <u32>x < W ? image + (<usize>y * W + x) * C : zrow);
      taps += 4;
    }
  }
}

/** The output rows from…to−1 of all images. */
export function strips(from: u32, to: u32, r: usize, x: usize, out: usize): void {
  const OH = load<u32>(r, 4), C = load<u32>(r, 20);
  const image = <usize>load<u32>(r, 12) * load<u32>(r, 16) * C;
  const row = <usize>load<u32>(r, 8) * C * load<u32>(r, 92);
  const taps = scratch();
  for (let i = from; i < to; i++) {
    columns(r, taps, x + (i / OH) * image, <i32>(i % OH) - load<i32>(r, 48));
    strip(r, taps, out + i * row);
  }
}
