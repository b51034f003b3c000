/**
 * `.npy` arrays (NumPy format 1.0 to 3.0), read from untrusted bytes and written. Own code, since npyjs 1.2.0 takes the
 * data of a Fortran-ordered file as if it were C-ordered, does not compare the data with the shape, throws plain errors on a
 * truncated header or an unaligned one, and brings a network client along.
 * @module
 */
import { printable } from '../core/errors.ts';
import { elementCount, type Tensor, toBytes } from '../core/tensor.ts';
import { FileError } from './array-errors.ts';

/** Element types that are read. */
export type NpyDType = 'u8' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64' | 'bool';

/** An array, row-major. i64 elements are exact doubles; bool elements are 0 and 1. */
export interface NpyArray {
  readonly dtype: NpyDType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

/** Greatest header and rank that are read. */
const MAX_HEADER = 65536;
const MAX_RANK = 32;

interface ElementType {
  readonly dtype: NpyDType;
  readonly size: number;
  readonly make: (n: number) => NpyArray['data'];
  readonly get: (v: DataView, at: number) => number;
}

function int64(v: DataView, at: number): number {
  const n = Number(v.getBigInt64(at, true));
  if (!Number.isSafeInteger(n)) throw new FileError('Unsupported', 'an int64 element lies outside ±2^53');
  return n;
}

const TYPES: Readonly<Record<string, ElementType>> = {
  u1: { dtype: 'u8', size: 1, make: (n) => new Uint8Array(n), get: (v, at) => v.getUint8(at) },
  b1: { dtype: 'bool', size: 1, make: (n) => new Uint8Array(n), get: (v, at) => (v.getUint8(at) === 0 ? 0 : 1) },
  i1: { dtype: 'i8', size: 1, make: (n) => new Int8Array(n), get: (v, at) => v.getInt8(at) },
  i2: { dtype: 'i16', size: 2, make: (n) => new Int16Array(n), get: (v, at) => v.getInt16(at, true) },
  i4: { dtype: 'i32', size: 4, make: (n) => new Int32Array(n), get: (v, at) => v.getInt32(at, true) },
  i8: { dtype: 'i64', size: 8, make: (n) => new Float64Array(n), get: int64 },
  f4: { dtype: 'f32', size: 4, make: (n) => new Float32Array(n), get: (v, at) => v.getFloat32(at, true) },
  f8: { dtype: 'f64', size: 8, make: (n) => new Float64Array(n), get: (v, at) => v.getFloat64(at, true) },
};

function readHeader(bytes: Uint8Array, view: DataView): { readonly text: string; readonly end: number } {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 10 || magic.some((b, i) => bytes[i] !== b))
    throw new FileError('NotNpy', 'the file is no .npy array');
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw new FileError('Unsupported', `.npy version ${version} is unknown`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new FileError('Truncated', 'the file ends inside its header');
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER)
    throw new FileError('BadHeader', `the header is ${length} bytes long; at most ${MAX_HEADER} are read`);
  if (bytes.length < start + length) throw new FileError('Truncated', 'the file ends inside its header');
  return { text: new TextDecoder('latin1').decode(bytes.subarray(start, start + length)), end: start + length };
}

function readShape(text: string): number[] {
  const inner = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (inner === undefined) throw new FileError('BadHeader', 'the header has no shape');
  const dims = inner.split(',').map((d) => d.trim().replace(/L$/, ''));
  if (dims.at(-1) === '') dims.pop();
  if (dims.length > MAX_RANK || dims.some((d) => !/^\d{1,15}$/.test(d)))
    throw new FileError('BadHeader', 'the shape is malformed');
  return dims.map(Number);
}

function readType(text: string): ElementType {
  const [, order, code] = /['"]descr['"]\s*:\s*['"]([<>|=]?)([A-Za-z]\d{1,3})['"]/.exec(text) ?? [];
  if (code === undefined) throw new FileError('Unsupported', 'the header names no plain element type');
  const type = Object.hasOwn(TYPES, code) ? TYPES[code] : undefined;
  if (type === undefined || (type.size > 1 && order !== '<'))
    throw new FileError('Unsupported', `element type ${printable(`${order}${code}`)} is not read`);
  return type;
}

/**
 * Reads an array. What is allocated is bounded by the bytes that are there.
 * @throws FileError
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, end } = readHeader(bytes, view);
  const type = readType(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  if (order === undefined) throw new FileError('BadHeader', 'the header does not say its order');
  if (order === 'True') throw new FileError('Unsupported', 'the array is in Fortran order');
  const shape = readShape(text);
  const count = elementCount(shape);
  const [have, need] = [bytes.length - end, count * type.size];
  if (have < need) throw new FileError('Truncated', `the array needs ${need} bytes and the file holds ${have}`);
  if (have > need) throw new FileError('TrailingBytes', `the array needs ${need} bytes and the file holds ${have}`);
  const data = type.make(count);
  for (let i = 0; i < count; i++) data[i] = type.get(view, end + i * type.size);
  return { dtype: type.dtype, shape, data };
}

const CODES: Readonly<Record<string, string>> = { u8: '|u1', i8: '|i1', i16: '<i2', i32: '<i4', bool: '|b1' };

/** A tensor as an `.npy` file, version 1.0. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const dims = tensor.shape.join(', ') + (tensor.shape.length === 1 ? ',' : '');
  const dict = `{'descr': '${CODES[tensor.dtype]}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const head = new TextEncoder().encode(`\u0093NUMPY\u0001\u0000__${dict.padEnd(length - 1)}\n`).subarray(1); // U+0093 is two bytes in UTF-8
  head[0] = 0x93;
  new DataView(head.buffer, head.byteOffset).setUint16(8, length, true);
  const data = toBytes(tensor.data);
  const out = new Uint8Array(head.length + data.length);
  out.set(head);
  out.set(data, head.length);
  return out;
}
