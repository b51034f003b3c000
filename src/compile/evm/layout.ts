/**
 * How tensors lie in memory. *Scalar*: one element a word, raw and signed, row-major. *Packed*: several elements a word, from the top
 * in fields of `bits` bits, each raw − lo ≥ 0: what one multiplication turns into a sum of products.
 * @module
 */
import { assert } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { elementCount } from '../../core/tensor.ts';
import type { Walk } from './asm.ts';
import { checkSize } from './errors.ts';

/** Padding around images, and the value of its fields. */
export interface Pads {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
  readonly fill: number;
}

/** A packed tensor: runs of `run` elements, each in `words` words of up to `per` fields. */
export interface Packed {
  readonly bits: number;
  readonly run: number;
  readonly per: number;
  readonly words: number;
  /** Raw value of a field 0, and the greatest field. */
  readonly lo: number;
  readonly span: number;
  /** Images, height and width, counted in runs. */
  readonly dims: readonly [n: number, h: number, w: number];
  readonly pads?: Pads;
  /** Words to leave free before the tensor. */
  readonly slack: number;
  /**
   * The first chunks · planes words take every planes-th byte of the call data: word t·planes + s of chunk t holds its elements
   * s, s + planes, …
   */
  readonly interleaved?: { readonly planes: number; readonly chunks: number };
}

/** A packed tensor's layout, its fields spread evenly over the words of a run. */
export function packed(
  f: Pick<Packed, 'bits' | 'run' | 'lo' | 'span' | 'dims'> & Partial<Pick<Packed, 'pads' | 'slack'>>,
): Packed {
  const room = floorDiv(256, f.bits);
  assert(room > 0, 'a field wider than a word');
  const words = floorDiv(f.run + room - 1, room);
  return { ...f, words, per: words === 0 ? 1 : floorDiv(f.run + words - 1, words), slack: f.slack ?? 0 };
}

/** Fields of word `i` of a run. */
export function fieldsOf(f: Packed, i: number): number {
  return Math.min(f.per, f.run - i * f.per);
}

/** The element of a run that field k of word i holds. */
export function elementOf(f: Packed, i: number, k: number): number {
  const { planes, chunks } = f.interleaved ?? { planes: 1, chunks: 0 };
  if (i >= planes * chunks) return i * f.per + k;
  return floorDiv(i, planes) * planes * f.per + planes * k + (i % planes);
}

/**
 * The layout of bytes whose fields are widened to whole bytes, so that a mask picks the fields of a word from call data; undefined
 * where that makes more words than it saves work. `rows` is how often each word is multiplied.
 */
export function interleave(f: Packed, rows: number): Packed | undefined {
  const planes = floorDiv(f.bits + 7, 8);
  const per = floorDiv(32, planes);
  if (planes < 2 || planes > 8 || f.span !== 255) return undefined;
  const chunks = floorDiv(f.run, planes * per);
  const words = floorDiv(f.run + per - 1, per);
  if (chunks === 0 || (words - f.words) * rows * MULTIPLY >= f.run * UNPACK) return undefined;
  return { ...f, bits: 8 * planes, per, words, interleaved: { planes, chunks } };
}

/** Gas of one multiplication of a word, and of one element that is unpacked by itself. */
const MULTIPLY = 14;
/** See `MULTIPLY`. */
const UNPACK = 20;

/** The layout of bytes as they are returned: every element as raw + 128. */
export function byteLayout(count: number): Packed {
  const words = floorDiv(count + 31, 32);
  return { bits: 8, run: count, per: 32, words, lo: -128, span: 255, dims: [1, 1, 1], slack: 0 };
}

/** Height and width with padding. */
export function padded(f: Packed): { readonly h: number; readonly w: number } {
  const [, h, w] = f.dims;
  const p = f.pads;
  return p === undefined ? { h, w } : { h: h + p.top + p.bottom, w: w + p.left + p.right };
}

/** Words of a packed tensor, its padding included. */
export function packedWords(f: Packed): number {
  const { h, w } = padded(f);
  return f.dims[0] * h * w * f.words;
}

/** A pointer to the runs of an image of these extents, in order. */
export function runWalk(f: Packed, base: number, dims: readonly number[]): Walk {
  const step = 32 * f.words;
  const { h, w } = padded(f);
  if (f.pads === undefined) return { base, strides: flatStrides(dims, step) };
  return { base: base + step * (f.pads.top * w + f.pads.left), strides: [h * w * step, w * step, step] };
}

/** Strides of row-major elements of `step` bytes. */
export function flatStrides(dims: readonly number[], step: number): number[] {
  const strides = dims.map(() => step);
  for (let d = dims.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * dims[d + 1]!;
  return strides;
}

/** A pointer over contiguous words. */
export function flat(base: number, step: number = 32): Walk {
  return { base, strides: [step] };
}

/** Elements of a shape as a shape of images: the last three but the channels. */
export function imageDims(shape: readonly number[]): [number, number, number] {
  return [elementCount(shape.slice(0, -3)), shape[shape.length - 3] ?? 1, shape[shape.length - 2] ?? 1];
}

/** Memory, first fit: what is free is used again. */
export class Memory {
  #free: { from: number; to: number }[] = [];
  /** Bytes in use at the most so far. */
  size = 0;

  /** Room for this many bytes, a whole number of words. */
  take(bytes: number): number {
    const length = 32 * Math.max(1, (bytes + 31) >> 5);
    const i = this.#free.findIndex((f) => f.to - f.from >= length);
    if (i >= 0) {
      const f = this.#free[i]!;
      const { from } = f;
      f.from += length;
      if (f.from === f.to) this.#free.splice(i, 1);
      return from;
    }
    const last = this.#free[this.#free.length - 1];
    const from = last !== undefined && last.to === this.size ? last.from : this.size;
    if (from < this.size) this.#free.pop();
    this.size = from + length;
    checkSize(0, this.size);
    return from;
  }

  /** Gives room back. */
  give(from: number, bytes: number): void {
    const to = from + 32 * Math.max(1, (bytes + 31) >> 5);
    this.#free = [...this.#free, { from, to }]
      .sort((a, b) => a.from - b.from)
      .reduce<{ from: number; to: number }[]>((list, f) => {
        const last = list[list.length - 1];
        if (last !== undefined && last.to === f.from) last.to = f.to;
        else list.push({ ...f });
        return list;
      }, []);
  }
}
