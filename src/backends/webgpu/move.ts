/**
 * Index maps (spec/10-ops.md §6).
 * @module
 */
import { elementCount } from '../../core/tensor.ts';
import { stridesOf } from '../../ops/rules.ts';
import { broadcastStrides } from '../wasm/strided.ts';
import type { Builder, Place, Target } from './builder.ts';
import { divisor } from './divisor.ts';
import { elementKernel } from './kernel.ts';
import type { Site } from './kernels.ts';

const MOVE = /* @__PURE__ */ elementKernel(
  'move',
  'axes: u32, rank: u32, x: u32, size: u32, start: u32',
  'fn element(i: u32) -> i32 { return load(p.x, p.size, p.start + walk(p.axes, p.rank, i).x); }',
);

/** `parts` lists, for each operand, its end along the axis, its extent there, and its word. */
const CONCAT = /* @__PURE__ */ elementKernel(
  'concat',
  'size: u32, inner: Divisor, extent: Divisor, parts: u32, number: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let outer: u32 = quotient(line, p.extent);
  let k: u32 = line - outer * p.extent.n;
  var part: u32 = p.parts;
  for (var n: u32 = 1u; n < p.number; n++) {
    if (k >= constants[part]) { part += 3u; }
  }
  let own: u32 = constants[part + 1u];
  let within: u32 = k + own - constants[part];
  return load(constants[part + 2u], p.size, (outer * own + within) * p.inner.n + i - line * p.inner.n);
}`,
);

/** `pads` lists, from the innermost axis: extent of y with its divisor, amount before, extent of x, stride of x. */
const PAD = /* @__PURE__ */ elementKernel(
  'pad',
  'x: u32, size: u32, pads: u32, rank: u32, mode: u32, value: u32, last: Divisor, vector: u32',
  `
fn element(i: u32) -> i32 {
  var rest: u32 = i;
  var at: u32 = 0u;
  for (var k: u32 = 0u; k < p.rank; k++) {
    let t: u32 = p.pads + 6u * k;
    let q: u32 = quotient(rest, Divisor(constants[t], constants[t + 1u], constants[t + 2u]));
    let end: i32 = bitcast<i32>(constants[t + 4u]) - 1;
    var r: i32 = bitcast<i32>(rest - q * constants[t]) - bitcast<i32>(constants[t + 3u]);
    rest = q;
    if (p.mode == 0u && (r < 0 || r > end)) {
      let column: u32 = i - quotient(i, p.last) * p.last.n;
      return bitcast<i32>(constants[p.value + column * p.vector]);
    }
    if (p.mode == 2u) { r = select(abs(r), 2 * end - r, r > end); }
    at += bitcast<u32>(clamp(r, 0, end)) * constants[t + 5u];
  }
  return load(p.x, p.size, at);
}`,
);

const GATHER = /* @__PURE__ */ elementKernel(
  'gather',
  'x: u32, size: u32, indices: u32, inner: Divisor, number: Divisor, extent: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let outer: u32 = quotient(line, p.number);
  let k: u32 = bitcast<u32>(load(p.indices, 2u, line - outer * p.number.n));
  return load(p.x, p.size, (outer * p.extent + k) * p.inner.n + i - line * p.inner.n);
}`,
);

/** The elements of y, seen with `dims`, from a tensor with `strides` in elements. */
export function moved(
  b: Builder,
  x: { readonly at: Place; readonly size: number },
  y: Target,
  dims: readonly number[],
  strides: readonly number[],
  start = 0,
): void {
  b.elements(MOVE, y, { ...b.walk(dims, strides), x: x.at, size: x.size, start });
}

/** y, seen with `dims`, as x with `strides` in elements from element `start`. */
function move(
  s: Pick<Site<'tile'>, 'in' | 'out'>,
  b: Builder,
  dims: readonly number[],
  strides: readonly number[],
  start = 0,
): string {
  const x = s.in[0]!;
  moved(b, { at: b.at(x), size: x.size }, b.target(s.out[0]!), dims, strides, start);
  return MOVE.name;
}

/** transpose: strides permuted. */
export function transpose(s: Site<'transpose'>, b: Builder): string {
  const own = stridesOf(s.in[0]!.shape);
  return move(
    s,
    b,
    s.out[0]!.shape,
    s.attrs.perm.map((k) => own[k]!),
  );
}

/** slice: strides times the steps, from the first element. */
export function slice(s: Site<'slice'>, b: Builder): string {
  const own = stridesOf(s.in[0]!.shape);
  const { start, step } = s.attrs;
  const first = own.reduce((sum, v, i) => sum + v * start[i]!, 0);
  return move(
    s,
    b,
    s.out[0]!.shape,
    own.map((v, i) => v * step[i]!),
    first,
  );
}

/** expand: stride 0 along the axes that grow. */
export function expand(s: Site<'expand'>, b: Builder): string {
  const { shape } = s.out[0]!;
  return move(s, b, shape, broadcastStrides({ shape: s.in[0]!.shape, size: 1 }, shape));
}

/** tile: every axis as repeats × dim, stride 0 along the repeats. */
export function tile(s: Site<'tile'>, b: Builder): string {
  const { shape } = s.in[0]!;
  const dims = shape.flatMap((d, i) => [s.attrs.repeats[i]!, d]);
  const strides = stridesOf(shape).flatMap((v) => [0, v]);
  return move(s, b, dims, strides);
}

/** depth_to_space: y as [N,H,b,W,b,C]. */
export function depth_to_space(s: Site<'depth_to_space'>, b: Builder): string {
  const [n, h, w, c] = s.in[0]!.shape as readonly [number, number, number, number];
  const { block, mode } = s.attrs;
  const out = s.out[0]!.shape[3]!;
  const [one, channel] = mode === 'DCR' ? [out, 1] : [1, block * block];
  return move(s, b, [n, h, block, w, block, out], [h * w * c, w * c, block * one, c, one, channel]);
}

/** space_to_depth: y as [N,H,W,b,b,C]. */
export function space_to_depth(s: Site<'space_to_depth'>, b: Builder): string {
  const [n, h, w] = s.out[0]!.shape as readonly [number, number, number];
  const { block } = s.attrs;
  const c = s.in[0]!.shape[3]!;
  const row = w * block * c;
  return move(s, b, [n, h, w, block, block, c], [h * block * row, block * row, block * c, row, c, 1]);
}

/** concat: the operand is found by the ends of the parts. */
export function concat(s: Site<'concat'>, b: Builder): string {
  const y = s.out[0]!;
  const { axis } = s.attrs;
  let end = 0;
  const used = s.in.flatMap((x) => (x!.count === 0 ? [] : [x!]));
  const parts = used.flatMap((x) => {
    end += x.shape[axis]!;
    return [end, x.shape[axis]!, b.at(x)];
  });
  b.elements(
    CONCAT,
    b.target(y),
    {
      size: y.size,
      inner: divisor(elementCount(y.shape.slice(axis + 1))),
      extent: divisor(y.shape[axis]!),
      parts: b.table(parts),
      number: used.length,
    },
    used.length,
  );
  return CONCAT.name;
}

/** pad: constant, edge or reflect. */
export function pad(s: Site<'pad'>, b: Builder): string {
  const [x, value] = [s.in[0]!, s.in[1]];
  const y = s.out[0]!;
  const { before, mode } = s.attrs;
  const own = stridesOf(x.shape);
  const axes = y.shape.map((n, i) => {
    const d = divisor(n);
    return [n, d.mul, d.shift, before[i]!, x.shape[i]!, own[i]!];
  });
  b.elements(PAD, b.target(y), {
    x: b.at(x),
    size: x.size,
    pads: b.table(axes.reverse().flat()),
    rank: axes.length,
    mode: ['constant', 'edge', 'reflect'].indexOf(mode),
    value: value === undefined ? 0 : b.table(value.data!),
    last: divisor(y.shape[y.shape.length - 1] ?? 1),
    vector: value?.shape.length === 1,
  });
  return `pad_${mode}`;
}

/** gather: [outer, indices, inner]. */
export function gather(s: Site<'gather'>, b: Builder): string {
  const [x, indices] = [s.in[0]!, s.in[1]!];
  const { axis } = s.attrs;
  b.elements(GATHER, b.target(s.out[0]!), {
    x: b.at(x),
    size: x.size,
    indices: b.at(indices),
    inner: divisor(elementCount(x.shape.slice(axis + 1))),
    number: divisor(indices.count),
    extent: x.shape[axis]!,
  });
  return GATHER.name;
}

const UPDATE = /* @__PURE__ */ elementKernel(
  'update',
  'x: u32, rows: u32, size: u32, position: u32, inner: Divisor, extent: Divisor, n: u32',
  `
fn element(i: u32) -> i32 {
  let line: u32 = quotient(i, p.inner);
  let block: u32 = quotient(line, p.extent);
  let k: u32 = line - block * p.extent.n - arena[p.position];
  if (k >= p.n) { return load(p.x, p.size, i); }
  return load(p.rows, p.size, (block * p.n + k) * p.inner.n + i - line * p.inner.n);
}`,
);

/** update: x, or the row that the position puts there. */
export function update(s: Site<'update'>, b: Builder): string {
  const [x, rows, position] = [s.in[0]!, s.in[1]!, s.in[2]!];
  const { axis } = s.attrs;
  const inner = divisor(elementCount(x.shape.slice(axis + 1)));
  const shape = { inner, extent: divisor(x.shape[axis]!), n: rows.shape[axis]! };
  const places = { x: b.at(x), rows: b.at(rows), size: x.size, position: b.at(position) };
  b.elements(UPDATE, b.target(s.out[0]!), { ...places, ...shape });
  return UPDATE.name;
}
