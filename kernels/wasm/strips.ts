/**
 * Depthwise 3×3 convolution with strides 1 over i8, along rows: raw x, the zero point folded into the bias as in depthwise.ts.
 *
 * Each column of three taps is widened once and interleaved as (row 0, row 1), and its row 2 with that of the column before, so that
 * five pair dots a half of eight channels make an output.
 *
 * Record: that of depthwise.ts, with the weights as [C/8][5][8][2]: rows 0 and 1 of the three columns, row 2 of the first two, row 2 of
 * none and the last. C is a multiple of 8, and l is in the weights.
 */
import { high, low } from './depthwise';
import { load8, mulhr4, scratch } from './simd';

// @ts-ignore: decorator
@inline
function mac(c: v128, x: v128, w: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/**
 * Row of OW outputs, eight channels at a time along it. `t` lists the addresses of the three taps of its OW + 2 columns. All that
 * stays along a row is in locals: an engine that moves loads ahead would keep each of them in memory a second time.
 */
function strip<T>(r: usize, t: usize, out: usize): void {
  const C = load<i32>(r, 20), step = <usize>C * sizeof<T>(), end = t + load<usize>(r, 8) * 12 + 24;
  let w = load<usize>(r, 64), b = load<usize>(r, 68), m = load<usize>(r, 72);
  const zp = v128.load_splat<i16>(r + 80), lo = v128.load_splat<i16>(r + 84), hi = v128.load_splat<i16>(r + 88);
  for (let c = 0; c < C; c += 8) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), m0 = v128.load(m), m1 = v128.load(m, 16);
    const l0 = v128.load(w), l1 = v128.load(w, 16), c0 = v128.load(w, 32), c1 = v128.load(w, 48), r0 = v128.load(w, 64), r1 = v128.load(w, 80);
    const e0 = v128.load(w, 96), e1 = v128.load(w, 112), f0 = v128.load(w, 128), f1 = v128.load(w, 144);
    let at = t;
    // column 0
    let u = load8<i8>(load<usize>(at) + c), v = load8<i8>(load<usize>(at, 4) + c), before = load8<i8>(load<usize>(at, 8) + c);
    let p0 = mac(b0, low(u, v), l0), p1 = mac(b1, high(u, v), l1);
    // column 1
    at += 12;
    u = load8<i8>(load<usize>(at) + c), v = load8<i8>(load<usize>(at, 4) + c);
    let e = load8<i8>(load<usize>(at, 8) + c);
    let ul = low(u, v), uh = high(u, v), el = low(before, e), eh = high(before, e);
    before = e;
    p0 = mac(mac(p0, ul, c0), el, e0), p1 = mac(mac(p1, uh, c1), eh, e1);
    let q0 = mac(b0, ul, l0), q1 = mac(b1, uh, l1);
    at += 12;
    let o = out;
    do {
      u = load8<i8>(load<usize>(at) + c), v = load8<i8>(load<usize>(at, 4) + c), e = load8<i8>(load<usize>(at, 8) + c);
      ul = low(u, v), uh = high(u, v), el = low(before, e), eh = high(before, e);
      before = e;
      const s0 = mac(mac(p0, ul, r0), el, f0), s1 = mac(mac(p1, uh, r1), eh, f1);
      p0 = mac(mac(q0, ul, c0), el, e0), p1 = mac(mac(q1, uh, c1), eh, e1);
      q0 = mac(b0, ul, l0), q1 = mac(b1, uh, l1);
      const s = i16x8.add_sat_s(i16x8.narrow_i32x4_s(mulhr4(s0, m0), mulhr4(s1, m1)), zp);
      const y = i16x8.max_s(i16x8.min_s(s, hi), lo);
      if (sizeof<T>() == 2) v128.store(o, y);
      else v128.store_lane<i64>(o, i8x16.narrow_i16x8_s(y, y), 0);
      o += step;
      at += 12;
    } while (at < end);
    w += 160, b += 32, m += 32, out += 8 * sizeof<T>();
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
  const size = load<u32>(r, 92), row = load<usize>(r, 8) * C * size;
  const taps = scratch();
  for (let i = from; i < to; i++) {
    columns(r, taps, x + (i / OH) * image, <i32>(i % OH) - load<i32>(r, 48));
    if (size == 2) strip<i16>(r, taps, out + i * row);
    else strip<i8>(r, taps, out + i * row);
  }
}
