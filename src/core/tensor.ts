/**
 * Tensors: dtypes, typed arrays and canonical bytes (spec/00-numerics.md §1).
 * @module
 */

/** Integer types of tensors. `i4` holds weights only, two a byte (low nibble first); `bool` is 0 or 1, stored as i8. */
export const DTYPES = ['i8', 'i16', 'i32', 'i4', 'bool'] as const;
/** Integer type of a tensor. The index in `DTYPES` is its wire code. */
export type DType = (typeof DTYPES)[number];
/** Element storage of every dtype; i4 is held packed in an Int8Array of bytes. */
export type TypedArray = Int8Array | Int16Array | Int32Array;

/** Least and greatest value of a dtype. */
export const DTYPE_RANGE: Readonly<Record<DType, readonly [lo: number, hi: number]>> = {
  i8: [-128, 127],
  i16: [-32768, 32767],
  i32: [-2147483648, 2147483647],
  i4: [-8, 7],
  bool: [0, 1],
};

/** Bytes of `count` elements in canonical form. */
export function byteLength(dtype: DType, count: number): number {
  if (dtype === 'i4') return (count + (count & 1)) * 0.5;
  return dtype === 'i16' ? count * 2 : dtype === 'i32' ? count * 4 : count;
}

/** A zeroed array for `count` elements of `dtype`. */
export function allocate(dtype: DType, count: number): TypedArray {
  if (dtype === 'i16') return new Int16Array(count);
  if (dtype === 'i32') return new Int32Array(count);
  return new Int8Array(byteLength(dtype, count));
}

/** Number of elements of a concrete shape; [] is a scalar of one element. */
export function elementCount(shape: readonly number[]): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

const LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Canonical little-endian bytes of an array: a view of it where the machine is little-endian, a copy elsewhere. */
export function toBytes(data: TypedArray | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return LITTLE_ENDIAN || data.BYTES_PER_ELEMENT === 1 ? bytes : swapped(bytes, data.BYTES_PER_ELEMENT);
}

/** The array whose canonical bytes are `bytes`: a view where alignment and byte order allow, else a copy. */
export function fromBytes(dtype: DType, bytes: Uint8Array): TypedArray {
  const size = dtype === 'i16' ? 2 : dtype === 'i32' ? 4 : 1;
  if (size === 1) return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const b = !LITTLE_ENDIAN ? swapped(bytes, size) : bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // slice() of a Node Buffer is no copy
  return size === 2
    ? new Int16Array(b.buffer, b.byteOffset, b.byteLength >> 1)
    : new Int32Array(b.buffer, b.byteOffset, b.byteLength >> 2);
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size) for (let j = 0; j < size; j++) out[i + j] = bytes[i + size - 1 - j]!;
  return out;
}

/** Element i of packed i4 data: low nibble first, sign extended. */
export function i4At(data: TypedArray, i: number): number {
  const byte = data[i >> 1]!;
  return (i & 1) === 1 ? byte >> 4 : (byte << 28) >> 28;
}

/** A tensor that enters or leaves a session. `u8` is the view q + 128 of an i8 tensor (images); bool is stored as i8. */
export interface Tensor {
  readonly dtype: DType | 'u8';
  readonly shape: readonly number[];
  readonly data: TypedArray | Uint8Array;
}
