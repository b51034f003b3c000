/**
 * An assembler that knows what runs how often: straight code and counted loops only, so the gas of a call is a constant that
 * is summed while the code is written. Stack slots have absolute heights; DUP and SWAP depths follow from them.
 * @module
 */
import { hex } from '../../core/digest.ts';
import { assert } from '../../core/errors.ts';
import { floorDiv } from '../../core/int.ts';
import { checkSize } from './errors.ts';
import {
  BASE,
  COLD_ACCOUNT,
  COPY_WORD,
  DUP1,
  INVALID,
  type Mnemonic,
  OPCODES,
  PUSH0,
  SWAP1,
  VERY_LOW,
} from './opcodes.ts';

/** Bytes behind the code, or in a data contract. */
export interface Blob {
  readonly bytes: Uint8Array;
  /** Position of the data contract that holds it; absent for the code itself. */
  readonly contract?: number;
  /** Offset in that contract; the code's own blobs get theirs when the code is finished. */
  offset: number;
}

/** An address in memory (or in call data): a constant, or a stack slot plus a constant. */
export interface Ptr {
  readonly slot?: number;
  readonly base: number;
}

/** The pointer `by` bytes further. */
export function at(p: Ptr, by: number): Ptr {
  return { ...p, base: p.base + by };
}

/** One pointer of a nest of loops: its first value, and how far each level moves it. */
export interface Walk extends Ptr {
  readonly strides: readonly number[];
}

interface Fixup {
  readonly at: number;
  readonly blob?: Blob;
  readonly by?: number;
  readonly label?: 'bad' | 'memory';
}

/** Where a data contract's address stands in the code. */
export interface AddressSite {
  readonly at: number;
  readonly contract: number;
}

/** Bytes of a value without leading zeros; none for 0. */
function bytesOf(value: bigint): number[] {
  const hex = value === 0n ? '' : value.toString(16);
  const even = hex.length & 1 ? `0${hex}` : hex;
  return Array.from({ length: even.length >> 1 }, (_, i) => Number.parseInt(even.slice(2 * i, 2 * i + 2), 16));
}

/** The assembler of one contract. */
export class Assembler {
  readonly code: number[] = [];
  /** Gas of a call, memory apart. */
  gas = 0;
  /** Words on the stack. */
  height = 0;
  readonly sites: AddressSite[] = [];
  /** Bytes behind the code. */
  dataBytes = 0;
  #weight = 1;
  readonly #fixups: Fixup[] = [];
  readonly #blobs = new Map<string, Blob>();
  readonly #accounts = new Set<number>();

  /** Counts gas that hangs on operands. */
  charge(gas: number): void {
    this.gas += gas * this.#weight;
  }

  /** Appends opcodes. */
  op(...names: readonly Mnemonic[]): void {
    for (const name of names) {
      const [code, pops, pushes, gas] = OPCODES[name];
      this.code.push(code);
      this.charge(gas);
      this.height += pushes - pops;
      assert(this.height >= 0, 'the stack of generated code is empty');
    }
  }

  /** Pushes a value mod 2^256 in as few bytes as it takes; gives its slot. */
  push(value: number | bigint): number {
    const bytes = bytesOf(BigInt.asUintN(256, BigInt(value)));
    checkSize(this.code.length, 0);
    this.code.push(PUSH0 + bytes.length, ...bytes);
    this.charge(bytes.length === 0 ? BASE : VERY_LOW);
    return this.height++;
  }

  #pushFixed(width: number, fixup: Omit<Fixup, 'at'>): void {
    this.code.push(PUSH0 + width);
    this.#fixups.push({ at: this.code.length, ...fixup });
    for (let i = 0; i < width; i++) this.code.push(0);
    this.charge(VERY_LOW);
    this.height++;
  }

  /** Copies a slot to the top. */
  dup(slot: number): void {
    const n = this.height - slot;
    assert(n >= 1 && n <= 16, 'a stack slot out of reach');
    this.code.push(DUP1 + n - 1);
    this.charge(VERY_LOW);
    this.height++;
  }

  /** Exchanges the top with the word n below it. */
  swap(n: number): void {
    assert(n >= 1 && n <= 16 && n < this.height, 'a stack slot out of reach');
    this.code.push(SWAP1 + n - 1);
    this.charge(VERY_LOW);
  }

  /** Pushes a pointer's address. */
  address(p: Ptr): void {
    if (p.slot === undefined) {
      this.push(p.base);
      return;
    }
    this.dup(p.slot);
    if (p.base === 0) return;
    this.push(p.base);
    this.op('ADD');
  }

  /** Pushes the word at a pointer. */
  load(p: Ptr): void {
    this.address(p);
    this.op('MLOAD');
  }

  /** Stores the top at a pointer. */
  store(p: Ptr): void {
    this.address(p);
    this.op('MSTORE');
  }

  /** Adds to a slot. */
  advance(slot: number, by: number): void {
    if (by === 0) return;
    const n = this.height - 1 - slot;
    if (n > 0) this.swap(n);
    this.push(Math.abs(by));
    if (by < 0) this.swap(1);
    this.op(by < 0 ? 'SUB' : 'ADD');
    if (n > 0) this.swap(n);
  }

  /** Replaces a slot by what `f` makes of its value, on top, and the word above it. */
  combine(slot: number, f: () => void): void {
    const n = this.height - 1 - slot;
    if (n > 1) {
      this.dup(slot);
      this.swap(1);
    }
    f();
    if (n > 1) {
      this.swap(n);
      this.op('POP');
    }
  }

  /** Drops words until the stack has this height. */
  drop(height: number): void {
    while (this.height > height) this.op('POP');
  }

  /** Runs the body n times; it leaves the stack as it was. */
  loop(n: number, body: () => void): void {
    assert(n >= 0, 'a loop runs a negative number of times');
    if (n === 0) return;
    if (n === 1) {
      body();
      return;
    }
    this.push(n);
    this.repeat(n, body, () => {
      this.push(1);
      this.swap(1);
      this.op('SUB');
      this.dup(this.height - 1);
    });
    this.op('POP');
  }

  /** Runs the body n times; `again` leaves on top whether it runs once more. */
  repeat(n: number, body: () => void, again: () => void): void {
    const start = this.code.length;
    const outer = this.#weight;
    const { height } = this;
    this.#weight *= n;
    this.op('JUMPDEST');
    body();
    assert(this.height === height, 'the body of a loop changes the stack');
    again();
    this.code.push(PUSH0 + 2, start >> 8, start & 255);
    this.charge(VERY_LOW);
    this.height++;
    this.op('JUMPI');
    this.#weight = outer;
  }

  /**
   * A nest of loops over `dims`, the last the fastest, unrolled up to `unroll` times. Levels along which every pointer runs on are
   * merged.
   */
  grid(
    dims: readonly number[],
    walks: readonly Walk[],
    body: (pointers: readonly Ptr[]) => void,
    unroll: number = 1,
  ): void {
    if (dims.includes(0)) return;
    const levels: { n: number; strides: number[] }[] = [];
    for (let d = dims.length - 1; d >= 0; d--) {
      const n = dims[d]!;
      const strides = walks.map((w) => w.strides[d]!);
      const inner = levels[0];
      if (n === 1) continue;
      if (inner !== undefined && strides.every((s, i) => s === inner.n * inner.strides[i]!)) inner.n *= n;
      else levels.unshift({ n, strides });
    }
    const last = levels[levels.length - 1];
    let times = 1;
    if (last !== undefined) {
      for (let u = Math.min(unroll, last.n); u > 1 && times === 1; u--) if (last.n % u === 0) times = u;
      if (last.n === times) levels.pop();
    }
    const copies = (pointers: readonly Ptr[]): void => {
      for (let k = 0; k < times; k++) body(pointers.map((p, i) => at(p, k * (last?.strides[i] ?? 0))));
    };
    if (levels.length === 0) {
      copies(walks.map(({ strides: _, ...p }) => p));
      return;
    }
    const { height } = this;
    const slots = walks.map((w) => {
      this.address(w);
      return this.height - 1;
    });
    const inside = slots.map((slot): Ptr => ({ slot, base: 0 }));
    const level = (d: number): void => {
      const { n, strides } = levels[d]!;
      const innermost = d === levels.length - 1;
      const step = innermost && levels[d] === last ? times : 1;
      this.loop(floorDiv(n, step), () => {
        if (innermost) copies(inside);
        else level(d + 1);
        const below = innermost ? undefined : levels[d + 1];
        slots.forEach((slot, i) => {
          this.advance(slot, strides[i]! * step - (below === undefined ? 0 : below.strides[i]! * below.n));
        });
      });
    };
    level(0);
    this.drop(height);
  }

  /** Registers bytes behind the code; equal ones stand there once. */
  blob(bytes: Uint8Array): Blob {
    const key = hex(bytes);
    let blob = this.#blobs.get(key);
    if (blob === undefined) {
      this.dataBytes += bytes.length;
      checkSize(this.dataBytes, 0);
      this.#blobs.set(key, (blob = { bytes, offset: 0 }));
    }
    return blob;
  }

  /** Pushes the offset of a blob in its contract. */
  blobOffset(blob: Blob, by: number): number {
    if (blob.contract !== undefined) this.push(blob.offset + by);
    else this.#pushFixed(2, { blob, by });
    return this.height - 1;
  }

  /** Copies `length` bytes of a blob to `target`; `offset` pushes where they begin in its contract. */
  copy(blob: Blob, offset: () => void, length: number, target: number): void {
    const { contract } = blob;
    this.push(length);
    offset();
    this.push(target);
    if (contract === undefined) this.op('CODECOPY');
    else {
      this.sites.push({ at: this.code.length + 1, contract });
      this.#pushFixed(20, {});
      this.op('EXTCODECOPY');
      if (!this.#accounts.has(contract)) {
        this.#accounts.add(contract);
        this.gas += COLD_ACCOUNT;
      }
    }
    this.charge(COPY_WORD * ((length + 31) >> 5));
  }

  /** Jumps to the refusal if the top is not 0. */
  refuse(): void {
    this.#pushFixed(2, { label: 'bad' });
    this.op('JUMPI');
  }

  /** Pushes the size of memory minus 32, known when the code is finished. */
  memoryEnd(): void {
    this.#pushFixed(3, { label: 'memory' });
  }

  /** Appends the refusal and the blobs; `selector` is that of the error, `memory` the size of memory in bytes. */
  finish(selector: number, memory: number): Uint8Array {
    const { gas } = this;
    const bad = this.code.length;
    this.height = 0;
    this.op('JUMPDEST');
    this.push(BigInt(selector) << 224n);
    this.push(0);
    this.op('MSTORE');
    this.push(4);
    this.push(0);
    this.op('REVERT');
    this.gas = gas;
    this.code.push(INVALID);
    for (const blob of this.#blobs.values()) {
      blob.offset = this.code.length;
      for (const b of blob.bytes) this.code.push(b);
    }
    const out = Uint8Array.from(this.code);
    for (const f of this.#fixups) {
      if (f.blob === undefined && f.label === undefined) continue;
      const value = f.blob !== undefined ? f.blob.offset + f.by! : f.label === 'bad' ? bad : memory - 32;
      const width = f.label === 'memory' ? 3 : 2;
      for (let i = 0; i < width; i++) out[f.at + i] = (value >> (8 * (width - 1 - i))) & 255;
    }
    return out;
  }
}
