/**
 * ONNX reductions, orders and scans along axes.
 * @module
 */
import { exp, log } from '../../quant/math.ts';
import { arrayOf, integerBits, offsets, sizeOf, stridesOf } from '../array.ts';
import type { OnnxArray } from '../tensor.ts';
import type { EvalContext, EvalOp } from './context.ts';

/** Offsets of the rows of x along `axes`, and of the elements within a row, both in row-major order. */
export function rowsAlong(x: OnnxArray, axes: readonly number[]): { starts: Int32Array; steps: Int32Array } {
  const strides = stridesOf(x.shape);
  const part = (inside: boolean): Int32Array => {
    const keep = x.shape.map((_, i) => i).filter((i) => axes.includes(i) === inside);
    return offsets(
      keep.map((i) => x.shape[i]!),
      keep.map((i) => strides[i]!),
    );
  };
  return { starts: part(false), steps: part(true) };
}

/** Shape without `axes`, or with size 1 there. */
export function reducedShape(shape: readonly number[], axes: readonly number[], keep: boolean): number[] {
  return keep ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
}

/** The opset from which an op's axes are its second input. */
const AXES_INPUT: Readonly<Record<string, number>> = { ReduceSum: 13 };

type Row = (row: Float64Array) => number;

function sum(row: Float64Array): number {
  let s = 0;
  for (let i = 0; i < row.length; i++) s += row[i]!;
  return s;
}

function product(row: Float64Array): number {
  let s = 1;
  for (let i = 0; i < row.length; i++) s *= row[i]!;
  return s;
}

function greatest(row: Float64Array): number {
  return row.reduce((a, v) => Math.max(a, v), Number.NEGATIVE_INFINITY);
}

function logSumExp(row: Float64Array): number {
  const top = greatest(row);
  if (!Number.isFinite(top)) return top;
  return top + log(sum(row.map((v) => exp(v - top))));
}

function reduction(f: (c: EvalContext, x: OnnxArray) => Row): EvalOp {
  return (c) => {
    const x = c.get(0);
    const rank = x.shape.length;
    const given = c.axes(1, AXES_INPUT[c.node.op] ?? 18);
    const empty = given === undefined || given.length === 0;
    if (empty && c.int('noop_with_empty_axes', 0) !== 0) {
      const row = f(c, x);
      return arrayOf(
        x.dtype,
        x.shape,
        x.data.map((v) => row(Float64Array.of(v))),
      );
    }
    const axes = empty ? x.shape.map((_, i) => i) : c.axesIn(given, rank);
    const { starts, steps } = rowsAlong(x, axes);
    const row = f(c, x);
    const buffer = new Float64Array(steps.length);
    const data = Float64Array.from(starts, (start) => {
      for (let i = 0; i < steps.length; i++) buffer[i] = x.data[start + steps[i]!]!;
      return row(buffer);
    });
    return arrayOf(x.dtype, reducedShape(x.shape, axes, c.int('keepdims', 1) !== 0), data);
  };
}

/** The value of an empty maximum (sign −1) or minimum (1). */
function empty(c: EvalContext, x: OnnxArray, sign: number): number {
  if (x.dtype === 'bool') return sign < 0 ? 0 : 1;
  if (integerBits(x.dtype)) c.fail('UnsupportedForm', 'the extremum of no integers is not defined here');
  return sign * Number.POSITIVE_INFINITY;
}

/** Index of the extremum of each row. */
function argument(sign: number): EvalOp {
  return (c) => {
    const x = c.get(0);
    const axis = c.axisIn(c.int('axis', 0), x.shape.length);
    const last = c.int('select_last_index', 0) !== 0;
    const { starts, steps } = rowsAlong(x, [axis]);
    const data = Float64Array.from(starts, (start) => {
      let best = 0;
      for (let i = 1; i < steps.length; i++) {
        const d = sign * (x.data[start + steps[i]!]! - x.data[start + steps[best]!]!);
        if (d > 0 || (last && d === 0)) best = i;
      }
      return best;
    });
    return { dtype: 'int64', shape: reducedShape(x.shape, [axis], c.int('keepdims', 1) !== 0), data };
  };
}

/** Applies f to every row along one axis; f writes its results in place. */
export function mapRows(x: OnnxArray, axes: readonly number[], f: (row: Float64Array) => void): OnnxArray {
  const { starts, steps } = rowsAlong(x, axes);
  const data = new Float64Array(x.data.length);
  const row = new Float64Array(steps.length);
  for (const start of starts) {
    for (let i = 0; i < row.length; i++) row[i] = x.data[start + steps[i]!]!;
    f(row);
    for (let i = 0; i < row.length; i++) data[start + steps[i]!] = row[i]!;
  }
  return arrayOf(x.dtype, x.shape, data);
}

/** Softmax and its kin: over one axis, before opset 13 over all axes from `axis` on. */
function rowwise(f: (row: Float64Array) => void): EvalOp {
  return (c) => {
    const x = c.get(0);
    const rank = x.shape.length;
    const axis = c.axisIn(c.int('axis', c.opset < 13 ? 1 : -1), rank);
    const axes = c.opset < 13 ? Array.from({ length: rank - axis }, (_, i) => axis + i) : [axis];
    return mapRows(x, axes, f);
  };
}

/** e^x over its row sum; a row of −∞ alone, all of it masked, gives 0 as the integer op does. */
export function softmaxRow(row: Float64Array): void {
  const top = greatest(row);
  if (top === Number.NEGATIVE_INFINITY) {
    row.fill(0);
    return;
  }
  for (let i = 0; i < row.length; i++) row[i] = exp(row[i]! - top);
  const s = sum(row);
  for (let i = 0; i < row.length; i++) row[i]! /= s;
}

/** x minus the logarithm of the row's sum of e^x. */
export function logSoftmaxRow(row: Float64Array): void {
  const s = logSumExp(row);
  for (let i = 0; i < row.length; i++) row[i]! -= s;
}

function hardmaxRow(row: Float64Array): void {
  const at = row.indexOf(greatest(row));
  row.fill(0);
  row[at] = 1;
}

function cumulate(f: (acc: number, v: number) => number, neutral: number): EvalOp {
  return (c) => {
    const x = c.get(0);
    const axis = c.axisIn(c.scalar(1), x.shape.length);
    const [exclusive, reverse] = [c.int('exclusive', 0) !== 0, c.int('reverse', 0) !== 0];
    return mapRows(x, [axis], (row) => {
      let acc = neutral;
      for (let j = 0; j < row.length; j++) {
        const i = reverse ? row.length - 1 - j : j;
        const next = f(acc, row[i]!);
        row[i] = exclusive ? acc : next;
        acc = next;
      }
    });
  };
}

/** The k greatest or least of each row, the first of equals first. */
const TopK: EvalOp = (c) => {
  const x = c.get(0);
  const axis = c.axisIn(c.int('axis', -1), x.shape.length);
  const k = c.opset < 10 ? c.int('k', -1) : c.scalar(1);
  const sign = c.int('largest', 1) !== 0 ? 1 : -1;
  const { starts, steps } = rowsAlong(x, [axis]);
  if (!(k >= 0 && k <= steps.length)) c.fail('BadGraph', `k = ${k} is outside 0…${steps.length}`);
  const shape = x.shape.map((d, i) => (i === axis ? k : d));
  const out = rowsAlong({ ...x, shape }, [axis]);
  const [values, indices] = [new Float64Array(sizeOf(shape)), new Float64Array(sizeOf(shape))];
  starts.forEach((start, r) => {
    const v = (i: number): number => x.data[start + steps[i]!]!;
    const order = Array.from(steps, (_, i) => i).sort((a, b) => sign * (v(b) - v(a)) || a - b);
    for (let i = 0; i < k; i++) {
      values[out.starts[r]! + out.steps[i]!] = v(order[i]!);
      indices[out.starts[r]! + out.steps[i]!] = order[i]!;
    }
  });
  return [
    { dtype: x.dtype, shape, data: values },
    { dtype: 'int64', shape, data: indices },
  ];
};

/** Reductions and rowwise ops. */
export const REDUCE: Readonly<Record<string, EvalOp>> = {
  ReduceSum: reduction(() => sum),
  ReduceMean: reduction(() => (row) => sum(row) / row.length),
  ReduceProd: reduction(() => product),
  ReduceMax: reduction((c, x) => (row) => (row.length === 0 ? empty(c, x, -1) : greatest(row))),
  ReduceMin: reduction((c, x) => (row) => (row.length === 0 ? empty(c, x, 1) : -greatest(row.map((v) => -v)))),
  ReduceL1: reduction(() => (row) => sum(row.map(Math.abs))),
  ReduceL2: reduction(() => (row) => Math.sqrt(sum(row.map((v) => v * v)))),
  ReduceLogSum: reduction(() => (row) => log(sum(row))),
  ReduceLogSumExp: reduction(() => logSumExp),
  ReduceSumSquare: reduction(() => (row) => sum(row.map((v) => v * v))),
  ArgMax: argument(1),
  ArgMin: argument(-1),
  Softmax: rowwise(softmaxRow),
  LogSoftmax: rowwise(logSoftmaxRow),
  Hardmax: rowwise(hardmaxRow),
  CumSum: cumulate((a, v) => a + v, 0),
  CumProd: cumulate((a, v) => a * v, 1),
  TopK,
};
