/**
 * A bounded scan of the protobuf wire, before any object is made: unknown fields, lengths and counts (spec/20-format.md §3).
 * @module
 */
import { ModelError } from '../core/errors.ts';
import { LIMITS } from './limits.ts';

interface Field {
  /** Wire type: 0 varint, 2 length-delimited. */
  readonly wire: 0 | 2;
  /** Sub-message, for wire type 2. */
  readonly message?: Message;
  /** Most occurrences in one message; 1 unless repeated. */
  readonly most: number;
  /** Most bytes of the payload. */
  readonly bytes?: number;
}

type Message = readonly (Field | undefined)[];

const varint: Field = { wire: 0, most: 1 };
const blob: Field = { wire: 2, most: 1 };
const packed = (entries: number): Field => ({ wire: 2, most: 1, bytes: entries * 5 });
const sub = (message: Message, most = 1): Field => ({ wire: 2, message, most });

const DIM: Message = [undefined, varint, packed(LIMITS.symbols)];
const SCALE: Message = [undefined, { wire: 2, most: 1, bytes: 8 }, varint];
const SYMBOL: Message = [undefined, blob, varint, varint];
const INPUT: Message = [undefined, blob, varint, sub(DIM, LIMITS.rank), varint, sub(DIM), sub(DIM), sub(SCALE), varint];
const OUTPUT: Message = [undefined, blob, varint, sub(SCALE), varint];
const ATTR: Message = [undefined, varint, packed(LIMITS.attrInts), blob, sub(DIM, LIMITS.rank)];
const NODE: Message = [undefined, varint, packed(LIMITS.nodeInputs), sub(ATTR, LIMITS.attrs)];
const STATE: Message = [undefined, varint, varint];
const CONSTANT: Message = [undefined, varint, packed(LIMITS.rank), varint, blob];
const MODEL: Message = [
  undefined,
  varint,
  sub(SYMBOL, LIMITS.symbols),
  sub(INPUT, LIMITS.inputs),
  sub(NODE, LIMITS.nodes),
  sub(OUTPUT, LIMITS.outputs),
  sub(STATE, LIMITS.inputs),
  sub(CONSTANT, LIMITS.constants),
];

class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** A varint of at most 5 bytes, as tags and lengths are; a longer one is returned as Infinity after being skipped. */
  varint(): number {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new ModelError('Truncated', `the file ends inside a number at byte ${this.at}`);
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return i < 5 ? value : Number.POSITIVE_INFINITY;
    }
    throw new ModelError('BadWire', `a number of more than 10 bytes at byte ${this.at}`);
  }
}

/**
 * Checks the wire form of a model file without allocating for its contents: every field known and of its wire type, every
 * length inside its parent, every count within the limits.
 * @throws ModelError Truncated, BadWire, Limit
 */
export function scanModel(bytes: Uint8Array): void {
  if (bytes.length >= LIMITS.fileBytes) throw new ModelError('Limit', 'the file is too large', { expected: `below ${LIMITS.fileBytes} bytes`, actual: String(bytes.length) });
  if (bytes.length === 0) throw new ModelError('Truncated', 'the file is empty');
  scan(new Cursor(bytes, 0, bytes.length), MODEL);
}

function scan(cursor: Cursor, message: Message): void {
  const seen = new Uint32Array(message.length);
  while (cursor.at < cursor.end) {
    const start = cursor.at;
    const tag = cursor.varint();
    const field = tag < 1024 ? message[tag >>> 3] : undefined;
    if (field === undefined || (tag & 7) !== field.wire) throw new ModelError('BadWire', `an unknown field at byte ${start}`);
    if (++seen[tag >>> 3]! > field.most) throw new ModelError(field.most === 1 ? 'BadWire' : 'Limit', `too many fields ${tag >>> 3} at byte ${start}`, { expected: `at most ${field.most}`, actual: String(seen[tag >>> 3]) });
    const value = cursor.varint();
    if (field.wire === 0) continue;
    if (value > cursor.end - cursor.at) throw new ModelError('Truncated', `field ${tag >>> 3} at byte ${start} is longer than what holds it`, { expected: `at most ${cursor.end - cursor.at}`, actual: String(value) });
    if (field.bytes !== undefined && value > field.bytes) throw new ModelError('Limit', `field ${tag >>> 3} at byte ${start} is too long`, { expected: `at most ${field.bytes} bytes`, actual: String(value) });
    if (field.message !== undefined) scan(new Cursor(cursor.bytes, cursor.at, cursor.at + value), field.message);
    cursor.at += value;
  }
}
