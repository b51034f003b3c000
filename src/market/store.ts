/**
 * Blobs and cards on a disk, in the layout that peers serve and any static host can (spec/50-market.md, Blobs):
 * `blobs/<root>/<index>` holds a record, `cards/<header>.json` a card. A file stands under its name only when it is whole.
 * @module
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../evm/proof.ts';
import { LIMITS } from '../format/limits.ts';
import { Blob, type BlobRef, checkRef, chunkCount, chunkOf, isHash, recordLength } from './blobs.ts';
import { CARD_BYTES, type Card, type CardText, readCard } from './card.ts';
import { MarketError } from './errors.ts';

/** Bytes of the longest record. */
const MOST_RECORD: number = recordLength(LIMITS.fileBytes - 1, 0);

let serial = 0;

/** A folder of blobs and cards. Several processes may write to it: what they write under one name is the same. */
export class BlobStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  #path(root: Hex, index: number): string {
    return join(this.folder, 'blobs', root, String(index));
  }

  #write(folder: string, name: string, bytes: Uint8Array | string): void {
    mkdirSync(folder, { recursive: true });
    const part = join(folder, `.${name}-${process.pid}-${++serial}`);
    try {
      writeFileSync(part, bytes);
      renameSync(part, join(folder, name));
    } finally {
      rmSync(part, { force: true });
    }
  }

  /** Stores a blob whole. */
  add(bytes: Uint8Array): BlobRef {
    const blob = new Blob(bytes);
    const { root, size } = blob;
    const held = this.held({ root, size });
    for (let i = 0; i < chunkCount(size); i++) if (!held.has(i)) this.#save(root, i, blob.record(i));
    return { root, size };
  }

  #save(root: Hex, index: number, record: Uint8Array): void {
    this.#write(join(this.folder, 'blobs', root), String(index), record);
  }

  /** Stores a record if it is that of chunk `index`; false where it is not. */
  save(ref: BlobRef, index: number, record: Uint8Array): boolean {
    checkRef(ref);
    if (chunkOf(ref, index, record) === undefined) return false;
    this.#save(ref.root, index, record);
    return true;
  }

  /** A file of exactly `length` bytes; undefined for any other. */
  #exactly(path: string, length: number): Uint8Array | undefined {
    if (!existsSync(path)) return undefined;
    const file = openSync(path, 'r');
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size !== length) return undefined;
      const bytes = new Uint8Array(length);
      let at = 0;
      for (let n = 1; n > 0 && at < length; at += n) n = readSync(file, bytes, at, length - at, at);
      return at === length ? bytes : undefined;
    } finally {
      closeSync(file);
    }
  }

  /** The chunk that is stored, checked; undefined where it is missing, half written or spoilt. */
  chunk(ref: BlobRef, index: number): Uint8Array | undefined {
    const record = this.#exactly(this.#path(ref.root, index), recordLength(ref.size, index));
    return record && chunkOf(ref, index, record);
  }

  /** Chunks at hand, each checked; what is spoilt is removed. */
  held(ref: BlobRef): Set<number> {
    checkRef(ref);
    const held = new Set<number>();
    if (!existsSync(join(this.folder, 'blobs', ref.root))) return held;
    for (let i = 0; i < chunkCount(ref.size); i++) {
      if (this.chunk(ref, i) !== undefined) held.add(i);
      else rmSync(this.#path(ref.root, i), { force: true });
    }
    return held;
  }

  /**
   * The blob, each chunk checked as it is read.
   * @throws MarketError Incomplete where a chunk is missing
   */
  read(ref: BlobRef): Uint8Array {
    checkRef(ref);
    const first = this.chunk(ref, 0); // nothing of the claimed size is allocated for a blob that is not there
    const last = this.chunk(ref, chunkCount(ref.size) - 1);
    if (first === undefined || last === undefined)
      throw new MarketError('Incomplete', `${ref.root} is not at hand whole`);
    const bytes = new Uint8Array(ref.size);
    let at = 0;
    for (let i = 0; i < chunkCount(ref.size); i++) {
      const chunk = this.chunk(ref, i);
      if (chunk === undefined) throw new MarketError('Incomplete', `chunk ${i} of ${ref.root} is not at hand`);
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The stored record as it is, for a peer that asks; undefined where there is none. */
  async record(root: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!isHash(root) || !Number.isSafeInteger(index) || index < 0) return undefined;
    return readBounded(this.#path(root, index), MOST_RECORD);
  }

  /** Roots of blobs of which something is at hand. */
  async roots(): Promise<Hex[]> {
    const names = await readdir(join(this.folder, 'blobs')).catch((): string[] => []);
    return names.filter(isHash).sort();
  }

  /** Stores a card that was checked. */
  addCard(key: Hex, card: CardText): void {
    const text = JSON.stringify(card);
    readCard(key, text);
    this.#write(join(this.folder, 'cards'), `${key}.json`, text);
  }

  /** The stored card as text; undefined where there is none. */
  async cardText(key: string): Promise<string | undefined> {
    if (!isHash(key)) return undefined;
    const bytes = await readBounded(join(this.folder, 'cards', `${key}.json`), CARD_BYTES);
    return bytes && new TextDecoder().decode(bytes);
  }

  /** The stored card, checked; undefined where there is none that is right. */
  async card(key: Hex): Promise<Card | undefined> {
    const text = await this.cardText(key);
    try {
      return text === undefined ? undefined : readCard(key, text);
    } catch {
      return undefined;
    }
  }
}

/** A regular file of at most `most` bytes; undefined for anything else. */
async function readBounded(path: string, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { size } = await stat(path);
    return size > most ? undefined : new Uint8Array(await readFile(path));
  } catch {
    return undefined;
  }
}
