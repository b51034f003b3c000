/**
 * Rows of products. A word of x holds u_0, u_1, … in fields from the top, a word of weights w_0, w_1, … in fields from the bottom:
 * the top field of their product mod 2^256 is Σ u·w, since what lies above it vanishes, and an offset in every field keeps the
 * fields below from borrowing.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import type { Stage } from '../../ops/define.ts';
import { type Assembler, at, type Ptr } from './asm.ts';
import { type Clamp, clampAnchor, clampTail, shift } from './words.ts';

/** The products of one node: y[o] = stage(b[o] + Σ w·u) at every position. */
export interface Rows {
  readonly count: number;
  /** Fields of the words of x, and the greatest field. */
  readonly bits: number;
  readonly span: number;
  /** Offset of each word of a window from its first, in bytes, and its number of fields. */
  readonly groups: readonly { readonly offset: number; readonly fields: number }[];
  /** Weights of a row, word by word. */
  weights(o: number): readonly (readonly number[])[];
  /** What the fields' zero adds to row o: the accumulator is its Σ w·u + bias(o). */
  bias(o: number): number;
  readonly stage: Stage | undefined;
  /** Σ of the positive and of the negative weights of each row. */
  readonly plus: readonly number[];
  readonly minus: readonly number[];
  /** What every field holds beside its sum: no coefficient is below its negative. */
  readonly offset: number;
  /** Weights fit this many bits, sign included. */
  readonly weightBits: number;
}

/** Where results go: fields of words, or one element a word. `base` is the raw value of 0. */
export interface Sink {
  readonly bits: number;
  readonly per: number;
  readonly base: number;
  readonly packed: boolean;
}

/** Bits of a non-negative integer below 2^53. */
export function bitLength(v: number): number {
  return v === 0 ? 0 : v.toString(2).length;
}

/** The least width of fields in which no coefficient of any row meets the next. */
export function fieldBits(span: number, plus: readonly number[], minus: readonly number[]): number {
  const most = plus.reduce((a, v) => Math.max(a, v), 0);
  return Math.max(8, bitLength(span) + 1, bitLength(span * most + fieldOffset(span, minus)));
}

/** The offset of fields of such a span. */
export function fieldOffset(span: number, minus: readonly number[]): number {
  return span * minus.reduce((most, v) => Math.max(most, -v), 0);
}

/** A word of equal fields from the top down. */
function repeated(value: number, bits: number): bigint {
  let word = 0n;
  for (let end = 256 - bits; end >= 0; end -= bits) word |= BigInt(value) << BigInt(end);
  return word;
}

/** A word of weights, the first at the bottom. */
function weightWord(weights: readonly number[], bits: number): bigint {
  return weights.reduce((word, w, j) => word + (BigInt(w) << BigInt(bits * j)), 0n);
}

interface Finish {
  /** Multiplier, and the constant added to acc·multiplier. */
  readonly m: bigint;
  readonly n: bigint;
  readonly clamp: Clamp | undefined;
}

/** How the top field of row o, its offset included, becomes its result. */
function finishOf(r: Rows, o: number, sink: Sink): Finish {
  const bias = r.bias(o) - r.offset;
  if (r.stage === undefined) return { m: 1n, n: BigInt(bias) - BigInt(sink.base), clamp: undefined };
  const { stage } = r;
  const m = BigInt(stage.m[stage.m.length === 1 ? 0 : o]!) << BigInt(stage.l);
  const staged = (acc: number): number => Number((BigInt(acc) * m + 2147483648n) >> 32n) + stage.zp;
  const clamp: Clamp = {
    from: staged(r.bias(o) + r.span * r.minus[o]!),
    to: staged(r.bias(o) + r.span * r.plus[o]!),
    lo: stage.lo,
    hi: stage.hi,
    base: sink.base,
  };
  const n = BigInt(bias) * m + 2147483648n + (BigInt(stage.zp - clampAnchor(clamp)) << 32n);
  return { m, n, clamp };
}

/** Where the words of x are: on the stack, or in memory. */
export interface Words {
  readonly slots: readonly number[];
  readonly memory: (g: number) => Ptr;
}

function loadWord(a: Assembler, x: Words, g: number): void {
  const slot = x.slots[g];
  if (slot === undefined) a.load(x.memory(g));
  else a.dup(slot);
}

/** Pushes the word whose fields all hold the offset. */
export function pushOffset(a: Assembler, r: Rows): number {
  return a.push(repeated(r.offset, r.bits));
}

/** Pushes the result of row o, its weights in the code. `offset` is the slot of `pushOffset`. */
export function pushRow(a: Assembler, r: Rows, o: number, x: Words, offset: number, sink: Sink): void {
  const { m, n, clamp } = finishOf(r, o, sink);
  if (n !== 0n) a.push(n < 0n ? -n : n);
  a.dup(offset);
  r.weights(o).forEach((weights, g) => {
    const word = weightWord(weights, r.bits);
    if (word === 0n) return;
    loadWord(a, x, g);
    if (word !== 1n) {
      a.push(word);
      a.op('MUL');
    }
    a.op('ADD');
  });
  a.push(256 - r.bits);
  a.op('SHR');
  if (m !== 1n) {
    a.push(m);
    a.op('MUL');
  }
  if (n !== 0n) a.op(n < 0n ? 'SUB' : 'ADD');
  if (clamp === undefined) return;
  a.push(32);
  a.op('SAR');
  clampTail(a, clamp);
}

/** How the rows of a node lie in data: a word holds `planes` groups of weights, each weight + 2^(weightBits − 1). */
export interface Planes {
  readonly planes: number;
  readonly words: number;
  /** The multiplier, where it is that of all rows. */
  readonly m: bigint | undefined;
  readonly clamp: Clamp | undefined;
  /** Bytes of a row: its weights, and a word with the constants of its stage. */
  readonly rowBytes: number;
  row(o: number): Uint8Array;
}

const M_BITS = 64n;

/** The data form of rows 0…count − 1. */
export function planesOf(r: Rows, count: number, sink: Sink): Planes {
  const planes = floorDiv(r.bits, r.weightBits);
  const words = floorDiv(r.groups.length + planes - 1, planes);
  const finishes = Array.from({ length: count }, (_, o) => finishOf(r, o, sink));
  const even = finishes.every((f) => f.m === finishes[0]!.m);
  const clamp = r.stage === undefined || count === 0 ? undefined : widest(finishes.map((f) => f.clamp!));
  const half = 1 << (r.weightBits - 1);
  const row = (o: number): Uint8Array => {
    const out = new Uint8Array(32 * (words + 1));
    const weights = r.weights(o);
    for (let t = 0; t < words; t++) {
      let word = 0n;
      for (let k = 0; k < planes; k++) {
        const group = weights[t * planes + k] ?? [];
        for (let j = 0; r.bits * (j + 1) <= 256; j++)
          word += BigInt((group[j] ?? 0) + half) << BigInt(r.bits * j + r.weightBits * k);
      }
      writeWord(out, 32 * t, word);
    }
    const { m, n, clamp: own } = finishes[o]!;
    const anchored = own === undefined ? n : n + (BigInt(clampAnchor(own) - clampAnchor(clamp!)) << 32n);
    writeWord(out, 32 * words, even ? anchored : (anchored << M_BITS) | m);
    return out;
  };
  return { planes, words, m: even ? finishes[0]?.m : undefined, clamp, rowBytes: 32 * (words + 1), row };
}

function widest(clamps: readonly Clamp[]): Clamp {
  return {
    ...clamps[0]!,
    from: Math.min(...clamps.map((c) => c.from)),
    to: Math.max(...clamps.map((c) => c.to)),
  };
}

function writeWord(out: Uint8Array, offset: number, word: bigint): void {
  let rest = BigInt.asUintN(256, word);
  for (let i = 31; i >= 0; i--, rest >>= 8n) out[offset + i] = Number(rest & 255n);
}

/** A word with 2^weightBits − 1 at the bottom of every field: it parts one group of weights from the others. */
export function pushMask(a: Assembler, r: Rows): number {
  let mask = 0n;
  for (let j = 0; r.bits * (j + 1) <= 256; j++) mask |= ((1n << BigInt(r.weightBits)) - 1n) << BigInt(r.bits * j);
  return a.push(mask);
}

/** Pushes the offset of rows in data: less what the weights' own offset 2^(weightBits − 1) adds to every product. */
export function pushPlanesOffset(a: Assembler, r: Rows, x: Words): number {
  let own = 0n;
  for (let j = 0; r.bits * (j + 1) <= 256; j++) own |= 1n << BigInt(r.bits * j + r.weightBits - 1);
  r.groups.forEach((_, g) => {
    loadWord(a, x, g);
    if (g > 0) a.op('ADD');
  });
  a.push(own);
  a.op('MUL');
  pushOffset(a, r);
  a.op('SUB');
  return a.height - 1;
}

/** Pushes the result of the row whose data are at `row`. `offset` and `mask` are the slots of the words above. */
export function pushDataRow(
  a: Assembler,
  r: Rows,
  p: Planes,
  row: Ptr,
  x: Words,
  { offset, mask }: { readonly offset: number; readonly mask: number },
): void {
  a.dup(offset);
  for (let t = 0; t < p.words; t++) {
    const last = Math.min(p.planes, r.groups.length - t * p.planes) - 1;
    a.load(at(row, 32 * t));
    for (let k = 0; k <= last; k++) {
      if (k === last) {
        if (k > 0) a.swap(1);
      } else if (k === 0) {
        a.swap(1);
        a.dup(a.height - 2);
      } else a.dup(a.height - 2);
      shift(a, r.weightBits * k, 'SHR');
      a.dup(mask);
      a.op('AND');
      loadWord(a, x, t * p.planes + k);
      a.op('MUL', 'ADD');
    }
  }
  a.push(256 - r.bits);
  a.op('SHR');
  if (p.m !== undefined) {
    if (p.m !== 1n) {
      a.push(p.m);
      a.op('MUL');
    }
    a.load(at(row, 32 * p.words));
    a.op('ADD');
  } else {
    a.load(at(row, 32 * p.words));
    a.dup(a.height - 1);
    a.push(M_BITS);
    a.op('SAR');
    a.swap(2);
    a.swap(1);
    a.push((1n << M_BITS) - 1n);
    a.op('AND', 'MUL', 'ADD');
  }
  if (p.clamp === undefined) return;
  a.push(32);
  a.op('SAR');
  clampTail(a, p.clamp);
}
