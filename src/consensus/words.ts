/**
 * Words: what leaves, headers and receipts are written in (spec/40-consensus.md §2). A word is a signed 256-bit integer,
 * big-endian, or a hash; a contract reads them as they stand.
 * @module
 */
import { WORD } from './merkle.ts';

/** An integer of −2^255 … 2^255 − 1, or 32 bytes. */
export type Word = number | bigint | Uint8Array;

const MASK = (1n << 256n) - 1n;
const SIGN = 1n << 255n;

/** The words one after the other. */
export function encodeWords(words: readonly Word[]): Uint8Array {
  const bytes = new Uint8Array(words.length * WORD);
  const view = new DataView(bytes.buffer);
  words.forEach((w, i) => {
    if (w instanceof Uint8Array) {
      bytes.set(w, i * WORD);
      return;
    }
    const v = BigInt(w) & MASK;
    for (let k = 0; k < 4; k++) view.setBigUint64(i * WORD + 8 * k, (v >> BigInt(192 - 64 * k)) & 0xffffffffffffffffn);
  });
  return bytes;
}

/** Reads words in order; undefined behaviour is a RangeError: the bytes come from a stranger. */
export class WordReader {
  readonly #bytes: Uint8Array;
  #next = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length % WORD !== 0) throw new RangeError('words are 32 bytes each');
    this.#bytes = bytes;
  }

  /** The next word as bytes. */
  raw(): Uint8Array {
    const at = this.#next * WORD;
    if (at + WORD > this.#bytes.length) throw new RangeError('a word is missing');
    this.#next++;
    return this.#bytes.slice(at, at + WORD);
  }

  /** The next word as a signed integer. */
  big(): bigint {
    const v = this.raw().reduce((sum, b) => (sum << 8n) | BigInt(b), 0n);
    return v >= SIGN ? v - (1n << 256n) : v;
  }

  /** The next word as a number of at most 2^53 in magnitude. */
  int(): number {
    const v = Number(this.big());
    if (!Number.isSafeInteger(v)) throw new RangeError('a word is too large');
    return v;
  }

  /** The next word as an integer of least…most. */
  within(least: number, most: number): number {
    const v = this.int();
    if (v < least || v > most) throw new RangeError(`a word must be ${least}…${most}, not ${v}`);
    return v;
  }

  /** Refuses words that are left. */
  end(): void {
    if (this.#next * WORD !== this.#bytes.length) throw new RangeError('words are left over');
  }
}

/** Text of at most 32 ASCII characters as a word, padded with zeros on the right. */
export function textWord(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > WORD) throw new RangeError(`${text} is longer than a word`);
  const word = new Uint8Array(WORD);
  word.set(bytes);
  return word;
}

/** The text of a word. */
export function wordText(word: Uint8Array): string {
  const end = word.indexOf(0);
  return new TextDecoder().decode(end < 0 ? word : word.subarray(0, end));
}
