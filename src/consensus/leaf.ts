/**
 * Op leaves: what a model root commits to for one node (spec/40-consensus.md §3). The words hold all that the one-element
 * reference of the op reads beside tensors, so that whoever checks an element needs no model file.
 * @module
 */
import { affine, type Dim } from '../core/dim.ts';
import { DTYPES, type DType } from '../core/tensor.ts';
import type { AttrField, Facts, Output, Stage } from '../ops/define.ts';
import { OP_BY_CODE, OPS, type OpName } from '../ops/index.ts';
import { encodeWords, textWord, type Word, WordReader, wordText } from './words.ts';

/** Where an operand's elements are committed: absent, a constant under its own root, or a tensor of the trace. */
export type Source =
  | { readonly kind: 'absent' }
  | { readonly kind: 'constant'; readonly root: Uint8Array }
  | { readonly kind: 'trace'; readonly index: number };

/** Type of a committed tensor. `dtype` of an intermediate of 64 bits is `i64`. */
export interface LeafTensor {
  readonly dtype: DType | 'i64';
  readonly zp: number;
  readonly lo: Dim;
  readonly hi: Dim;
  readonly shape: readonly Dim[];
}

/** An operand of a node. */
export interface LeafOperand extends LeafTensor {
  readonly source: Source;
}

/** A step of a node: a tensor of the trace. `output`: which output of the node; absent for an intermediate. */
export interface LeafStep extends LeafTensor {
  readonly index: number;
  readonly output?: number | undefined;
}

/** A vector of int32 in an attribute: one value, or the root and length of a tensor of several. */
export type LeafVector = { readonly value: number } | { readonly root: Uint8Array; readonly length: number };

/** A node as its leaf holds it. Vectors stand in `vectors` under `attribute` or `attribute.m`; `attrs` has all others. */
export interface NodeLeaf {
  readonly op: OpName;
  readonly operands: readonly LeafOperand[];
  readonly steps: readonly LeafStep[];
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly vectors: Readonly<Record<string, LeafVector>>;
  readonly facts: Facts;
}

const LEAF_DTYPES: readonly (DType | 'i64')[] = [...DTYPES, 'i64'];
const SOURCE = { absent: 0, constant: 1, trace: 2 } as const;
const ZERO_WORD: Uint8Array = new Uint8Array(32);

/** A dim as one word: c in the low 64 bits, the coefficient of symbol i in the 32 bits from bit 64 + 32·i. */
export function dimWord(d: Dim): bigint {
  if (typeof d === 'number') return BigInt.asUintN(64, BigInt(d));
  return d.k.reduce(
    (w, k, i) => w | (BigInt.asUintN(32, BigInt(k)) << BigInt(64 + 32 * i)),
    BigInt.asUintN(64, BigInt(d.c)),
  );
}

/** The dim of a word. */
export function wordDim(word: bigint): Dim {
  if (word < 0n || word >> 192n !== 0n) throw new RangeError('no dim');
  const c = Number(BigInt.asIntN(64, word));
  if (!Number.isSafeInteger(c)) throw new RangeError('a dim is too large');
  return affine(
    c,
    [0, 1, 2, 3].map((i) => Number(BigInt.asIntN(32, word >> BigInt(64 + 32 * i)))),
  );
}

/** Fields of an op in tag order: the order of their words. */
function fieldsOf(op: OpName): readonly [string, AttrField][] {
  return Object.entries(OPS[op].attrs).sort((a, b) => a[1].tag - b[1].tag);
}

function tensorWords(t: LeafTensor): Word[] {
  const dims = t.shape.map(dimWord);
  return [LEAF_DTYPES.indexOf(t.dtype), t.zp, dimWord(t.lo), dimWord(t.hi), dims.length, ...dims];
}

function sourceWords(s: Source): Word[] {
  if (s.kind === 'trace') return [SOURCE.trace + s.index, ZERO_WORD];
  return s.kind === 'constant' ? [SOURCE.constant, s.root] : [SOURCE.absent, ZERO_WORD];
}

function vectorWords(v: LeafVector): Word[] {
  return 'root' in v ? [v.length, v.root] : [1, v.value];
}

function outputWords(o: Output): Word[] {
  return [DTYPES.indexOf(o.dtype), o.zp, o.lo, o.hi];
}

function attrWords(leaf: NodeLeaf, name: string, field: AttrField): Word[] {
  const value = leaf.attrs[name];
  switch (field.kind) {
    case 'int':
    case 'u64':
      return [value as number | bigint];
    case 'bool':
      return [value === true ? 1 : 0];
    case 'enum':
      return [field.values.indexOf(value as string)];
    case 'ints':
      return [(value as readonly number[]).length, ...(value as readonly number[])];
    case 'words':
      return vectorWords(leaf.vectors[name]!);
    case 'dim':
      return [dimWord(value as Dim)];
    case 'dims':
      return [(value as readonly Dim[]).length, ...(value as readonly Dim[]).map(dimWord)];
    case 'output':
      return outputWords(value as Output);
    case 'stage':
      return value === undefined
        ? [0]
        : [1, ...outputWords(value as Stage), (value as Stage).l, ...vectorWords(leaf.vectors[`${name}.m`]!)];
  }
}

/** The words of a leaf as bytes. */
export function encodeLeaf(leaf: NodeLeaf): Uint8Array {
  const operands = leaf.operands.flatMap((o) => [...sourceWords(o.source), ...tensorWords(o)]);
  const steps = leaf.steps.flatMap((s) => [s.index, s.output === undefined ? 0 : s.output + 1, ...tensorWords(s)]);
  const attrs = fieldsOf(leaf.op).flatMap(([name, field]) => attrWords(leaf, name, field));
  const names = Object.keys(leaf.facts).sort();
  const facts = names.flatMap((n): Word[] => [textWord(n), leaf.facts[n]!]);
  const head = [OPS[leaf.op].code, leaf.operands.length, leaf.steps.length, attrs.length, names.length];
  return encodeWords([...head, ...operands, ...steps, ...attrs, ...facts]);
}

function readTensor(r: WordReader): LeafTensor {
  const dtype = LEAF_DTYPES[r.within(0, LEAF_DTYPES.length - 1)]!;
  const [zp, lo, hi] = [r.int(), wordDim(r.big()), wordDim(r.big())];
  const shape = Array.from({ length: r.within(0, 8) }, () => wordDim(r.big()));
  return { dtype, zp, lo, hi, shape };
}

function readOperand(r: WordReader): LeafOperand {
  const kind = r.within(0, 2 ** 32);
  const root = r.raw();
  const source: Source =
    kind >= SOURCE.trace
      ? { kind: 'trace', index: kind - SOURCE.trace }
      : kind === SOURCE.constant
        ? { kind: 'constant', root }
        : { kind: 'absent' };
  return { source, ...readTensor(r) };
}

function readStep(r: WordReader): LeafStep {
  const index = r.within(0, 2 ** 32);
  const output = r.within(0, 8);
  return { index, output: output === 0 ? undefined : output - 1, ...readTensor(r) };
}

function readVector(r: WordReader): LeafVector {
  const length = r.within(0, 2 ** 30);
  return length === 1 ? { value: r.int() } : { root: r.raw(), length };
}

function readOutput(r: WordReader): Output {
  return { dtype: DTYPES[r.within(0, DTYPES.length - 1)]!, zp: r.int(), lo: r.int(), hi: r.int() };
}

/** Most entries of a list attribute in a leaf. */
const LIST_MOST = 4096;

function readAttr(r: WordReader, name: string, field: AttrField, vectors: Record<string, LeafVector>): unknown {
  switch (field.kind) {
    case 'int':
      return r.int();
    case 'u64':
      return r.big();
    case 'bool':
      return r.within(0, 1) === 1;
    case 'enum':
      return field.values[r.within(0, field.values.length - 1)];
    case 'ints':
      return Array.from({ length: r.within(0, LIST_MOST) }, () => r.int());
    case 'words':
      vectors[name] = readVector(r);
      return undefined;
    case 'dim':
      return wordDim(r.big());
    case 'dims':
      return Array.from({ length: r.within(0, 8) }, () => wordDim(r.big()));
    case 'output':
      return readOutput(r);
    case 'stage': {
      if (r.within(0, 1) === 0) return undefined;
      const stage = { ...readOutput(r), l: r.int() };
      vectors[`${name}.m`] = readVector(r);
      return stage;
    }
  }
}

/**
 * A leaf from its bytes.
 * @throws RangeError where they are no leaf
 */
export function decodeLeaf(bytes: Uint8Array): NodeLeaf {
  const r = new WordReader(bytes);
  const op = OP_BY_CODE.get(r.int());
  if (op === undefined) throw new RangeError('no op has this code');
  const [operandCount, stepCount, , factCount] = [r.within(0, 64), r.within(1, 64), r.int(), r.within(0, 64)];
  const operands = Array.from({ length: operandCount }, () => readOperand(r));
  const steps = Array.from({ length: stepCount }, () => readStep(r));
  const vectors: Record<string, LeafVector> = {};
  const attrs: Record<string, unknown> = {};
  for (const [name, field] of fieldsOf(op)) attrs[name] = readAttr(r, name, field, vectors);
  const facts: Record<string, number> = {};
  for (let i = 0; i < factCount; i++) {
    const name = wordText(r.raw());
    facts[name] = r.int();
  }
  r.end();
  return { op, operands, steps, attrs, vectors, facts };
}
