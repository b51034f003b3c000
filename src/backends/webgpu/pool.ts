/**
 * Windows over images: the pools, and conv2d of one channel a group (spec/10-ops.md §2, §4).
 * @module
 */
import type { Arg, Builder } from './builder.ts';
import { divisor } from './divisor.ts';
import { multipliers } from './elementwise.ts';
import { elementKernel, fourKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

/** Geometry of a window over x [N,H,W,C] with output [N,OH,OW,C]. */
const WINDOW =
  'x: u32, x_size: u32, zx: i32, c: Divisor, ow: Divisor, oh: Divisor, h: u32, w: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, pt: u32, pl: u32';

/** From output index i: channel, and the window's first row, first column and image. */
const POSITION = `
  let pixel: u32 = quotient(i, p.c);
  let channel: u32 = i - pixel * p.c.n;
  let line: u32 = quotient(pixel, p.ow);
  let image: u32 = quotient(line, p.oh);
  let top: u32 = (line - image * p.oh.n) * p.sh - p.pt;
  let left: u32 = (pixel - line * p.ow.n) * p.sw - p.pl;`;

/** A loop over the taps inside the image; `x` is the raw element of each. */
function taps(body: string): string {
  return `
  for (var ky: u32 = 0u; ky < p.kh; ky++) {
    let row: u32 = top + ky * p.dh;
    if (row >= p.h) { continue; }
    for (var kx: u32 = 0u; kx < p.kw; kx++) {
      let column: u32 = left + kx * p.dw;
      if (column >= p.w) { continue; }
      let x: i32 = load(p.x, p.x_size, ((image * p.h + row) * p.w + column) * p.c.n + channel);
      ${body}
    }
  }`;
}

const MAX_POOL = /* @__PURE__ */ elementKernel(
  'max_pool2d',
  WINDOW,
  `
fn element(i: u32) -> i32 {${POSITION}
  var best: i32 = -32768;${taps('best = max(best, x);')}
  return best;
}`,
);

const AVG_POOL = /* @__PURE__ */ elementKernel(
  'avg_pool2d',
  `${WINDOW}, declared: u32, bottom: u32, right: u32, m1: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
// taps of one axis below an end
fn below(start: u32, count: u32, step: u32, end: u32) -> u32 {
  var n: u32 = 0u;
  for (var k: u32 = 0u; k < count; k++) { n += select(0u, 1u, bitcast<i32>(start + k * step) < bitcast<i32>(end)); }
  return n;
}
fn element(i: u32) -> i32 {${POSITION}
  var acc: i32 = 0; var n: u32 = 0u;${taps('acc += x - p.zx; n++;')}
  if (p.declared == 1u) { n = below(top, p.kh, p.dh, p.bottom) * below(left, p.kw, p.dw, p.right); }
  // roundDiv(m1, n)
  let q: u32 = divide(p.m1, n);
  let m: u32 = q + select(0u, 1u, 2u * (p.m1 - q * n) >= n);
  return stage(bitcast<u32>(acc), m, p.l, p.zp, p.lo, p.hi);
}`,
);

const DEPTHWISE = /* @__PURE__ */ elementKernel(
  'depthwise',
  `${WINDOW}, weights: u32, bias: u32, raw: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
fn element(i: u32) -> i32 {${POSITION}
  var acc: i32 = bitcast<i32>(constants[p.bias + channel]);
  let own: u32 = channel * p.kh * p.kw;${taps(`
      let at: u32 = own + ky * p.kw + kx;
      acc += (x - p.zx) * part(constants[p.weights + (at >> 2u)], 0u, at);`)}
  if (p.raw == 1u) { return acc; }
  return stage(bitcast<u32>(acc), constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi);
}`,
);

/** Four channels of i8 at once: `c` counts quads, weights are [tap][C]. */
const DEPTHWISE_4 = /* @__PURE__ */ fourKernel(
  'depthwise_4',
  `${WINDOW}, weights: u32, bias: u32, raw: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32`,
  `
fn bytes(word: u32) -> vec4<i32> { return bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u); }
fn result(sum: i32, channel: u32) -> u32 {
  let acc: u32 = bitcast<u32>(sum) + constants[p.bias + channel];
  if (p.raw == 1u) { return acc; }
  return bitcast<u32>(stage(acc, constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi));
}
fn four(i: u32) -> vec4<u32> {${POSITION}
  var acc: vec4<i32> = vec4<i32>(0);
  for (var ky: u32 = 0u; ky < p.kh; ky++) {
    let row: u32 = top + ky * p.dh;
    if (row >= p.h) { continue; }
    for (var kx: u32 = 0u; kx < p.kw; kx++) {
      let column: u32 = left + kx * p.dw;
      if (column >= p.w) { continue; }
      let x: vec4<i32> = bytes(arena[p.x + ((image * p.h + row) * p.w + column) * p.c.n + channel]);
      acc += (x - vec4<i32>(p.zx)) * bytes(constants[p.weights + (ky * p.kw + kx) * p.c.n + channel]);
    }
  }
  let first: u32 = channel * 4u;
  return vec4<u32>(result(acc.x, first), result(acc.y, first + 1u), result(acc.z, first + 2u), result(acc.w, first + 3u));
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
  const taps = kernel[0]! * kernel[1]!;
  const { l, zp, lo, hi } = stage ?? { l: 0, zp: 0, lo: 0, hi: 0 };
  const scale = stage === undefined ? { m: 0, m_step: 0 } : multipliers(b, stage.m);
  const window = windowOf(b, x, y, kernel, s.attrs);
  const own = { ...window, bias: b.constant(bias.data!), raw: stage === undefined, ...scale, l, zp, lo, hi };
  const c = y.shape[3]!;
  if (x.size > 0 || (c & 3) !== 0) {
    b.elements(DEPTHWISE, b.target(y), { ...own, weights: b.constant(w.data!) }, taps);
    return DEPTHWISE.name;
  }
  const quads = new Int8Array(taps * c);
  for (let i = 0; i < c; i++) for (let t = 0; t < taps; t++) quads[t * c + i] = w.data![i * taps + t]!;
  const four = { ...own, c: divisor(c >> 2), weights: b.constant(quads), y: b.at(y), y_size: y.size };
  b.items(DEPTHWISE_4, y.count >> 2, four, taps * 4);
  return DEPTHWISE_4.name;
}
