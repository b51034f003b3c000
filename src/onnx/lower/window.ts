/**
 * Window attributes of Conv and the pools: kernel, strides, dilations, pads; `auto_pad` and `ceil_mode` become explicit
 * pads and overhang (spec/10-ops.md §5). A 1-D window gets a first axis of size 1.
 * @module
 */
import type { LowerContext } from './context.ts';

/** A resolved window over H and W, and the output's extent. */
export interface ResolvedWindow {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly overhang: readonly [number, number];
  readonly out: readonly [number, number];
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

/** Resolves the window of a node over an NHWC input of extent [h, w]; `spatial` is 1 or 2. */
export function resolveWindow(
  c: LowerContext,
  spatial: number,
  size: readonly [number, number],
  kernel: readonly number[],
): ResolvedWindow {
  const two = (v: readonly number[]): readonly number[] => (spatial === 1 ? [1, ...v] : v);
  const ones = new Array<number>(spatial).fill(1);
  const k = two(kernel);
  const s = two(c.ints('strides', ones));
  const d = two(c.ints('dilations', ones));
  const p = c.ints('pads', new Array<number>(2 * spatial).fill(0));
  if ([...k, ...s, ...d].some((v) => v < 1)) c.fail('BadGraph', 'kernel, strides and dilations must be at least 1');
  if (p.some((v) => v < 0)) c.fail('UnsupportedForm', 'negative pads are not supported; slice the input instead');
  const auto = c.string('auto_pad', 'NOTSET');
  const ceil = c.int('ceil_mode', 0) !== 0;
  const axes = [0, 1].map((i) => {
    const a: Axis = { size: size[i]!, kernel: k[i]!, stride: s[i]!, dilation: d[i]! };
    const own: [number, number] = i < 2 - spatial ? [0, 0] : [p[i - 2 + spatial]!, p[i - 2 + 2 * spatial]!];
    const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
    const pads = auto === 'VALID' ? ([0, 0] as [number, number]) : same ? samePads(a, auto === 'SAME_LOWER') : own;
    const [out, overhang] = extent(a, ...pads, ceil && !same);
    if (out < 1) c.fail('BadGraph', `the window is larger than its padded input of ${size[0]}×${size[1]}`);
    return { pads, out, overhang };
  });
  const [y, x] = axes as [(typeof axes)[0], (typeof axes)[0]];
  return {
    kernel: [k[0]!, k[1]!],
    strides: [s[0]!, s[1]!],
    dilations: [d[0]!, d[1]!],
    pads: [y.pads[0], x.pads[0], y.pads[1], x.pads[1]],
    overhang: [y.overhang, x.overhang],
    out: [y.out, x.out],
  };
}
