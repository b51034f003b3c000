/** Arrays from strangers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/cli/array-errors.ts';
import { readNpy, writeNpy } from '../../src/cli/npy.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { npy } from './samebit.ts';

function codeOf(bytes: Uint8Array): string {
  try {
    readNpy(bytes);
    return '';
  } catch (e) {
    if (!(e instanceof FileError)) throw e;
    return e.code;
  }
}

describe('reads', () => {
  it.each([
    ['|u1', 'u8', Uint8Array.of(0, 255, 7, 1)],
    ['|i1', 'i8', Int8Array.of(-128, 127, 7, -1)],
    ['<i2', 'i16', Int16Array.of(-32768, 32767, 7, -1)],
    ['<i4', 'i32', Int32Array.of(-2147483648, 2147483647, 7, -1)],
    ['<f4', 'f32', Float32Array.of(0.5, -0, Number.POSITIVE_INFINITY, 1e-40)],
    ['<f8', 'f64', Float64Array.of(0.1, -0, Number.NaN, 5e-324)],
  ] as const)('%s as %s, at any alignment', (descr, dtype, data) => {
    const file = npy(descr, [2, 2], data);
    for (const shift of [0, 1, 3]) {
      const moved = new Uint8Array(file.length + shift);
      moved.set(file, shift);
      const array = readNpy(moved.subarray(shift));
      expect(array).toEqual({ dtype, shape: [2, 2], data });
    }
  });

  it('int64 as exact doubles, and refuses others', () => {
    expect(readNpy(npy('<i8', [3], BigInt64Array.of(-5n, 0n, 9007199254740991n)))).toEqual({
      dtype: 'i64',
      shape: [3],
      data: Float64Array.of(-5, 0, 9007199254740991),
    });
    expect(codeOf(npy('<i8', [1], BigInt64Array.of(9007199254740993n)))).toBe('Unsupported');
  });

  it('bool as 0 and 1, scalars, empty arrays', () => {
    expect(readNpy(npy('|b1', [3], Uint8Array.of(0, 1, 2))).data).toEqual(Uint8Array.of(0, 1, 1));
    expect(readNpy(npy('<f4', [], Float32Array.of(2))).shape).toEqual([]);
    expect(readNpy(npy('<f4', [0, 4], new Float32Array(0)))).toEqual({
      dtype: 'f32',
      shape: [0, 4],
      data: new Float32Array(0),
    });
  });

  it('version 2 with a long header', () => {
    const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }`.padEnd(70001 - 12);
    const file = (text: string): Uint8Array =>
      Buffer.concat([
        Buffer.from(`\x93NUMPY\x02\x00`, 'latin1'),
        Buffer.from(Uint32Array.of(text.length).buffer),
        Buffer.from(text),
        Buffer.of(5, 6),
      ]);
    expect(codeOf(file(head))).toBe('BadHeader');
    expect(readNpy(file(head.trimEnd())).data).toEqual(Uint8Array.of(5, 6));
  });
});

describe('refuses', () => {
  const data = new Uint8Array(6);
  it.each([
    ['a type of Python', npy('|O', [6], data), 'Unsupported'],
    ['a string type', npy('<U3', [6], data), 'Unsupported'],
    ['big-endian numbers', npy('>i2', [3], data), 'Unsupported'],
    ['Fortran order', npy('|u1', [2, 3], data, true), 'Unsupported'],
    ['more than the shape', npy('|u1', [5], data), 'TrailingBytes'],
    ['less than the shape', npy('|u1', [7], data), 'Truncated'],
    ['a shape of 2^60 elements', npy('|u1', [2 ** 30, 2 ** 30], data), 'Truncated'],
    ['a shape beyond doubles', npy('|u1', [999999999999999, 999999999999999, 999999999999999], data), 'Truncated'],
    [
      'too many axes',
      npy(
        '|u1',
        Array.from({ length: 33 }, () => 1),
        data,
      ),
      'BadHeader',
    ],
    ['version 9', npy('|u1', [6], data).map((b, i) => (i === 6 ? 9 : b)), 'Unsupported'],
  ] as const)('%s', (_, file, code) => {
    expect(codeOf(file)).toBe(code);
  });

  it('every cut of a file, and never with another error', () => {
    const file = npy('<i2', [4], Int16Array.of(1, 2, 3, 4));
    for (let n = 0; n < file.length; n++) expect(codeOf(file.subarray(0, n)), `${n} bytes`).not.toBe('');
  });

  it('or reads any flipped byte', () => {
    const file = npy('<f4', [2, 2], new Float32Array(4));
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, value) => {
        codeOf(file.map((b, i) => (i === at ? value : b)));
      }),
      { seed: 11, numRuns: 2000 },
    );
  });
});

describe('writes', () => {
  it.each<Tensor>([
    { dtype: 'u8', shape: [3], data: Uint8Array.of(0, 128, 255) },
    { dtype: 'i8', shape: [3, 1], data: Int8Array.of(0, -128, 127) },
    { dtype: 'i16', shape: [1, 3], data: Int16Array.of(0, -32768, 32767) },
    { dtype: 'i32', shape: [], data: Int32Array.of(-2147483648) },
  ])('what it reads: $dtype $shape', (tensor) => {
    const file = writeNpy(tensor);
    expect((file.length - tensor.data.byteLength) % 64).toBe(0);
    expect(readNpy(file)).toEqual(tensor);
  });
});
