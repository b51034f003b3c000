/**
 * Functions of the float interpreter that work element by element, with NumPy broadcasting.
 * @module
 */
import type { AffineOp, Compare, Extremum, Linear, Logical, Product, Quant, Unary } from '../float-graph.ts';
import { applyChain, roundEven } from '../unary.ts';
import { type Block, spread } from './block.ts';

function cut(v: number, lo: number, hi: number): number {
  return v < lo ? lo : v > hi ? hi : v;
}

/** clamp(ca·a + cb·b). */
export function linear(op: Linear, a: Block, y: Block, b: Block): void {
  const [p, q] = [spread(a, y), spread(b, y)];
  const { ca, cb, lo, hi } = op;
  for (let i = 0; i < y.data.length; i++) y.data[i] = cut(ca * p[i]! + cb * q[i]!, lo, hi);
}

/** clamp(a·b) or clamp(a/b). */
export function product(op: Product, a: Block, y: Block, b: Block): void {
  const [p, q] = [spread(a, y), spread(b, y)];
  const divide = op.kind === 'div';
  for (let i = 0; i < y.data.length; i++) y.data[i] = cut(divide ? p[i]! / q[i]! : p[i]! * q[i]!, op.lo, op.hi);
}

/** min or max of two. */
export function extremum(op: Extremum, a: Block, y: Block, b: Block): void {
  const [p, q] = [spread(a, y), spread(b, y)];
  const max = op.how === 'max';
  for (let i = 0; i < y.data.length; i++) y.data[i] = max ? Math.max(p[i]!, q[i]!) : Math.min(p[i]!, q[i]!);
}

const COMPARE: Readonly<Record<Compare['how'], (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};

/** 1 where a ∘ b. */
export function compare(op: Compare, a: Block, y: Block, b: Block): void {
  const [p, q] = [spread(a, y), spread(b, y)];
  const f = COMPARE[op.how];
  for (let i = 0; i < y.data.length; i++) y.data[i] = f(p[i]!, q[i]!) ? 1 : 0;
}

const LOGICAL: Readonly<Record<Logical['how'], (a: number, b: number) => number>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => 1 - a,
};

/** Truth functions over 0 and 1. */
export function logical(op: Logical, a: Block, y: Block, b: Block | undefined): void {
  const p = spread(a, y);
  const q = b ? spread(b, y) : p;
  const f = LOGICAL[op.how];
  for (let i = 0; i < y.data.length; i++) y.data[i] = f(p[i]!, q[i]!);
}

/** c ? a : b. */
export function where(c: Block, y: Block, a: Block, b: Block): void {
  const [k, p, q] = [spread(c, y), spread(a, y), spread(b, y)];
  for (let i = 0; i < y.data.length; i++) y.data[i] = k[i] !== 0 ? p[i]! : q[i]!;
}

/** x·scale + shift along the last axis. */
export function affine(op: AffineOp, x: Block, y: Block): void {
  const [p, q] = [op.scale.length, op.shift.length];
  for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i]! * op.scale[i % p]! + op.shift[i % q]!;
}

/** min(max(x, lo), hi). */
export function clamp(op: { readonly lo: number; readonly hi: number }, x: Block, y: Block): void {
  for (let i = 0; i < y.data.length; i++) y.data[i] = cut(x.data[i]!, op.lo, op.hi);
}

/** A chain of functions. */
export function unary(op: Unary, x: Block, y: Block): void {
  for (let i = 0; i < y.data.length; i++) y.data[i] = applyChain(op.fns, x.data[i]!);
}

/** To the steps of an integer type, ties to even. */
export function quant({ type }: Quant, x: Block, y: Block): void {
  const { scale, zp, lo, hi } = type;
  for (let i = 0; i < y.data.length; i++) y.data[i] = (cut(roundEven(x.data[i]! / scale) + zp, lo, hi) - zp) * scale;
}
