/**
 * Cards: what a model takes and gives, from anybody, checked against the header that the chain knows (spec/50-market.md, Cards).
 * @module
 */
import type { Commitment } from '../consensus/commitment.ts';
import { decodeHeader, encodeHeader, type Header, headerHash, headerOf, signatureWords } from '../consensus/header.ts';
import { wordDim } from '../consensus/leaf.ts';
import { leafHash, sameBytes, treeOver } from '../consensus/merkle.ts';
import { WordReader } from '../consensus/words.ts';
import type { Dim } from '../core/dim.ts';
import { DTYPES } from '../core/tensor.ts';
import { type Hex, toHex } from '../evm/proof.ts';
import { LIMITS } from '../format/limits.ts';
import { fromHex } from './blobs.ts';
import { MarketError } from './errors.ts';

/** Bytes of a card as text, at most. */
export const CARD_BYTES: number = 1 << 20;

/** A card as it is stored and sent. */
export interface CardText {
  /** Words of the header. */
  readonly header: Hex;
  /** Name and words of each input, then of each output. */
  readonly signature: readonly { readonly name: string; readonly words: Hex }[];
}

/** An input or an output. */
export interface Port {
  readonly name: string;
  readonly dtype: 'i8' | 'i16' | 'i32' | 'i4' | 'bool' | 'u8';
  readonly shape: readonly Dim[];
  readonly zp: number;
  readonly lo: Dim;
  readonly hi: Dim;
  /** True for an input that a run replaces: no caller passes it. */
  readonly state: boolean;
}

/** A checked card. */
export interface Card {
  readonly header: Header;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** The card of a model that is at hand. */
export function cardOf(c: Commitment): CardText {
  const names = [...c.model.inputs, ...c.model.outputs].map((d) => d.name);
  return {
    header: toHex(encodeHeader(headerOf(c))),
    signature: signatureWords(c).map((words, i) => ({ name: names[i]!, words: toHex(words) })),
  };
}

function readPort(name: string, bytes: Uint8Array, hash: Header['hash']): Port {
  const r = new WordReader(bytes);
  if (!sameBytes(r.raw(), leafHash(hash, new TextEncoder().encode(name)))) throw new RangeError('another name');
  r.within(1, 2 ** 32);
  const state = r.within(0, LIMITS.outputs) > 0;
  const u8 = r.within(0, 1) === 1;
  const dtype = DTYPES[r.within(0, DTYPES.length - 1)]!;
  const zp = r.int();
  const [lo, hi] = [wordDim(r.big()), wordDim(r.big())];
  const shape = Array.from({ length: r.within(0, LIMITS.rank) }, () => wordDim(r.big()));
  r.end();
  const up = (d: Dim): Dim => (typeof d === 'number' ? d + 128 : { ...d, c: d.c + 128 });
  return u8
    ? { name, dtype: 'u8', shape, zp: zp + 128, lo: up(lo), hi: up(hi), state }
    : { name, dtype, shape, zp, lo, hi, state };
}

function isCardText(v: unknown): v is CardText {
  const digits = (h: unknown): boolean => typeof h === 'string' && /^0x([0-9a-f]{64})+$/.test(h);
  const card = v as Partial<CardText> | null;
  return (
    typeof card === 'object' &&
    card !== null &&
    digits(card.header) &&
    Array.isArray(card.signature) &&
    card.signature.every((p) => typeof p?.name === 'string' && p.name.length <= LIMITS.nameBytes && digits(p.words))
  );
}

/**
 * A card from a stranger, held against a header hash that the chain knows.
 * @param key header hash
 * @throws MarketError BadCard
 */
export function readCard(key: Hex, text: string): Card {
  try {
    const card: unknown = text.length <= CARD_BYTES ? JSON.parse(text) : undefined;
    if (!isCardText(card)) throw new RangeError('not a card');
    const header = decodeHeader(fromHex(card.header));
    if (toHex(headerHash(header)) !== key) throw new RangeError('another header');
    const words = card.signature.map((p) => fromHex(p.words));
    const leaves = words.map((w) => leafHash(header.hash, w));
    if (
      words.length !== header.inputs + header.outputs ||
      !sameBytes(treeOver(header.hash, leaves).root, header.signatureRoot)
    )
      throw new RangeError('another signature');
    const ports = words.map((w, i) => readPort(card.signature[i]!.name, w, header.hash));
    return { header, inputs: ports.slice(0, header.inputs), outputs: ports.slice(header.inputs) };
  } catch (e) {
    throw new MarketError('BadCard', `the card is not that of ${key}: ${(e as Error).message}`);
  }
}
