/**
 * A bounded walk over the wire of an ONNX file before anything is allocated: every field of a known message and every
 * byte of a packed varint list counts as one entry, so that a small file cannot unfold into millions of objects.
 * @module
 */
import { ImportError } from './errors.ts';

/** A message: its nested messages by field number, and the numbers of its varint lists. */
interface Shape {
  /** A field that may not stand here: graphs within graphs end somewhere. */
  readonly tooDeep?: number;
  readonly nested?: Readonly<Record<number, Shape>>;
  readonly varints?: readonly number[];
}

const tensor: Shape = { varints: [1, 5, 7, 11], nested: { 13: {} } };
const value: Shape = { nested: { 2: { nested: { 1: { nested: { 2: { nested: { 1: {} } } } } } } } };
/** Graphs within graphs (branches of an If) that are read. */
const DEPTH = 8;

function graph(depth: number): Shape {
  const inner: Shape =
    depth > 1 ? { nested: { 5: tensor, 6: graph(depth - 1) } } : { nested: { 5: tensor }, tooDeep: 6 };
  const attribute: Shape = { varints: [8], ...inner };
  return { nested: { 1: { nested: { 5: attribute } }, 5: tensor, 11: value, 12: value, 15: {} } };
}
const MODEL: Shape = { nested: { 7: graph(DEPTH), 8: {}, 25: {} } };

/** Reads varints and lengths of a byte range; positions only, no value is kept. */
class Cursor {
  pos: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, pos: number) {
    this.bytes = bytes;
    this.pos = pos;
  }

  /** A varint as a number; above 2^53 it is inexact, which only ever makes a length too large. */
  varint(end: number): number {
    let result = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      if (this.pos >= end) throw new ImportError('Truncated', 'the file ends inside a number');
      const byte = this.bytes[this.pos++]!;
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
    throw new ImportError('NotOnnx', 'the bytes are not Protocol Buffers: a number has more than ten bytes');
  }

  /** Skips `n` bytes. */
  skip(n: number, end: number): void {
    if (n > end - this.pos) throw new ImportError('Truncated', 'a field is longer than what is left of the file');
    this.pos += n;
  }
}

function walk(cursor: Cursor, end: number, shape: Shape, budget: { left: number }): void {
  while (cursor.pos < end) {
    const tag = cursor.varint(end);
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    budget.left -= 1;
    if (wire === 0) cursor.varint(end);
    else if (wire === 1) cursor.skip(8, end);
    else if (wire === 5) cursor.skip(4, end);
    else if (wire === 2) {
      const length = cursor.varint(end);
      const start = cursor.pos;
      cursor.skip(length, end);
      if (shape.varints?.includes(field)) budget.left -= length;
      if (shape.tooDeep === field) throw new ImportError('TooLarge', `graphs are nested more than ${DEPTH} deep`);
      const inner = shape.nested?.[field];
      if (inner) {
        cursor.pos = start;
        walk(cursor, start + length, inner, budget);
      }
    } else throw new ImportError('NotOnnx', `the bytes are not an ONNX model: wire type ${wire} at byte ${cursor.pos}`);
    if (budget.left < 0) throw new ImportError('TooLarge', 'the file holds more fields than the importer reads');
  }
}

/**
 * Checks the framing of `bytes` as an ONNX ModelProto of at most `maxEntries` fields and varint bytes.
 * Throws `ImportError` (Truncated, NotOnnx, TooLarge). Depth is fixed by the schema; time is linear.
 */
export function scanOnnx(bytes: Uint8Array, maxEntries: number): void {
  walk(new Cursor(bytes, 0), bytes.length, MODEL, { left: maxEntries });
}

/** As `scanOnnx`, for a TensorProto. */
export function scanTensor(bytes: Uint8Array, maxEntries: number): void {
  walk(new Cursor(bytes, 0), bytes.length, tensor, { left: maxEntries });
}
