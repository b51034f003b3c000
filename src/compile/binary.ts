/**
 * The binary format of WebAssembly: numbers, sections and instructions, as far as modules are linked and checked here.
 * @module
 */

/** What is wrong with bytes that are no module. */
export class Malformed extends Error {}

/** Reads a module’s bytes; past the end it throws `Malformed`. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw new Malformed('it ends inside a field');
    return this.bytes[this.at++]!;
  }

  /** An unsigned LEB128 of 32 bits. */
  u32(): number {
    let v = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const b = this.byte();
      v += (b & 127) * 2 ** shift;
      if (b < 128) {
        if (v > 4294967295) break;
        return v;
      }
    }
    throw new Malformed('a number is too long');
  }

  /** Steps over a LEB128 of at most `most` bytes. */
  leb(most: number): void {
    for (let i = 0; i < most; i++) if (this.byte() < 128) return;
    throw new Malformed('a number is too long');
  }

  /** Steps over n bytes. Returns where they start. */
  skip(n: number): number {
    const from = this.at;
    if (n > this.end - from) throw new Malformed('it ends inside a field');
    this.at = from + n;
    return from;
  }

  /** A reader of the next n bytes, over which this one steps. */
  part(n: number): Reader {
    const from = this.skip(n);
    return new Reader(this.bytes, from, from + n);
  }

  /** A name. */
  name(): string {
    const n = this.u32();
    const from = this.skip(n);
    return new TextDecoder().decode(this.bytes.subarray(from, from + n));
  }

  /** As many items as the vector at hand says. */
  vector<T>(item: (r: Reader) => T): T[] {
    const n = this.u32();
    const out: T[] = [];
    for (let i = 0; i < n; i++) out.push(item(this)); // every item takes a byte at least, so that this ends
    return out;
  }
}

/** An unsigned LEB128. */
export function u32(v: number): number[] {
  const out: number[] = [];
  let rest = v;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  out.push(rest);
  return out;
}

/** A signed LEB128 of an int32. */
export function s32(v: number): number[] {
  const out: number[] = [];
  let rest = v | 0;
  for (; rest < -64 || rest > 63; rest >>= 7) out.push((rest & 127) | 128);
  out.push(rest & 127);
  return out;
}

/** A vector of bytes. */
export function block(bytes: readonly number[]): number[] {
  return [...u32(bytes.length), ...bytes];
}

/** A name: a vector of ASCII. */
export function name(text: string): number[] {
  return block([...text].map((c) => c.charCodeAt(0)));
}

/** Ids of sections. */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** Ids of sections in the order in which they stand. */
const ORDER: readonly number[] = [
  ...[SECTION.type, SECTION.import, SECTION.function, SECTION.table, SECTION.memory, SECTION.tag, SECTION.global],
  ...[SECTION.export, SECTION.start, SECTION.element, SECTION.dataCount, SECTION.code, SECTION.data],
];

/** The sections of a module, which stand in their order, without custom ones; bytes of the contents of each. */
export function sections(bytes: Uint8Array): { readonly id: number; readonly body: Reader }[] {
  const r = new Reader(bytes);
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (magic.some((v, i) => bytes[i] !== v)) throw new Malformed('it does not begin as a module of version 1');
  r.at = magic.length;
  const out: { id: number; body: Reader }[] = [];
  let last = -1;
  while (r.at < r.end) {
    const id = r.byte();
    const body = r.part(r.u32());
    if (id > SECTION.tag) throw new Malformed(`section ${id} is unknown`);
    if (id === 0) continue;
    const place = ORDER.indexOf(id);
    if (place <= last) throw new Malformed(`section ${id} ${place === last ? 'stands twice' : 'stands too late'}`);
    last = place;
    out.push({ id, body });
  }
  return out;
}

/** An instruction; those behind a prefix byte have it above their number. */
export interface Instruction {
  readonly op: number;
  readonly at: number;
  readonly end: number;
  /** Index of a function, global, local or type; the block type of a block, where it is an index. */
  readonly index?: number;
  /** Where that index stands, in the bytes. */
  readonly indexAt?: number;
}

/** Opcodes that are named elsewhere. */
export const OP = {
  end: 0x0b,
  br: 0x0c,
  call: 0x10,
  callIndirect: 0x11,
  globalGet: 0x23,
  globalSet: 0x24,
  constant: 0x41,
} as const;

/** The instructions from where a reader is to its end. */
export function* instructions(r: Reader): Generator<Instruction> {
  while (r.at < r.end) {
    const at = r.at;
    const first = r.byte();
    const op = first >= 0xfb && first <= 0xfe ? first * 65536 + r.u32() : first;
    const indexAt = r.at;
    const index = immediates(r, op);
    yield { op, at, end: r.at, ...(index === undefined ? {} : { index, indexAt }) };
  }
}

function memarg(r: Reader): undefined {
  const flags = r.u32();
  if (flags & 64) r.u32();
  r.leb(10);
}

/** Steps over the immediates of an instruction; its index, if it has one. */
function immediates(r: Reader, op: number): number | undefined {
  if (op >= 0xfb0000) return prefixed(r, op);
  if (op === 0x02 || op === 0x03 || op === 0x04) return blockType(r);
  if (op === 0x0c || op === 0x0d) return void r.u32();
  if (op === 0x0e) return void [r.vector((v) => v.u32()), r.u32()];
  if (op === 0x10 || op === 0x12 || op === 0xd2) return r.u32();
  if (op === 0x11 || op === 0x13) {
    const type = r.u32();
    r.u32();
    return type;
  }
  if (op === 0x1c) return void r.vector((v) => v.byte());
  if (op >= 0x20 && op <= 0x26) return r.u32();
  if (op >= 0x28 && op <= 0x3e) return memarg(r);
  if (op === 0x3f || op === 0x40 || op === 0xd0) return void r.byte();
  if (op === 0x41) return void r.leb(5);
  if (op === 0x42) return void r.leb(10);
  if (op === 0x43) return void r.skip(4);
  if (op === 0x44) return void r.skip(8);
  if (op <= 0x01 || op === 0x05 || op === OP.end || op === 0x0f || op === 0x1a || op === 0x1b) return undefined;
  if ((op >= 0x45 && op <= 0xc4) || op === 0xd1) return undefined;
  throw new Malformed(`instruction 0x${op.toString(16)} is unknown`);
}

function blockType(r: Reader): number | undefined {
  const b = r.bytes[r.at];
  if (b !== undefined && b >= 0x40 && b < 0x80) return void r.byte();
  return r.u32();
}

function prefixed(r: Reader, op: number): undefined {
  const [prefix, n] = [op >>> 16, op & 65535];
  if (prefix === 0xfc && n < 18) {
    if (n === 9 || n === 11 || n === 13 || n > 14) r.u32();
    else if (n > 7) r.skip(Math.min(0, r.u32() + r.u32()));
  } else if (prefix === 0xfd && n < 512) {
    if (n <= 11 || (n >= 84 && n <= 93)) memarg(r);
    if (n === 12 || n === 13) r.skip(16);
    if ((n >= 21 && n <= 34) || (n >= 84 && n <= 91)) r.byte();
  } else if (prefix === 0xfe && n < 128) {
    if (n === 3) r.byte();
    else memarg(r);
  } else throw new Malformed(`instruction 0x${prefix.toString(16)} ${n} is unknown`);
}
