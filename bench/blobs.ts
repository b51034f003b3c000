/**
 * `npx tsx bench/blobs.ts`: 10 MB between peers on this machine, in one process: the time to fetch and check them from one honest
 * peer, from three, and from one among five of which four lie, stall or vanish.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Blob } from '../src/market/blobs.ts';
import { fetchBlob } from '../src/market/fetch.ts';
import { servePeer } from '../src/market/peer.ts';
import { BlobStore } from '../src/market/store.ts';
import { MANNERS, openPeer } from '../test/market/peers.ts';

const ROUNDS = 7;
const folder = mkdtempSync(join(tmpdir(), 'samebit-bench-'));
const bytes = Uint8Array.from({ length: 10_000_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
const store = new BlobStore(join(folder, 'peer'));
const ref = store.add(bytes);
const blob = new Blob(bytes);
const honest = await Promise.all([0, 1, 2].map(() => servePeer(store, { limits: { rate: 1e6 } })));
const faulty = await Promise.all(
  ['right length, wrong bytes', 'endless body', 'silent', 'vanishing'].map((m) => openPeer(blob, () => MANNERS[m]!)),
);
const cases: Readonly<Record<string, readonly { readonly url: string }[]>> = {
  'one honest peer': honest.slice(0, 1),
  'three honest peers': honest,
  'one honest, a liar, an endless one, a silent one, one that vanishes': [...faulty, honest[0]!],
};
const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++)
  for (const [name, peers] of Object.entries(cases)) {
    const into = new BlobStore(join(folder, `${round}-${name.length}`));
    const start = performance.now();
    await fetchBlob(ref, { sources: peers.map((p) => p.url), store: into });
    if (into.read(ref).length !== bytes.length) throw new Error('not whole');
    times.get(name)!.push(performance.now() - start);
  }
for (const [name, list] of times) {
  const sorted = list.sort((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[ROUNDS >> 1]!, sorted[ROUNDS - 1]!].map((ms) =>
    (ms / 1000).toFixed(2),
  );
  console.log(`${name}: median ${median} s, ${least}…${most}`);
}
for (const peer of [...honest, ...faulty]) await peer.close();
rmSync(folder, { recursive: true });
