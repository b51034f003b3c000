/**
 * Graphs of the gas benchmark: one op over operands with random elements, repeated where it is small.
 * @module
 */
import { Random } from '../../src/cli/random.ts';
import { allocate, byteLength, DTYPE_RANGE, type DType, elementCount, type TypedArray } from '../../src/core/tensor.ts';
import type { Constant, Graph, InputDecl, Node } from '../../src/graph/ir.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';

/** An operand: an input of the model, or with `data` or `constant` a constant of it. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly lo?: number;
  readonly hi?: number;
  readonly zp?: number;
  readonly constant?: boolean;
  readonly data?: TypedArray;
}

/** A graph with a name. */
export interface Case {
  readonly name: string;
  readonly graph: () => Graph;
}

/** An input of a dtype and shape. */
export function x(dtype: DType, shape: readonly number[], more: Partial<Operand> = {}): Operand {
  return { dtype, shape, ...more };
}

/** A constant of a dtype and shape. */
export function w(dtype: DType, shape: readonly number[], more: Partial<Operand> = {}): Operand {
  return { dtype, shape, constant: true, ...more };
}

/** A stage to i8. */
export const TO_I8: unknown = { m: Int32Array.of(2 ** 22 + 1), l: 0, dtype: 'i8', zp: 3, lo: -128, hi: 127 };
/** A stage to i16. */
export const TO_I16: unknown = { m: Int32Array.of(2 ** 22 + 1), l: 0, dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };
/** An output record of i8. */
export const I8: unknown = { dtype: 'i8', zp: 0, lo: -128, hi: 127 };
/** An output record of i16. */
export const I16: unknown = { dtype: 'i16', zp: 0, lo: -32768, hi: 32767 };

/** Random elements of lo…hi. */
export function elements(dtype: DType, shape: readonly number[], lo: number, hi: number, seed: number): TypedArray {
  const r = new Random(seed);
  const n = elementCount(shape);
  const data = allocate(dtype, n);
  if (dtype === 'i4') for (let i = 0; i < byteLength('i4', n); i++) data[i] = r.next() & (2 * i + 1 < n ? 255 : 15);
  else for (let i = 0; i < n; i++) data[i] = r.int(lo, hi);
  return data;
}

function constantOf(o: Operand, seed: number): Constant {
  const [min, max] = DTYPE_RANGE[o.dtype];
  const wide = o.dtype === 'i32';
  const [lo, hi] = [o.lo ?? (wide ? -1000 : min), o.hi ?? (wide ? 1000 : max)];
  return { dtype: o.dtype, shape: o.shape, zp: o.zp ?? 0, data: o.data ?? elements(o.dtype, o.shape, lo, hi, seed) };
}

function inputOf(o: Operand, name: string): InputDecl {
  const [min, max] = DTYPE_RANGE[o.dtype];
  return { name, dtype: o.dtype, shape: o.shape, zp: o.zp ?? 0, lo: o.lo ?? min, hi: o.hi ?? max };
}

/** A graph of `times` equal nodes over the operands (−1 in place of one that is absent), every output of which leaves the model. */
export function repeated(
  times: number,
  op: OpName,
  operands: readonly (Operand | null)[],
  attrs: Readonly<Record<string, unknown>>,
): Graph {
  const given = [...new Set(operands.filter((o) => o !== null))];
  const inputs = given.filter((o) => !o.constant && o.data === undefined);
  const constants = given.filter((o) => o.constant || o.data !== undefined);
  const ids = operands.map((o) =>
    o === null ? -1 : constants.includes(o) ? inputs.length + constants.indexOf(o) : inputs.indexOf(o),
  );
  while (ids[ids.length - 1] === -1) ids.pop();
  const defaults = Object.fromEntries(
    Object.entries(OPS[op].attrs).flatMap(([k, f]): [string, unknown][] =>
      'default' in f && f.default !== undefined ? [[k, f.default]] : f.kind === 'bool' ? [[k, false]] : [],
    ),
  );
  const outputs = { lstm: 3, gru: 2, topk: 2, nms: 2 }[op as string] ?? 1;
  const base = given.length;
  return {
    symbols: [],
    inputs: inputs.map((o, i) => inputOf(o, `x${i}`)),
    constants: constants.map((o, i) => constantOf(o, i + 1)),
    nodes: Array.from({ length: times }, (): Node => ({ op, inputs: ids, attrs: { ...defaults, ...attrs } })),
    outputs: Array.from({ length: times }, (_, i) => ({ name: `y${i}`, tensor: base + i * outputs })),
    states: [],
  };
}

/** Attributes of a node. */
export type Attrs = Readonly<Record<string, unknown>>;
/** Adds a graph of `times` equal nodes. */
export type Add = (
  op: OpName,
  what: string,
  operands: readonly (Operand | null)[],
  attrs?: Attrs,
  times?: number,
) => void;

/** The graphs that `fill` adds. */
export function collect(fill: (add: Add) => void): readonly Case[] {
  const cases: Case[] = [];
  fill((op, what, operands, attrs = {}, times = 1) => {
    const shapes = operands.map((o) => (o === null ? '–' : `${o.dtype}[${o.shape}]`)).join(' ');
    const name = `${op} ${what} ${shapes}${times > 1 ? ` ×${times}` : ''}`;
    cases.push({ name, graph: () => repeated(times, op, operands, attrs) });
  });
  return cases;
}
