/**
 * Constants of an ONNX file, decoded exactly to f64: every float16, bfloat16, float32, float64 and integer up to 2^53
 * has one double.
 * @module
 */
import { printable } from '../core/errors.ts';
import { exp2i } from '../quant/math.ts';
import { ImportError } from './errors.ts';
import type { Int64, onnx } from './proto/onnx.gen.js';

/** Element types the importer reads. */
export type OnnxDType =
  | 'float32'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bool'
  | 'float16'
  | 'float64'
  | 'uint32'
  | 'uint64'
  | 'bfloat16';

/** An array: row-major `data` of `shape`'s element count; integers beyond ±2^62 (open ends of slices) read as ±2^63. */
export interface OnnxArray {
  readonly dtype: OnnxDType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** Where the values are integers times a scale: the scale, one or one a slice along `axis`. */
  readonly steps?: Steps | undefined;
}

/** Scales of values that are whole multiples of them. */
export interface Steps {
  readonly scales: Float64Array;
  readonly axis: number;
}

/** An array with the name the file gives it. */
export interface OnnxTensor extends OnnxArray {
  readonly name: string;
}

/** dtype by the number ONNX gives it (TensorProto.DataType); numbers left out are not read. */
export const DTYPE_NAMES: Readonly<Record<number, OnnxDType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

const OPEN_END = 2 ** 62;

/**
 * A 64-bit integer as a number. Exact to ±2^53; beyond ±2^62 it is an "open end" (INT64_MAX of a Slice) and reads as
 * ±2^63; anything between is refused.
 */
export function int64ToNumber(value: Int64, unsigned = false): number {
  const v =
    typeof value === 'number' ? value : (unsigned ? value.high >>> 0 : value.high) * 4294967296 + (value.low >>> 0);
  if (Number.isSafeInteger(v)) return v;
  if (Math.abs(v) >= OPEN_END) return v < 0 ? -(2 ** 63) : 2 ** 63;
  throw new ImportError('BadTensor', 'an integer is beyond 2^53', { expected: 'at most 2^53', actual: String(v) });
}

/** The value of an IEEE binary16 with the given bits. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * exp2i(-24) : sign * (1024 + fraction) * exp2i(exponent - 25);
}

const scratch = new DataView(new ArrayBuffer(4));

/** The value of a bfloat16 with the given bits: the upper half of a float32. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** How one element of `raw_data` (little-endian) is read, and its bytes. */
const RAW: Readonly<Record<OnnxDType, readonly [size: number, read: (view: DataView, at: number) => number]>> = {
  float32: [4, (v, at) => v.getFloat32(at, true)],
  uint8: [1, (v, at) => v.getUint8(at)],
  int8: [1, (v, at) => v.getInt8(at)],
  uint16: [2, (v, at) => v.getUint16(at, true)],
  int16: [2, (v, at) => v.getInt16(at, true)],
  int32: [4, (v, at) => v.getInt32(at, true)],
  int64: [8, (v, at) => int64ToNumber({ low: v.getInt32(at, true), high: v.getInt32(at + 4, true) })],
  bool: [1, (v, at) => (v.getUint8(at) ? 1 : 0)],
  float16: [2, (v, at) => float16ToNumber(v.getUint16(at, true))],
  float64: [8, (v, at) => v.getFloat64(at, true)],
  uint32: [4, (v, at) => v.getUint32(at, true)],
  uint64: [8, (v, at) => int64ToNumber({ low: v.getInt32(at, true), high: v.getInt32(at + 4, true) }, true)],
  bfloat16: [2, (v, at) => bfloat16ToNumber(v.getUint16(at, true))],
};

/** The typed list that holds `dtype` where there is no raw_data. */
function typedList(proto: onnx.TensorProto, dtype: OnnxDType): readonly number[] {
  switch (dtype) {
    case 'float32':
      return proto.floatData;
    case 'float64':
      return proto.doubleData;
    case 'int64':
      return proto.int64Data.map((v) => int64ToNumber(v));
    case 'uint32':
    case 'uint64':
      return proto.uint64Data.map((v) => int64ToNumber(v, true));
    case 'float16':
      return proto.int32Data.map((v) => float16ToNumber(v & 65535));
    case 'bfloat16':
      return proto.int32Data.map((v) => bfloat16ToNumber(v & 65535));
    case 'bool':
      return proto.int32Data.map((v) => (v ? 1 : 0));
    default:
      return proto.int32Data;
  }
}

/** Reads a file that lies beside the model, by its relative path; undefined where it is not there. */
export type ExternalReader = (path: string) => Uint8Array | undefined;

/** True for a relative path that stays under the model's folder: no drive, no leading slash, no `..`, no backslash. */
export function isInnerPath(path: string): boolean {
  return (
    path !== '' &&
    !/[\\:\0]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '..' && part !== '.')
  );
}

/** The bytes of a tensor that is kept in another file. */
function externalBytes(proto: onnx.TensorProto, where: string, read: ExternalReader | undefined): Uint8Array {
  const entries = new Map(proto.externalData.map((e) => [e.key, e.value]));
  const path = entries.get('location') ?? '';
  if (!read) throw new ImportError('ExternalData', `${where} keeps its values in another file, "${printable(path)}"`);
  if (!isInnerPath(path)) throw new ImportError('ExternalPath', `${where} asks for the file "${printable(path)}"`);
  const file = read(path);
  if (!file) throw new ImportError('ExternalData', `${where} needs the file "${printable(path)}", which is not there`);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? file.length - offset);
  if (![offset, length].every((v) => Number.isSafeInteger(v) && v >= 0) || offset + length > file.length)
    throw new ImportError('BadTensor', `${where} lies outside "${printable(path)}"`, {
      expected: `at most ${file.length} bytes`,
      actual: `${offset} + ${length}`,
    });
  return file.subarray(offset, offset + length);
}

/**
 * Decodes a TensorProto; `read` gives the files that hold external data. Throws `ImportError` on another type, external
 * data that cannot be read, or a length that does not match its shape.
 */
export function decodeTensor(proto: onnx.TensorProto, name: string = proto.name, read?: ExternalReader): OnnxTensor {
  const where = `tensor "${printable(name)}"`;
  const external = proto.dataLocation !== 0 || proto.externalData.length > 0;
  const dtype = DTYPE_NAMES[proto.dataType];
  if (!dtype) throw new ImportError('BadTensor', `${where} has element type ${proto.dataType}, which is not read`);
  const shape = proto.dims.map((d) => int64ToNumber(d));
  let count = 1;
  for (const d of shape) {
    if (d < 0) throw new ImportError('BadTensor', `${where} has a negative dimension`);
    count *= d;
  }
  const [size, element] = RAW[dtype];
  const raw = external ? externalBytes(proto, where, read) : proto.rawData;
  const list = raw.length > 0 || external ? null : typedList(proto, dtype);
  const held = list ? list.length : raw.length / size;
  if (held !== count)
    throw new ImportError('BadTensor', `${where} does not fill its shape`, {
      expected: `${count} values`,
      actual: `${held}`,
    });
  if (list) return { name, dtype, shape, data: Float64Array.from(list) };
  const data = new Float64Array(count);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let i = 0; i < count; i++) data[i] = element(view, i * size);
  return { name, dtype, shape, data };
}
