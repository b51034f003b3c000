/**
 * Windows over images: the pools, and conv2d of one channel a group (spec/10-ops.md §2, §4).
 * @module
 */
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

/** Geometry of a window over x [N,H,W,C] with output [N,OH,OW,C]. */
const WINDOW =
  'x: u32, x_size: u32, zx: i32, c: Divisor, ow: Divisor, oh: Divisor, h: u32, w: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, pt: u32, pl: u32';

/** From output index i: channel, and the window's first row, first column and image. */
const POSITION = `
  let pixel = quotient(i, p.c);
  let channel = i - pixel * p.c.n;
  let line = quotient(pixel, p.ow);
  let image = quotient(line, p.oh);
  let top = (line - image * p.oh.n) * p.sh - p.pt;
  let left = (pixel - line * p.ow.n) * p.sw - p.pl;`;

/** A loop over the taps inside the image; `x` is the raw element of each. */
function taps(body: string): string {
  return `
  for (var ky = 0u; ky < p.kh; ky++) {
    let row = top + ky * p.dh;
    if (row >= p.h) { continue; }
    for (var kx = 0u; kx < p.kw; kx++) {
      let column = left + kx * p.dw;
      if (column >= p.w) { continue; }
      let x = load(p.x, p.x_size, ((image * p.h + row) * p.w + column) * p.c.n + channel);
      ${body}
    }
  }`;
}

const MAX_POOL = /* @__PURE__ */ elementKernel(
  'max_pool2d',
  WINDOW,
  `
fn element(i: u32) -> i32 {${POSITION}
  var best = -32768;${taps('best = max(best, x);')}
  return best;
}`,
);

const AVG_POOL = /* @__PURE__ */ elementKernel(
  'avg_pool2d',
  `${WINDOW}, declared: u32, bottom: u32, right: u32, m1: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
// taps of one axis below an end
fn below(start: u32, count: u32, step: u32, end: u32) -> u32 {
  var n = 0u;
  for (var k = 0u; k < count; k++) { n += select(0u, 1u, bitcast<i32>(start + k * step) < bitcast<i32>(end)); }
  return n;
}
fn element(i: u32) -> i32 {${POSITION}
  var acc = 0; var n = 0u;${taps('acc += x - p.zx; n++;')}
  if (p.declared == 1u) { n = below(top, p.kh, p.dh, p.bottom) * below(left, p.kw, p.dw, p.right); }
  // roundDiv(m1, n)
  let q = divide(p.m1, n);
  let m = q + select(0u, 1u, 2u * (p.m1 - q * n) >= n);
  return stage(bitcast<u32>(acc), m, p.l, p.zp, p.lo, p.hi);
}`,
);

const DEPTHWISE = /* @__PURE__ */ elementKernel(
  'depthwise',
  `${WINDOW}, weights: u32, bias: u32, raw: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${POSITION}
  var acc = bitcast<i32>(constants[p.bias + channel]);
  let own = channel * p.kh * p.kw;${taps(`
      let at = own + ky * p.kw + kx;
      acc += (x - p.zx) * part(constants[p.weights + (at >> 2u)], 0u, at);`)}
  if (p.raw == 1u) { return acc; }
  return stage(bitcast<u32>(acc), constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi);
}`,
);

/** Fields of a window. */
function windowOf(
  b: Builder,
  x: Arg,
  y: Arg,
  kernel: readonly number[],
  a: { readonly strides: readonly number[]; readonly dilations: readonly number[]; readonly pads: readonly number[] },
) {
  const [kh, kw] = kernel as readonly [number, number];
  const [sh, sw] = a.strides as readonly [number, number];
  const [dh, dw] = a.dilations as readonly [number, number];
  const [pt, pl] = a.pads as readonly [number, number];
  const [, h, w] = x.shape as readonly [number, number, number];
  const [, oh, ow, c] = y.shape as readonly [number, number, number, number];
  const geometry = { h, w, kh, kw, sh, sw, dh, dw, pt, pl };
  return { x: b.at(x), x_size: x.size, zx: x.zp, c: divisor(c), ow: divisor(ow), oh: divisor(oh), ...geometry };
}

/** max_pool2d: of raw integers. */
export function max_pool2d(s: Site<'max_pool2d'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { kernel } = s.attrs;
  b.elements(MAX_POOL, b.target(y), windowOf(b, x, y, kernel, s.attrs), kernel[0]! * kernel[1]!);
  return MAX_POOL.name;
}

/** avg_pool2d: the multiplier of the window's own count. */
export function avg_pool2d(s: Site<'avg_pool2d'>, b: Builder): string {
  const [x, y] = [s.in[0]!, s.out[0]!];
  const { kernel, pads, include_pad, m1, l, output } = s.attrs;
  const { zp, lo, hi } = output;
  const ends = { bottom: x.shape[1]! + pads[2]!, right: x.shape[2]! + pads[3]! };
  const own = { declared: include_pad, ...ends, m1, l, zp, lo, hi };
  b.elements(AVG_POOL, b.target(y), { ...windowOf(b, x, y, kernel, s.attrs), ...own }, kernel[0]! * kernel[1]! + 32);
  return AVG_POOL.name;
}

/** conv2d with one channel and one output a group. */
export function depthwise(s: Site<'conv2d'>, b: Builder): string {
  const [x, w, bias] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const { stage } = s.attrs;
  const kernel = w.shape.slice(1, 3);
  const { l, zp, lo, hi } = stage ?? { l: 0, zp: 0, lo: 0, hi: 0 };
  const { m, m_step } =
    stage === undefined ? { m: 0, m_step: 0 } : { m: b.constant(stage.m), m_step: +(stage.m.length > 1) };
  const own = { weights: b.constant(w.data!), bias: b.constant(bias.data!), raw: stage === undefined };
  const values = { ...windowOf(b, x, y, kernel, s.attrs), ...own, m, m_step, l, zp, lo, hi };
  b.elements(DEPTHWISE, b.target(y), values, kernel[0]! * kernel[1]!);
  return DEPTHWISE.name;
}
