/**
 * Blobs: the body of a model by its content root, in chunks that each carry their proof (spec/50-market.md, Blobs). A record
 * is what one request brings: the hashes beside the path from the chunk to the root, then the chunk.
 * @module
 */
import {
  depthOf,
  hashFunction,
  openLeaves,
  rootOf,
  sameBytes,
  TAG,
  type Tree,
  treeOver,
  WORD,
} from '../consensus/merkle.ts';
import { encodeWords } from '../consensus/words.ts';
import { type Hex, toHex } from '../evm/proof.ts';
import { LIMITS } from '../format/limits.ts';
import { MarketError } from './errors.ts';

/** Bytes of a chunk; the last one of a blob may be shorter. */
export const CHUNK_BYTES = 65_536;
/** The tree's hash function: engines have it built in, and chains too. */
const HASH = 'sha256';

/** A blob as a listing names it. */
export interface BlobRef {
  /** Content root: 0x and 64 lower-case digits. */
  readonly root: Hex;
  /** Bytes of the blob, from 1. */
  readonly size: number;
}

/** True for 0x and 64 lower-case digits. */
export function isHash(text: unknown): text is Hex {
  return typeof text === 'string' && /^0x[0-9a-f]{64}$/.test(text);
}

/** Bytes of 0x and digits. */
export function fromHex(text: Hex): Uint8Array {
  return Uint8Array.from({ length: (text.length - 2) / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 + 2 * i, 4 + 2 * i), 16),
  );
}

/**
 * A blob whose names are well-formed and whose size is within a limit.
 * @throws MarketError BadBlob, TooLarge
 */
export function checkRef({ root, size }: BlobRef, maxBytes: number = LIMITS.fileBytes - 1): void {
  if (!isHash(root)) throw new MarketError('BadBlob', 'a content root is 0x and 64 lower-case hexadecimal digits');
  if (!Number.isSafeInteger(size) || size < 1)
    throw new MarketError('BadBlob', `${String(size)} is no size of a blob in bytes`);
  if (size > maxBytes)
    throw new MarketError('TooLarge', `the blob has ${size} bytes, more than the ${maxBytes} that are taken`);
}

/** Chunks of a blob of `size` bytes. */
export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_BYTES);
}

/** Bytes of chunk `index`. */
export function chunkLength(size: number, index: number): number {
  return Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES);
}

/** Bytes of the record of chunk `index`. */
export function recordLength(size: number, index: number): number {
  return WORD * depthOf(chunkCount(size)) + chunkLength(size, index);
}

/** H(0 ‖ size as a word ‖ chunk): the size is in every leaf, so that a shorter blob is another blob. */
function chunkHash(size: number, chunk: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + WORD + chunk.length);
  bytes[0] = TAG.leaf;
  bytes.set(encodeWords([size]), 1);
  bytes.set(chunk, 1 + WORD);
  return hashFunction(HASH)(bytes);
}

/** A blob that is at hand whole: its name, and the record of each chunk. */
export class Blob {
  readonly root: Hex;
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #tree: Tree;

  /** @throws MarketError BadBlob, TooLarge */
  constructor(bytes: Uint8Array) {
    if (bytes.length === 0) throw new MarketError('BadBlob', 'a blob has at least one byte');
    if (bytes.length >= LIMITS.fileBytes)
      throw new MarketError('TooLarge', `a blob has less than ${LIMITS.fileBytes} bytes`);
    this.#bytes = bytes;
    this.size = bytes.length;
    const leaves = Array.from({ length: chunkCount(this.size) }, (_, i) => chunkHash(this.size, this.#chunk(i)));
    this.#tree = treeOver(HASH, leaves);
    this.root = toHex(this.#tree.root);
  }

  #chunk(index: number): Uint8Array {
    return this.#bytes.subarray(index * CHUNK_BYTES, index * CHUNK_BYTES + chunkLength(this.size, index));
  }

  /** The record of chunk `index`. */
  record(index: number): Uint8Array {
    const { siblings } = openLeaves(this.#tree, [index]);
    const record = new Uint8Array(recordLength(this.size, index));
    siblings.forEach((s, i) => record.set(s, WORD * i));
    record.set(this.#chunk(index), WORD * siblings.length);
    return record;
  }
}

/** The chunk in a record, where the record is that of chunk `index` of the blob; else undefined. */
export function chunkOf({ root, size }: BlobRef, index: number, record: Uint8Array): Uint8Array | undefined {
  const count = chunkCount(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= count || record.length !== recordLength(size, index))
    return undefined;
  const depth = depthOf(count);
  const siblings = Array.from({ length: depth }, (_, i) => record.subarray(WORD * i, WORD * (i + 1)));
  const chunk = record.subarray(WORD * depth);
  const found = rootOf(HASH, depth, { indices: [index], siblings }, [chunkHash(size, chunk)]);
  return found !== undefined && sameBytes(found, fromHex(root)) ? chunk : undefined;
}
