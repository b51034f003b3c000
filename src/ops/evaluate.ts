/**
 * Evaluates a node element by element from its definition: written for reading (spec/30-execution.md §3).
 * @module
 */
import { allocate, type DType, elementCount, i4At, type TypedArray } from '../core/tensor.ts';
import type { Cell, Facts, Slots, Step, View } from './define.ts';
import type { AnyReference, OpName } from './index.ts';
import * as references from './references.ts';
import { stridesOf } from './rules.ts';

/** A concrete tensor with its elements in canonical storage. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly zp: number;
  readonly data: TypedArray;
}

/** What a node yields: its outputs, and its committed intermediates by name. */
export interface Evaluation {
  readonly outputs: readonly TypedArray[];
  readonly intermediates: ReadonlyMap<string, View>;
}

/** The view of a value as rules read it: i4 unpacked; int32 of every dtype, so that one machine code reads them all. */
export function viewOf(v: Value): View {
  const data = new Int32Array(elementCount(v.shape));
  if (v.dtype === 'i4') for (let i = 0; i < data.length; i++) data[i] = i4At(v.data, i);
  else data.set(v.data);
  return { data, shape: v.shape, strides: stridesOf(v.shape), zp: v.zp };
}

/** The reference of every op: one that is missing is a type error. */
const REFERENCES: { readonly [N in OpName]: AnyReference } = references as unknown as {
  readonly [N in keyof typeof references]: AnyReference;
};

interface Storage extends View {
  readonly data: TypedArray | Float64Array;
}

function storage(data: TypedArray | Float64Array, shape: readonly number[], zp: number): Storage {
  return { data, shape, strides: stridesOf(shape), zp };
}

/** Fills the elements of `target`, of which axis 0 may be fixed to `time`. */
function fill(
  step: Step<unknown, Slots>,
  cell: Omit<Cell<unknown, Slots>, 'at'>,
  target: Storage,
  time?: number,
): void {
  const { shape } = target;
  const from = time === undefined ? 0 : 1;
  const at = shape.map((_, i) => (i < from ? time! : 0));
  const count = elementCount(shape.slice(from));
  const start = time === undefined ? 0 : time * count;
  const c: Cell<unknown, Slots> = { ...cell, at };
  for (let i = 0; i < count; i++) {
    target.data[start + i] = step.element(c);
    for (let d = shape.length - 1; d >= from && ++at[d]! === shape[d]; d--) at[d] = 0;
  }
}

/**
 * Runs the steps of an op by its name.
 * @param inputs operands in order; undefined where an optional one is absent
 * @param outputs type and shape of each output
 */
export function evaluate(
  op: OpName,
  inputs: readonly (Value | undefined)[],
  attrs: Readonly<Record<string, unknown>>,
  facts: Facts,
  outputs: readonly Omit<Value, 'data'>[],
): Evaluation {
  const out = outputs.map((t) => storage(allocate(t.dtype, elementCount(t.shape)), t.shape, t.zp));
  const intermediates = walk(op, inputs, attrs, facts, out, () => true);
  return { outputs: out.map((o) => o.data as TypedArray), intermediates };
}

/**
 * The committed intermediates of a node whose outputs are known, by name; none for most ops.
 * @param outputs the outputs in order
 */
export function intermediates(
  op: OpName,
  inputs: readonly (Value | undefined)[],
  attrs: Readonly<Record<string, unknown>>,
  facts: Facts,
  outputs: readonly Value[],
): ReadonlyMap<string, View> {
  if (REFERENCES[op].steps.every((s) => s.output !== undefined)) return new Map();
  const out = outputs.map((t) => storage(t.data, t.shape, t.zp));
  return walk(op, inputs, attrs, facts, out, (s) => s.output === undefined);
}

/** Fills the steps that are wanted, in order; the others are known. */
function walk(
  op: OpName,
  inputs: readonly (Value | undefined)[],
  attrs: Readonly<Record<string, unknown>>,
  facts: Facts,
  out: readonly Storage[],
  wanted: (s: Step<unknown, Slots>) => boolean,
): ReadonlyMap<string, View> {
  const def = REFERENCES[op];
  const step: Record<string, View> = {};
  const cell = { in: inputs.map((v) => v && viewOf(v)) as View[], a: attrs, facts, out, step };
  const targets = def.steps.map((s): Storage => {
    if (s.output !== undefined) return out[s.output]!;
    const shape = s.shape!(cell);
    const count = elementCount(shape);
    return (step[s.name] = storage(
      s.bits === 64 ? new Float64Array(count) : new Int32Array(count),
      shape,
      0,
    )) as Storage;
  });
  for (let i = 0; i < def.steps.length; i++) {
    if (!def.steps[i]!.scan) {
      if (wanted(def.steps[i]!)) fill(def.steps[i]!, cell, targets[i]!);
      continue;
    }
    const first = i;
    while (def.steps[i + 1]?.scan) i++;
    const times = targets[first]!.shape[0]!;
    const reversed = def.reversed?.(attrs as never) ?? false;
    for (let t = 0; t < times; t++) {
      for (let k = first; k <= i; k++)
        if (wanted(def.steps[k]!)) fill(def.steps[k]!, cell, targets[k]!, reversed ? times - 1 - t : t);
    }
  }
  return new Map(Object.entries(step));
}
