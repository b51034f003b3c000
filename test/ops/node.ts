/**
 * One node as a test sees it: operands with their types and elements, run through an op's rules and its reference.
 * @module
 */

import type { Dim, SymbolDecl } from '../../src/core/dim.ts';
import { DTYPE_RANGE, type DType, elementCount, type TypedArray } from '../../src/core/tensor.ts';
import type { Bounds, OutType, TensorType } from '../../src/ops/define.ts';
import { type Evaluation, evaluate, type Value } from '../../src/ops/evaluate.ts';
import { type AnyOp, OPS, type OpName } from '../../src/ops/index.ts';

/** A tensor of a vector; a constant has `const`; `fill` stands for elements that are all equal. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly zp?: number;
  readonly lo?: number;
  readonly hi?: number;
  readonly data?: readonly number[];
  readonly fill?: number;
  readonly const?: true;
  readonly rowSum?: number;
}

/** A node to run: operands by position, undefined where an optional one is absent. */
export interface NodeCase {
  readonly op: OpName;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly operands: readonly (Tensor | undefined)[];
  /** Declared maximum of the last axis of operand 0, where it is above the actual extent. */
  readonly lastMax?: number | undefined;
}

/** Elements in canonical storage; i4 packed two a byte, low nibble first. */
export function stored(dtype: DType, values: readonly number[]): TypedArray {
  if (dtype === 'i16') return Int16Array.from(values);
  if (dtype === 'i32') return Int32Array.from(values);
  if (dtype !== 'i4') return Int8Array.from(values);
  const out = new Int8Array((values.length + 1) >> 1);
  values.forEach((v, i) => {
    out[i >> 1]! |= (v & 15) << (4 * (i & 1));
  });
  return out;
}

/** All elements of a vector's tensor. */
export function valuesOf(t: Tensor): readonly number[] {
  return t.fill === undefined ? t.data! : new Array<number>(elementCount(t.shape)).fill(t.fill);
}

/** Operands by position from operands by name; a list fills a variadic operand. */
export function positional(
  op: OpName,
  inputs: Readonly<Record<string, Tensor | readonly Tensor[]>>,
): (Tensor | undefined)[] {
  const def = OPS[op];
  const unknown = Object.keys(inputs).filter((k) => !def.operands.some((o) => o.name === k));
  if (unknown.length > 0) throw new Error(`${op} has no operand ${unknown.join()}`);
  const out = def.operands.flatMap((o): readonly (Tensor | undefined)[] => {
    const given = inputs[o.name];
    return o.variadic ? (given as readonly Tensor[]) : [given as Tensor | undefined];
  });
  while (out.length > 0 && out[out.length - 1] === undefined) out.pop();
  return out;
}

/** Attributes as the rules take them: words as Int32Array, u64 as BigInt, defaults filled in. */
export function attributes(op: OpName, attrs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = OPS[op].attrs;
  const unknown = Object.keys(attrs).filter((k) => fields[k] === undefined);
  if (unknown.length > 0) throw new Error(`${op} has no attribute ${unknown.join()}`);
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const v = attrs[name];
    if (field.kind === 'stage') {
      const s = v as { readonly m: readonly number[] } | undefined;
      if (s !== undefined) out[name] = { ...s, m: Int32Array.from(s.m) };
    } else if (field.kind === 'words') out[name] = Int32Array.from(v as readonly number[]);
    else if (field.kind === 'u64') out[name] = BigInt(v as number);
    else if (field.kind === 'bool') out[name] = Boolean(v ?? false);
    else out[name] = v ?? (field as { readonly default?: unknown }).default;
  }
  return out;
}

/** Type of an operand as the validator hands it to the rules. */
export function typeOf(t: Tensor): TensorType {
  const zp = t.zp ?? 0;
  const [min, max] = DTYPE_RANGE[t.dtype];
  if (t.const !== true)
    return { dtype: t.dtype, shape: t.shape, zp, lo: t.lo ?? min, hi: t.hi ?? max, rowSum: t.rowSum };
  const values = valuesOf(t);
  const ends =
    values.length === 0
      ? [zp, zp]
      : values.reduce(([a, b], v) => [Math.min(a!, v), Math.max(b!, v)], [values[0]!, values[0]!]);
  return { dtype: t.dtype, shape: t.shape, zp, lo: ends[0]!, hi: ends[1]!, data: stored(t.dtype, values) };
}

/** A refusal by an op's rule. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** The declared shape of an operand: the last axis of a variable one is the symbol where `lastMax` says so. */
export function shapeIn(c: NodeCase, t: Tensor): readonly Dim[] {
  const symbolic = c.lastMax !== undefined && t.const !== true && t.shape.at(-1) === c.operands[0]!.shape.at(-1);
  return symbolic ? [...t.shape.slice(0, -1), { c: 0, k: [1] }] : t.shape;
}

/** What the rules prove of a node. */
export interface Proved {
  readonly def: AnyOp;
  readonly attrs: Record<string, unknown>;
  readonly types: readonly (TensorType | undefined)[];
  readonly out: readonly OutType[];
  readonly bounds: Bounds;
}

/** Runs type and bounds rules; throws Refused. */
export function prove(c: NodeCase): Proved {
  const def = OPS[c.op];
  const attrs = attributes(c.op, c.attrs);
  const symbols: SymbolDecl[] = c.lastMax === undefined ? [] : [{ name: 'k', min: 1, max: c.lastMax }];
  const types = c.operands.map((t) => t && { ...typeOf(t), shape: shapeIn(c, t) });
  const context = {
    in: types as never,
    a: attrs,
    symbols,
    fail(code: string, message: string, expected?: unknown, actual?: unknown): never {
      throw new Refused(code, `${message} (${String(expected)} / ${String(actual)})`);
    },
  };
  const out = def.type(context);
  return { def, attrs, types, out, bounds: def.bounds({ ...context, out }) };
}

/** Proves and evaluates a node by its definition. */
export function runReference(c: NodeCase): Evaluation & { readonly proved: Proved } {
  const proved = prove(c);
  const values = c.operands.map(
    (t): Value | undefined =>
      t && { dtype: t.dtype, shape: t.shape, zp: t.zp ?? 0, data: stored(t.dtype, valuesOf(t)) },
  );
  const last = c.operands[0]!.shape.at(-1);
  const out = proved.out.map((t) => ({
    dtype: t.dtype,
    zp: t.zp,
    shape: t.shape.map((d) => (typeof d === 'number' ? d : last!)),
  }));
  return { ...evaluate(c.op, values, proved.attrs, proved.bounds.facts ?? {}, out), proved };
}
