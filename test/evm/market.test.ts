/** The market: listings, paid calls, jobs for an escrowed fee; attacks by name, and sequences of actions at random. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Party, Sent } from '../../examples/chain.ts';
import { toHex } from '../../src/evm/proof.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { denseGraph } from '../support/small.ts';
import { BOND, WINDOW } from './game.ts';
import { playSequences } from './market-play.ts';
import { AGE, DEPOSIT, openMarket, SALT, type Stall, TURN } from './market-stall.ts';

/** Sequences of the property test; npm run full plays 10,000. */
const SEQUENCES = Number(process.env['SAMEBIT_SEQUENCES'] ?? 40);
const FIRST = Number(process.env['SAMEBIT_SEED'] ?? 1);

const model = loadModel(encodeModel(denseGraph()));
let stall: Stall;
let buyer: Party;
let author: Party;

beforeAll(async () => {
  stall = await openMarket(model);
  ({ Buyer: buyer, Author: author } = stall.parties);
});

/** Runs a test on a copy of the market. */
function apart(name: string, test: () => Promise<void>): void {
  it(name, async () => {
    const { chain } = stall;
    const { time } = chain;
    await chain.vm.stateManager.checkpoint();
    try {
      await test();
    } finally {
      await chain.vm.stateManager.revert();
      chain.time = time;
    }
  });
}

const balanceOf = async (contract: 'market' | 'jobs', party: Party): Promise<bigint> =>
  (await stall[contract].call('balances', [party.address.toString()])).value as bigint;

describe('listings', () => {
  apart('a commitment is the author’s own, and old enough', async () => {
    const { market, parties, key } = stall;
    const list = (by: Party): Promise<Sent> =>
      market.send(by, 'list', [key, SALT, 1n, `0x${'00'.repeat(32)}`, 1n, '', '']);
    // Who sees the author's salt in the pool cannot use it; who commits himself has to wait.
    expect((await list(parties.cheat)).error).toBe('BadCommitment');
    const own = (await market.call('commitmentOf', [parties.cheat.address.toString(), key, SALT])).value;
    await market.send(parties.cheat, 'commit', [own]);
    expect((await list(parties.cheat)).error).toBe('BadCommitment');
    stall.chain.advance(AGE);
    expect((await list(parties.cheat)).error).toBe('Taken');
  });

  apart('repeating a commitment makes it no younger', async () => {
    const { market, parties, key } = stall;
    const own = (await market.call('commitmentOf', [author.address.toString(), key, SALT])).value;
    const before = (await market.call('committedAt', [own])).value;
    stall.chain.advance(5n);
    await market.send(parties.cheat, 'commit', [own]);
    expect((await market.call('committedAt', [own])).value).toBe(before);
  });

  apart('a header that is not registered cannot be listed', async () => {
    const { market } = stall;
    const unknown = `0x${'11'.repeat(32)}`;
    const own = (await market.call('commitmentOf', [author.address.toString(), unknown, SALT])).value;
    await market.send(author, 'commit', [own]);
    stall.chain.advance(AGE);
    const sent = await market.send(author, 'list', [unknown, SALT, 1n, SALT, 1n, '', '']);
    expect(sent.error).toBeDefined();
  });

  apart('a validator holds once, and nobody else does', async () => {
    const { market, validators, parties, key } = stall;
    expect((await market.send(validators[0]!, 'hold', [key])).error).toBe('NotYours');
    expect((await market.send(parties.stranger, 'hold', [key])).error).toBe('NotYours');
    expect((await market.send(validators[2]!, 'hold', [key])).error).toBeUndefined();
    expect((await market.call('isLive', [key])).value).toBe(true);
  });
});

describe('calls', () => {
  apart('pay the author the price and leave the rest to the caller', async () => {
    const { market, runs, key } = stall;
    const sent = await market.send(buyer, 'call', [key, runs[0]!.input, 1000n], 1500n);
    expect(sent.events[0]).toMatchObject({ name: 'Called', args: { price: 1000n } });
    expect([await balanceOf('market', author), await balanceOf('market', buyer)]).toEqual([1000n, 500n]);
    const output = (await market.call('call', [key, runs[0]!.input, 0n])).error;
    expect(output).toBe('PriceMoved');
  });

  apart('give the bytes of a session', async () => {
    const { market, runs, key } = stall;
    await market.send(author, 'setPrice', [key, 0n]);
    for (const run of runs) expect((await market.call('call', [key, run.input, 0n])).value).toBe(run.outputs[0]);
  });

  apart('a price raised before the call takes nothing', async () => {
    const { market, runs, key } = stall;
    await market.send(author, 'setPrice', [key, 1001n]);
    const sent = await market.send(buyer, 'call', [key, runs[0]!.input, 1000n], 5000n);
    expect(sent.error).toBe('PriceMoved');
    expect([await balanceOf('market', author), await balanceOf('market', buyer)]).toEqual([0n, 0n]);
  });

  apart('a run that fails takes nothing', async () => {
    const { market, key } = stall;
    const before = await stall.chain.balance(buyer.address);
    const sent = await market.send(buyer, 'call', [key, '0x00', 1000n], 1000n);
    expect(sent.error).toBeDefined();
    expect(before - (await stall.chain.balance(buyer.address))).toBe(sent.gas * 7n); // gas alone
    expect(await balanceOf('market', author)).toBe(0n);
  });

  apart('a closed offer takes no calls', async () => {
    const { market, runs, key, parties } = stall;
    expect((await market.send(parties.stranger, 'close', [key])).error).toBe('NotYours');
    await market.send(author, 'close', [key]);
    expect((await market.send(buyer, 'call', [key, runs[0]!.input, 1000n], 1000n)).error).toBe('NotListed');
    expect((await market.send(author, 'setPrice', [key, 1n])).error).toBe('NotListed');
  });
});

describe('jobs', () => {
  const open = async (until = 10_000n, fee = 77n): Promise<bigint> => {
    const { jobs, runs, key, chain } = stall;
    const args = [key, toHex(runs[0]!.honest.inputRoot), [], chain.time + until, runs[0]!.input];
    const sent = await jobs.send(buyer, 'open', args, fee);
    expect(sent.error).toBeUndefined();
    return sent.events[0]!.args['job'] as bigint;
  };
  const claim = async (by: Party): Promise<bigint> => {
    const { dispute, runs, key } = stall;
    const { inputRoot, outputRoot, root } = runs[0]!.honest;
    const sent = await dispute.send(by, 'assertRun', [key, toHex(inputRoot), toHex(outputRoot), toHex(root), []], BOND);
    return sent.events[0]!.args['claim'] as bigint;
  };

  apart('a delivered job pays its worker once the claim stands, and once only', async () => {
    const { jobs, runs, chain, parties } = stall;
    const [job, worker] = [await open(), parties.Worker];
    expect((await jobs.send(worker, 'take', [job], DEPOSIT)).error).toBeUndefined();
    const id = await claim(worker);
    expect((await jobs.send(worker, 'deliver', [job, id, [], runs[0]!.outputs])).error).toBeUndefined();
    expect((await jobs.send(worker, 'finish', [job])).error).toBeDefined();
    chain.advance(WINDOW);
    expect((await jobs.send(worker, 'finish', [job])).error).toBeUndefined();
    expect((await jobs.send(worker, 'finish', [job])).error).toBe('NotYours');
    expect(await balanceOf('jobs', worker)).toBe(DEPOSIT + 77n);
  });

  apart('a copied claim, outputs of other bytes and a job of somebody else are refused', async () => {
    const { jobs, runs, parties } = stall;
    const job = await open();
    await jobs.send(parties.cheat, 'take', [job], DEPOSIT);
    const honest = await claim(parties.Worker);
    const deliver = (by: Party, id: bigint, outputs: readonly string[]): Promise<Sent> =>
      jobs.send(by, 'deliver', [job, id, [], outputs]);
    expect((await deliver(parties.cheat, honest, runs[0]!.outputs)).error).toBe('BadClaim');
    expect((await deliver(parties.Worker, honest, runs[0]!.outputs)).error).toBe('NotYours');
    const own = await claim(parties.cheat);
    expect((await deliver(parties.cheat, own, ['0x00000000'])).error).toBe('BadOutput');
    expect((await deliver(parties.cheat, own, [])).error).toBe('BadOutput');
  });

  apart('a worker who is late loses his deposit to the buyer', async () => {
    const { jobs, chain, parties } = stall;
    const job = await open(TURN * 4n);
    await jobs.send(parties.idler, 'take', [job], DEPOSIT);
    expect((await jobs.send(parties.stranger, 'evict', [job])).error).toBe('NotYours');
    chain.advance(TURN + 1n);
    expect((await jobs.send(parties.stranger, 'evict', [job])).error).toBeUndefined();
    expect(await balanceOf('jobs', buyer)).toBe(DEPOSIT);
    expect((await jobs.send(parties.Worker, 'take', [job], DEPOSIT)).error).toBeUndefined();
  });

  apart('an open job whose time is over goes back to its buyer, whoever asks', async () => {
    const { jobs, chain, parties } = stall;
    const job = await open(100n);
    expect((await jobs.send(parties.stranger, 'expire', [job])).error).toBe('NotYours');
    chain.advance(100n);
    expect((await jobs.send(parties.Worker, 'take', [job], DEPOSIT)).error).toBe('NotYours');
    expect((await jobs.send(parties.stranger, 'expire', [job])).error).toBeUndefined();
    expect(await balanceOf('jobs', buyer)).toBe(77n);
  });
});

it(`${SEQUENCES} sequences of actions at random`, { timeout: 60_000 + SEQUENCES * 5_000 }, async () => {
  const done = await playSequences(stall, FIRST, SEQUENCES);
  // The sequences reach what they are about.
  for (const what of ['Worker deliver', 'cheat deliver', 'Watcher prove', 'stranger evict', 'Buyer call'])
    expect(done.get(what) ?? 0, what).toBeGreaterThan(0);
});
