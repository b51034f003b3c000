/**
 * The product of all linear ops without workgroups (spec/10-ops.md §2): four columns of a row a step where weights are i8,
 * else one element at a time.
 * @module
 */
import { assert } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import type { Stage } from '../../ops/define.ts';
import type { Builder, Place, Target } from '../webgpu/builder.ts';
import { divisor } from '../webgpu/divisor.ts';
import { multipliers, stageOf } from '../webgpu/elementwise.ts';
import { elementKernel, fourKernel } from '../webgpu/kernel.ts';
import type { Columns, Product, Rows } from '../webgpu/linear.ts';
import { moved } from '../webgpu/move.ts';

const IMAGE =
  'x: u32, c: u32, h: u32, w: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, pt: u32, pl: u32, ow: Divisor, oh: Divisor';
/** `from` and `to`: the part of the sum that a dispatch makes; `raw`: no stage. Parts after the first add to y. */
const OUTPUT =
  'y0: u32, from: u32, to: u32, raw: u32, bias: u32, bias_step: u32, m: u32, m_step: u32, l: u32, zp: i32, lo: i32, hi: i32';

/** The window of an output row: element where its image begins, and its first row and column. */
const WINDOW = `
  let line: u32 = quotient(row, p.ow);
  let image: u32 = quotient(line, p.oh);
  let top: u32 = (line - image * p.oh.n) * p.sh - p.pt;
  let left: u32 = (row - line * p.ow.n) * p.sw - p.pl;
  let start: u32 = image * p.h * p.w * p.c`;

/** The end of output i of a channel. */
const RESULT = `
fn result(sum: u32, channel: u32, i: u32) -> u32 {
  var acc: u32 = sum;
  if (p.from == 0u) { acc += constants[p.bias + channel * p.bias_step]; } else { acc += arena[p.y0 + i]; }
  if (p.raw == 1u) { return acc; }
  return bitcast<u32>(stage(acc, constants[p.m + channel * p.m_step], p.l, p.zp, p.lo, p.hi));
}`;

/** Channels that a step reads of a tap. */
type Reach = 16 | 4;

/** Steps of 16 bytes: a texel of each of four columns. */
const SIXTEEN = `
fn left_of(i: u32) -> vec4<u32> {
  let at: u32 = p.x + (i >> 2u);
  let q: vec4<u32> = arena_quad(at);
  let r: u32 = at & 3u;
  let s: u32 = (i & 3u) << 3u;
  if (r == 0u && s == 0u) { return q; }
  let n: vec4<u32> = arena_quad(at + 4u);
  var v: vec4<u32> = q;
  var e: u32 = n.x;
  if (r == 1u) { v = vec4<u32>(q.y, q.z, q.w, n.x); e = n.y; }
  if (r == 2u) { v = vec4<u32>(q.z, q.w, n.x, n.y); e = n.z; }
  if (r == 3u) { v = vec4<u32>(q.w, n.x, n.y, n.z); e = n.w; }
  if (s == 0u) { return v; }
  return (v >> vec4<u32>(s)) | (vec4<u32>(v.y, v.z, v.w, e) << vec4<u32>(32u - s));
}
fn dots(a: vec4<u32>, at: u32) -> vec4<u32> {
  let x: vec4<i32> = bytes(a.x);
  let y: vec4<i32> = bytes(a.y);
  let z: vec4<i32> = bytes(a.z);
  let w: vec4<i32> = bytes(a.w);
  var sums: vec4<u32> = vec4<u32>(0u);
  for (var j: u32 = 0u; j < 4u; j++) {
    let b: vec4<u32> = constants_quad(at + 4u * j);
    let s: vec4<i32> = x * bytes(b.x) + y * bytes(b.y) + z * bytes(b.z) + w * bytes(b.w);
    let sum: u32 = bitcast<u32>(s.x + s.y + s.z + s.w);
    sums += vec4<u32>(select(0u, sum, j == 0u), select(0u, sum, j == 1u), select(0u, sum, j == 2u), select(0u, sum, j == 3u));
  }
  return sums;
}`;

/** Steps of 4 bytes: one texel has a word of each of four columns. */
const FOUR = `
fn left_of(i: u32) -> u32 {
  let at: u32 = p.x + (i >> 2u);
  let s: u32 = (i & 3u) << 3u;
  if (s == 0u) { return arena[at]; }
  return (arena[at] >> s) | (arena[at + 1u] << (32u - s));
}
fn dot_of(a: vec4<i32>, b: u32) -> u32 {
  let s: vec4<i32> = a * bytes(b);
  return bitcast<u32>(s.x + s.y + s.z + s.w);
}
fn dots(a: u32, at: u32) -> vec4<u32> {
  let x: vec4<i32> = bytes(a);
  let b: vec4<u32> = constants_quad(at);
  return vec4<u32>(dot_of(x, b.x), dot_of(x, b.y), dot_of(x, b.z), dot_of(x, b.w));
}`;

/** Four columns of i8 weights in constants: fours of columns, steps, columns, then the channels of a step. */
/* @__NO_SIDE_EFFECTS__ */
function fours(reach: Reach, type: string, functions: string) {
  return fourKernel(
    `product_i8x${reach}`,
    `${IMAGE}, pad: u32, across: Divisor, group: Divisor, own: u32, weights: u32, steps: u32, tap: Divisor, wide: Divisor, ${OUTPUT}`,
    `
fn bytes(word: u32) -> vec4<i32> { return bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u); }
${functions}${RESULT}
fn four(i: u32) -> vec4<u32> {
  let row: u32 = quotient(i, p.across);
  let column: u32 = i - row * p.across.n;${WINDOW} + quotient(column, p.group) * p.own;
  let b: u32 = p.weights + column * p.steps * ${reach}u;
  var sums: vec4<u32> = vec4<u32>(0u);
  for (var step: u32 = p.from; step < p.to; step++) {
    let tap: u32 = quotient(step, p.tap);
    let ky: u32 = quotient(tap, p.wide);
    let iy: u32 = top + ky * p.dh;
    let ix: u32 = left + (tap - ky * p.wide.n) * p.dw;
    var a: ${type} = ${type}(p.pad);
    if (iy < p.h && ix < p.w) { a = left_of(start + (iy * p.w + ix) * p.c + (step - tap * p.tap.n) * ${reach}u); }
    sums += dots(a, b + step * ${reach}u);
  }
  let k: u32 = 4u * column;
  let e: u32 = 4u * i;
  return vec4<u32>(result(sums.x, k, e), result(sums.y, k + 1u, e + 1u), result(sums.z, k + 2u, e + 2u), result(sums.w, k + 3u, e + 3u));
}`,
  );
}

const FOURS = {
  16: /* @__PURE__ */ fours(16, 'vec4<u32>', SIXTEEN),
  4: /* @__PURE__ */ fours(4, 'u32', FOUR),
} as const;

/** One element at a time: the right side in constants as i16 or i8, or a tensor read by its strides. */
/* @__NO_SIDE_EFFECTS__ */
function elements(packed: boolean) {
  const right = packed ? 'part(constants[p.b + (at >> (2u - p.b_size))], p.b_size, at)' : 'load(p.b, p.b_size, at)';
  return elementKernel(
    packed ? 'product' : 'product_of_tensors',
    `${IMAGE}, zx: i32, x_size: u32, own: u32, across: Divisor, height: Divisor, group: Divisor, places: u32, b: u32, b_size: u32, b_row: u32, b_column: u32, ky: u32, kx: u32, channel: u32, ${OUTPUT}`,
    `${RESULT}
fn element(i: u32) -> i32 {
  let all: u32 = quotient(i, p.across);
  let column: u32 = i - all * p.across.n;
  let batch: u32 = quotient(all, p.height);
  let row: u32 = all - batch * p.height.n;
  let place: u32 = p.places + 2u * (batch + quotient(column, p.group));${WINDOW} + constants[place];
  var ky: u32 = p.ky;
  var kx: u32 = p.kx;
  var channel: u32 = p.channel;
  var at: u32 = constants[place + 1u] + column * p.b_column + p.from * p.b_row;
  var sum: u32 = 0u;
  for (var k: u32 = p.from; k < p.to; k++) {
    let iy: u32 = top + ky * p.dh;
    let ix: u32 = left + kx * p.dw;
    if (iy < p.h && ix < p.w) {
      sum += bitcast<u32>((load(p.x, p.x_size, start + (iy * p.w + ix) * p.c + channel) - p.zx) * ${right});
    }
    at += p.b_row;
    channel++;
    if (channel == p.own) {
      channel = 0u;
      kx++;
      if (kx == p.kw) { kx = 0u; ky++; }
    }
  }
  return bitcast<i32>(result(sum, column, i));
}`,
  );
}

const PACKED = /* @__PURE__ */ elements(true);
const TENSORS = /* @__PURE__ */ elements(false);

/** Channels of a tap up to which a step reads four of them. */
const FEW = 8;
/** Items that a draw has at least, however much work they are. */
const ITEMS = 64;

function imageOf({ x, channels, ...r }: Rows) {
  const [[h, w], [oh, ow]] = [r.image, r.out];
  const [sh, sw, dh, dw] = [r.strides[0]!, r.strides[1]!, r.dilations[0]!, r.dilations[1]!];
  const [pt, pl] = [r.pads[0]!, r.pads[1]!];
  const steps = { sh, sw, dh, dw, pt, pl };
  return { x: x.at, c: channels, h, w, kw: r.kernel[1], ...steps, ow: divisor(ow), oh: divisor(oh), own: r.own };
}

/** Adds a product of `length` steps in parts of at most `most`, into y, with its stage at its end. */
function parts(
  b: Builder,
  length: number,
  most: number,
  y: Target,
  channels: number,
  stage: Stage | undefined,
  add: (to: Target, end: ReturnType<typeof endOf> & { readonly from: number; readonly to: number }) => void,
): void {
  const whole = length <= most;
  const to = whole || stage === undefined ? y : { at: b.scratch(y.count), size: 2, count: y.count };
  const end = endOf(b, to.at, whole ? stage : undefined);
  for (let from = 0; from === 0 || from < length; from += most)
    add(to, { ...end, from, to: Math.min(length, from + most) });
  if (to !== y) stageOf(b, { at: to.at, size: 2, zp: 0 }, y, channels, stage!);
}

function endOf(b: Builder, y0: Place, stage: Stage | undefined) {
  const { l, zp, lo, hi } = stage ?? { l: 0, zp: 0, lo: 0, hi: 0 };
  return { y0, raw: stage === undefined, ...(stage ? multipliers(b, stage.m) : { m: 0, m_step: 0 }), l, zp, lo, hi };
}

type Constant = Extract<Columns, { readonly at: unknown }>;

/** Weights of `places` groups of columns, and Σw of every column; columns behind the last are 0. */
function pack(rows: Rows, c: Constant, places: number, columns: number, reach: Reach) {
  const taps = rows.kernel[0] * rows.kernel[1];
  const perTap = floorDiv(rows.own + reach - 1, reach);
  const steps = taps * perTap;
  const out = new Int8Array(places * columns * steps * reach);
  const sums = new Int32Array(places * columns);
  for (let place = 0; place < places; place++) {
    for (let column = 0; column < c.count; column++) {
      const own = place * columns + column;
      for (let tap = 0; tap < taps; tap++) {
        for (let i = 0; i < rows.own; i++) {
          const w = c.at(place, column, tap, i);
          const step = tap * perTap + floorDiv(i, reach);
          out[(((own >> 2) * steps + step) * 4 + (own & 3)) * reach + (i & (reach - 1))] = w;
          sums[own]! += w;
        }
      }
    }
  }
  return { words: new Uint32Array(out.buffer), sums, steps, perTap };
}

/** Entries of each column, and 0 for columns that are there to fill four. */
function filled(m: Int32Array, columns: number): Int32Array {
  const out = new Int32Array(columns);
  out.set(m);
  return out;
}

/** i8 rows times constant i8 columns; where four do not divide the columns, rows are longer and then cut. */
const byFours = (b: Builder, rows: Rows, c: Constant, places: number, y: Target, bias?: Int32Array, stage?: Stage) => {
  const reach: Reach = rows.own <= FEW ? 4 : 16;
  const columns = (c.count + 3) & ~3;
  const across = places * columns;
  const { words, sums, steps, perTap } = pack(rows, c, places, columns, reach);
  const folded = sums.map((sum, i) => (bias?.[i] ?? 0) - Math.imul(rows.x.zp, sum)); // wraps mod 2^32
  const own = {
    ...imageOf(rows),
    pad: Math.imul(rows.x.zp & 255, 0x01010101),
    across: divisor(across >> 2),
    group: divisor(columns >> 2),
    weights: b.quads(words),
    steps,
    tap: divisor(Math.max(1, perTap)),
    wide: divisor(rows.kernel[1]),
    bias: b.constant(folded),
    bias_step: 1,
  };
  const ragged = columns !== c.count;
  const to = ragged ? { at: b.scratch(rows.count * columns), size: y.size, count: rows.count * columns } : y;
  const scale = stage === undefined || stage.m.length === 1 ? stage : { ...stage, m: filled(stage.m, across) };
  const most = Math.max(1, floorDiv(b.limits.work, ITEMS * 4 * reach));
  parts(b, steps, most, to, across, scale, (at, end) =>
    b.items(
      FOURS[reach],
      floorDiv(to.count, 4),
      { ...own, ...end, y: at.at, y_size: at.size },
      4 * reach * Math.max(1, end.to - end.from),
    ),
  );
  if (ragged) moved(b, to, y, [rows.count, c.count], [columns, 1]);
  return FOURS[reach].name;
};

/** The product of the webgpu backend (`../webgpu/linear.ts`), without tiles. */
export const product: Product = (b, rows, columns, places, end) => {
  const { y, ld, bias, stage } = end;
  if ('at' in columns) {
    assert(ld === places.length * columns.count, 'constant columns that are not all of a row');
    const quads = rows.x.size === 0 && columns.narrow && (places.length === 1 || (columns.count & 3) === 0);
    if (quads) return byFours(b, rows, columns, places.length, y, bias, stage);
  }
  const length = rows.kernel[0] * rows.kernel[1] * rows.own;
  const own = {
    ...imageOf(rows),
    ...{ zx: rows.x.zp, x_size: rows.x.size, across: divisor(ld), height: divisor(rows.count) },
    group: divisor(columns.count),
    places: b.table(places.flatMap((p) => [p.x, p.b])),
    ...('at' in columns
      ? { ...rightOf(b, rows, columns, places.length), bias: b.constant(bias ?? new Int32Array(ld)), bias_step: 1 }
      : { b: b.at(columns.tensor), b_size: columns.tensor.size, b_row: columns.row, b_column: columns.column }),
    ...('at' in columns ? {} : { bias: b.shared('0', () => new Int32Array(1)), bias_step: 0 }),
  };
  const kernel = 'at' in columns ? PACKED : TENSORS;
  const most = Math.max(1, floorDiv(b.limits.work, ITEMS * 4));
  parts(b, length, most, y, ld, stage, (to, e) => {
    const tap = rows.own === 0 ? 0 : floorDiv(e.from, rows.own);
    const ky = floorDiv(tap, rows.kernel[1]);
    const at = { ky, kx: tap - ky * rows.kernel[1], channel: e.from - tap * rows.own };
    b.elements(kernel, to, { ...own, ...e, ...at } as never, Math.max(1, e.to - e.from));
  });
  return kernel.name;
};

/** Columns one after another in constants, all their taps and channels in order. */
function rightOf(b: Builder, rows: Rows, c: Constant, places: number) {
  const taps = rows.kernel[0] * rows.kernel[1];
  const length = taps * rows.own;
  const data = new (c.narrow ? Int8Array : Int16Array)(places * c.count * length);
  for (let column = 0, next = 0; column < places * c.count; column++) {
    const place = floorDiv(column, c.count);
    for (let tap = 0; tap < taps; tap++)
      for (let i = 0; i < rows.own; i++) data[next++] = c.at(place, column - place * c.count, tap, i);
  }
  return { b: b.constant(data), b_size: c.narrow ? 0 : 1, b_row: 1, b_column: length };
}
