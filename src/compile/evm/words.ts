/**
 * Short sequences on one word: constants, clamps, fields.
 * @module
 */
import type { Assembler } from './asm.ts';

/** Adds a constant to the top. */
export function add(a: Assembler, value: number | bigint): void {
  const v = BigInt(value);
  if (v === 0n) return;
  a.push(v < 0n ? -v : v);
  if (v > 0n) a.op('ADD');
  else {
    a.swap(1);
    a.op('SUB');
  }
}

/** Multiplies the top by a constant. */
export function times(a: Assembler, value: number | bigint): void {
  if (BigInt(value) === 1n) return;
  a.push(value);
  a.op('MUL');
}

/** Shifts the top. */
export function shift(a: Assembler, by: number, kind: 'SHL' | 'SHR' | 'SAR'): void {
  if (by === 0) return;
  a.push(by);
  a.op(kind);
}

/** The top if it is negative, else 0. */
export function negativePart(a: Assembler): void {
  a.dup(a.height - 1);
  a.push(255);
  a.op('SAR', 'AND');
}

/** The top if it is positive, else 0. */
export function positivePart(a: Assembler): void {
  a.dup(a.height - 1);
  a.push(0);
  a.op('SLT', 'MUL');
}

/** What a clamp does: the values it can meet, its limits, and what is subtracted from the result. */
export interface Clamp {
  /** Least and greatest value before it. */
  readonly from: number;
  readonly to: number;
  readonly lo: number;
  readonly hi: number;
  /** The result is the clamped value − base. */
  readonly base: number;
}

/** What must be subtracted from a value before `clampTail`, so that the first comparison is with 0. */
export function clampAnchor(c: Clamp): number {
  return c.to > c.hi ? c.hi : c.from < c.lo ? c.lo : c.base;
}

/** Turns value − anchor into clamp(value) − base, without the comparisons that its interval makes idle. */
export function clampTail(a: Assembler, c: Clamp): void {
  let anchor = clampAnchor(c);
  if (c.to > c.hi) {
    negativePart(a);
    anchor = c.hi;
  }
  if (c.from < c.lo) {
    add(a, anchor - c.lo);
    positivePart(a);
    anchor = c.lo;
  }
  add(a, anchor - c.base);
}

/** clamp(top) − base. */
export function clampTop(a: Assembler, c: Clamp): void {
  add(a, -clampAnchor(c));
  clampTail(a, c);
}

/** Builds a word of fields from the top down; `element` leaves field k, at least 0 and below 2^bits. */
export function fields(a: Assembler, count: number, bits: number, element: (k: number) => void): void {
  for (let k = 0; k < count; k++) {
    element(k);
    shift(a, 256 - bits * (k + 1), 'SHL');
    if (k > 0) a.op('ADD');
  }
}
