/**
 * The part of the Protocol Buffers wire that the model format uses, driven by a schema (spec/20-format.md §3). The general
 * library costs a runtime bundle 18 kB (gzip); this reader is also the bounded scan, and this writer the canonical one.
 * @module
 */
import { ModelError } from '../core/errors.ts';

/** How a field's payload reads: `uint`, `sint` (zigzag) and `bool` are varints; `uints` and `sints` packed lists. */
export type FieldType = 'uint' | 'sint' | 'bool' | 'uints' | 'sints' | 'bytes' | 'string' | Schema;

/** One field. `most` bounds a repeated message, or the entries of a packed list. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly most?: number;
}

/** Fields of a message by number; entry 0 is unused. */
export type Schema = readonly (Field | null)[];

/** A message: absent singular fields are undefined, repeated messages always a list. */
export type Message = Record<string, unknown>;

const text = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });
const utf8 = /* @__PURE__ */ new TextEncoder();

function isVarint(type: FieldType): boolean {
  return type === 'uint' || type === 'sint' || type === 'bool';
}

/** Reads the wire within limits; every length is checked against what holds it before anything is made. */
class WireReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** A varint below 2^32. */
  varint(end: number): number {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 5; i++) {
      if (this.at >= end) throw new ModelError('Truncated', `the file ends inside a number at byte ${this.at}`);
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) {
        if (value < 4294967296) return value;
        break;
      }
    }
    throw new ModelError('BadWire', `a number of more than 32 bits at byte ${this.at}`);
  }

  sint(end: number): number {
    const v = this.varint(end);
    return (v >>> 1) ^ -(v & 1);
  }

  /** A message whose payload ends at `end`. */
  message(schema: Schema, end: number): Message {
    const out: Message = {};
    for (const f of schema) if (f !== null && typeof f.type === 'object' && f.most !== undefined) out[f.name] = [];
    while (this.at < end) {
      const start = this.at;
      const tag = this.varint(end);
      const field = schema[tag >>> 3] ?? null;
      if (field === null || (tag & 7) !== (isVarint(field.type) ? 0 : 2))
        throw new ModelError('BadWire', `an unknown field at byte ${start}`);
      const list = out[field.name] as unknown[] | undefined;
      if (typeof field.type === 'object' && field.most !== undefined) {
        if (list!.length === field.most)
          throw new ModelError('Limit', `too many ${field.name} at byte ${start}`, {
            expected: `at most ${field.most}`,
            actual: 'more',
          });
        list!.push(this.value(field, end));
      } else if (list !== undefined) {
        throw new ModelError('BadWire', `${field.name} occurs twice at byte ${start}`);
      } else {
        out[field.name] = this.value(field, end);
      }
    }
    return out;
  }

  value(field: Field, end: number): unknown {
    const { type } = field;
    if (type === 'uint') return this.varint(end);
    if (type === 'sint') return this.sint(end);
    if (type === 'bool') return this.varint(end) !== 0;
    const start = this.at;
    const size = this.varint(end);
    const stop = this.at + size;
    if (stop > end)
      throw new ModelError('Truncated', `${field.name} at byte ${start} is longer than what holds it`, {
        expected: `at most ${end - this.at} bytes`,
        actual: String(size),
      });
    if (typeof type === 'object') return this.message(type, stop);
    if (type === 'uints' || type === 'sints') return this.list(field, type, stop);
    const bytes = this.bytes.subarray(this.at, stop);
    this.at = stop;
    return type === 'bytes' ? bytes : text.decode(bytes);
  }

  list(field: Field, type: 'uints' | 'sints', stop: number): number[] {
    const out: number[] = [];
    while (this.at < stop) {
      if (out.length === field.most)
        throw new ModelError('Limit', `too many entries in ${field.name} at byte ${this.at}`, {
          expected: `at most ${field.most}`,
          actual: 'more',
        });
      out.push(type === 'uints' ? this.varint(stop) : this.sint(stop));
    }
    return out;
  }
}

/**
 * Reads a message.
 * @throws ModelError Truncated, BadWire, Limit
 */
export function readMessage(schema: Schema, bytes: Uint8Array): Message {
  return new WireReader(bytes).message(schema, bytes.length);
}

/** Appends a varint of 0 ≤ v < 2^32 in its least length. */
export function putVarint(out: number[], v: number): void {
  let rest = v >>> 0;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
}

function zigzag(v: number): number {
  return (v << 1) ^ (v >> 31);
}

function putBytes(out: number[], tag: number, bytes: ArrayLike<number>): void {
  putVarint(out, tag);
  putVarint(out, bytes.length);
  for (let i = 0; i < bytes.length; i++) out.push(bytes[i]!);
}

/** A number that the wire holds: 32 bits, signed for `sint`. */
function checked(name: string, v: unknown, signed: boolean): number {
  const [min, max] = signed ? [-2147483648, 2147483647] : [0, 4294967295];
  if (typeof v === 'number' && Number.isInteger(v) && v >= min && v <= max) return v;
  throw new RangeError(`${name} must be an integer in ${min}…${max}, not ${String(v)}`);
}

/** Appends one field, or nothing where it holds its default. */
function putField(out: number[], number: number, { name, type }: Field, value: unknown): void {
  const [varint, block] = [number << 3, (number << 3) | 2];
  if (value === undefined || value === null) return;
  if (typeof type === 'object') {
    for (const m of Array.isArray(value) ? value : [value]) putBytes(out, block, writeMessage(type, m as object));
  } else if (isVarint(type)) {
    const v = type === 'bool' ? Number(value === true) : checked(name, value, type === 'sint');
    if (v !== 0) {
      putVarint(out, varint);
      putVarint(out, type === 'sint' ? zigzag(v) : v);
    }
  } else if (type === 'uints' || type === 'sints') {
    const packed: number[] = [];
    for (const e of value as readonly number[]) {
      const v = checked(name, e, type === 'sints');
      putVarint(packed, type === 'sints' ? zigzag(v) : v);
    }
    if (packed.length > 0) putBytes(out, block, packed);
  } else {
    if (type === 'string' && /\p{Cs}/u.test(value as string)) throw new RangeError(`${name} is no well-formed text`);
    const bytes = type === 'string' ? utf8.encode(value as string) : (value as Uint8Array);
    if (bytes.length > 0) putBytes(out, block, bytes);
  }
}

/**
 * The canonical bytes of a message: fields in ascending number, defaults left out, lists packed, varints minimal.
 * @throws RangeError for a value that the wire does not hold
 */
export function writeMessage(schema: Schema, message: object): number[] {
  const out: number[] = [];
  schema.forEach((field, number) => field !== null && putField(out, number, field, (message as Message)[field.name]));
  return out;
}
