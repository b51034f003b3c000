/**
 * Window attributes of convolutions and pools over any number of spatial axes: `auto_pad` and `ceil_mode` become explicit
 * pads and overhang (spec/10-ops.md §5).
 * @module
 */
import type { NodeReader } from './node.ts';

/** A resolved window, one entry a spatial axis; `overhang` is how far ceil_mode's last window reaches past the pads. */
export interface SpatialWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly overhang: readonly number[];
  readonly out: readonly number[];
}

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** Pads of one axis where the output has ⌈size/stride⌉ elements; the odd one goes to the end, or to the front for SAME_LOWER. */
function samePads(a: Axis, lower: boolean): [number, number] {
  const reach = (a.kernel - 1) * a.dilation + 1;
  const total = Math.max((Math.ceil(a.size / a.stride) - 1) * a.stride + reach - a.size, 0);
  const small = Math.floor(total / 2);
  return lower ? [total - small, small] : [small, total - small];
}

/** Output extent and overhang of one axis. With `ceil`, a last window must start inside the input or its front pad. */
function extent(a: Axis, before: number, after: number, ceil: boolean): [out: number, overhang: number] {
  const span = a.size + before + after - (a.kernel - 1) * a.dilation - 1;
  const floorOut = Math.floor(span / a.stride) + 1;
  if (!ceil) return [floorOut, 0];
  const out = Math.ceil(span / a.stride) + 1;
  if (out === floorOut || (out - 1) * a.stride >= a.size + before) return [floorOut, 0];
  return [out, (out - 1) * a.stride - span];
}

/** Resolves the window of a node over spatial extents `size`. Throws `ImportError` for one that does not fit. */
export function resolveSpatial(c: NodeReader, size: readonly number[], kernel: readonly number[]): SpatialWindow {
  const rank = size.length;
  const ones = new Array<number>(rank).fill(1);
  const strides = c.ints('strides', ones);
  const dilations = c.ints('dilations', ones);
  const pads = c.ints('pads', new Array<number>(2 * rank).fill(0));
  if ([...kernel, ...strides, ...dilations].some((v) => v < 1))
    c.fail('BadGraph', 'kernel, strides and dilations must be at least 1');
  if (pads.some((v) => v < 0)) c.fail('UnsupportedForm', 'negative pads are not supported; slice the input instead');
  const auto = c.string('auto_pad', 'NOTSET');
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  const ceil = c.int('ceil_mode', 0) !== 0;
  const axes = size.map((n, i) => {
    const a: Axis = { size: n, kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]! };
    const own: [number, number] = auto === 'VALID' ? [0, 0] : [pads[i]!, pads[i + rank]!];
    const [before, after] = same ? samePads(a, auto === 'SAME_LOWER') : own;
    const [out, overhang] = extent(a, before, after, ceil && !same);
    if (out < 1) c.fail('BadGraph', `the window is larger than its padded input of ${size.join('×')}`);
    return { before, after, out, overhang };
  });
  const of = (k: 'before' | 'after' | 'out' | 'overhang'): number[] => axes.map((a) => a[k]);
  return {
    kernel,
    strides,
    dilations,
    before: of('before'),
    after: of('after'),
    overhang: of('overhang'),
    out: of('out'),
  };
}

/** Pads and output extents of a transposed convolution: `output_shape` and auto_pad become pads. */
export function resolveTransposed(
  c: NodeReader,
  size: readonly number[],
  kernel: readonly number[],
): SpatialWindow & { readonly padding: readonly number[] } {
  const rank = size.length;
  const ones = new Array<number>(rank).fill(1);
  const strides = c.ints('strides', ones);
  const dilations = c.ints('dilations', ones);
  const padding = c.ints('output_padding', new Array<number>(rank).fill(0));
  const pads = [...c.ints('pads', new Array<number>(2 * rank).fill(0))];
  const full = size.map((n, i) => (n - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 + padding[i]!);
  const auto = c.string('auto_pad', 'NOTSET');
  const wanted =
    c.list('output_shape')?.slice(-rank) ?? (auto.startsWith('SAME') ? size.map((n, i) => n * strides[i]!) : undefined);
  if (wanted)
    wanted.forEach((want, i) => {
      const total = Math.max(0, full[i]! - want);
      const half = Math.floor(total / 2);
      [pads[i], pads[i + rank]] = auto === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
    });
  const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
  const out = wanted ?? full.map((n, i) => n - before[i]! - after[i]!);
  if (out.some((n) => n < 1)) c.fail('BadGraph', `the output would be ${out.join('×')}`);
  const extra = out.map((n, i) => padding[i]! + Math.max(0, n - (full[i]! - before[i]! - after[i]!)));
  return { kernel, strides, dilations, before, after, overhang: ones.map(() => 0), out, padding: extra };
}
