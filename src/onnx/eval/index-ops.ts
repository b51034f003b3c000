/**
 * ONNX ops that read or write elements by index.
 * @module
 */
import { arrayOf, castValue, int64s, offsets, pick, sizeOf, stridesOf, zeros } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';
import { rowsAlong } from './reduce.ts';

/** An index made non-negative; refused outside −n…n−1. */
function wrapIndex(c: EvalContext, i: number, n: number): number {
  const at = i < 0 ? i + n : i;
  if (!(at >= 0 && at < n)) c.fail('BadGraph', `index ${i} is outside an axis of ${n}`);
  return at;
}

const Gather: EvalOp = (c) => {
  const [x, index] = [c.get(0), c.get(1)];
  const axis = c.axisIn(c.int('axis', 0), x.shape.length);
  const n = x.shape[axis]!;
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
  const from = new Int32Array(outer * index.data.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++)
    for (const i of index.data) {
      const start = (o * n + wrapIndex(c, i, n)) * inner;
      for (let k = 0; k < inner; k++) from[to++] = start + k;
    }
  return pick(x, [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)], from);
};

/** Offset in x of each element of `index`, its coordinate on `axis` replaced by the element. */
function elementOffsets(c: EvalContext, x: OnnxArray, index: OnnxArray, axis: number): Int32Array {
  const strides = stridesOf(x.shape);
  const base = offsets(
    index.shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  return base.map((at, i) => at + wrapIndex(c, index.data[i]!, x.shape[axis]!) * strides[axis]!);
}

const GatherElements: EvalOp = (c) => {
  const [x, index] = [c.get(0), c.get(1)];
  return pick(x, index.shape, elementOffsets(c, x, index, c.axisIn(c.int('axis', 0), x.shape.length)));
};

/** Start of each indexed block of x, and the block's size, for index tuples on the last axis behind `batch` axes. */
function tupleBlocks(
  c: EvalContext,
  x: OnnxArray,
  index: OnnxArray,
  batch: number,
): { starts: Int32Array; block: number } {
  const depth = index.shape.at(-1)!;
  const strides = stridesOf(x.shape);
  const perBatch = sizeOf(index.shape.slice(batch, -1));
  const starts = new Int32Array(index.data.length / depth);
  for (let t = 0; t < starts.length; t++) {
    let at = Math.floor(t / perBatch) * sizeOf(x.shape.slice(batch));
    for (let d = 0; d < depth; d++)
      at += wrapIndex(c, index.data[t * depth + d]!, x.shape[batch + d]!) * strides[batch + d]!;
    starts[t] = at;
  }
  return { starts, block: sizeOf(x.shape.slice(batch + depth)) };
}

const GatherND: EvalOp = (c) => {
  const [x, index] = [c.get(0), c.get(1)];
  const batch = c.int('batch_dims', 0);
  const { starts, block } = tupleBlocks(c, x, index, batch);
  const from = new Int32Array(starts.length * block);
  starts.forEach((s, t) => {
    for (let k = 0; k < block; k++) from[t * block + k] = s + k;
  });
  return pick(x, [...index.shape.slice(0, -1), ...x.shape.slice(batch + index.shape.at(-1)!)], from);
};

const COMBINE: Readonly<Record<string, (old: number, v: number) => number>> = {
  none: (_, v) => v,
  add: (old, v) => old + v,
  mul: (old, v) => old * v,
  max: Math.max,
  min: Math.min,
};

function combine(c: EvalContext): (old: number, v: number) => number {
  const name = c.string('reduction', 'none');
  return COMBINE[name] ?? c.fail('UnsupportedForm', `reduction "${name}" is not supported`);
}

const ScatterElements: EvalOp = (c) => {
  const [x, index, updates] = [c.get(0), c.get(1), c.get(2)];
  const f = combine(c);
  const data = x.data.slice();
  elementOffsets(c, x, index, c.axisIn(c.int('axis', 0), x.shape.length)).forEach((at, i) => {
    data[at] = f(data[at]!, updates.data[i]!);
  });
  return arrayOf(x.dtype, x.shape, data);
};

const ScatterND: EvalOp = (c) => {
  const [x, index, updates] = [c.get(0), c.get(1), c.get(2)];
  const f = combine(c);
  const data = x.data.slice();
  const { starts, block } = tupleBlocks(c, x, index, 0);
  starts.forEach((s, t) => {
    for (let k = 0; k < block; k++) data[s + k] = f(data[s + k]!, updates.data[t * block + k]!);
  });
  return arrayOf(x.dtype, x.shape, data);
};

const TensorScatter: EvalOp = (c) => {
  const [cache, update] = [c.get(0), c.get(1)];
  const axis = c.axisIn(c.int('axis', -2), cache.shape.length);
  const circular = c.string('mode', 'linear') === 'circular';
  const data = cache.data.slice();
  const [n, m] = [cache.shape[axis]!, update.shape[axis]!];
  const inner = sizeOf(cache.shape.slice(axis + 1));
  const outer = sizeOf(cache.shape.slice(0, axis));
  const perBatch = outer / cache.shape[0]!;
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < m; i++) {
      const start = c.inputs[2] ? c.get(2).data[Math.floor(o / perBatch)]! : 0;
      const at = circular ? (start + i) % n : wrapIndex(c, start + i, n);
      data.set(update.data.subarray((o * m + i) * inner, (o * m + i + 1) * inner), (o * n + at) * inner);
    }
  return { ...cache, data };
};

const Compress: EvalOp = (c) => {
  const x = c.get(0);
  const kept = [...c.get(1).data].flatMap((v, i) => (v !== 0 ? [i] : []));
  if (!c.has('axis')) return pick(x, [kept.length], kept);
  const axis = c.axisIn(c.int('axis', 0), x.shape.length);
  const shape = x.shape.map((d, i) => (i === axis ? kept.length : d));
  const strides = stridesOf(x.shape);
  const base = offsets(
    shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  const inner = sizeOf(shape.slice(axis + 1));
  return pick(
    x,
    shape,
    base.map((at, i) => at + kept[Math.floor(i / inner) % kept.length]! * strides[axis]!),
  );
};

const NonZero: EvalOp = (c) => {
  const x = c.get(0);
  const at = [...x.data.keys()].filter((i) => x.data[i] !== 0);
  const strides = stridesOf(x.shape);
  const data = x.shape.flatMap((d, axis) => at.map((i) => Math.floor(i / strides[axis]!) % d));
  return { dtype: 'int64', shape: [x.shape.length, at.length], data: Float64Array.from(data) };
};

const OneHot: EvalOp = (c) => {
  const [index, values] = [c.get(0), c.get(2)];
  const depth = c.scalar(1);
  const axis = c.axisIn(c.int('axis', -1), index.shape.length + 1);
  const shape = [...index.shape.slice(0, axis), depth, ...index.shape.slice(axis)];
  const out = zeros(values.dtype, shape);
  out.data.fill(values.data[0]!);
  const { starts, steps } = rowsAlong(out, [axis]);
  starts.forEach((start, i) => {
    const v = castValue(index.data[i]!, index.dtype, 'int64');
    const at = v < 0 ? v + depth : v;
    if (at >= 0 && at < depth) out.data[start + steps[at]!] = values.data[1]!;
  });
  return out;
};

const ReverseSequence: EvalOp = (c) => {
  const [x, lengths] = [c.get(0), c.get(1)];
  const [time, batch] = [c.int('time_axis', 0), c.int('batch_axis', 1)];
  const strides = stridesOf(x.shape);
  const data = x.data.map((_, i) => {
    const [t, b] = [time, batch].map((a) => Math.floor(i / strides[a]!) % x.shape[a]!) as [number, number];
    const n = lengths.data[b]!;
    return x.data[t < n ? i + (n - 1 - 2 * t) * strides[time]! : i]!;
  });
  return { ...x, data };
};

/** Distinct elements, or slices along an axis, with where they first occur, where each element went, and counts. */
const Unique: EvalOp = (c) => {
  const given = c.get(0);
  const flat = !c.has('axis');
  const x = flat ? { ...given, shape: [given.data.length] } : given;
  const axis = flat ? 0 : c.axisIn(c.int('axis', 0), x.shape.length);
  const { starts, steps } = rowsAlong(
    x,
    x.shape.map((_, i) => i).filter((i) => i !== axis),
  );
  const compare = (a: number, b: number): number => {
    for (const s of steps) {
      const d = x.data[starts[a]! + s]! - x.data[starts[b]! + s]!;
      if (d !== 0) return d;
    }
    return 0;
  };
  const first: number[] = [];
  const group = Array.from(starts, (_, i) => {
    const known = first.findIndex((j) => compare(i, j) === 0);
    return known >= 0 ? known : first.push(i) - 1;
  });
  const order = first.map((_, i) => i);
  if (c.int('sorted', 1) !== 0) order.sort((a, b) => compare(first[a]!, first[b]!));
  const place = order.map((_, i) => order.indexOf(i));
  const kept = Int32Array.from(order, (g) => first[g]!);
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((d, i) => (i === axis ? kept.length : d));
  const base = offsets(
    shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  const inner = sizeOf(shape.slice(axis + 1));
  const y = pick(
    x,
    shape,
    base.map((at, i) => at + kept[Math.floor(i / inner) % kept.length]! * strides[axis]!),
  );
  const counts = order.map((g) => group.filter((h) => h === g).length);
  return [y, int64s([...kept]), int64s(group.map((g) => place[g]!)), int64s(counts)];
};

/** Ops that read or write by index. */
export const INDEX: Readonly<Record<string, EvalOp>> = {
  Compress,
  Gather,
  GatherElements,
  GatherND,
  NonZero,
  OneHot,
  ReverseSequence,
  Scatter: ScatterElements,
  ScatterElements,
  ScatterND,
  TensorScatter,
  Unique,
};
