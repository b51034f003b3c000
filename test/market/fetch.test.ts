/** Blobs between peers that are corrupt, slow, lying or gone: the bytes arrive whole, or there is a clear error. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Blob, type BlobRef, CHUNK_BYTES, chunkOf } from '../../src/market/blobs.ts';
import { MarketError } from '../../src/market/errors.ts';
import { type FetchOptions, type FetchReport, fetchBlob } from '../../src/market/fetch.ts';
import { servePeer } from '../../src/market/peer.ts';
import { BlobStore } from '../../src/market/store.ts';
import { Prng } from '../support/prng.ts';
import { bytesOf, LIES, MANNERS, type Manner, openPeer, type TestPeer } from './peers.ts';

const SEEDS = Number(process.env['SAMEBIT_SEQUENCES'] ?? 30);
const body = bytesOf(new Prng(1), 9, 777);
const blob = new Blob(body);
const ref: BlobRef = { root: blob.root, size: blob.size };

let folder: string;
let store: BlobStore;
const open: { close(): unknown }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samebit-blobs-'));
  store = new BlobStore(folder);
});
afterEach(() => {
  for (const peer of open.splice(0)) peer.close();
  rmSync(folder, { recursive: true, force: true });
});

async function peer(manner: string | ((index: number) => Manner), of: Blob = blob): Promise<TestPeer> {
  const made = await openPeer(of, typeof manner === 'string' ? () => MANNERS[manner]! : manner);
  open.push(made);
  return made;
}

function get(sources: readonly { readonly url: string }[], more: Partial<FetchOptions> = {}): Promise<FetchReport> {
  return fetchBlob(ref, { sources: sources.map((s) => s.url), store, timeout: 300, ...more });
}

/** Equal bytes: the matcher takes seconds for half a megabyte. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const e = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(e).toBeInstanceOf(MarketError);
  return (e as MarketError).code;
}

describe('records', () => {
  it('each carries its proof; a changed bit, another place or another size is refused', () => {
    for (let i = 0; i < 10; i++) {
      const record = blob.record(i);
      expect(same(chunkOf(ref, i, record)!, body.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))).toBe(true);
      expect(chunkOf(ref, (i + 1) % 9, record)).toBeUndefined();
      for (const at of [0, 127, 128, record.length - 1]) {
        const bad = record.slice();
        bad[at]! ^= 1;
        expect(chunkOf(ref, i, bad)).toBeUndefined();
      }
      expect(chunkOf({ ...ref, size: ref.size - 1 }, i, record)).toBeUndefined();
    }
    for (const i of [-1, 10, 0.5, Number.NaN]) expect(chunkOf(ref, i, blob.record(0))).toBeUndefined();
  });

  it('a blob that ends at an earlier chunk is another blob', () => {
    const shorter = { root: blob.root, size: 8 * CHUNK_BYTES };
    for (let i = 0; i < 8; i++) {
      const record = blob.record(i).slice(32); // the depth of 8 chunks
      expect(chunkOf(shorter, i, record)).toBeUndefined();
      expect(chunkOf({ ...ref, size: 9 * CHUNK_BYTES }, i, blob.record(i))).toBeUndefined();
    }
  });

  // By Python's hashlib, from the text of spec/50-market.md.
  it.each([
    [1, '0x43b9847adfd48a8699d4d494fd7a4ca05106f3b44b159e78a6739e3e1f86c862'],
    [65536, '0x67c3be606c2ffb3eaf145a1c08c09beff98cc2adb1437ef911b09eb3f8b8d073'],
    [65537, '0xa838b25861cfc50426f33fe11e1d757c5b4e75fbd511673424e7763040dea900'],
    [200000, '0xc6a7e336b120596d73a776344856def453593715fa9f4b2eea732b3055f31fb7'],
    [327681, '0x98bbddd09c3ed6e5e6f33bad00dfccfa5f4dc249300846f5fc3ff2147956a06e'],
  ])('the content root of %i bytes', (size, root) => {
    expect(new Blob(Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8))).root).toBe(root);
  });

  it.each([1, 31, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])('%i bytes', (size) => {
    const bytes = body.slice(0, size);
    const own = store.add(bytes);
    expect(same(store.read(own), bytes)).toBe(true);
    expect(new Blob(bytes).root).toBe(own.root);
  });

  it('names and sizes that are none', async () => {
    const bad: [BlobRef, string][] = [
      [{ root: '0x12', size: 1 }, 'BadBlob'],
      [{ root: `0x${'A'.repeat(64)}`, size: 1 }, 'BadBlob'],
      [{ root: `0x${'../'.repeat(21)}a`, size: 1 }, 'BadBlob'],
      [{ root: blob.root, size: 0 }, 'BadBlob'],
      [{ root: blob.root, size: Number.NaN }, 'BadBlob'],
      [{ root: blob.root, size: 2 ** 31 }, 'TooLarge'],
      [{ root: blob.root, size: 2 ** 60 }, 'BadBlob'],
    ];
    for (const [name, code] of bad) expect(await codeOf(fetchBlob(name, { sources: [], store }))).toBe(code);
    expect(await codeOf(get([], { maxBytes: ref.size - 1 }))).toBe('TooLarge');
    expect(await codeOf(get([]))).toBe('NoSource');
    expect(await codeOf(get([{ url: 'file:///etc' }, { url: 'http://u:p@127.0.0.1/' }]))).toBe('NoSource');
    expect(readdirSync(folder)).toEqual([]);
    expect(() => store.read(ref)).toThrow(MarketError);
  });
});

describe('one honest peer, and four of a kind', () => {
  const amongFour = (manner: string): Promise<TestPeer[]> =>
    Promise.all([manner, manner, 'honest', manner, manner].map((m) => peer(m)));

  it.each(LIES)('lying: %s', async (manner) => {
    const sources = await amongFour(manner);
    const report = await get(sources);
    expect(same(store.read(ref), body)).toBe(true);
    for (const [i, s] of report.sources.entries()) {
      expect(s.url).toBe(`${sources[i]!.url}/`);
      if (i === 2) expect([s.lied, s.dropped]).toEqual([false, undefined]);
      else if (sources[i]!.asked() > 0 && s.dropped !== undefined) expect(s.lied).toBe(true);
      else expect(s.chunks).toBeLessThanOrEqual(2); // ‘another chunk’ is right where it is chunk 0 or 1 by chance
    }
  });

  it.each(['does not have it', 'always busy', 'failing', 'vanishing', 'cut off', 'silent', 'trickling'])(
    'failing: %s',
    async (manner) => {
      const sources = await amongFour(manner);
      const report = await get(sources);
      expect(same(store.read(ref), body)).toBe(true);
      expect(report.sources.map((s) => s.lied)).toEqual([false, false, false, false, false]);
      expect(report.sources[2]!.chunks).toBe(10);
    },
  );

  it.each(Object.keys(MANNERS).filter((m) => m !== 'honest'))('alone: %s', async (manner) => {
    const bad = await peer(manner === 'another chunk' ? 'wrong proof' : manner);
    const e = await get([bad], { timeout: 100 }).catch((thrown: unknown) => thrown as MarketError);
    expect(e).toBeInstanceOf(MarketError);
    expect([(e as MarketError).code, (e as MarketError).message]).toEqual([
      'Incomplete',
      expect.stringContaining(`0 of 10 chunks of ${ref.root} arrived; ${bad.url}/: `),
    ]);
    expect((e as MarketError).message.includes('(a lie)')).toBe(LIES.includes(manner));
  });
});

describe('what arrived is kept', () => {
  it('five peers with two chunks each', async () => {
    const parts = await Promise.all(
      [0, 1, 2, 3, 4].map((k) => peer((i) => MANNERS[i % 5 === k ? 'honest' : 'does not have it']!)),
    );
    const report = await get(parts);
    expect(report.sources.map((s) => s.chunks)).toEqual([2, 2, 2, 2, 2]);
    expect(same(store.read(ref), body)).toBe(true);
  });

  it('a fetch that was interrupted goes on; half, spoilt and foreign files are fetched again', async () => {
    const some = await peer((i) => MANNERS[i < 6 ? 'honest' : 'does not have it']!);
    expect(await codeOf(get([some]))).toBe('Incomplete');
    const file = (i: number): string => join(folder, 'blobs', ref.root, String(i));
    truncateSync(file(1), 1000);
    const bad = blob.record(2);
    bad[500]! ^= 4;
    writeFileSync(file(2), bad);
    writeFileSync(file(3), blob.record(4));
    writeFileSync(`${file(7)}-part`, 'left by a crash');
    const honest = await peer('honest');
    const again = new BlobStore(folder);
    const report = await fetchBlob(ref, { sources: [honest.url], store: again });
    expect([report.resumed, report.fetched, honest.asked()]).toEqual([3, 7, 7]);
    expect(same(again.read(ref), body)).toBe(true);
    expect(await fetchBlob(ref, { sources: [], store: again })).toEqual({ resumed: 10, fetched: 0, sources: [] });
  });

  it('a signal ends it', async () => {
    const stop = new AbortController();
    const silent = await peer('silent');
    const going = get([silent], { signal: stop.signal, timeout: 60_000 });
    stop.abort(new Error('enough'));
    await expect(going).rejects.toThrow('enough');
  });

  it('a chunk that a slow peer holds is taken over', async () => {
    let slow = 0;
    const late: Manner = (own, i, response) => {
      slow++;
      setTimeout(() => response.end(own.record(i)), 5_000).unref();
    };
    const report = await get([await peer(() => late), await peer('honest')], { timeout: 60_000 });
    expect([report.sources[1]!.chunks, slow > 0]).toEqual([10, true]);
  });
});

describe('the peer', () => {
  it('serves what it has, and nothing else', async () => {
    store.add(body);
    writeFileSync(join(folder, 'secret'), 'x');
    writeFileSync(join(folder, 'blobs', ref.root, '10'), Buffer.alloc(1 << 20));
    const { url, close } = await servePeer(store);
    open.push({ close });
    const target = mkdtempSync(join(tmpdir(), 'samebit-blobs-'));
    open.push({ close: () => rmSync(target, { recursive: true }) });
    const other = new BlobStore(target);
    expect((await fetchBlob(ref, { sources: [url], store: other })).fetched).toBe(10);
    expect(same(other.read(ref), body)).toBe(true);
    const paths = [
      `/blobs/${ref.root}/10`,
      `/blobs/${ref.root}/11`,
      `/blobs/${ref.root}/-1`,
      `/blobs/${ref.root}/0/..`,
      `/blobs/${ref.root}/..%2f..%2fsecret`,
      `/blobs/..%2f..%2fsecret/0`,
      '/secret',
      '/..%2fsecret',
      '/blobs',
      '/',
      `/cards/${ref.root}.json`,
      `/cards/..%2fsecret`,
    ];
    for (const path of paths) expect((await fetch(url + path)).status, path).toBe(404);
    expect((await fetch(`${url}/blobs/${ref.root}/0`, { method: 'POST', body: 'x' })).status).toBe(404);
    const head = await fetch(`${url}/blobs/${ref.root}/0`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(blob.record(0).length));
  });

  it('refuses who asks too often, and all while it is full; a fetch waits and goes on', async () => {
    store.add(body);
    const { url, close } = await servePeer(store, { limits: { rate: 1, burst: 3 } });
    open.push({ close });
    const statuses = await Promise.all(
      [0, 1, 2, 3, 4].map(async (i) => (await fetch(`${url}/blobs/${ref.root}/${i}`)).status),
    );
    expect(statuses.filter((s) => s === 429).length).toBeGreaterThanOrEqual(2);
    const small = await servePeer(store, { limits: { inFlight: 1 } });
    open.push(small);
    const target = mkdtempSync(join(tmpdir(), 'samebit-blobs-'));
    open.push({ close: () => rmSync(target, { recursive: true }) });
    expect((await fetchBlob(ref, { sources: [small.url], store: new BlobStore(target) })).fetched).toBe(10);
  });
});

it(`${SEEDS} swarms of five peers with faults by chance: whole, or a clear error`, async () => {
  const names = Object.keys(MANNERS).filter((m) => m !== 'silent' && m !== 'trickling');
  let [whole, failed] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Prng(seed);
    const own = new Blob(bytesOf(random, random.int(0, 5), random.int(1, 300)));
    const chosen = { root: own.root, size: own.size };
    const path = join(folder, String(seed));
    const peers = await Promise.all(
      Array.from({ length: 5 }, () => {
        const [manner, share] = [names[random.int(0, names.length - 1)]!, random.int(0, 100)];
        return peer(() => MANNERS[random.int(0, 99) < share ? 'honest' : manner]!, own);
      }),
    );
    const into = new BlobStore(path);
    const error = await fetchBlob(chosen, { sources: peers.map((p) => p.url), store: into, timeout: 1_000 }).catch(
      (e: unknown) => e,
    );
    for (const p of open.splice(0)) p.close();
    if (error instanceof Error) {
      expect((error as MarketError).code, `seed ${seed}`).toBe('Incomplete');
      failed++;
    } else {
      expect(new Blob(into.read(chosen)).root, `seed ${seed}`).toBe(own.root);
      whole++;
    }
  }
  expect(whole).toBeGreaterThan(failed);
});
