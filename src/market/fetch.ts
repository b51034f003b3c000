/**
 * Fetches a blob from several peers at once: chunks that arrived are kept, work is taken over from the slow, and a peer that
 * lies is dropped and named (spec/50-market.md, Blobs).
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Hex } from '../evm/proof.ts';
import { LIMITS } from '../format/limits.ts';
import { type BlobRef, checkRef, chunkCount, recordLength } from './blobs.ts';
import { CARD_BYTES, type Card, readCard } from './card.ts';
import { MarketError } from './errors.ts';
import { type Answer, ask, peerUrl } from './source.ts';
import type { BlobStore } from './store.ts';

/** How a blob is fetched. */
export interface FetchOptions {
  /** URLs of peers, or of static hosts of the same layout; at most 64 count. */
  readonly sources: readonly string[];
  /** Where chunks are kept. */
  readonly store: BlobStore;
  /** Greatest size that is taken, in bytes; default that of a model file. */
  readonly maxBytes?: number;
  /** Milliseconds for one chunk; default 10,000. */
  readonly timeout?: number;
  /** Requests to one source at the same time; default 4. */
  readonly parallel?: number;
  readonly signal?: AbortSignal;
  /** Called with the chunks at hand, after each. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What came of a source. */
export interface SourceReport {
  readonly url: string;
  /** Chunks that it brought. */
  readonly chunks: number;
  /** Why it was given up; undefined where it was not. */
  readonly dropped?: string | undefined;
  /** True where it sent what no honest peer sends. */
  readonly lied: boolean;
}

/** What came of a fetch. */
export interface FetchReport {
  /** Chunks that were at hand before. */
  readonly resumed: number;
  readonly fetched: number;
  readonly sources: readonly SourceReport[];
}

/** Sources that count. */
const MOST_SOURCES = 64;
/** Failures one after the other, refusals for want of time, and chunks in a row that are not there, before a source is given up. */
const MOST = { failed: 8, busy: 20, missing: 16 } as const;

interface Source {
  readonly url: string;
  readonly lacks: Set<number>;
  readonly inRow: { failed: number; busy: number; missing: number };
  chunks: number;
  dropped?: string;
  lied: boolean;
  readonly stop: AbortController;
}

/** The chunks of a blob that are still to come, and who brings which. */
class Fetching {
  readonly #ref: BlobRef;
  readonly #options: FetchOptions;
  readonly #queue: number[];
  /** By chunk, those that were asked for it. */
  readonly #asked: Map<number, Map<Source, AbortController>> = new Map();
  #change: { promise: Promise<void>; wake: () => void } = signal();
  #done: number;
  #stopped = false;
  readonly total: number;

  constructor(ref: BlobRef, options: FetchOptions) {
    this.#ref = ref;
    this.#options = options;
    this.total = chunkCount(ref.size);
    const held = options.store.held(ref);
    this.#done = held.size;
    this.#queue = Array.from({ length: this.total }, (_, i) => i).filter((i) => !held.has(i));
  }

  get done(): number {
    return this.#done;
  }

  get #over(): boolean {
    return this.#stopped || this.#done === this.total || this.#options.signal?.aborted === true;
  }

  /** Ends all lanes: the store failed, or all is done. */
  stop(): void {
    this.#stopped = true;
    this.#change.wake();
  }

  /** A chunk to ask a source for: one that nobody brings, else one that somebody else takes long to bring. */
  #next(source: Source): number | undefined {
    const at = this.#queue.findIndex((i) => !source.lacks.has(i));
    if (at >= 0) return this.#queue.splice(at, 1)[0]!;
    for (const [index, by] of this.#asked)
      if (by.size === 1 && !by.has(source) && !source.lacks.has(index)) return index;
    return undefined;
  }

  /** True if a chunk that others bring may yet fall to a source. */
  #mayCome(source: Source): boolean {
    return [...this.#asked.keys()].some((i) => !source.lacks.has(i));
  }

  /** Asks a source for one chunk after the other, as long as there is one. */
  async lane(source: Source): Promise<void> {
    while (!this.#over && source.dropped === undefined) {
      const index = this.#next(source);
      if (index !== undefined) await this.#bring(source, index);
      else if (this.#mayCome(source)) await this.#change.promise;
      else return;
    }
  }

  async #bring(source: Source, index: number): Promise<void> {
    const by = this.#asked.get(index) ?? new Map<Source, AbortController>();
    const own = new AbortController();
    this.#asked.set(index, by.set(source, own));
    const { signal: outer, timeout = 10_000 } = this.#options;
    const length = recordLength(this.#ref.size, index);
    const url = `${source.url}blobs/${this.#ref.root}/${index}`;
    const signals = [own.signal, source.stop.signal, ...(outer === undefined ? [] : [outer])];
    let answer = await ask(url, length, length, timeout, AbortSignal.any(signals));
    const late = own.signal.aborted; // another source brought it meanwhile
    if (!late && answer.kind === 'bytes' && !this.#options.store.save(this.#ref, index, answer.bytes))
      answer = { kind: 'lie', why: `chunk ${index} does not lead to the content root` };
    by.delete(source);
    if (!late) this.#settle(source, index, answer, by);
    this.#change.wake();
    this.#change = signal();
    if (answer.kind === 'busy' && source.dropped === undefined)
      await pause(answer.later, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  }

  #settle(source: Source, index: number, answer: Answer, by: Map<Source, AbortController>): void {
    if (answer.kind === 'bytes') {
      Object.assign(source.inRow, { failed: 0, busy: 0, missing: 0 });
      source.chunks++;
      this.#done++;
      this.#asked.delete(index);
      for (const other of by.values()) other.abort();
      this.#options.onProgress?.(this.#done, this.total);
      return;
    }
    if (by.size === 0) {
      this.#asked.delete(index);
      this.#queue.unshift(index);
    }
    if (source.dropped !== undefined || this.#options.signal?.aborted) return;
    if (answer.kind === 'lie') source.lied = true;
    if (answer.kind === 'missing') source.lacks.add(index);
    const tooOften = answer.kind !== 'lie' && ++source.inRow[answer.kind] >= MOST[answer.kind];
    const blank = answer.kind === 'missing' && source.chunks > 0; // has a part of the blob
    if (answer.kind !== 'lie' && (!tooOften || blank)) return;
    source.dropped = 'why' in answer ? answer.why : answer.kind === 'busy' ? 'always busy' : 'does not have it';
    source.stop.abort();
  }
}

function signal(): { promise: Promise<void>; wake: () => void } {
  let wake!: () => void;
  const promise = new Promise<void>((done) => {
    wake = done;
  });
  return { promise, wake };
}

function sourcesOf(urls: readonly string[]): Source[] {
  const plain = new Set(urls.map(peerUrl).filter((u) => u !== undefined));
  return [...plain].slice(0, MOST_SOURCES).map((url) => ({
    url,
    lacks: new Set(),
    inRow: { failed: 0, busy: 0, missing: 0 },
    chunks: 0,
    lied: false,
    stop: new AbortController(),
  }));
}

/**
 * Brings the chunks of a blob that the store lacks. Nothing is allocated by what a peer says: sizes follow from the listing.
 * @throws MarketError BadBlob, TooLarge; NoSource where there is no URL; Incomplete, which names each source and why it was
 * given up; the reason of `signal`
 */
export async function fetchBlob(ref: BlobRef, options: FetchOptions): Promise<FetchReport> {
  checkRef(ref, options.maxBytes ?? LIMITS.fileBytes - 1);
  const fetching = new Fetching(ref, options);
  const resumed = fetching.done;
  const sources = sourcesOf(options.sources);
  if (fetching.done < fetching.total && sources.length === 0)
    throw new MarketError('NoSource', `there is no peer to ask for ${ref.root}`);
  const lanes = sources.flatMap((s) => Array.from({ length: options.parallel ?? 4 }, () => fetching.lane(s)));
  try {
    await Promise.all(lanes);
  } finally {
    fetching.stop();
    for (const s of sources) s.stop.abort();
  }
  options.signal?.throwIfAborted();
  const reports = sources.map(({ url, chunks, dropped, lied }) => ({ url, chunks, dropped, lied }));
  if (fetching.done < fetching.total) {
    const whys = reports.map((s) => `${s.url}: ${s.dropped ?? 'has not all of it'}${s.lied ? ' (a lie)' : ''}`);
    throw new MarketError(
      'Incomplete',
      `${fetching.done} of ${fetching.total} chunks of ${ref.root} arrived; ${whys.join('; ')}`,
    );
  }
  return { resumed, fetched: fetching.total - resumed, sources: reports };
}

/**
 * The card of a model from the first source that has a right one; kept in the store. Undefined where none has.
 * @param key header hash
 */
export async function fetchCard(
  key: Hex,
  options: Pick<FetchOptions, 'sources' | 'store' | 'timeout' | 'signal'>,
): Promise<Card | undefined> {
  const held = await options.store.card(key);
  if (held !== undefined) return held;
  for (const { url } of sourcesOf(options.sources)) {
    const { timeout = 10_000, signal: outer = new AbortController().signal } = options;
    const answer = await ask(`${url}cards/${key}.json`, 1, CARD_BYTES, timeout, outer);
    if (answer.kind !== 'bytes') continue;
    try {
      const text = new TextDecoder().decode(answer.bytes);
      const card = readCard(key, text);
      options.store.addCard(key, JSON.parse(text));
      return card;
    } catch {
      // Another source may have the right one.
    }
  }
  return undefined;
}
