/**
 * The shape of an op definition (spec/10-ops.md). One file defines one op: operands, attributes with wire tags, type rule,
 * bounds rule, cost rule and the one-element reference. Wire decoding, validation, the spec tables, the random-graph
 * generator and the reference backend derive from it.
 * @module
 */
import type { CostVector } from '../core/cost.ts';
import type { Affine, Dim, SymbolDecl } from '../core/dim.ts';
import type { MODEL_ERRORS } from '../core/errors.ts';
import type { Poly } from '../core/poly.ts';
import type { DType, TypedArray } from '../core/tensor.ts';

/** Output type record of an op without a stage: dtype, zero point and activation limits lo ≤ hi in the dtype. */
export interface Output {
  readonly dtype: DType;
  readonly zp: number;
  readonly lo: number;
  readonly hi: number;
}

/** Output stage: `clamp(zp + mulhr(acc·2^l, m[c]), lo, hi)`; `m` has length 1 if all entries are equal, else one a channel. */
export interface Stage extends Output {
  readonly l: number;
  readonly m: Int32Array;
}

/** An integer attribute. Equal to `default`, it is absent from the file. */
export interface IntField {
  readonly kind: 'int';
  readonly tag: number;
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}
/** A flag; false is absent from the file. */
export interface BoolField {
  readonly kind: 'bool';
  readonly tag: number;
}
/** One of a list of words; the wire holds its index. */
export interface EnumField {
  readonly kind: 'enum';
  readonly tag: number;
  readonly values: readonly string[];
  readonly default?: string;
}
/** A list of integers, of `length` entries or of at most `maxLength`. */
export interface IntsField {
  readonly kind: 'ints';
  readonly tag: number;
  readonly min: number;
  readonly max: number;
  readonly length?: number;
  readonly maxLength?: number;
  readonly default?: readonly number[];
}
/** A vector of int32 as fixed32 little-endian words. */
export interface WordsField {
  readonly kind: 'words';
  readonly tag: number;
  readonly min: number;
  readonly max: number;
  readonly maxLength: number;
}
/** An unsigned 64-bit integer as eight little-endian bytes. */
export interface U64Field {
  readonly kind: 'u64';
  readonly tag: number;
  readonly min: bigint;
  readonly max: bigint;
}
/** One dim, maybe affine in the symbols. */
export interface DimField {
  readonly kind: 'dim';
  readonly tag: number;
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}
/** A list of dims, maybe affine in the symbols; at most 8. */
export interface DimsField {
  readonly kind: 'dims';
  readonly tag: number;
  readonly min: number;
  readonly max: number;
}
/** An output record; `dtypes` are those the op may produce. */
export interface OutputField {
  readonly kind: 'output';
  readonly tag: number;
  readonly dtypes: readonly DType[];
}
/** An output stage; where `optional`, absent means raw: the i32 accumulator itself. `maxLength` bounds m. */
export interface StageField {
  readonly kind: 'stage';
  readonly tag: number;
  readonly dtypes: readonly DType[];
  readonly optional: boolean;
  readonly perChannel: boolean;
}
/** Any attribute field. */
export type AttrField =
  | IntField
  | BoolField
  | EnumField
  | IntsField
  | WordsField
  | U64Field
  | DimField
  | DimsField
  | OutputField
  | StageField;

type FieldFor<T> = [T] extends [Stage | undefined]
  ? StageField
  : [T] extends [Output]
    ? OutputField
    : [T] extends [Int32Array]
      ? WordsField
      : [T] extends [bigint]
        ? U64Field
        : [T] extends [boolean]
          ? BoolField
          : [T] extends [string]
            ? EnumField
            : [T] extends [number]
              ? IntField
              : [T] extends [readonly number[]]
                ? IntsField
                : [Affine] extends [T]
                  ? DimField
                  : DimsField;

/** A schema covers every attribute of A: one that is missing is a type error. */
export type AttrSchema<A> = { readonly [K in keyof A]-?: FieldFor<Exclude<A[K], undefined>> };

/** Attributes with every dim concrete, as a bound node has them. */
export type BoundAttrs<A> = {
  readonly [K in keyof A]: [Affine] extends [A[K]] ? number : A[K] extends readonly Dim[] ? readonly number[] : A[K];
};

/**
 * One operand of an op. `constant`: its value is in the model, e.g. weights. `symmetric`: its zero point is 0. `variadic`:
 * the last one, 1 to 64 times.
 */
export interface Operand {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly constant?: true;
  readonly symmetric?: true;
  readonly optional?: true;
  readonly variadic?: true;
}

/** Inclusive interval of raw values; endpoints of an i32 interval may be affine in the symbols. */
export interface Interval {
  readonly lo: Dim;
  readonly hi: Dim;
}

/** Type of a tensor: dtype, shape, zero point, proved interval; `rowSum` is the proved Σ|a| over the last axis. */
export interface TensorType extends Interval {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly zp: number;
  readonly rowSum?: number | undefined;
  /** The elements, where the tensor is a constant. */
  readonly data?: TypedArray | undefined;
}

/** What a type rule yields for one output. */
export interface OutType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly zp: number;
}

/** Figures that a bounds rule proved, by name; kernels choose by them and the reference reads derived constants. */
export type Facts = Readonly<Record<string, number>>;

/** Proved output intervals of a node, and its facts. */
export interface Bounds {
  readonly y: readonly (Interval & { readonly rowSum?: number | undefined })[];
  readonly facts?: Facts;
}

/** Placeholders of an op's operands: a labelled tuple of 1s, e.g. `[x: 1, w: 1, mask?: 1]`. */
export type Slots = readonly (1 | undefined)[];
type Types<I extends Slots> = { readonly [K in keyof I]: TensorType };
type Views<I extends Slots> = { readonly [K in keyof I]: View };

/** What every rule of a node sees. `fail` throws a ModelError that names the node. */
export interface RuleContext<A, I extends Slots> {
  readonly in: Types<I>;
  readonly a: A;
  readonly symbols: readonly SymbolDecl[];
  fail(code: keyof typeof MODEL_ERRORS, message: string, expected?: string | number, actual?: string | number): never;
}

/** Context of the bounds and cost rules: the outputs' types are known. */
export interface TypedContext<A, I extends Slots> extends RuleContext<A, I> {
  readonly out: readonly OutType[];
}

/** A node's cost: classes it counts, and its bytes where they are not inputs + outputs + constants. */
export interface NodeCost {
  readonly counts: CostVector;
  readonly bytes?: Poly;
}

/** A concrete tensor as the reference reads it: i4 unpacked, row-major strides in elements. */
export interface View {
  readonly data: { readonly [i: number]: number; readonly length: number };
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly zp: number;
}

/** What the one-element reference of a step sees: operands, attributes, facts, earlier steps, and the index of its element. */
export interface Cell<A, I extends Slots> {
  readonly in: Views<I>;
  readonly a: BoundAttrs<A>;
  readonly facts: Facts;
  /** Outputs of the node by position (their shape and zero point; data as far as computed). */
  readonly out: readonly View[];
  /** Committed intermediates by name, as far as computed. */
  readonly step: Readonly<Record<string, View>>;
  /** Index of the element. */
  readonly at: readonly number[];
}

/**
 * One step of a node: a tensor whose elements follow from operands and earlier steps. Steps that are not an output are
 * the committed intermediates of a dispute. `scan` steps advance together along axis 0, the time of a recurrent op.
 */
export interface Step<A, I extends Slots> {
  readonly name: string;
  /** Which output of the node it is; absent for an intermediate. */
  readonly output?: number;
  /** Bits of an intermediate's elements: 32, or 64 where they exceed an int32. */
  readonly bits?: 32 | 64;
  readonly scan?: true;
  /** Shape of an intermediate; an output's is its type's. */
  shape?(c: Omit<Cell<A, I>, 'at'>): readonly number[];
  element(c: Cell<A, I>): number;
  /** How an element of many terms splits; `element` is `finish` of its whole. */
  readonly fold?: Fold<A, I, Total>;
  /** How a claimed element is checked where finding it reads a whole line. */
  readonly check?: Check<A, I>;
}

/** What terms combine to; a bigint where it can leave 53 bits. */
export type Total = number | bigint;

/**
 * An element as a fold over terms 0…n−1, exact in any split: a dispute bisects it to a few terms. Only `part` reads what a
 * term needs; every part and combination of parts fits what the element's bound proves.
 */
export interface Fold<A, I extends Slots, T extends Total> {
  readonly combine: 'sum' | 'max' | 'min';
  terms(c: Cell<A, I>): number;
  /** Terms from … to − 1, combined; at least one. */
  part(c: Cell<A, I>, from: number, to: number): T;
  /** The element, from all terms combined. */
  finish(c: Cell<A, I>, total: T): number;
}

/**
 * A claimed element as a sum over terms 0…n−1 and a test of it: an index is right iff as many elements come before it as must.
 * The test holds for one claim alone.
 */
export interface Check<A, I extends Slots> {
  terms(c: Cell<A, I>): number;
  /** Σ of terms from … to − 1; at least one. */
  part(c: Cell<A, I>, claim: number, from: number, to: number): number;
  /** True if the claim is the element, from the sum of all terms. */
  holds(c: Cell<A, I>, claim: number, total: number): boolean;
}

/** The fields of a step whose element is a fold. */
/* @__NO_SIDE_EFFECTS__ */
export function folded<A, I extends Slots>(fold: Fold<A, I, number>): Pick<Step<A, I>, 'element' | 'fold'> {
  return { fold, element: (c) => fold.finish(c, fold.part(c, 0, fold.terms(c))) };
}

/**
 * The one-element reference of an op: its steps in order. It stands beside the definition, not in it, so that a bundle
 * without the reference backend leaves it out.
 */
export interface Reference<A, I extends Slots> {
  readonly steps: readonly Step<A, I>[];
  /** True where a recurrent op walks axis 0 of its scan steps from the end. */
  reversed?(a: BoundAttrs<A>): boolean;
}

/** The definition of one op. */
export interface OpDef<A, I extends Slots> {
  /** Wire code; frozen by test/golden/opcodes.json. */
  readonly code: number;
  /** Spec version that introduced it. */
  readonly since: number;
  readonly operands: readonly Operand[];
  readonly attrs: AttrSchema<A>;
  type(c: RuleContext<A, I>): readonly OutType[];
  bounds(c: TypedContext<A, I>): Bounds;
  cost(c: TypedContext<A, I>): NodeCost;
}

/** Freezes a definition; a pure call, so an unused op leaves a bundle. */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<A, I extends Slots>(def: OpDef<A, I>): OpDef<A, I> {
  return Object.freeze(def);
}

/** Attribute field of a stage on tag `tag`. */
/* @__NO_SIDE_EFFECTS__ */
export function stageField(
  tag: number,
  dtypes: readonly DType[],
  options: { raw?: boolean; perChannel?: boolean } = {},
): StageField {
  return { kind: 'stage', tag, dtypes, optional: options.raw ?? false, perChannel: options.perChannel ?? true };
}
