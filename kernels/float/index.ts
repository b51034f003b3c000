/**
 * Convolution of the float interpreter in f64: every output is bias + Σ w·x over its taps in rising order, two lanes side
 * by side, so that the sum of one output is the same as in any scalar loop of that order.
 *
 * Record (i32 words): x, weights, bias, y, patch (addresses); pixels, H, W, C, OH, OW, KH, KW, sh, sw, dh, dw, pt, pl, C/g,
 * groups, O/g, direct. Weights: for each group and each four of its outputs, K rows of four; padded with zeros, as the bias.
 */

/** Four outputs of four pixels: 32 sums of two lanes in registers; results go to `out`, four values a pixel. */
function tile(a: usize, b: usize, c: usize, d: usize, w: usize, bias: usize, k: i32, out: usize): void {
  let a0 = v128.load(bias), a1 = v128.load(bias, 16);
  let b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
  for (let i = 0; i < k; i++) {
    const w0 = v128.load(w), w1 = v128.load(w, 16);
    let x = v128.load_splat<f64>(a);
    a0 = f64x2.add(a0, f64x2.mul(w0, x));
    a1 = f64x2.add(a1, f64x2.mul(w1, x));
    x = v128.load_splat<f64>(b);
    b0 = f64x2.add(b0, f64x2.mul(w0, x));
    b1 = f64x2.add(b1, f64x2.mul(w1, x));
    x = v128.load_splat<f64>(c);
    c0 = f64x2.add(c0, f64x2.mul(w0, x));
    c1 = f64x2.add(c1, f64x2.mul(w1, x));
    x = v128.load_splat<f64>(d);
    d0 = f64x2.add(d0, f64x2.mul(w0, x));
    d1 = f64x2.add(d1, f64x2.mul(w1, x));
    a += 8;
    b += 8;
    c += 8;
    d += 8;
    w += 32;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, b0, 32);
  v128.store(out, b1, 48);
  v128.store(out, c0, 64);
  v128.store(out, c1, 80);
  v128.store(out, d0, 96);
  v128.store(out, d1, 112);
}

/** Copies the taps of one pixel and group into a row; zeros outside the image. */
function gather(r: usize, pixel: i32, group: i32, to: usize): void {
  const H = load<i32>(r, 24), W = load<i32>(r, 28), C = load<i32>(r, 32), OH = load<i32>(r, 36), OW = load<i32>(r, 40);
  const KH = load<i32>(r, 44), KW = load<i32>(r, 48), n = load<i32>(r, 76) << 3;
  const t = pixel / OW;
  const y0 = (t % OH) * load<i32>(r, 52) - load<i32>(r, 68);
  const x0 = (pixel % OW) * load<i32>(r, 56) - load<i32>(r, 72);
  const image = load<usize>(r) + <usize>(t / OH) * H * W * C * 8 + group * n;
  for (let ky = 0; ky < KH; ky++) {
    const y = y0 + ky * load<i32>(r, 60);
    for (let kx = 0; kx < KW; kx++) {
      const x = x0 + kx * load<i32>(r, 64);
      if (<u32>y < <u32>H && <u32>x < <u32>W) memory.copy(to, image + (<usize>y * W + x) * C * 8, n);
      else memory.fill(to, 0, n);
      to += n;
    }
  }
}

/** The whole convolution that record `r` describes. */
export function conv(r: usize): void {
  const pixels = load<i32>(r, 20), C = load<i32>(r, 32), og = load<i32>(r, 84), groups = load<i32>(r, 80);
  const k = load<i32>(r, 44) * load<i32>(r, 48) * load<i32>(r, 76);
  const row = <usize>k << 3;
  const patch = load<usize>(r, 16);
  const out = patch + (row << 2);
  const fours = (og + 3) >> 2;
  const direct = load<i32>(r, 88);
  for (let p = 0; p < pixels; p += 4) {
    const count = min(4, pixels - p);
    for (let g = 0; g < groups; g++) {
      let base = patch;
      if (direct && count == 4) base = load<usize>(r) + <usize>p * C * 8;
      else for (let i = 0; i < 4; i++) gather(r, p + min(i, count - 1), g, patch + i * row);
      for (let f = 0; f < fours; f++) {
        const at = g * fours + f;
        tile(base, base + row, base + 2 * row, base + 3 * row, load<usize>(r, 4) + <usize>at * row * 4, load<usize>(r, 8) + at * 32, k, out);
        const width = min(4, og - f * 4) << 3;
        const y = load<usize>(r, 12) + ((<usize>p * groups + g) * og + f * 4) * 8;
        for (let i = 0; i < count; i++) memory.copy(y + <usize>i * groups * og * 8, out + i * 32, width);
      }
    }
  }
}

/** Offsets of the valid taps of a pixel, as (input, weight) byte offsets at `list`; returns how many. */
function taps(r: usize, pixel: i32, list: usize): i32 {
  const H = load<i32>(r, 24), W = load<i32>(r, 28), C = load<i32>(r, 32), OH = load<i32>(r, 36), OW = load<i32>(r, 40);
  const KH = load<i32>(r, 44), KW = load<i32>(r, 48);
  const t = pixel / OW;
  const y0 = (t % OH) * load<i32>(r, 52) - load<i32>(r, 68);
  const x0 = (pixel % OW) * load<i32>(r, 56) - load<i32>(r, 72);
  const image = load<usize>(r) + <usize>(t / OH) * H * W * C * 8;
  let n = 0;
  for (let ky = 0; ky < KH; ky++) {
    const y = y0 + ky * load<i32>(r, 60);
    for (let kx = 0; kx < KW; kx++) {
      const x = x0 + kx * load<i32>(r, 64);
      if (<u32>y >= <u32>H || <u32>x >= <u32>W) continue;
      store<usize>(list + (n << 3), image + (<usize>y * W + x) * C * 8);
      store<usize>(list + (n << 3), load<usize>(r, 4) + <usize>(ky * KW + kx) * C * 8, 4);
      n++;
    }
  }
  return n;
}

/** One channel a group; weights are [KH·KW, C]. */
export function depthwise(r: usize): void {
  const pixels = load<i32>(r, 20), C = load<i32>(r, 32);
  const list = load<usize>(r, 16), bias = load<usize>(r, 8);
  for (let p = 0; p < pixels; p++) {
    const n = taps(r, p, list);
    const y = load<usize>(r, 12) + <usize>p * C * 8;
    let ch: usize = 0;
    for (; ch + 2 <= <usize>C; ch += 2) {
      let acc = v128.load(bias + (ch << 3));
      for (let t = 0; t < n; t++) {
        const x = load<usize>(list + (t << 3)), w = load<usize>(list + (t << 3), 4);
        acc = f64x2.add(acc, f64x2.mul(v128.load(w + (ch << 3)), v128.load(x + (ch << 3))));
      }
      v128.store(y + (ch << 3), acc);
    }
    if (ch < <usize>C) {
      let acc = load<f64>(bias + (ch << 3));
      for (let t = 0; t < n; t++) acc += load<f64>(load<usize>(list + (t << 3), 4) + (ch << 3)) * load<f64>(load<usize>(list + (t << 3)) + (ch << 3));
      store<f64>(y + (ch << 3), acc);
    }
  }
}
