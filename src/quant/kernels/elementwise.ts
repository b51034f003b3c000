/**
 * Functions of the float interpreter that work element by element, with NumPy broadcasting.
 * @module
 */
import type { AffineOp, Compare, Extremum, Linear, Logical, Product, Unary } from '../float-graph.ts';
import { exp, log } from '../math.ts';
import { applyChain } from '../unary.ts';
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

/** Softmax over the last axis, its greatest element subtracted; or its logarithm. */
export function softmax(kind: 'softmax' | 'log_softmax', x: Block, y: Block): void {
  const k = x.shape.at(-1)!;
  for (let from = 0; from < x.data.length; from += k) {
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < k; i++) max = Math.max(max, x.data[from + i]!);
    let sum = 0;
    for (let i = 0; i < k; i++) sum += y.data[from + i] = exp(x.data[from + i]! - max);
    const top = kind === 'log_softmax' ? max + log(sum) : 0;
    for (let i = 0; i < k; i++)
      y.data[from + i] = kind === 'softmax' ? y.data[from + i]! / sum : x.data[from + i]! - top;
  }
}
