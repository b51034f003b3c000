/** Canonical bytes of arrays, on this machine and on one of the other byte order. */
import { afterEach, expect, it, vi } from 'vitest';
import {
  allocate,
  byteLength,
  DTYPE_RANGE,
  DTYPES,
  elementCount,
  fromBytes,
  i4At,
  toBytes,
} from '../../src/core/tensor.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('the table of dtypes: codes, ranges, bytes', () => {
  const rows = [
    ['i8', -128, 127, [0, 1, 5]],
    ['i16', -32768, 32767, [0, 2, 10]],
    ['i32', -2147483648, 2147483647, [0, 4, 20]],
    ['i4', -8, 7, [0, 1, 3]],
    ['bool', 0, 1, [0, 1, 5]],
  ] as const;
  expect(DTYPES).toEqual(rows.map((r) => r[0]));
  for (const [dtype, lo, hi, bytes] of rows) {
    expect(DTYPE_RANGE[dtype]).toEqual([lo, hi]);
    expect([0, 1, 5].map((n) => byteLength(dtype, n))).toEqual(bytes);
    expect(allocate(dtype, 5).byteLength).toBe(bytes[2]);
  }
  expect(byteLength('i4', 6)).toBe(3);
  expect(allocate('i16', 1)).toBeInstanceOf(Int16Array);
  expect(allocate('i32', 1)).toBeInstanceOf(Int32Array);
  expect([elementCount([]), elementCount([2, 3]), elementCount([4, 0])]).toEqual([1, 6, 0]);
});

it('little-endian bytes, from any offset', () => {
  const bytes = Uint8Array.of(9, 0x02, 0x81, 0x04, 0x83, 7, 7, 7, 0xff);
  for (const at of [0, 1, 2, 3, 4]) {
    const view = bytes.subarray(at, at + 4);
    const data = new DataView(bytes.buffer, at, 4);
    expect([...fromBytes('i16', view)]).toEqual([data.getInt16(0, true), data.getInt16(2, true)]);
    expect([...fromBytes('i32', view)]).toEqual([data.getInt32(0, true)]);
    expect([...fromBytes('i8', view)]).toEqual([...new Int8Array(bytes.buffer, at, 4)]);
    for (const dtype of ['i8', 'i16', 'i32'] as const)
      expect(toBytes(fromBytes(dtype, view))).toEqual(new Uint8Array(view));
  }
});

it('bytes of an array are a view of it; an array of bytes is one where the bytes are aligned, else a copy', () => {
  const bytes = new Uint8Array(16);
  const shares = (dtype: 'i8' | 'i16' | 'i32', at: number): boolean =>
    fromBytes(dtype, bytes.subarray(at, at + 8)).buffer === bytes.buffer;
  expect([0, 1, 2, 3, 4, 8].map((at) => shares('i8', at))).toEqual([true, true, true, true, true, true]);
  expect([0, 1, 2, 3, 4, 8].map((at) => shares('i16', at))).toEqual([true, false, true, false, true, true]);
  expect([0, 1, 2, 3, 4, 8].map((at) => shares('i32', at))).toEqual([true, false, false, false, true, true]);
  const data = Int16Array.of(1, 2, 3);
  const view = toBytes(data.subarray(1));
  expect([view.buffer, view.byteOffset, view.length]).toEqual([data.buffer, 2, 4]);
});

it('a machine of the other byte order swaps what is wider than a byte', async () => {
  const real = Uint16Array;
  vi.stubGlobal(
    'Uint16Array',
    class extends real {
      static override of(): Uint16Array<ArrayBuffer> {
        return new real(Uint8Array.of(0, 1).buffer); // 1 as that machine stores it
      }
    },
  );
  vi.resetModules();
  const other = await import('../../src/core/tensor.ts');
  vi.unstubAllGlobals();
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const swapped = (size: number): number[] =>
    [...bytes].map((_, i) => bytes[i - (i % size) + (size - 1 - (i % size))]!);
  expect([...other.toBytes(new Int16Array(bytes.slice().buffer))]).toEqual(swapped(2));
  expect([...other.toBytes(new Int32Array(bytes.slice().buffer))]).toEqual(swapped(4));
  expect([...other.toBytes(new Int8Array(bytes.slice().buffer))]).toEqual([...bytes]);
  expect([...new Uint8Array(other.fromBytes('i16', bytes).buffer)]).toEqual(swapped(2));
  expect([...new Uint8Array(other.fromBytes('i32', bytes.subarray(4)).buffer)]).toEqual(swapped(4).slice(4));
  expect([...other.fromBytes('i8', bytes)]).toEqual([...bytes]);
});

it('nibbles: low first, sign extended', () => {
  const data = Int8Array.of(0x71, -0x80 + 0x0f, 0x08);
  expect([0, 1, 2, 3, 4, 5].map((i) => i4At(data, i))).toEqual([1, 7, -1, -8, -8, 0]);
});
