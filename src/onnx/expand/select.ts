/**
 * Ops that choose by comparing indices, and activations of several nodes.
 * @module
 */
import type { Expand } from './context.ts';

/** Class c is `on` where the index is c, counted from the end where it is negative. */
const OneHot: Expand = (e) => {
  const depth = e.fixed(1, 'the depth').data[0]!;
  const values = e.fixed(2, 'the values');
  const rank = e.shape(0).length + 1;
  const axis = e.axisIn(e.int('axis', -1), rank);
  const dtype = e.dtype(0) ?? 'int64';
  if (dtype === 'float32') e.fail('UnsupportedForm', 'indices in floats are not supported');
  const column = Array.from({ length: rank }, (_, i) => (i === axis ? depth : 1));
  const count = (from: number): string =>
    e.array({ dtype, shape: column, data: Float64Array.from({ length: depth }, (_, i) => from + i) });
  const at = e.op('Unsqueeze', [e.input(0), e.whole([axis])]);
  const hit = e.op('Or', [e.op('Equal', [at, count(0)]), e.op('Equal', [at, count(-depth)])]);
  const value = (i: number): string => e.array({ dtype: values.dtype, shape: [], data: values.data.slice(i, i + 1) });
  e.give(0, 'Where', [hit, value(1), value(0)]);
};

/** 1 at the first greatest entry of each row. */
const Hardmax: Expand = (e) => {
  const shape = e.shape(0);
  const axis = e.axisIn(e.int('axis', e.opset < 13 ? 1 : -1), shape.length);
  if (e.opset < 13 && axis !== shape.length - 1) e.fail('UnsupportedForm', 'axes are flattened before opset 13');
  const at = e.op('ArgMax', [e.input(0)], { axis, keepdims: 1 });
  const range = e.whole(
    Array.from({ length: shape[axis]! }, (_, i) => i),
    shape.map((d, i) => (i === axis ? d : 1)),
  );
  e.give(0, 'Where', [e.op('Equal', [at, range]), e.real(1), e.real(0)]);
};

/** Choices by index. */
export const SELECT: Readonly<Record<string, Expand>> = { Hardmax, OneHot };
