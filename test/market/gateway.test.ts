/** Calls over HTTP: paid on the chain, or run here; limits of money, size and origin; what a restart knows. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commit } from '../../src/consensus/commitment.ts';
import { decodeReceipt, headerHash, headerOf, receiptHash } from '../../src/consensus/header.ts';
import { keccak256 } from '../../src/consensus/keccak.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import { MarketError } from '../../src/market/errors.ts';
import { type GatewayOptions, serveGateway } from '../../src/market/gateway.ts';
import { MarketIndex } from '../../src/market/index.ts';
import { ChainLane, type Lane, LocalLane } from '../../src/market/lanes.ts';
import { Ledger } from '../../src/market/ledger.ts';
import { readChain } from '../../src/market/reader.ts';
import type { Listening } from '../../src/market/server.ts';
import { BlobStore } from '../../src/market/store.ts';
import { createSession } from '../../src/runtime/session.ts';
import { type Bazaar, bytesOf, keyText, openBazaar } from './bazaar.ts';

const ETHER = 10n ** 18n;
let bazaar: Bazaar;
let index: MarketIndex;
let store: BlobStore;
const open: Listening[] = [];

beforeAll(async () => {
  bazaar = await openBazaar();
  index = new MarketIndex();
  store = new BlobStore(join(bazaar.folder, 'buyer'));
  const reader = await readChain(bazaar.node.url, { market: bazaar.market.address as Hex });
  await index.update(reader, { confirmations: 0n });
  await index.describe(store);
});
afterAll(async () => {
  for (const server of open) await server.close();
  await bazaar.close();
});

interface Reply {
  readonly status: number;
  readonly body: {
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
    readonly outputs?: readonly { readonly name: string; readonly dtype: string; readonly data: number[] }[];
    readonly output?: Hex;
    readonly receipt?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
}

async function post(url: string, header: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${url}/v1/models/${header}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

async function chainLane(name: string, ledger: Ledger): Promise<Lane> {
  const party = await bazaar.chain.party(name);
  return ChainLane.open({ rpc: bazaar.node.url, market: bazaar.market.address as Hex, key: keyText(party), ledger });
}

async function gateway(lane: Lane, ledger: Ledger, more: Partial<GatewayOptions> = {}): Promise<string> {
  const server = await serveGateway({ index, store, lane, ledger, maxPrice: 10_000n, ...more });
  open.push(server);
  return server.url;
}

const X = [1, -2, 3, -4, 5, -6];

async function honest(values: readonly number[]): Promise<Uint8Array> {
  const session = await createSession(bazaar.dense.model);
  const { outputs } = await session.run({ x: Int8Array.from(values) });
  return toBytes(outputs['y']!.data).slice();
}

describe('on the chain', () => {
  it('pays the author, answers what the model gives, and notes it', async () => {
    const path = join(bazaar.folder, 'chain.jsonl');
    const ledger = new Ledger(ETHER, path);
    const url = await gateway(await chainLane('buyer 1', ledger), ledger);
    const { header } = bazaar.dense;
    const author = bazaar.author.address.toString();
    const before = (await bazaar.market.call('balances', [author])).value as bigint;
    const { status, body } = await post(url, header, { inputs: { x: X } });
    expect([status, body.error]).toEqual([200, undefined]);
    const expected = await honest(X);
    expect(body.outputs).toEqual([
      { name: 'y', dtype: 'i8', shape: [2, 2], data: [...new Int8Array(expected.buffer, expected.byteOffset, 4)] },
    ]);
    const { receipt } = body;
    expect(receipt).toMatchObject({
      mode: 'chain',
      header,
      price: '1000',
      input: toHex(keccak256(toBytes(Int8Array.from(X)))),
      output: toHex(keccak256(expected)),
    });
    expect((await bazaar.market.call('balances', [author])).value).toBe(before + 1000n);
    expect(ledger.state).toEqual({ spent: 1000n + BigInt(receipt!['fee']!), budget: ETHER, calls: 1 });
    // The same as call data, answered the same.
    const raw = await post(url, header, { data: toHex(toBytes(Int8Array.from(X))) });
    expect(raw.body.outputs).toEqual(body.outputs);
    expect(() => new Ledger(ETHER, path)).toThrow(/LedgerInUse|has locked the ledger/);
    ledger.close();
    const again = new Ledger(ETHER, path);
    expect(again.state).toEqual({ ...ledger.state, calls: 2 });
    again.close();
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>);
    expect(lines.map((l) => l['reserve'] ?? l['done'])).toEqual([1, 1, 2, 2]);
  });

  it('never spends above its limits: of the call, of the gateway, of all calls', async () => {
    const { dense, digits } = bazaar;
    const ledger = new Ledger(ETHER);
    const url = await gateway(await chainLane('buyer 2', ledger), ledger, { maxPrice: 4_999n });
    const refused = async (reply: Promise<Reply>): Promise<void> => {
      const { status, body } = await reply;
      expect([status, body.error!.code]).toEqual([402, 'OverBudget']);
    };
    await refused(post(url, digits.header, { inputs: { image: [] }, data: '0x' }));
    await refused(post(url, dense.header, { inputs: { x: X }, maxPrice: '999' }));
    expect((await post(url, dense.header, { inputs: { x: X }, maxPrice: '1000' })).status).toBe(200);
    const poor = new Ledger(2_000n);
    await refused(post(await gateway(await chainLane('buyer 3', poor), poor), dense.header, { inputs: { x: X } }));
    expect(poor.state.spent).toBe(0n);
  });

  it('a price that rose since the index was read is not paid', async () => {
    const { dense, market, author } = bazaar;
    const ledger = new Ledger(ETHER);
    const url = await gateway(await chainLane('buyer 4', ledger), ledger);
    await market.send(author, 'setPrice', [dense.header, 20_000n]);
    const { status, body } = await post(url, dense.header, { inputs: { x: X } });
    expect([status, body.error!.code, ledger.state.spent]).toEqual([402, 'OverBudget', 0n]);
    await market.send(author, 'setPrice', [dense.header, 1_000n]);
  });

  it('what the market refuses costs nothing', async () => {
    const ledger = new Ledger(ETHER);
    const url = await gateway(await chainLane('buyer 5', ledger), ledger);
    const { status, body } = await post(url, bazaar.dense.header, { data: '0x0102' });
    expect([status, body.error!.code, ledger.state.spent]).toEqual([502, 'PaymentFailed', 0n]);
  });

  it('calls at once are paid one after the other; what is too much is told to come again', async () => {
    const ledger = new Ledger(ETHER);
    const url = await gateway(await chainLane('buyer 6', ledger), ledger, { waiting: 3 });
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post(url, bazaar.dense.header, { inputs: { x: [i, 0, 0, 0, 0, 0] } })),
    );
    const codes = replies.map((r) => r.status).sort();
    expect(codes.filter((s) => s === 200).length).toBe(4);
    expect(codes.filter((s) => s === 503).length).toBe(4);
    expect(ledger.state.calls).toBe(4);
  });
});

describe('on this machine', () => {
  it('fetches the body, runs it, meters it; with a trace the receipt is that of spec/40', async () => {
    const ledger = new Ledger(0n, join(bazaar.folder, 'local.jsonl'));
    const url = await gateway(new LocalLane({ store, ledger }), ledger, { maxPrice: 0n });
    const { digits } = bazaar;
    const name = digits.model.inputs[0]!.name;
    const image = Array.from({ length: 784 }, (_, i) => (i * 7) % 256);
    const { status, body } = await post(url, digits.header, { inputs: { [name]: image }, trace: true });
    expect([status, body.error]).toEqual([200, undefined]);
    const session = await createSession(digits.model);
    const result = await session.run({ [name]: Uint8Array.from(image) });
    expect(body.outputs![0]!.data).toEqual([...result.outputs[digits.model.outputs[0]!.name]!.data]);
    const { receipt } = body;
    expect(receipt).toMatchObject({ mode: 'local', price: '5000', digest: result.digest, gas: String(result.gasUsed) });
    const words = decodeReceipt(bytesOf(receipt!['receiptWords'] as Hex));
    expect(toHex(words.headerHash)).toBe(digits.header);
    expect(toHex(headerHash(headerOf(commit(digits.model))))).toBe(digits.header);
    expect(toHex(receiptHash('keccak256', words))).toBe(receipt!['receipt']);
    const plain = await post(url, digits.header, { inputs: { [name]: image } });
    expect(plain.body.receipt!['digest']).toBe(result.digest);
    expect(plain.body.receipt!['receipt']).toBeUndefined();
    expect(ledger.state).toEqual({ spent: 0n, budget: 0n, calls: 2 });
  });

  it('a body that is another model is refused, and so is a run above its gas', async () => {
    const ledger = new Ledger(0n);
    const other = { ...index.get(bazaar.dense.header)!, content: bazaar.digits.root, size: bazaar.digits.size };
    const lane = new LocalLane({ store, ledger, maxGas: 1n });
    const call = { data: new Uint8Array(6), maxPrice: 0n, trace: false };
    await expect(lane.call({ ...call, listing: other })).rejects.toMatchObject({ code: 'WrongModel' });
    await expect(lane.call({ ...call, listing: index.get(bazaar.dense.header)! })).rejects.toMatchObject({
      code: 'GasLimit',
    });
  });
});

describe('who may ask', () => {
  let url: string;
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = new Ledger(0n);
    url = await gateway(new LocalLane({ store, ledger }), ledger, { maxBody: 1000 });
  });

  it('bad requests say what is wrong', async () => {
    const { header } = bazaar.dense;
    const cases: [unknown, number, RegExp][] = [
      ['{', 400, /no JSON object/],
      [[], 400, /neither inputs nor data/],
      [{ inputs: {} }, 400, /input x is a list of 6 numbers: i8 \[2, 3\]/],
      [{ inputs: { x: X, z: [] } }, 400, /no input z; the inputs are x/],
      [{ inputs: { x: [...X.slice(1), 128] } }, 400, /element 5, is 128/],
      [{ inputs: { x: [...X.slice(1), 0.5] } }, 400, /element 5, is 0.5/],
      [{ inputs: { x: X.map(String) } }, 400, /element 0/],
      [{ inputs: { x: X }, dims: [1] }, 400, /dims/],
      [{ inputs: { x: X }, maxPrice: 5 }, 400, /maxPrice/],
      [{ inputs: { x: X }, maxPrise: '5' }, 400, /maxPrise is no field/],
      [{ data: '0xzz' }, 400, /data/],
      [{ data: '0x00' }, 400, /not the inputs/],
      [{ data: `0x${'00'.repeat(1000)}` }, 413, /too large/],
    ];
    for (const [body, status, words] of cases) {
      const reply = await post(url, header, body);
      expect([reply.status, reply.body.error?.message], JSON.stringify(body)).toEqual([
        status,
        expect.stringMatching(words),
      ]);
    }
    expect((await post(url, `0x${'11'.repeat(32)}`, { data: '0x' })).status).toBe(404);
    expect((await post(url, '..%2f..', { data: '0x' })).status).toBe(404);
    expect(ledger.state.calls).toBe(0);
  });

  it('no page of another origin, no other name for this machine, no form', async () => {
    const { header } = bazaar.dense;
    expect((await post(url, header, { inputs: { x: X } }, { origin: 'https://example.org' })).status).toBe(403);
    expect((await post(url, header, { inputs: { x: X } }, { 'content-type': 'text/plain' })).status).toBe(415);
    const status = await new Promise<number>((done) => {
      const { port } = new URL(url);
      request({ port, host: '127.0.0.1', path: '/v1/models', headers: { host: 'rebound.example.org' } }, (r) => {
        r.resume();
        done(r.statusCode!);
      }).end();
    });
    expect(status).toBe(403);
    expect((await post(url, header, { inputs: { x: X } }, { origin: url })).status).toBe(200);
  });

  it('a token, where there is one; none is no gateway for others', async () => {
    const token = 'a token of many letters';
    const own = await gateway(new LocalLane({ store, ledger }), ledger, { token });
    expect((await fetch(`${own}/v1/models`)).status).toBe(401);
    expect((await fetch(`${own}/v1/models`, { headers: { authorization: 'Bearer no' } })).status).toBe(401);
    expect((await fetch(`${own}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await fetch(own)).status).toBe(200);
    const lane = new LocalLane({ store, ledger });
    await expect(serveGateway({ index, store, lane, ledger, maxPrice: 0n, host: '0.0.0.0' })).rejects.toThrow(/token/);
  });

  it('the index over HTTP, and a page without requests elsewhere', async () => {
    const get = async (path: string): Promise<Reply['body']> =>
      (await fetch(url + path)).json() as Promise<Reply['body']>;
    const all = (await get('/v1/models'))['models'] as { readonly header: string }[];
    expect(all.map((m) => m.header)).toEqual([bazaar.dense.header, bazaar.digits.header]);
    const found = (await get('/v1/models?input=u8[1,28,28,1]&maxPrice=5000'))['models'] as {
      readonly header: string;
    }[];
    expect(found.map((m) => m.header)).toEqual([bazaar.digits.header]);
    expect((await get('/v1/models?input=zz')).error!.code).toBe('BadRequest');
    expect((await get('/v1/models?minAccuracy=2')).error!.code).toBe('BadRequest');
    expect((await get(`/v1/models/${bazaar.dense.header}`))['price']).toBe('1000');
    const page = await fetch(url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const texts = [
      await page.text(),
      await (await fetch(`${url}/page.js`)).text(),
      await (await fetch(`${url}/page.css`)).text(),
    ];
    for (const text of texts) expect(text).not.toMatch(/https?:\/\/|@import|innerHTML/);
  });
});

describe('the ledger', () => {
  it('money that a crash left open stays spent; a line that was cut off is no end of it', () => {
    const path = join(bazaar.folder, 'ledger.jsonl');
    const ledger = new Ledger(100n, path);
    ledger.finish(ledger.reserve(50n), 10n);
    ledger.reserve(60n);
    expect(() => ledger.reserve(31n)).toThrow(MarketError);
    appendFileSync(path, '{"done":2,"we');
    ledger.close();
    const again = new Ledger(100n, path);
    expect(again.state).toEqual({ spent: 70n, budget: 100n, calls: 0 });
    expect(again.reserve(30n)).toBe(3);
    again.close();
    const third = new Ledger(100n, path);
    expect(third.state.spent).toBe(100n);
    third.close();
    const local = new Ledger(0n, path);
    expect(local.reserve(0n)).toBe(4); // a local run after paid ones
    local.close();
    writeFileSync(path, 'no ledger\n{}\n');
    expect(() => new Ledger(100n, path)).toThrow(MarketError);
  });

  it('takes the lock of a process that ended, and says where its file is broken', () => {
    const path = join(bazaar.folder, 'lock.jsonl');
    writeFileSync(`${path}.lock`, '999999999');
    new Ledger(1n, path).close();
    writeFileSync(path, '{"reserve":1,"wei":"1","time":""}\nno line\n');
    for (let i = 0; i < 2; i++)
      expect(() => new Ledger(1n, path)).toThrow(
        expect.objectContaining({ code: 'BadLedger', message: expect.stringMatching(/line 2/) }),
      );
  });
});
