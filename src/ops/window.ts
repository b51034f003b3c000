/**
 * Windows over NHWC images: extents, taps and their proofs (spec/10-ops.md §4).
 * @module
 */

import { charged } from '../core/cost.ts';
import { addDim, type Dim, greatest } from '../core/dim.ts';
import { floorDiv } from '../core/int.ts';
import { product, times } from '../core/poly.ts';
import type { Cell, IntsField, NodeCost, RuleContext, Slots, TensorType, TypedContext } from './define.ts';
import { counts, rows, staticDim } from './rules.ts';

type Fail = Pick<RuleContext<unknown, Slots>, 'fail' | 'symbols'>;

/** ⌊(padded − (k−1)·d − 1) / s⌋ + 1; a symbolic extent needs stride 1. */
export function outputExtent(c: Fail, padded: Dim, kernel: number, stride: number, dilation: number): Dim {
  if (greatest(padded, c.symbols) >= 1073741824)
    c.fail('Limit', 'a padded extent exceeds 2^30', 1073741824, greatest(padded, c.symbols));
  const room = addDim(padded, -(kernel - 1) * dilation - 1);
  if (stride === 1) return addDim(room, 1);
  return floorDiv(staticDim(c, room, 'an axis with stride > 1'), stride) + 1;
}

/** Window attributes of the pools. `overhang` (bottom, right) is how ceil_mode is written. */
export interface WindowAttrs {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly overhang: readonly number[];
}

/** Attribute fields of a window on tags 1 to 5. */
export const WINDOW_FIELDS: { readonly [K in keyof WindowAttrs]: IntsField } = {
  kernel: { kind: 'ints', tag: 1, min: 1, max: 1048576, length: 2 },
  strides: { kind: 'ints', tag: 2, min: 1, max: 1048576, length: 2, default: [1, 1] },
  dilations: { kind: 'ints', tag: 3, min: 1, max: 1048576, length: 2, default: [1, 1] },
  pads: { kind: 'ints', tag: 4, min: 0, max: 1048576, length: 4, default: [0, 0, 0, 0] },
  overhang: { kind: 'ints', tag: 5, min: 0, max: 1048575, length: 2, default: [0, 0] },
};

/** One axis of a window. */
export interface WindowAxis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly overhang: number;
}

/** Axis 0 (height) or 1 (width) of a window over an image extent. */
export function windowAxis(a: WindowAttrs, axis: 0 | 1, size: number): WindowAxis {
  return {
    size,
    kernel: a.kernel[axis]!,
    stride: a.strides[axis]!,
    dilation: a.dilations[axis]!,
    before: a.pads[axis]!,
    after: a.pads[axis + 2]!,
    overhang: a.overhang[axis]!,
  };
}

/** Least x ≥ 0 with l ≤ (a·x mod m) ≤ r, 0 ≤ l ≤ r < m, 0 ≤ a < m; −1 if there is none. Euclid’s descent, O(log m). */
export function firstInRange(a: number, m: number, l: number, r: number): number {
  if (l === 0) return 0;
  if (a === 0) return -1;
  if (2 * a > m) return firstInRange(m - a, m, m - r, m - l);
  const first = floorDiv(l + a - 1, a);
  if (first * a <= r) return first;
  const y = firstInRange((a - (m % a)) % a, a, l % a, r % a);
  return y < 0 ? -1 : floorDiv(l + m * y + a - 1, a);
}

/** True if each of `count` windows has a tap inside the image. */
function everyWindowHasTap(w: WindowAxis, count: number): boolean {
  const last = (count - 1) * w.stride - w.before;
  if (w.size < 1 || last >= w.size) return false;
  if (w.before === 0) return true;
  if ((w.kernel - 1) * w.dilation < w.before) return false; // the first window ends before the image
  if (w.dilation <= w.size) return true; // the first tap at or after 0 lies below the dilation
  // Window oy starts at oy·s − p < 0; its one candidate tap is that start mod d, which must lie below the size.
  const negative = Math.min(count, floorDiv(w.before + w.stride - 1, w.stride));
  const [d, s] = [w.dilation, w.stride % w.dilation];
  const shift = w.before % d;
  const [lo, hi] = [(w.size + shift) % d, (d - 1 + shift) % d];
  const bad = lo <= hi ? [firstInRange(s, d, lo, hi)] : [firstInRange(s, d, 0, hi), firstInRange(s, d, lo, d - 1)];
  return bad.every((x) => x < 0 || x >= negative);
}

/** The shape rule of the pools: x [N,H,W,C] → [N,OH,OW,C]; every window has a valid tap. */
export function poolShape(c: Fail, x: TensorType, a: WindowAttrs): readonly Dim[] {
  if (x.shape.length !== 4) c.fail('BadShape', 'x has rank 4', 4, x.shape.length);
  if (a.kernel[0]! * a.kernel[1]! > 16777216)
    c.fail('BadShape', 'KH·KW exceeds 2^24', 16777216, a.kernel[0]! * a.kernel[1]!);
  const sides = ([0, 1] as const).map((i) => {
    const w = windowAxis(a, i, staticDim(c, x.shape[i + 1]!, 'a pooled axis'));
    if (w.overhang >= w.stride) c.fail('BadAttribute', 'overhang is below the stride', `0…${w.stride - 1}`, w.overhang);
    const out = outputExtent(c, w.size + w.before + w.after + w.overhang, w.kernel, w.stride, w.dilation) as number;
    if (out < 1 || !everyWindowHasTap(w, out)) c.fail('BadShape', 'every window needs a tap inside the image');
    return out;
  });
  return [x.shape[0]!, ...sides, x.shape[3]!];
}

/** Cost of a pool: N·OH·OW·(KH·KW·16⌈C/16⌉ + 4C) and rows a window; a symbolic C is taken as it is. */
export function poolCost(c: TypedContext<WindowAttrs, readonly [x: 1]>): NodeCost {
  const [n, oh, ow, ch] = c.out[0]!.shape as [Dim, Dim, Dim, Dim];
  const taps = c.a.kernel[0]! * c.a.kernel[1]!;
  const wide = typeof ch === 'number' ? charged(ch, 16) : ch;
  const positions = [n, oh, ow];
  return {
    counts: counts(
      ['pool', times(product([...positions, wide], c.symbols), taps)],
      ['pool', times(product([...positions, ch], c.symbols), 4)],
      rows(c, positions, 4),
    ),
  };
}

/**
 * Calls `tap` with the flat index of each valid tap among taps from … to − 1 of the cell's window, row by row; returns how
 * many of them are declared: inside the padded image, overhang not counted.
 */
export function forEachTap(
  c: Cell<WindowAttrs, readonly [x: 1]>,
  from: number,
  to: number,
  tap: (index: number) => void,
): number {
  const [x] = c.in;
  const [n, oy, ox, ch] = c.at as [number, number, number, number];
  const [h, w] = [windowAxis(c.a, 0, x.shape[1]!), windowAxis(c.a, 1, x.shape[2]!)];
  let declared = 0;
  for (let t = from, ky = floorDiv(from, w.kernel), kx = from % w.kernel; t < to; t++) {
    const iy = oy * h.stride - h.before + ky * h.dilation;
    const ix = ox * w.stride - w.before + kx * w.dilation;
    if (iy < h.size + h.after && ix < w.size + w.after) declared++;
    if (iy >= 0 && iy < h.size && ix >= 0 && ix < w.size)
      tap(n * x.strides[0]! + iy * x.strides[1]! + ix * x.strides[2]! + ch);
    if (++kx === w.kernel) [kx, ky] = [0, ky + 1];
  }
  return declared;
}

/** Taps of a window. */
export function tapCount(c: Cell<WindowAttrs, readonly [x: 1]>): number {
  return c.a.kernel[0]! * c.a.kernel[1]!;
}
