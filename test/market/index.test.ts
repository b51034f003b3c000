/** The index: what events say, read in ranges, over restarts, refusals and reorganisations; queries; and the command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addMarket } from '../../src/cli/market.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import type { Port } from '../../src/market/card.ts';
import { readCard } from '../../src/market/card.ts';
import { MarketError } from '../../src/market/errors.ts';
import { MarketIndex, sourcesOf } from '../../src/market/index.ts';
import { accuracyOf, type Listing, parseType, search } from '../../src/market/listing.ts';
import { type ChainReader, type MarketEvent, readChain } from '../../src/market/reader.ts';
import { BlobStore } from '../../src/market/store.ts';
import { Prng } from '../support/prng.ts';
import { type Bazaar, openBazaar } from './bazaar.ts';

const word = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const address = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samebit-index-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A chain in memory: blocks with events; a block's hash follows from all that is below it. */
class FakeChain implements ChainReader {
  readonly addresses = { market: address(1), registry: address(2), accuracy: address(3) };
  blocks: MarketEvent[][] = [[]];
  fork = 0;
  /** Events that one answer may hold. */
  most = Number.POSITIVE_INFINITY;
  asked: [bigint, bigint][] = [];

  add(...events: (readonly [from: MarketEvent['from'], name: string, args: MarketEvent['args']])[]): void {
    const block = BigInt(this.blocks.length);
    this.blocks.push(events.map(([from, name, args], place) => ({ from, name, args, block, place })));
  }

  list(n: number, more: Record<string, unknown> = {}): void {
    const args = { header: word(n), author: address(n), price: 10n, content: word(n), size: 5n, task: '', uri: '' };
    this.add(['market', 'Listed', { ...args, ...more }]);
  }

  chainId = async (): Promise<number> => 7;
  head = async (): Promise<bigint> => BigInt(this.blocks.length - 1);
  hash = async (block: bigint): Promise<Hex> => word(Number(block) + 1000 * this.fork);
  events = async (first: bigint, last: bigint): Promise<readonly MarketEvent[]> => {
    this.asked.push([first, last]);
    const found = this.blocks.slice(Number(first), Number(last) + 1).flat();
    if (found.length > this.most) throw new MarketError('NoNode', 'too many results');
    return found;
  };
}

describe('what events say', () => {
  it('a listing and what comes of it', async () => {
    const chain = new FakeChain();
    chain.add([
      'registry',
      'Registered',
      { headerHash: word(1), modelId: word(9), publisher: address(1), matureAt: 50n },
    ]);
    chain.add([
      'accuracy',
      'Scored',
      { id: 4n, header: word(1), author: address(1), data: word(3), metric: 0, rows: 200n, score: 180n, uri: 'u' },
    ]);
    chain.list(1, { task: 'Digits' });
    chain.add(
      ['market', 'Held', { header: word(1), validator: address(8) }],
      ['market', 'Priced', { header: word(1), price: 3n }],
    );
    chain.add(['market', 'Called', { header: word(1) }], ['market', 'Called', { header: word(1) }]);
    const index = new MarketIndex();
    await index.update(chain, { confirmations: 0n });
    expect(index.get(word(1))).toMatchObject({
      modelId: word(9),
      matureAt: 50n,
      price: 3n,
      held: [address(8)],
      calls: 2,
      closed: false,
    });
    expect(accuracyOf(index.get(word(1))!)).toBe(0.9);
    chain.add(['accuracy', 'Refuted', { id: 4n, by: address(2) }]);
    chain.add(
      ['registry', 'Refuted', { headerHash: word(1), by: address(2) }],
      ['market', 'Closed', { header: word(1) }],
    );
    await index.update(chain, { confirmations: 0n });
    expect(index.get(word(1))).toMatchObject({ refuted: true, closed: true, accuracy: [{ id: 4n, stands: false }] });
    expect(accuracyOf(index.get(word(1))!)).toBeUndefined();
    expect([search(index.listings(), {}).length, search(index.listings(), { all: true }).length]).toEqual([0, 1]);
  });

  it('blocks that may still be taken back are not read', async () => {
    const chain = new FakeChain();
    chain.list(1);
    for (let i = 0; i < 11; i++) chain.add();
    const index = new MarketIndex();
    await index.update(chain);
    expect([index.block, index.listings().length]).toEqual([0n, 0]);
    chain.add();
    await index.update(chain);
    expect([index.block, index.listings().length]).toEqual([1n, 1]);
  });
});

describe('the file', () => {
  it('goes on where it ended; a node that refuses large answers is asked for less', async () => {
    const path = join(folder, 'index.json');
    const chain = new FakeChain();
    for (let n = 1; n <= 40; n++) chain.list(n);
    chain.most = 7;
    await new MarketIndex(path).update(chain, { confirmations: 0n, step: 16n });
    chain.asked = [];
    chain.list(41);
    const index = new MarketIndex(path);
    await index.update(chain, { confirmations: 0n });
    expect(chain.asked).toEqual([[41n, 41n]]);
    expect(index.listings().map((l) => l.header)).toEqual(Array.from({ length: 41 }, (_, i) => word(i + 1)));
    expect(index.get(word(1))!.price).toBe(10n);
  });

  it('a reorganisation below what was read: read anew', async () => {
    const path = join(folder, 'index.json');
    const chain = new FakeChain();
    chain.list(1);
    chain.list(2);
    await new MarketIndex(path).update(chain, { confirmations: 0n });
    chain.fork = 1;
    chain.blocks = [[], []];
    chain.list(3);
    const index = new MarketIndex(path);
    await index.update(chain, { confirmations: 0n });
    expect(index.listings().map((l) => l.header)).toEqual([word(3)]);
    // The chain is shorter than what was read.
    chain.fork = 2;
    chain.blocks = [[]];
    await index.update(chain, { confirmations: 0n });
    expect(index.listings()).toEqual([]);
  });

  it('chains by chance, read in any steps: the same as read at once', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Prng(seed);
      const chain = new FakeChain();
      const [once, often] = [new MarketIndex(), new MarketIndex(join(folder, `${seed}.json`))];
      for (let i = 0; i < 40; i++) {
        const n = random.int(1, 5);
        const acts = [
          () => chain.list(n + 10 * i),
          () => chain.add(['market', 'Priced', { header: word(n), price: BigInt(random.int(0, 99)) }]),
          () => chain.add(['market', 'Called', { header: word(n + 10 * random.int(0, i)) }]),
          () =>
            chain.add([
              'accuracy',
              'Scored',
              {
                id: BigInt(i),
                header: word(n),
                author: address(n),
                data: word(3),
                metric: 1,
                rows: 2n,
                score: 1n,
                uri: '',
              },
            ]),
          () => chain.add(['accuracy', 'Settled', { id: BigInt(random.int(0, i)) }]),
        ];
        acts[random.int(0, acts.length - 1)]!();
        const step = BigInt(random.int(1, 9));
        if (random.int(0, 3) === 0)
          await new MarketIndex(join(folder, `${seed}.json`)).update(chain, { confirmations: 2n, step });
      }
      await once.update(chain, { confirmations: 0n });
      await often.update(chain, { confirmations: 0n });
      expect(often.listings(), `seed ${seed}`).toEqual(once.listings());
    }
  });

  it('another market, or no index at all', async () => {
    const path = join(folder, 'index.json');
    const chain = new FakeChain();
    await new MarketIndex(path).update(chain, { confirmations: 0n });
    const other = new FakeChain();
    (other.addresses as { market: Hex }).market = address(99);
    await expect(new MarketIndex(path).update(other)).rejects.toMatchObject({ code: 'WrongChain' });
    other.chainId = async () => 8;
    await expect(new MarketIndex(path).update(other)).rejects.toMatchObject({ code: 'WrongChain' });
    for (const text of ['', '{}', '[]', 'null', '{"version":1,"listings":{"map":[1]}}']) {
      writeFileSync(path, text);
      await expect(new MarketIndex(path).update(chain), text).rejects.toMatchObject({ code: 'BadIndex' });
    }
  });
});

describe('queries', () => {
  const port = (dtype: Port['dtype'], shape: Port['shape'], state = false): Port => ({
    name: 'x',
    dtype,
    shape,
    zp: 0,
    lo: 0,
    hi: 1,
    state,
  });
  const listing = (n: number, more: Partial<Listing>): Listing => ({
    header: word(n),
    author: address(1),
    price: BigInt(n),
    content: word(n),
    size: 1,
    task: '',
    uri: '',
    refuted: false,
    held: [],
    closed: false,
    calls: 0,
    block: 0n,
    accuracy: [],
    ...more,
  });
  const claim = {
    id: 1n,
    metric: 'top1',
    data: word(1),
    uri: '',
    rows: 100,
    by: address(1),
    settled: true,
    stands: true,
  } as const;
  const all = [
    listing(3, {
      task: 'Digits of hands',
      inputs: [port('u8', [1, 28, 28, 1])],
      outputs: [port('i8', [1, 10])],
      accuracy: [{ ...claim, score: 97n }],
    }),
    listing(1, {
      task: 'digits',
      inputs: [port('i8', [{ c: 0, k: [1] }, 10]), port('i16', [4], true)],
      accuracy: [{ ...claim, score: 99n, stands: false }],
    }),
    listing(2, { task: 'Faces', calls: 4 }),
    listing(2 ** 20, { price: 2n, calls: 9 }),
  ];
  const found = (query: Parameters<typeof search>[1]): number[] => search(all, query).map((l) => Number(l.header));

  it('by task, type, price and accuracy; the cheapest first, then those called most', () => {
    expect(found({})).toEqual([1, 2 ** 20, 2, 3]);
    expect(found({ task: 'DIGITS' })).toEqual([1, 3]);
    expect(found({ task: 'hands digits' })).toEqual([3]);
    expect(found({ input: 'u8[1,28,28,1]' })).toEqual([3]);
    expect(found({ input: 'u8' })).toEqual([3]);
    expect(found({ input: '[?,28,28,?]' })).toEqual([3]);
    expect(found({ input: '[7,10]' })).toEqual([1]);
    expect(found({ input: 'i16' })).toEqual([]);
    expect(found({ output: 'i8[1,10]' })).toEqual([3]);
    expect(found({ output: 'i8[1,?,10]' })).toEqual([]);
    expect(found({ maxPrice: 1n })).toEqual([1]);
    expect(found({ minAccuracy: 0.97 })).toEqual([3]);
    expect(found({ minAccuracy: 0.98 })).toEqual([]);
  });

  it('types that are none', () => {
    expect(parseType('i8[]')).toEqual({ dtype: 'i8', shape: [] });
    for (const text of ['', 'f32', 'i8[', 'i8[1,]', 'i8[-1]', 'i8[1;2]', '[x]', 'i8 [1] x'])
      expect(() => parseType(text), text).toThrow(RangeError);
  });

  it('URLs in the words of an author', () => {
    const uri = 'see http://a.example/x, file:///etc/passwd https://b.example http://u:p@c.example javascript:1';
    expect(sourcesOf(uri)).toEqual(['http://a.example/x/', 'https://b.example/']);
    expect(sourcesOf('http://a.example '.repeat(50)).length).toBe(8);
  });
});

describe('a market in this process', () => {
  let bazaar: Bazaar;
  beforeAll(async () => {
    bazaar = await openBazaar();
  });
  afterAll(() => bazaar.close());

  it('is read through viem; cards come from the authors’ peers and are checked', async () => {
    const reader = await readChain(bazaar.node.url, {
      market: bazaar.market.address as Hex,
      accuracy: bazaar.accuracy.address as Hex,
    });
    const index = new MarketIndex();
    await index.update(reader, { confirmations: 0n, step: 3n });
    const store = new BlobStore(folder);
    await index.describe(store);
    const { dense, digits } = bazaar;
    expect(index.listings().map((l) => [l.header, l.content, l.size, l.modelId])).toEqual(
      [dense, digits].map((w) => [w.header, w.root, w.size, toHex(w.model.id)]),
    );
    const { name, shape, zp } = digits.model.inputs[0]!;
    expect(index.get(digits.header)!.inputs).toEqual([
      { name, dtype: 'u8', shape, zp: zp + 128, lo: 0, hi: 255, state: false },
    ]);
    const text = (await store.cardText(digits.header))!;
    expect(readCard(digits.header, text).outputs.length).toBe(digits.model.outputs.length);
    const card = JSON.parse(text) as { header: string; signature: { name: string; words: string }[] };
    const other = (await store.cardText(dense.header))!;
    const bad: unknown[] = [
      '',
      [],
      { ...card, header: `${card.header.slice(0, -1)}f` },
      { ...card, signature: card.signature.slice(1) },
      { ...card, signature: card.signature.toReversed() },
      { ...card, signature: card.signature.map((s) => ({ ...s, name: 'y' })) },
      { ...card, signature: card.signature.map((s) => ({ ...s, words: `${s.words}${'00'.repeat(32)}` })) },
      { ...card, signature: [...card.signature, card.signature[0]] },
      JSON.parse(other),
    ];
    for (const v of bad)
      expect(() => readCard(digits.header, JSON.stringify(v)), JSON.stringify(v)).toThrow(MarketError);
    expect(() => readCard(digits.header, '['.repeat(2 ** 20 + 1))).toThrow(MarketError);
  });

  it('samebit search prints what fits', async () => {
    const printed: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const run = async (...more: string[]): Promise<string> => {
      printed.length = 0;
      const program = new Command().exitOverride();
      addMarket(program);
      const where = [
        '--rpc',
        bazaar.node.url,
        '--market',
        bazaar.market.address,
        '--store',
        folder,
        '--confirmations',
        '0',
      ];
      await program.parseAsync(['search', ...where, ...more], { from: 'user' });
      return printed.join('');
    };
    try {
      const { models, block } = JSON.parse(await run('--json', '--input', 'u8[1,28,28,1]')) as {
        models: Listing[];
        block: number;
      };
      expect([models.map((m) => m.header), block > 0]).toEqual([[bazaar.digits.header], true]);
      const text = await run('--max-price', '1000');
      expect(text).toContain('1 of 2 models');
      expect(text).toContain(bazaar.dense.header);
      expect(await run('--task', 'unheard of')).toContain('0 of 2 models');
      expect(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))).toMatchObject({ version: 1 });
    } finally {
      spy.mockRestore();
    }
  });

  it('no market there, or no node', async () => {
    const market = bazaar.market.address as Hex;
    await expect(readChain(bazaar.node.url, { market: address(77) })).rejects.toMatchObject({ family: 'MarketError' });
    await expect(readChain(bazaar.node.url, { market: '0x12' })).rejects.toMatchObject({ code: 'WrongChain' });
    await expect(readChain('http://127.0.0.1:9', { market })).rejects.toMatchObject({ code: 'NoNode' });
  });
});
