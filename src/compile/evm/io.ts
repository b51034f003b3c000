/**
 * Call data to tensors, tensors to return data: the canonical little-endian bytes of the precompile (spec/40-consensus.md §7)
 * in the ABI's `bytes`.
 * @module
 */
import { floorDiv } from '../../core/int.ts';
import { byteLength, DTYPE_RANGE, type DType } from '../../core/tensor.ts';
import type { InputDecl } from '../../graph/ir.ts';
import type { Ptr, Walk } from './asm.ts';
import type { Emitter } from './emitter.ts';
import { fieldsOf, flat, flatStrides, type Packed, runWalk } from './layout.ts';
import { add, fields, shift } from './words.ts';

/** Call data of `infer(bytes)` before the bytes: selector, offset, length. */
const HEAD = 4 + 32 + 32;

function sizeOf(dtype: DType): number {
  return byteLength(dtype, 1);
}

/** Swaps the bytes of every element of the top word. */
function swapBytes(e: Emitter, size: number): void {
  const { a } = e;
  for (let width = 8; width < 8 * size; width *= 2) {
    const mask = repeat((1n << BigInt(width)) - 1n, 2 * width);
    const low = a.height - 1;
    a.dup(low);
    a.push(mask);
    a.op('AND');
    a.push(width);
    a.op('SHL');
    a.swap(1);
    a.push(width);
    a.op('SHR');
    a.push(mask);
    a.op('AND', 'OR');
  }
}

function repeat(value: bigint, bits: number): bigint {
  let word = 0n;
  for (let at = 0; at < 256; at += bits) word |= value << BigInt(at);
  return word;
}

/** Checks selector, offset and length of the call data, and that no ether comes with it. */
export function checkCall(e: Emitter, selector: number, bytes: number): void {
  const { a } = e;
  // Calldata that ends early reads as zeros, so each comparison with a value that is not 0 fails.
  a.push(0);
  a.op('CALLDATALOAD');
  a.push(224);
  a.op('SHR');
  a.push(selector);
  a.op('XOR');
  a.push(4);
  a.op('CALLDATALOAD');
  a.push(32);
  a.op('XOR', 'OR');
  a.push(36);
  a.op('CALLDATALOAD');
  a.push(bytes);
  a.op('XOR', 'OR');
  a.push(HEAD + bytes);
  a.op('CALLDATASIZE', 'LT', 'OR', 'CALLVALUE', 'OR');
  a.refuse();
}

/** Pushes elements of an input, from the word of call data in `slot`, as raw − base; refuses what lies outside the interval. */
function element(e: Emitter, d: InputDecl, slot: number, k: number, base: number): void {
  const { a } = e;
  const size = sizeOf(d.dtype);
  const [min, max] = DTYPE_RANGE[d.dtype === 'bool' ? 'i8' : d.dtype];
  const [lo, hi] = [d.lo as number, d.hi as number];
  a.dup(slot);
  if (size === 1) {
    a.push(k);
    a.op('BYTE');
  } else {
    shift(a, 256 - 8 * size * (k + 1), 'SHR');
    if (k > 0) {
      a.push((1n << BigInt(8 * size)) - 1n);
      a.op('AND');
    }
  }
  if (lo === min && hi === max) {
    add(a, min - base);
    return;
  }
  add(a, min - lo);
  a.dup(a.height - 1);
  a.push(hi - lo);
  a.op('LT');
  a.refuse();
  add(a, lo - base);
}

/** Pushes the call data at a pointer, every element as raw − least value of its dtype, big-endian. */
function chunk(e: Emitter, d: InputDecl, p: Ptr): number {
  const { a } = e;
  const size = sizeOf(d.dtype);
  a.address(p);
  a.op('CALLDATALOAD');
  swapBytes(e, size);
  if (!d.u8) {
    a.push(repeat(1n << BigInt(8 * size - 1), 8 * size));
    a.op('XOR');
  }
  return a.height - 1;
}

/** Writes words of `count` fields each. */
function packWords(
  e: Emitter,
  d: InputDecl,
  f: Packed,
  dims: readonly number[],
  walks: readonly [Walk, Walk],
  count: number,
): void {
  const { a } = e;
  const size = sizeOf(d.dtype);
  const each = floorDiv(32, size);
  const unroll = count > 2 ? 1 : 4;
  a.grid(
    dims,
    walks,
    ([from, to]) => {
      const height = a.height;
      for (let k = 0; k < count; k++) {
        if (k % each === 0) {
          chunk(e, d, { ...from!, base: from!.base + k * size });
          if (k > 0) {
            a.swap(2); // the word under construction stays on top of the next elements
            a.op('POP');
          }
        }
        element(e, d, height, k % each, f.lo);
        shift(a, 256 - f.bits * (k + 1), 'SHL');
        if (k > 0) a.op('ADD');
      }
      a.store(to!);
      a.drop(height);
    },
    unroll,
  );
}

/** Writes the interleaved words of every run; gives their number in a run. */
function emitInterleaved(
  e: Emitter,
  d: InputDecl,
  f: Packed,
  from: number,
  runs: readonly number[],
  out: Walk,
): number {
  if (f.interleaved === undefined) return 0;
  const { a } = e;
  const { planes, chunks } = f.interleaved;
  let word = 0n;
  for (let k = 1; k <= f.per; k++) word |= 255n << BigInt(256 - f.bits * k);
  const mask = a.push(word);
  a.grid(
    [...f.dims, chunks],
    [
      { base: from, strides: [...runs, planes * f.per] },
      { ...out, strides: [...out.strides, 32 * planes] },
    ],
    ([p, q]) => {
      const slot = chunk(e, d, p!);
      for (let s = 0; s < planes; s++) {
        a.dup(slot);
        shift(a, 8 * (planes - 1 - s), 'SHR');
        a.dup(mask);
        a.op('AND');
        a.store({ ...q!, base: q!.base + 32 * s });
      }
      a.drop(slot);
    },
  );
  a.drop(mask);
  return planes * chunks;
}

/** Unpacks input `i`, whose bytes begin `offset` bytes into the data. */
export function emitInput(e: Emitter, i: number, offset: number): void {
  const { a } = e;
  const d = e.model.inputs[i]!;
  const size = sizeOf(d.dtype);
  const base = e.place(i);
  const f = e.layout(i);
  if (f === undefined) {
    const each = floorDiv(32, size);
    const count = e.count(i);
    const block = (from: number, n: number, blocks: number): void =>
      a.grid(
        [blocks],
        [flat(HEAD + offset + from * size, each * size), flat(base + 32 * from, 32 * each)],
        ([p, to]) => {
          const slot = chunk(e, d, p!);
          for (let k = 0; k < n; k++) {
            element(e, d, slot, k, 0);
            a.store({ ...to!, base: to!.base + 32 * k });
          }
          a.drop(slot);
        },
      );
    const full = floorDiv(count, each);
    block(0, each, full);
    if (count > full * each) block(full * each, count - full * each, 1);
    return;
  }
  const whole = floorDiv(f.run, f.per);
  const runs = flatStrides(f.dims, f.run * size);
  const out = runWalk(f, base, f.dims);
  const done = emitInterleaved(e, d, f, HEAD + offset, runs, out);
  packWords(
    e,
    d,
    f,
    [...f.dims, whole - done],
    [
      { base: HEAD + offset + done * f.per * size, strides: [...runs, f.per * size] },
      { ...out, base: out.base + 32 * done, strides: [...out.strides, 32] },
    ],
    f.per,
  );
  if (whole < f.words)
    packWords(
      e,
      d,
      f,
      f.dims,
      [
        { base: HEAD + offset + whole * f.per * size, strides: runs },
        { ...out, base: out.base + 32 * whole },
      ],
      fieldsOf(f, whole),
    );
}

/** Writes packed bytes as they are returned; outputs that follow overwrite what the last word has beyond them. */
function emitBytes(e: Emitter, f: Packed, from: number, to: number, u8: boolean): void {
  const { a } = e;
  for (let i = 0; i < f.words; i++) {
    a.load({ base: from + 32 * i });
    if (!u8) {
      const rest = Math.min(32, f.run - 32 * i);
      a.push(repeat(128n, 8) & ~((1n << BigInt(256 - 8 * rest)) - 1n));
      a.op('XOR');
    }
    a.store({ base: to + 32 * i });
  }
}

/** Returns the outputs. */
export function emitOutputs(e: Emitter): void {
  const { a, model } = e;
  const bytes = model.outputs.reduce((n, o) => n + byteLength(e.type(o.tensor).dtype, e.count(o.tensor)), 0);
  const total = 64 + 32 * ((bytes + 31) >> 5);
  const base = e.memory.take(total + 32); // the last word of bytes may reach beyond
  a.push(32);
  a.store({ base });
  a.push(bytes);
  a.store({ base: base + 32 });
  if (bytes % 32 > 0) {
    a.push(0);
    a.store({ base: base + total - 32 });
  }
  let offset = base + 64;
  for (const o of model.outputs) {
    const count = e.count(o.tensor);
    const size = sizeOf(e.type(o.tensor).dtype);
    const f = e.layout(o.tensor);
    if (f !== undefined) {
      emitBytes(e, f, e.place(o.tensor), offset, o.u8 === true);
      offset += count;
      continue;
    }
    a.grid(
      [count],
      [flat(e.place(o.tensor)), flat(offset, size)],
      ([from, to]) => {
        const slot = a.height;
        a.load(from!);
        for (let k = 0; k < size; k++) {
          if (k > 0) shift(a, 8, 'SAR');
          if (o.u8) add(a, 128);
          if (k < size - 1) a.dup(slot);
          a.address({ ...to!, base: to!.base + k });
          a.op('MSTORE8');
        }
      },
      16,
    );
    offset += count * size;
  }
  a.push(total);
  a.push(base);
  a.op('RETURN');
}

/** Packs a tensor of one element a word. */
export function emitPack(e: Emitter, from: number, f: Packed, to: number): void {
  const { a } = e;
  const out = runWalk(f, to, f.dims);
  const runs = flatStrides(f.dims, 32 * f.run);
  const word = (dims: readonly number[], walks: readonly Walk[], count: number): void =>
    a.grid(dims, walks, ([p, q]) => {
      fields(a, count, f.bits, (k) => {
        a.load({ ...p!, base: p!.base + 32 * k });
        add(a, -f.lo);
      });
      a.store(q!);
    });
  const whole = floorDiv(f.run, f.per);
  word(
    [...f.dims, whole],
    [
      { base: from, strides: [...runs, 32 * f.per] },
      { ...out, strides: [...out.strides, 32] },
    ],
    f.per,
  );
  if (whole < f.words)
    word(
      f.dims,
      [
        { base: from + 32 * whole * f.per, strides: runs },
        { ...out, base: out.base + 32 * whole },
      ],
      fieldsOf(f, whole),
    );
}
