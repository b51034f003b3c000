/**
 * Both applications, each on its own, are asked the same about random transactions: every answer has to be the same.
 * @module
 */
import { deepStrictEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prng } from '../../test/support/prng.ts';
import { Client, type Fields } from './abci.ts';
import { HEAD } from './application.ts';
import { type Asked, transaction, type World } from './models.ts';
import { end, KINDS, launchApp } from './network.ts';

const BLOCK = 50;
const LONGEST = 100_000;

/** Values of an input at its limits, beyond them, and between. */
function spoiltInput(r: Prng, { questions, model }: Asked): Uint8Array {
  const input = Uint8Array.from(r.pick(questions));
  if (model.inputs[0]!.dtype !== 'i16') return r.fill(input, 0, 255);
  const { lo, hi } = model.inputs[0]! as { lo: number; hi: number };
  const view = new DataView(input.buffer);
  const value = r.pick([lo, hi, lo - 1, hi + 1, -32768, 32767, r.int(lo, hi)]);
  view.setInt16(2 * r.below(input.length / 2), Math.max(-32768, Math.min(32767, value)), true);
  return input;
}

/** A transaction that is right, or wrong in one way or many. */
function randomTx(r: Prng, { models, genesis }: World): Uint8Array {
  const asked = r.pick(models);
  const { gas } = asked.reference;
  const block = BigInt(genesis.blockGas);
  const tx = transaction(asked, r.pick(asked.questions));
  switch (r.below(8)) {
    case 0:
      return r.fill(new Uint8Array(r.once(20) ? r.below(LONGEST) : r.below(200)), 0, 255);
    case 1:
      return tx.slice(0, r.once(2) ? r.below(HEAD + 2) : r.below(tx.length));
    case 2:
      return Buffer.concat([tx, r.fill(new Uint8Array(1 + r.below(9)), 0, 255)]);
    case 3:
      tx[r.below(r.once(2) ? HEAD : tx.length)]! ^= 1 << r.below(8);
      return tx;
    case 4: {
      const limits = [
        0,
        1,
        gas - 1,
        gas,
        gas + 1,
        block - 1n,
        block,
        block + 1n,
        2n ** 53n + 1n,
        2n ** 63n,
        2n ** 64n - 1n,
      ];
      return transaction(asked, r.pick(asked.questions), r.pick(limits));
    }
    case 5:
    case 6:
      return transaction(asked, spoiltInput(r, asked));
    default:
      return tx;
  }
}

/** How a comparison went. */
export interface Fuzzed {
  readonly txs: number;
  /** Transactions by code. */
  readonly codes: Readonly<Record<string, number>>;
}

/** Compares the applications over so many transactions. @throws AssertionError at the first difference */
export async function fuzz(world: World, folder: string, models: string, txs: number, seed: number): Promise<Fuzzed> {
  const homes = KINDS.map((_, i) => join(folder, `fuzz${i}`));
  for (const home of homes) mkdirSync(home, { recursive: true });
  const apps = await Promise.all(KINDS.map((kind, i) => launchApp(kind, homes[i]!, models)));
  const clients = await Promise.all(homes.map((home) => Client.connect(join(home, 'app.sock'))));
  const both = async (kind: string, fields: Fields = {}): Promise<Fields> => {
    const [a, b] = await Promise.all(clients.map((c) => c.ask(kind, fields)));
    deepStrictEqual(a, b, `the applications differ in ${kind}`);
    return a!;
  };
  const r = new Prng(seed);
  const codes: Record<string, number> = {};
  await both('info');
  await both('initChain', { appStateBytes: Buffer.from(JSON.stringify(world.genesis)) });
  for (let height = 1, done = 0; done < txs; height++) {
    const block = Array.from({ length: Math.min(BLOCK, txs - done) }, () => randomTx(r, world));
    done += block.length;
    await Promise.all(block.map((tx) => both('checkTx', { tx })));
    const bytes = block.reduce((n, tx) => n + tx.length, 0);
    const chosen = (await both('prepareProposal', { txs: block, maxTxBytes: r.int(0, bytes + 200) }))[
      'txs'
    ] as Uint8Array[];
    for (const proposed of [block, chosen, [...chosen, ...chosen]]) await both('processProposal', { txs: proposed });
    const { txResults } = await both('finalizeBlock', { txs: block, height });
    for (const { code } of txResults as { code: number }[]) codes[code] = (codes[code] ?? 0) + 1;
    await both('commit');
    await both('query');
    await both('info');
  }
  const [a, b] = homes.map((home) => readFileSync(join(home, 'state/state')));
  deepStrictEqual(a, b, 'the files of the states differ');
  for (const c of clients) c.close();
  await Promise.all(apps.map((a) => end(a)));
  return { txs, codes };
}
