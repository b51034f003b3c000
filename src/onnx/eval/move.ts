/**
 * ONNX data movement along whole axes, and shapes as data.
 * @module
 */
import { arrayOf, broadcastTo, int64s, offsets, permute, pick, sizeOf, stridesOf, zeros } from '../array.ts';
import type { NodeReader } from '../node.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { dtypeAttribute } from './unary.ts';

/** Resolves 0 (copy) and −1 (the rest) of a Reshape target. */
export function resolveShape(c: NodeReader, target: readonly number[], from: readonly number[]): number[] {
  const keepZero = c.int('allowzero', 0) !== 0;
  const shape = target.map((d, i) =>
    d === 0 && !keepZero ? (from[i] ?? c.fail('BadGraph', 'the target copies a missing axis')) : d,
  );
  const free = shape.indexOf(-1);
  const total = sizeOf(from);
  if (free >= 0) shape[free] = total / sizeOf(shape.filter((_, i) => i !== free));
  if (sizeOf(shape) !== total || !shape.every((d) => Number.isInteger(d) && d >= 0))
    c.fail('BadGraph', `[${from}] cannot be reshaped to [${target}]`);
  return shape;
}

/** [rows, columns] of Flatten around its axis. */
export function flatShape(c: NodeReader, shape: readonly number[]): number[] {
  const given = c.int('axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) c.fail('BadGraph', `axis ${given} is outside rank ${shape.length}`);
  return [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
}

/** Shape without the axes of Squeeze (all of size 1 where none are given). */
export function squeezedShape(c: NodeReader, shape: readonly number[], axes: readonly number[] | undefined): number[] {
  const drop = axes ? c.axesIn(axes, shape.length) : shape.flatMap((d, i) => (d === 1 ? [i] : []));
  if (drop.some((a) => shape[a] !== 1)) c.fail('BadGraph', `axes [${drop}] of [${shape}] do not all have size 1`);
  return shape.filter((_, i) => !drop.includes(i));
}

/** Shape with axes of size 1 inserted. */
export function unsqueezedShape(c: NodeReader, shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const added = new Set(c.axesIn(axes, rank));
  let from = 0;
  return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : shape[from++]!));
}

/** One axis of a Slice: first index, step and number of elements. */
export interface SliceAxis {
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** Resolves the starts, ends, axes and steps of a Slice over `shape`. */
export function resolveSlice(
  c: NodeReader,
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] | undefined,
  steps: readonly number[] | undefined,
): SliceAxis[] {
  const out: SliceAxis[] = shape.map((size) => ({ start: 0, step: 1, size }));
  const at = c.axesIn(axes ?? starts.map((_, i) => i), shape.length);
  at.forEach((axis, i) => {
    const n = shape[axis]!;
    const step = steps?.[i] ?? 1;
    if (step === 0) c.fail('BadGraph', 'a step is 0');
    const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
    const place = (v: number): number => Math.min(Math.max(v < 0 ? v + n : v, low), high);
    const start = place(starts[i]!);
    const size = Math.max(0, Math.ceil((place(ends[i]!) - start) / step));
    out[axis] = { start: size === 0 ? 0 : start, step, size };
  });
  return out;
}

/** Sizes of the parts of a Split. */
export function splitSizes(c: NodeReader, n: number, given: readonly number[] | undefined): number[] {
  if (given) {
    if (given.reduce((a, b) => a + b, 0) !== n) c.fail('BadGraph', `the parts [${given}] do not add up to ${n}`);
    return [...given];
  }
  const parts = c.int('num_outputs', c.node.outputs.length);
  const each = Math.ceil(n / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, n - i * each)));
}

/** The part of x that `axes` describe. */
export function sliced(x: OnnxArray, axes: readonly SliceAxis[]): OnnxArray {
  const strides = stridesOf(x.shape);
  const shape = axes.map((a) => a.size);
  const start = axes.reduce((n, a, i) => n + a.start * strides[i]!, 0);
  return pick(
    x,
    shape,
    offsets(
      shape,
      axes.map((a, i) => a.step * strides[i]!),
      start,
    ),
  );
}

function reshaped(x: OnnxArray, shape: readonly number[]): OnnxArray {
  return { ...x, shape };
}

/** Arrays joined along an axis. */
export function concatenated(c: EvalContext, all: readonly OnnxArray[], given: number): OnnxArray {
  const first = all[0] ?? c.fail('BadGraph', 'Concat has no inputs');
  const axis = c.axisIn(given, first.shape.length);
  const total = all.reduce((n, x) => n + x.shape[axis]!, 0);
  const shape = first.shape.map((d, i) => (i === axis ? total : d));
  const data = new Float64Array(sizeOf(shape));
  const inner = sizeOf(shape.slice(axis + 1));
  let at = 0;
  for (const x of all) {
    if (x.shape.length !== shape.length || x.shape.some((d, i) => i !== axis && d !== shape[i]))
      c.fail('BadGraph', `inputs of shapes [${first.shape}] and [${x.shape}] do not join`);
    const block = x.shape[axis]! * inner;
    for (let r = 0; block > 0 && r * block < x.data.length; r++)
      data.set(x.data.subarray(r * block, (r + 1) * block), r * total * inner + at);
    at += block;
  }
  return { dtype: first.dtype, shape, data };
}

const Slice: EvalOp = (c) => {
  const x = c.get(0);
  const attributes = c.opset < 10;
  const starts = attributes ? (c.list('starts') ?? []) : c.numbers(1);
  const ends = attributes ? (c.list('ends') ?? []) : c.numbers(2);
  const axes = attributes ? c.list('axes') : c.inputs[3] && c.numbers(3);
  return sliced(x, resolveSlice(c, x.shape, starts, ends, axes, c.inputs[4] && c.numbers(4)));
};

const Split: EvalOp = (c) => {
  const x = c.get(0);
  const axis = c.axisIn(c.int('axis', 0), x.shape.length);
  const given = c.opset < 13 ? c.list('split') : c.inputs[1] && c.numbers(1);
  let start = 0;
  return splitSizes(c, x.shape[axis]!, given).map((size) => {
    const part = sliced(
      x,
      x.shape.map((d, i) => (i === axis ? { start, step: 1, size } : { start: 0, step: 1, size: d })),
    );
    start += size;
    return part;
  });
};

/** Source index of each place of a padded axis, −1 where the value goes. */
function padIndex(c: EvalContext, n: number, before: number, after: number, mode: string): Int32Array {
  return Int32Array.from({ length: Math.max(0, n + before + after) }, (_, o) => {
    const i = o - before;
    if (mode === 'constant' || n === 0) return i >= 0 && i < n ? i : -1;
    if (mode === 'edge') return Math.min(Math.max(i, 0), n - 1);
    if (mode === 'wrap') return ((i % n) + n) % n;
    if (mode !== 'reflect') c.fail('UnsupportedForm', `mode "${mode}" is not supported`);
    const period = Math.max(1, 2 * n - 2);
    const r = ((i % period) + period) % period;
    return r < n ? r : period - r;
  });
}

/** x with each axis i replaced by the elements index[i] of it, `value` where the index is −1. */
export function takeAxes(x: OnnxArray, index: readonly Int32Array[], value: number): OnnxArray {
  const strides = stridesOf(x.shape);
  const shape = index.map((v) => v.length);
  const data = new Float64Array(sizeOf(shape));
  const walk = (axis: number, from: number, inside: boolean, to: number): number => {
    if (axis === shape.length) {
      data[to] = inside ? x.data[from]! : value;
      return to + 1;
    }
    let at = to;
    for (const i of index[axis]!) at = walk(axis + 1, from + i * strides[axis]!, inside && i >= 0, at);
    return at;
  };
  walk(0, 0, true, 0);
  return { dtype: x.dtype, shape, data };
}

/** Amounts of a Pad before and after each axis, and its value. */
export function padAmounts(
  c: NodeReader,
  rank: number,
  pads: readonly number[],
  axes: readonly number[] | undefined,
): { before: number[]; after: number[] } {
  const at = axes ? c.axesIn(axes, rank) : Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * at.length) c.fail('BadGraph', `${pads.length} pads for ${at.length} axes`);
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  at.forEach((axis, i) => {
    before[axis] = pads[i]!;
    after[axis] = pads[i + at.length]!;
  });
  return { before, after };
}

const Pad: EvalOp = (c) => {
  const x = c.get(0);
  const attributes = c.opset < 11;
  const pads = attributes ? (c.list('pads') ?? []) : c.numbers(1);
  const value = attributes ? c.float('value', 0) : c.inputs[2] ? c.scalar(2) : 0;
  const { before, after } = padAmounts(c, x.shape.length, pads, c.inputs[3] && c.numbers(3));
  const mode = c.string('mode', 'constant');
  return takeAxes(
    x,
    x.shape.map((d, i) => padIndex(c, d, before[i]!, after[i]!, mode)),
    value,
  );
};

const CenterCropPad: EvalOp = (c) => {
  const x = c.get(0);
  const axes = c.axesIn(c.list('axes') ?? x.shape.map((_, i) => i), x.shape.length);
  const target = [...x.shape];
  c.numbers(1).forEach((d, i) => {
    target[axes[i]!] = d;
  });
  return takeAxes(
    x,
    x.shape.map((d, i) => {
      const extra = target[i]! - d;
      const before = extra >= 0 ? Math.floor(extra / 2) : -Math.floor(-extra / 2);
      return padIndex(c, d, before, extra - before, 'constant');
    }),
    0,
  );
};

const Shape: EvalOp = (c) => {
  const { shape } = c.get(0);
  const rank = shape.length;
  const place = (v: number): number => Math.min(Math.max(v < 0 ? v + rank : v, 0), rank);
  return int64s(shape.slice(place(c.int('start', 0)), place(c.int('end', rank))));
};

const Range: EvalOp = (c) => {
  const [start, limit, delta] = [c.scalar(0), c.scalar(1), c.scalar(2)];
  const n = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(n <= 2 ** 26)) c.fail('TooLarge', `the range has ${n} elements`);
  return arrayOf(
    c.get(0).dtype,
    [n],
    Float64Array.from({ length: n }, (_, i) => start + i * delta),
  );
};

const ConstantOfShape: EvalOp = (c) => {
  const shape = c.numbers(0);
  const value = c.tensor('value');
  if (!(sizeOf(shape) <= 2 ** 28)) c.fail('TooLarge', `the constant has shape [${shape}]`);
  const out = zeros(value?.dtype ?? 'float32', shape);
  out.data.fill(value?.data[0] ?? 0);
  return out;
};

/** Constant: its tensor, number or list of numbers. */
const Constant: EvalOp = (c) => {
  const a = ['value', 'value_float', 'value_int', 'value_floats', 'value_ints'].flatMap(
    (k) => c.node.attributes.get(k) ?? [],
  )[0];
  if (a?.type === 'tensor') return a.value;
  if (a?.type === 'float' || a?.type === 'int')
    return { dtype: a.type === 'int' ? 'int64' : 'float32', shape: [], data: Float64Array.of(a.value) };
  if (a?.type === 'floats' || a?.type === 'ints')
    return {
      dtype: a.type === 'ints' ? 'int64' : 'float32',
      shape: [a.value.length],
      data: Float64Array.from(a.value),
    };
  return c.fail('UnsupportedForm', 'the constant has no tensor, number or list of numbers');
};

const Trilu: EvalOp = (c) => {
  const x = c.get(0);
  const k = c.inputs[1] ? c.scalar(1) : 0;
  const upper = c.int('upper', 1) !== 0;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const keep = (i: number): boolean => {
    const d = (i % columns) - (Math.floor(i / columns) % rows);
    return upper ? d >= k : d <= k;
  };
  return { ...x, data: x.data.map((v, i) => (keep(i) ? v : 0)) };
};

const EyeLike: EvalOp = (c) => {
  const x = c.get(0);
  const [rows, columns] = x.shape as [number, number];
  const out = zeros(dtypeAttribute(c, 'dtype', x.dtype), x.shape);
  const k = c.int('k', 0);
  for (let i = 0; i < rows; i++) if (i + k >= 0 && i + k < columns) out.data[i * columns + i + k] = 1;
  return out;
};

/** Blocks of depth to space; mode DCR or CRD. */
const DepthToSpace: EvalOp = (c) => {
  const x = c.get(0);
  const b = c.int('blocksize', 1);
  const [n, ch, h, w] = x.shape as [number, number, number, number];
  const depth = ch / (b * b);
  if (!Number.isInteger(depth)) c.fail('BadGraph', `${ch} channels are no multiple of ${b * b}`);
  const crd = c.string('mode', 'DCR') === 'CRD';
  const split = reshaped(x, crd ? [n, depth, b, b, h, w] : [n, b, b, depth, h, w]);
  return reshaped(permute(split, crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [n, depth, h * b, w * b]);
};

const SpaceToDepth: EvalOp = (c) => {
  const x = c.get(0);
  const b = c.int('blocksize', 1);
  const [n, ch, h, w] = x.shape as [number, number, number, number];
  if (h % b !== 0 || w % b !== 0) c.fail('BadGraph', `${h}×${w} is no multiple of ${b}`);
  return reshaped(permute(reshaped(x, [n, ch, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4]), [n, ch * b * b, h / b, w / b]);
};

const Tile: EvalOp = (c) => {
  const x = c.get(0);
  const repeats = c.numbers(1);
  if (repeats.length !== x.shape.length) c.fail('BadGraph', `${repeats.length} repeats for rank ${x.shape.length}`);
  return takeAxes(
    x,
    x.shape.map((d, i) => Int32Array.from({ length: d * repeats[i]! }, (_, o) => o % d)),
    0,
  );
};

/** Ops that move whole axes or give shapes as data. */
export const MOVE: Readonly<Record<string, EvalOp>> = {
  CenterCropPad,
  Concat: (c) => concatenated(c, c.all(), c.int('axis', c.opset < 4 ? 1 : 0)),
  Constant,
  ConstantOfShape,
  DepthToSpace,
  Expand: (c) => broadcastTo(c.get(0), c.broadcast(c.get(0).shape, c.numbers(1))),
  EyeLike,
  Flatten: (c) => reshaped(c.get(0), flatShape(c, c.get(0).shape)),
  Pad,
  Range,
  Reshape: (c) => reshaped(c.get(0), resolveShape(c, c.numbers(1), c.get(0).shape)),
  Shape,
  Size: (c) => ({ dtype: 'int64', shape: [], data: Float64Array.of(c.get(0).data.length) }),
  Slice,
  SpaceToDepth,
  Split,
  Squeeze: (c) => reshaped(c.get(0), squeezedShape(c, c.get(0).shape, c.axes(1, 13))),
  Tile,
  Transpose(c) {
    const x = c.get(0);
    const perm = c.list('perm') ?? x.shape.map((_, i) => x.shape.length - 1 - i);
    if (c.axesIn(perm, x.shape.length).length !== x.shape.length)
      c.fail('BadGraph', `perm [${perm}] is no permutation`);
    return permute(x, perm);
  },
  Trilu,
  Unsqueeze: (c) => reshaped(c.get(0), unsqueezedShape(c, c.get(0).shape, c.axes(1, 13) ?? [])),
};
