/**
 * conv2d, dense and matmul as products (spec/10-ops.md §2).
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { i4At } from '../../core/tensor.ts';
import type { Stage } from '../../ops/define.ts';
import { matrixOffsets } from '../wasm/strided.ts';
import type { Arg, Builder, Place, Target } from './builder.ts';
import { divisor } from './divisor.ts';
import { multipliers, stageOf } from './elementwise.ts';
import { type Form, type ProductField, productKernel, tallOf, tileFor } from './gemm.ts';
import type { Kernel } from './kernel.ts';
import type { Site } from './kernels.ts';
import { depthwise } from './pool.ts';

/** Rows up to which a product is one of a matrix and vectors. */
const VECTOR_ROWS = 8;
const GRID = 65535;

/** Rows of a product: the windows of an image [N,H,W,C]. A plain matrix is images of one pixel. */
export interface Rows {
  readonly x: { readonly at: Place; readonly size: number; readonly zp: number };
  readonly count: number;
  /** Channels of x, and those that one product reads. */
  readonly channels: number;
  readonly own: number;
  readonly image: readonly [h: number, w: number];
  readonly out: readonly [oh: number, ow: number];
  readonly kernel: readonly [kh: number, kw: number];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** Columns of a product: constant weights at (place, column, tap, channel), or elements of a tensor with strides. */
export type Columns = { readonly count: number } & (
  | { readonly at: (place: number, column: number, tap: number, channel: number) => number; readonly narrow: boolean }
  | { readonly tensor: Arg; readonly row: number; readonly column: number }
);

/** Where a product of a batch reads and writes: elements. */
export interface PlaceOf {
  readonly x: number;
  readonly b: number;
  readonly y: number;
}

/** Where the outputs of a product go: rows of `ld` elements, and what is done to the sums. */
export interface End {
  readonly y: Target;
  readonly ld: number;
  readonly bias?: Int32Array;
  readonly stage: Stage | undefined;
}

/** Adds the dispatches of a product, as `product` does; returns the name of its kernel. */
export type Product = (b: Builder, rows: Rows, columns: Columns, places: readonly PlaceOf[], end: End) => string;

/** A matrix of rows of length k. */
export function matrix(x: Rows['x'], count: number, k: number): Rows {
  const one = [1, 1] as const;
  const rest = { image: one, out: one, kernel: one, strides: one, dilations: one, pads: [0, 0, 0, 0] };
  return { x, count, channels: k, own: k, ...rest };
}

/** Weights as words of `lanes` elements a tap, and Σw of every column. */
function pack(rows: Rows, c: Columns & { at: unknown }, places: number, lanes: number) {
  const taps = rows.kernel[0] * rows.kernel[1];
  const words = taps * floorDiv(rows.own + lanes - 1, lanes);
  const at = c.at as (place: number, column: number, tap: number, channel: number) => number;
  const width = lanes === 4 ? 8 : 16;
  const mask = 2 ** width - 1;
  const out = new Uint32Array(places * c.count * words);
  const sums = new Int32Array(places * c.count);
  for (let column = 0, next = 0; column < sums.length; column++) {
    const place = floorDiv(column, c.count);
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < rows.own; i++) {
        const w = at(place, column - place * c.count, tap, i);
        sums[column]! += w;
        out[next + floorDiv(i, lanes)]! |= (w & mask) << ((i & (lanes - 1)) * width);
      }
      next += floorDiv(rows.own + lanes - 1, lanes);
    }
  }
  return { out, sums };
}

type Pair = readonly [number, number];
type Five = readonly [Pair, Pair, Pair, Pair, Pair];

/** A product with everything that its dispatches share. */
interface Shared {
  readonly kernel: Kernel<ProductField>;
  readonly fields: Omit<
    { readonly [K in ProductField]: Parameters<Builder['dispatch']>[1][string] },
    'first_word' | 'end_word' | 'first_row' | 'first_column' | 'first_place'
  >;
  readonly form: Form;
  readonly rows: number;
  readonly columns: number;
  readonly words: number;
  readonly places: number;
}

/** Rows and columns of a workgroup. */
function extents({ wide }: Pick<Form, 'wide'>): readonly [high: number, wide: number] {
  return wide === undefined ? [1, 4] : [tallOf(wide), wide];
}

/** Words of K that one dispatch sums up. */
function wordStep(b: Builder, f: Pick<Form, 'wide' | 'halves'>): number {
  const [high, wide] = extents(f);
  return Math.max(1, floorDiv(b.limits.work, high * wide * (f.halves ? 2 : 4)));
}

/** Dispatches a product in parts of bounded work: along K, then over tiles. */
function dispatchParts(b: Builder, s: Shared): void {
  const [high, wide] = extents(s.form);
  const lanes = s.form.halves ? 2 : 4;
  const [tallest, widest] = [floorDiv(s.rows + high - 1, high), floorDiv(s.columns + wide - 1, wide)];
  const step = Math.min(Math.max(s.words, 1), wordStep(b, s.form));
  const tiles = Math.max(1, floorDiv(b.limits.work, high * wide * step * lanes));
  const x = Math.min(widest, tiles, GRID);
  const y = Math.min(tallest, Math.max(1, floorDiv(tiles, x)), GRID);
  const z = Math.min(s.places, Math.max(1, floorDiv(tiles, x * y)), GRID);
  for (let from = 0; from === 0 || from < s.words; from += step) {
    const to = Math.min(s.words, from + step);
    for (let k = 0; k < s.places; k += z)
      for (let j = 0; j < tallest; j += y)
        for (let i = 0; i < widest; i += x) {
          const groups = [Math.min(x, widest - i), Math.min(y, tallest - j), Math.min(z, s.places - k)] as const;
          const first = { first_word: from, end_word: to, first_row: j * high, first_column: i * wide, first_place: k };
          const work = groups[0] * groups[1] * groups[2] * high * wide * (to - from) * lanes;
          b.dispatch(s.kernel, { ...s.fields, ...first } as never, groups, work);
        }
  }
}

/**
 * y[place][row][column] = stage(bias + Σ w·x'), or the accumulator. Zero points are folded into the bias, so that a tap
 * outside the image reads zx (fact 2 of spec/10-ops.md §10). Outputs that do not fill whole words, and sums in parts,
 * go through i32 words and a stage of their own.
 */
export function product(b: Builder, rows: Rows, columns: Columns, places: readonly PlaceOf[], end: End): string {
  const { x } = rows;
  const narrow = x.size === 0 && ('tensor' in columns ? columns.tensor.size === 0 : columns.narrow);
  const lanes = narrow ? 4 : 2;
  const taps = rows.kernel[0] * rows.kernel[1];
  const tapWords = floorDiv(rows.own + lanes - 1, lanes);
  const words = taps * tapWords;
  const fill = 4 >> end.y.size;
  const wide = rows.count > VECTOR_ROWS ? tileFor(rows.count, columns.count) : undefined;
  const shape = { wide, halves: !narrow };
  const whole = columns.count % fill === 0 && end.ld % fill === 0 && words <= wordStep(b, shape);
  const fused = end.stage !== undefined && whole;
  const sums: Target =
    end.stage === undefined || fused ? end.y : { at: b.scratch(end.y.count), size: 2, count: end.y.count };
  const form: Form = {
    ...shape,
    packed: !('tensor' in columns),
    size: fused ? end.y.size : 2,
    dot4: b.limits.dot4,
  };
  const kernel = productKernel(form);
  const { l, zp, lo, hi } = fused ? end.stage! : { l: 0, zp: 0, lo: 0, hi: 0 };
  const fields: Shared['fields'] = {
    ...leftFields(rows, lanes, tapWords),
    ...rightFields(b, rows, columns, places.length, lanes, end.bias),
    ...{ y: sums.at, ld: end.ld, l, zp, lo, hi, ...(fused ? multipliers(b, end.stage!.m) : { m: 0, m_step: 0 }) },
    ...{ rows: rows.count, columns: columns.count, words },
    places: b.table(
      places.flatMap((p, i) => [p.x, 'tensor' in columns ? p.b : i * columns.count * words, p.y, i * columns.count]),
    ),
  };
  dispatchParts(b, { kernel, fields, form, rows: rows.count, columns: columns.count, words, places: places.length });
  if (sums !== end.y) stageOf(b, { at: sums.at, size: 2, zp: 0 }, end.y, end.ld, end.stage!);
  return kernel.name;
}

function leftFields(r: Rows, lanes: number, tapWords: number) {
  const [[h, w], [oh, ow], [sh, sw], [dh, dw], [pt, pl]] = [
    r.image,
    r.out,
    r.strides,
    r.dilations,
    r.pads,
  ] as unknown as Five;
  const pad = lanes === 4 ? Math.imul(r.x.zp & 255, 0x01010101) : Math.imul(r.x.zp & 65535, 0x00010001);
  return {
    ...{ x: r.x.at, x_size: r.x.size, pad, c: r.channels, h, w, sh, sw, dh, dw, pt, pl },
    ...{ ow: divisor(ow), oh: divisor(oh), tap: divisor(Math.max(1, tapWords)), kw: divisor(r.kernel[1]) },
  };
}

function rightFields(b: Builder, rows: Rows, c: Columns, places: number, lanes: number, bias?: Int32Array) {
  if ('tensor' in c) {
    const strides = { b_row: c.row, b_column: c.column };
    return {
      b: b.at(c.tensor),
      b_size: c.tensor.size,
      k: rows.own,
      ...strides,
      bias: b.shared('0', () => new Int32Array(1)),
      bias_step: 0,
    };
  }
  const { out, sums } = pack(rows, c, places, lanes);
  const folded = sums.map((sum, i) => (bias?.[i] ?? 0) - Math.imul(rows.x.zp, sum)); // wraps mod 2^32
  return { b: b.constant(out), b_size: 0, k: 0, b_row: 0, b_column: 0, bias: b.constant(folded), bias_step: 1 };
}

/** A tensor as the left side of a product. */
export function source(b: Builder, x: Arg): Rows['x'] {
  return { at: b.at(x), size: x.size, zp: x.zp };
}

/** conv2d: depthwise, or one product a group. */
export function convBy(product: Product, s: Site<'conv2d'>, b: Builder): string {
  const [x, w, bias] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const y = s.out[0]!;
  const { strides, dilations, pads, groups, stage } = s.attrs;
  const [o, kh, kw, cg] = w.shape as readonly [number, number, number, number];
  if (cg === 1 && groups === o) return depthwise(s, b);
  const [, h, width, channels] = x.shape as readonly [number, number, number, number];
  const [n, oh, ow] = y.shape as readonly [number, number, number];
  const og = floorDiv(o, groups);
  const image = { image: [h, width], out: [oh, ow], kernel: [kh, kw] } as const;
  const rows: Rows = { x: source(b, x), count: n * oh * ow, channels, own: cg, ...image, strides, dilations, pads };
  const taps = kh * kw;
  const at = (g: number, column: number, tap: number, i: number): number =>
    w.data![((g * og + column) * taps + tap) * cg + i]!;
  const places = Array.from({ length: groups }, (_, g) => ({ x: g * cg, b: 0, y: g * og }));
  const end = { y: b.target(y), ld: o, bias: bias.data as Int32Array, stage };
  return product(b, rows, { count: og, at, narrow: true }, places, end);
}

/** dense: i8 weights, or i4 weights times their block scale, which fit an i16. */
export function denseBy(product: Product, s: Site<'dense'>, b: Builder): string {
  const [x, w, bias, u] = [s.in[0]!, s.in[1]!, s.in[2]!, s.in[3]];
  const y = s.out[0]!;
  const { block, stage } = s.attrs;
  const [o, k] = w.shape as readonly [number, number];
  const weight = (_: number, column: number, __: number, i: number): number => w.data![column * k + i]!;
  const scaled = (_: number, column: number, __: number, i: number): number =>
    i4At(w.data!, column * k + i) * (u!.data![column * u!.shape[1]! + floorDiv(i, block)]! - u!.zp);
  const columns = { count: o, at: u === undefined ? weight : scaled, narrow: u === undefined };
  const end = { y: b.target(y), ld: o, bias: bias.data as Int32Array, stage };
  return product(b, matrix(source(b, x), floorDiv(y.count, o), k), columns, [{ x: 0, b: 0, y: 0 }], end);
}

/** matmul: the right operand is read through its strides. */
export function matmulBy(product: Product, s: Site<'matmul'>, b: Builder): string {
  const [x, right] = [s.in[0]!, s.in[1]!];
  const y = s.out[0]!;
  const { tb, stage } = s.attrs;
  const [m, n] = y.shape.slice(-2) as [number, number];
  const k = x.shape[x.shape.length - 1]!;
  const batch = y.shape.slice(0, -2);
  const [from, to] = [matrixOffsets(x, batch), matrixOffsets(right, batch)];
  const places = from.map((at, i) => ({ x: at, b: to[i]!, y: i * m * n }));
  const columns: Columns = { count: n, tensor: right, row: tb ? 1 : n, column: tb ? k : 1 };
  return product(b, matrix(source(b, x), m, k), columns, places, { y: b.target(y), ld: n, stage });
}

/** conv2d by tiles. */
export const conv2d = (s: Site<'conv2d'>, b: Builder): string => convBy(product, s, b);
/** dense by tiles. */
export const dense = (s: Site<'dense'>, b: Builder): string => denseBy(product, s, b);
/** matmul by tiles. */
export const matmul = (s: Site<'matmul'>, b: Builder): string => matmulBy(product, s, b);
