/**
 * The index of a market: what its events say of every model on offer, in one JSON file that goes on where it ended.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Hex } from '../evm/proof.ts';
import { METRICS } from './accuracy.ts';
import { MarketError } from './errors.ts';
import { fetchCard } from './fetch.ts';
import type { AccuracyClaim, Listing } from './listing.ts';
import type { ChainReader, MarketAddresses, MarketEvent } from './reader.ts';
import { peerUrl } from './source.ts';
import type { BlobStore } from './store.ts';

/** How an index follows a chain. */
export interface IndexOptions {
  /** Block of the oldest contract; default 0. */
  readonly from?: bigint;
  /** Blocks that have to stand above one that is read; default 12. What is above a reorganisation of this depth is never seen. */
  readonly confirmations?: bigint;
  /** Most blocks of one question to the node; default 5,000, fewer where the node refuses. */
  readonly step?: bigint;
  /** Called behind each part that was read. */
  readonly onProgress?: (block: bigint, head: bigint) => void;
}

/** What the registry said of a header. */
interface Registered {
  readonly modelId: Hex;
  readonly matureAt: bigint;
}

/** The file. */
interface State {
  readonly version: 1;
  readonly chainId: number;
  readonly addresses: MarketAddresses;
  /** The last block that was read, and its hash then. */
  last?: { readonly block: bigint; readonly hash: Hex };
  readonly registered: Map<Hex, Registered>;
  readonly listings: Map<Hex, Listing>;
  /** Claims of accuracy by their ids; one may stand before its model is on offer. */
  readonly claims: Map<string, AccuracyClaim & { readonly header: Hex }>;
}

/** Values that JSON lacks: a BigInt as {"wei": digits}, a map as {"map": entries}. */
function toText(state: State): string {
  return JSON.stringify(state, (_, v: unknown) =>
    typeof v === 'bigint' ? { int: String(v) } : v instanceof Map ? { map: [...v] } : v,
  );
}

function fromText(text: string): State {
  return JSON.parse(text, (_, v: unknown) => {
    const { int, map } = (v ?? {}) as { readonly int?: unknown; readonly map?: unknown };
    if (typeof int === 'string') return BigInt(int);
    return Array.isArray(map) ? new Map(map as [unknown, unknown][]) : v;
  }) as State;
}

const lower = (v: unknown): Hex => String(v).toLowerCase() as Hex;

/** Listings of a market, from its events. */
export class MarketIndex {
  readonly #path: string | undefined;
  #state: State | undefined;
  #cards: Map<Hex, Pick<Listing, 'inputs' | 'outputs'>> = new Map();

  /** @param path the file; none: kept in memory alone */
  constructor(path?: string) {
    this.#path = path;
  }

  /** Models on offer, closed and refuted ones too, in the order of their listing. */
  listings(): Listing[] {
    return [...(this.#state?.listings.values() ?? [])].map((l) => this.#whole(l));
  }

  /** A model by its header hash. */
  get(header: Hex): Listing | undefined {
    const l = this.#state?.listings.get(header);
    return l && this.#whole(l);
  }

  /** A listing with what its card and the claims about it say. */
  #whole(l: Listing): Listing {
    const accuracy = [...this.#state!.claims.values()].filter((c) => c.header === l.header);
    return { ...l, accuracy, ...this.#cards.get(l.header) };
  }

  /** The last block that was read. */
  get block(): bigint | undefined {
    return this.#state?.last?.block;
  }

  #fresh(chainId: number, addresses: MarketAddresses): State {
    return { version: 1, chainId, addresses, registered: new Map(), listings: new Map(), claims: new Map() };
  }

  #load(chainId: number, addresses: MarketAddresses): State {
    if (this.#path === undefined || !existsSync(this.#path)) return this.#fresh(chainId, addresses);
    let state: State;
    try {
      state = fromText(readFileSync(this.#path, 'utf8'));
      if (state.version !== 1 || !(state.listings instanceof Map) || !(state.claims instanceof Map))
        throw new TypeError('not an index');
    } catch {
      throw new MarketError('BadIndex', `${this.#path} is no index of a market`);
    }
    const same = (['market', 'registry', 'accuracy'] as const).every(
      (n) => lower(state.addresses[n]) === lower(addresses[n]),
    );
    if (state.chainId !== chainId || !same)
      throw new MarketError('WrongChain', `${this.#path} is the index of another market`);
    return state;
  }

  #save(): void {
    if (this.#path === undefined) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const part = `${this.#path}.${process.pid}`;
    writeFileSync(part, toText(this.#state!));
    renameSync(part, this.#path);
  }

  /**
   * Reads what is new, and starts anew where the chain was reorganised below the last block that was read.
   * @throws MarketError BadIndex, WrongChain, NoNode
   */
  async update(reader: ChainReader, options: IndexOptions = {}): Promise<void> {
    const { from = 0n, confirmations = 12n, step = 5_000n, onProgress } = options;
    this.#state ??= this.#load(await reader.chainId(), reader.addresses);
    const head = (await reader.head()) - confirmations;
    const { last } = this.#state;
    if (last !== undefined && (last.block > head + confirmations || (await reader.hash(last.block)) !== last.hash))
      this.#state = this.#fresh(this.#state.chainId, reader.addresses);
    const state = this.#state;
    let next = state.last === undefined ? from : state.last.block + 1n;
    for (let width = step; next <= head; ) {
      const end = next + width - 1n < head ? next + width - 1n : head;
      let events: readonly MarketEvent[];
      try {
        events = await reader.events(next, end);
      } catch (e) {
        if (end === next) throw e;
        width = (end - next + 1n) / 2n; // nodes refuse answers that are too large
        continue;
      }
      for (const e of events) this.#take(e);
      state.last = { block: end, hash: await reader.hash(end) };
      this.#save();
      onProgress?.(end, head);
      next = end + 1n;
      width = 2n * width < step ? 2n * width : step;
    }
  }

  #change(header: Hex, change: (l: Listing) => Partial<Listing>): void {
    const l = this.#state!.listings.get(header);
    if (l !== undefined) this.#state!.listings.set(header, { ...l, ...change(l) });
  }

  #claim(id: unknown, change: Partial<AccuracyClaim>): void {
    const c = this.#state!.claims.get(String(id));
    if (c !== undefined) this.#state!.claims.set(String(id), { ...c, ...change });
  }

  #take({ from, name, args: a, block }: MarketEvent): void {
    const state = this.#state!;
    const header = lower(a['header'] ?? a['headerHash']);
    const word = (v: unknown): string => String(v);
    const handlers: Readonly<Record<string, () => void>> = {
      'registry Registered': () => {
        const known = { modelId: lower(a['modelId']), matureAt: BigInt(a['matureAt'] as bigint) };
        state.registered.set(header, known);
        this.#change(header, () => ({ ...known, refuted: false }));
      },
      'registry Refuted': () => this.#change(header, () => ({ refuted: true })),
      'market Listed': () =>
        state.listings.set(header, {
          header,
          author: lower(a['author']),
          price: a['price'] as bigint,
          content: lower(a['content']),
          size: Number(a['size']),
          task: word(a['task']),
          uri: word(a['uri']),
          ...state.registered.get(header),
          refuted: false,
          held: [],
          closed: false,
          calls: 0,
          block,
          accuracy: [],
        }),
      'market Held': () => this.#change(header, (l) => ({ held: [...l.held, lower(a['validator'])] })),
      'market Priced': () => this.#change(header, () => ({ price: a['price'] as bigint })),
      'market Closed': () => this.#change(header, () => ({ closed: true })),
      'market Called': () => this.#change(header, (l) => ({ calls: l.calls + 1 })),
      'accuracy Scored': () => {
        state.claims.set(word(a['id']), {
          id: a['id'] as bigint,
          header,
          metric: METRICS[Number(a['metric'])]!,
          data: lower(a['data']),
          uri: word(a['uri']),
          rows: Number(a['rows']),
          score: a['score'] as bigint,
          by: lower(a['author']),
          settled: false,
          stands: true,
        });
      },
      'accuracy Refuted': () => this.#claim(a['id'], { stands: false }),
      'accuracy Settled': () => this.#claim(a['id'], { settled: true }),
    };
    handlers[`${from} ${name}`]?.();
  }

  /**
   * Looks for the cards of models that have none yet: in the store, at the peers that their authors name, and at `peers`.
   * What is found tells inputs and outputs; what is not found stays unknown.
   */
  async describe(store: BlobStore, peers: readonly string[] = [], timeout = 3_000): Promise<void> {
    const open = this.listings().filter((l) => l.inputs === undefined && !l.closed && !l.refuted);
    const next = async (): Promise<void> => {
      for (let l = open.shift(); l !== undefined; l = open.shift()) {
        const sources = [...peers, ...sourcesOf(l.uri)];
        const card = await fetchCard(l.header, { store, sources, timeout });
        if (card !== undefined) this.#cards.set(l.header, { inputs: card.inputs, outputs: card.outputs });
      }
    };
    await Promise.all(Array.from({ length: 8 }, next));
  }
}

/** URLs of peers in the words of an author, the first eight of them. */
export function sourcesOf(uri: string): string[] {
  return uri
    .split(/[\s,]+/)
    .map(peerUrl)
    .filter((u) => u !== undefined)
    .slice(0, 8);
}
