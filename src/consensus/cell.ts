/**
 * The cell of a committed element: the one-element reference of its op over tensors that are read through a callback
 * (spec/40-consensus.md §5).
 * @module
 */
import { dimAt } from '../core/dim.ts';
import { floorDiv } from '../core/int.ts';
import type { Cell, Check, Slots, Step, Total, View } from '../ops/define.ts';
import { OPS } from '../ops/index.ts';
import { stridesOf } from '../ops/rules.ts';
import { type Commitment, STEPS } from './commitment.ts';
import { decodeLeaf, type LeafTensor, type NodeLeaf } from './leaf.ts';

/** A committed tensor that an element reads: operand by position, vector by name, or tensor of the trace by index. */
export type Read =
  | { readonly kind: 'constant'; readonly operand: number }
  | { readonly kind: 'vector'; readonly name: string }
  | { readonly kind: 'trace'; readonly index: number };

/**
 * What is computed of an element: the whole; where it is a fold, also some of its terms combined, or what follows from the
 * combination of all. An element that an op finds in a line (topk, argmax) is checked against a claim instead where there is one.
 */
export type Goal = (
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'finish'; readonly total: Total }
) & {
  /** The claimed element, which an op that checks is asked about: the result is the claim where it is right, else another number. */
  readonly claim?: number;
};

/** The goal of a whole element. */
export const WHOLE: Goal = { kind: 'whole' };

/** A proof that does not hold, and why. */
export class ProofError extends Error {
  override name = 'ProofError';
}

/** Bits of an element by dtype. */
export const BITS: Readonly<Record<LeafTensor['dtype'], number>> = { i8: 8, i16: 16, i32: 32, i4: 4, bool: 8, i64: 64 };

/** The elements of a tensor as rules read them. */
export type Elements = View['data'];

/** An array-like that asks `get` for each element. */
export function elements(length: number, get: (i: number) => number): Elements {
  return new Proxy({ length } as { [i: number]: number; length: number }, {
    get: (_, key) => (key === 'length' ? length : get(Number(key))),
  });
}

/** Index of each axis of flat index `i`. */
function unflatten(i: number, shape: readonly number[]): number[] {
  const at = shape.map(() => 0);
  let rest = i;
  for (let d = shape.length - 1; d >= 0; d--) {
    at[d] = rest % shape[d]!;
    rest = floorDiv(rest, shape[d]!);
  }
  return at;
}

/** Gives the elements of a committed tensor. */
export type Reads = (read: Read, t: LeafTensor, count: number) => Elements;

/** The step of a leaf that makes tensor `index`, and the cell of its element, which reads tensors through `data`. */
export function cellOf(
  leaf: NodeLeaf,
  index: number,
  element: number,
  dims: readonly number[],
  data: Reads,
): { readonly step: Step<unknown, Slots>; readonly cell: Cell<unknown, Slots> } {
  const position = leaf.steps.findIndex((s) => s.index === index);
  if (position < 0) throw new ProofError(`the node does not make tensor ${index}`);
  const sized = (read: Read, t: LeafTensor): View => {
    const shape = t.shape.map((d) => dimAt(d, dims));
    const count = shape.reduce((n, d) => n * d, 1);
    return { data: data(read, t, count), shape, strides: stridesOf(shape), zp: t.zp };
  };
  const operands = leaf.operands.map((o, operand) => {
    if (o.source.kind === 'absent') return undefined;
    return sized(
      o.source.kind === 'trace' ? { kind: 'trace', index: o.source.index } : { kind: 'constant', operand },
      o,
    );
  });
  const steps = leaf.steps.map((s) => ({ ...s, view: sized({ kind: 'trace', index: s.index }, s) }));
  const names = STEPS[leaf.op].steps;
  if (names.length !== steps.length) throw new ProofError('the leaf has a wrong number of steps');
  const target = steps[position]!.view;
  const count = target.shape.reduce((n, d) => n * d, 1);
  if (!(Number.isSafeInteger(element) && element >= 0 && element < count))
    throw new ProofError(`tensor ${index} has elements 0…${count - 1}`);
  const cell: Cell<unknown, Slots> = {
    in: operands as View[],
    a: attributes(leaf, dims, data) as never,
    facts: leaf.facts,
    out: steps
      .filter((s) => s.output !== undefined)
      .sort((p, q) => p.output! - q.output!)
      .map((s) => s.view),
    step: Object.fromEntries(
      steps.flatMap((s, i) => (s.output === undefined ? [[names[i]!.name, s.view] as const] : [])),
    ),
    at: unflatten(element, target.shape),
  };
  return { step: names[position]!, cell };
}

/** Computes what is asked for of an element. */
export function compute({ step, cell }: ReturnType<typeof cellOf>, goal: Goal): Total {
  const { fold, check } = step;
  if (check !== undefined && goal.claim !== undefined) return checked(check, cell, goal, goal.claim);
  if (goal.kind === 'whole') return step.element(cell);
  if (fold === undefined) {
    if (goal.kind === 'part') throw new ProofError('the element has no terms');
    return step.element(cell);
  }
  if (goal.kind === 'finish') return fold.finish(cell, goal.total);
  inTerms(goal.from, goal.to, fold.terms(cell));
  return fold.part(cell, goal.from, goal.to);
}

function inTerms(from: number, to: number, count: number): void {
  const valid = Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from < to;
  if (!valid || to > count) throw new ProofError('no such terms');
}

/** A part of a check, or the claim where it is right and ~claim where it is not. */
function checked(check: Check<unknown, Slots>, cell: Cell<unknown, Slots>, goal: Goal, claim: number): number {
  const count = check.terms(cell);
  if (goal.kind === 'part') {
    inTerms(goal.from, goal.to, count);
    return check.part(cell, claim, goal.from, goal.to);
  }
  const total = goal.kind === 'finish' ? Number(goal.total) : count > 0 ? check.part(cell, claim, 0, count) : 0;
  return check.holds(cell, claim, total) ? claim : ~claim;
}

/**
 * Terms of an element or of its check, and how they combine; none for an element that has neither.
 * @throws RangeError where the model has no such tensor or element
 */
export function termsOf(
  commitment: Commitment,
  index: number,
  element: number,
  dims: readonly number[],
): { readonly count: number; readonly combine: 'sum' | 'max' | 'min' } {
  const node = commitment.trace[index]?.node ?? -1;
  if (node < 0) throw new RangeError(`tensor ${index} is made by no node`);
  const unread = (): Elements => elements(0, () => 0);
  const { step, cell } = cellOf(decodeLeaf(commitment.leaves[node]!), index, element, dims, unread);
  const { fold, check } = step;
  return { count: (fold ?? check)?.terms(cell) ?? 0, combine: fold?.combine ?? 'sum' };
}

/** Attributes with dims evaluated and vectors read through `data`. */
function attributes(leaf: NodeLeaf, dims: readonly number[], data: Reads): Record<string, unknown> {
  const out: Record<string, unknown> = { ...leaf.attrs };
  for (const [name, field] of Object.entries(OPS[leaf.op].attrs)) {
    if (field.kind === 'dim') out[name] = dimAt(leaf.attrs[name] as number, dims);
    if (field.kind === 'dims') out[name] = (leaf.attrs[name] as readonly number[]).map((d) => dimAt(d, dims));
  }
  for (const [name, v] of Object.entries(leaf.vectors)) {
    const read: Read = { kind: 'vector', name };
    const type: LeafTensor = { dtype: 'i32', zp: 0, lo: 0, hi: 0, shape: 'root' in v ? [v.length] : [1] };
    const vector = 'root' in v ? data(read, type, v.length) : Int32Array.of(v.value);
    if (name.endsWith('.m')) out[name.slice(0, -2)] = { ...(out[name.slice(0, -2)] as object), m: vector };
    else out[name] = vector;
  }
  return out;
}
