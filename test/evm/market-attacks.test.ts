/** Attacks on the market by name: each costs who tries it, or does nothing. */
import { createAddressFromString } from '@ethereumjs/util';
import { type Abi, concat, encodeFunctionData, keccak256 } from 'viem';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Deployed, Party, Sent } from '../../examples/chain.ts';
import { encodeHeader } from '../../src/consensus/header.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import { artifacts } from '../../src/evm.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { Evaluation } from '../../src/market/accuracy.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { denseGraph } from '../support/small.ts';
import { BOND, DELAY, MOVE, WINDOW } from './game.ts';
import {
  AGE,
  DEPOSIT,
  evaluationOf,
  FEE,
  openMarket,
  PERIOD,
  type Run,
  SALT,
  type Stall,
  scoreArgs,
} from './market-stall.ts';

let stall: Stall;

beforeAll(async () => {
  stall = await openMarket(loadModel(encodeModel(denseGraph())));
});

/** Runs a test on a copy of the market. */
function apart(name: string, test: (s: Stall) => Promise<void>): void {
  it(name, async () => {
    const { chain } = stall;
    const { time } = chain;
    await chain.vm.stateManager.checkpoint();
    try {
      await test(stall);
    } finally {
      await chain.vm.stateManager.revert();
      chain.time = time;
    }
  });
}

/** A transaction that must go through. */
async function must(sent: Promise<Sent>): Promise<Sent> {
  const done = await sent;
  expect(done.error).toBeUndefined();
  return done;
}

function idOf(sent: Sent, name: string): bigint {
  return sent.events[0]!.args[name] as bigint;
}

/** Claims a run in the dispute contract: the honest outcome, or the lie. */
async function claimRun(by: Party, run: Run, lie = false): Promise<bigint> {
  const { honest } = run;
  const trace = lie ? run.lies[0]! : honest;
  const roots = [stall.key, ...[honest.inputRoot, trace.outputRoot, trace.root].map(toHex), []];
  return idOf(await must(stall.dispute.send(by, 'assertRun', roots, BOND)), 'claim');
}

async function openJob(fee = 77n, run = stall.runs[0]!): Promise<bigint> {
  const { jobs, chain, key, parties } = stall;
  const args = [key, toHex(run.honest.inputRoot), [], chain.time + 10n * WINDOW, run.input];
  return idOf(await must(jobs.send(parties.Buyer, 'open', args, fee)), 'job');
}

describe('reentrancy', () => {
  const callOf = (c: Deployed, functionName: string, args: readonly unknown[]): Hex =>
    encodeFunctionData({ abi: c.abi as Abi, functionName, args } as never);
  /** Each contract that pays: how a party comes by money in it, and what it calls again when it is paid. */
  const exits: Readonly<
    Record<
      'market' | 'jobs' | 'dispute' | 'registry' | 'accuracy',
      (act: (name: string, args: readonly unknown[], value?: bigint) => Promise<void>) => Promise<{
        readonly due: bigint;
        readonly again: readonly (readonly [name: string, args: readonly unknown[]])[];
      }>
    >
  > = {
    market: async (act) => {
      await act('call', [stall.key, stall.runs[0]!.input, 1000n], 51_000n);
      return { due: 50_000n, again: [] };
    },
    jobs: async (act) => {
      const { honest, input } = stall.runs[0]!;
      await act('open', [stall.key, toHex(honest.inputRoot), [], stall.chain.time + 9n, input], 500n);
      const id = (await stall.jobs.call('jobCount', [])).value as bigint;
      await act('expire', [id]);
      return {
        due: 500n,
        again: [
          ['expire', [id]],
          ['evict', [id]],
          ['finish', [id]],
        ],
      };
    },
    dispute: async (act) => {
      const { honest } = stall.runs[0]!;
      await act('assertRun', [stall.key, ...[honest.inputRoot, honest.outputRoot, honest.root].map(toHex), []], BOND);
      const id = (await stall.dispute.call('claimCount', [])).value as bigint;
      stall.chain.advance(WINDOW);
      await act('settle', [id]);
      return { due: BOND, again: [['settle', [id]]] };
    },
    registry: async (act) => {
      const words = encodeHeader({ ...stall.header, modelId: new Uint8Array(32).fill(7) });
      await act('register', [toHex(words)], BOND);
      const key = keccak256(concat(['0x02', toHex(words)]));
      stall.chain.advance(DELAY);
      await act('release', [key]);
      return { due: BOND, again: [] }; // releasing again releases nothing
    },
    accuracy: async (act) => {
      await act('claim', scoreArgs(stall.key, stall.evaluation), BOND);
      const id = (await stall.accuracy.call('scoreCount', [])).value as bigint;
      stall.chain.advance(PERIOD);
      await act('settle', [id]);
      return { due: BOND, again: [['settle', [id]]] };
    },
  };

  for (const [name, earn] of Object.entries(exits)) {
    apart(`${name}: a party that calls back when it is paid gets what is its own, once`, async (s) => {
      const contract = s[name as keyof typeof exits];
      const { reenter } = s;
      const by = s.parties.cheat;
      // Money of others lies in the contract too.
      await s.chain.vm.stateManager.modifyAccountFields(createAddressFromString(contract.address), {
        balance: (await s.chain.balance(createAddressFromString(contract.address))) + 10n ** 19n,
      });
      const act = async (call: string, args: readonly unknown[], value = 0n): Promise<void> => {
        await must(reenter.send(by, 'act', [contract.address, callOf(contract, call, args)], value));
      };
      const { due, again } = await earn(act);
      const withdraw = callOf(contract, 'withdraw', []);
      const calls = [withdraw, ...again.map(([call, args]) => callOf(contract, call, args))];
      await must(reenter.send(by, 'arm', [contract.address, calls]));
      const before = await s.chain.balance(createAddressFromString(reenter.address));
      await must(reenter.send(by, 'act', [contract.address, withdraw]));
      expect((await s.chain.balance(createAddressFromString(reenter.address))) - before).toBe(due);
      expect((await reenter.call('tried', [])).value).toBe(BigInt(calls.length));
      expect((await reenter.call('through', [])).value).toBe(0n);
      expect((await contract.call('balances', [reenter.address])).value).toBe(0n);
    });
  }
});

describe('squatting', () => {
  apart('a header registered before its author does is listed by its author all the same', async (s) => {
    const { registry, market, chain, parties, validators } = s;
    const words = toHex(encodeHeader({ ...s.header, modelId: new Uint8Array(32).fill(9) }));
    const key = keccak256(concat(['0x02', words]));
    const commitment = async (by: Party): Promise<unknown> =>
      (await market.call('commitmentOf', [by.address.toString(), key, SALT])).value;
    await must(market.send(parties.Author, 'commit', [await commitment(parties.Author)]));
    chain.advance(AGE);
    // The squatter sees the registration in the pool and goes first: he pays the bond, and cannot list.
    await must(registry.send(parties.cheat, 'register', [words], BOND));
    expect((await registry.send(parties.Author, 'register', [words], BOND)).error).toBe('Known');
    await must(market.send(parties.cheat, 'commit', [await commitment(parties.cheat)]));
    const list = (by: Party): Promise<Sent> => market.send(by, 'list', [key, SALT, 1n, SALT, 1n, '', '']);
    expect((await list(parties.cheat)).error).toBe('BadCommitment');
    await must(list(parties.Author));
    chain.advance(AGE);
    expect((await list(parties.cheat)).error).toBe('Taken');
    chain.advance(DELAY);
    for (const v of validators) await must(market.send(v, 'hold', [key]));
    expect((await market.call('isLive', [key])).value).toBe(true);
  });
});

describe('front-running', () => {
  apart('the salt of a listing in the pool is of no use to others', async (s) => {
    const sent = await s.market.send(s.parties.cheat, 'list', [s.key, SALT, 1n, SALT, 1n, '', '']);
    expect(sent.error).toBe('BadCommitment');
  });

  apart('a job that another took first costs the second worker nothing', async (s) => {
    const job = await openJob();
    await must(s.jobs.send(s.parties.cheat, 'take', [job], DEPOSIT));
    const before = await s.chain.balance(s.parties.Worker.address);
    const sent = await s.jobs.send(s.parties.Worker, 'take', [job], DEPOSIT);
    expect(sent.error).toBe('NotYours');
    expect(before - (await s.chain.balance(s.parties.Worker.address))).toBe(7n * sent.gas);
  });

  apart('the outcome of a worker, copied from the pool, does not take his job', async (s) => {
    const job = await openJob();
    await must(s.jobs.send(s.parties.Worker, 'take', [job], DEPOSIT));
    const copied = await claimRun(s.parties.cheat, s.runs[0]!);
    const deliver = await s.jobs.send(s.parties.cheat, 'deliver', [job, copied, [], s.runs[0]!.outputs]);
    expect(deliver.error).toBe('NotYours');
    const own = await claimRun(s.parties.Worker, s.runs[0]!);
    await must(s.jobs.send(s.parties.Worker, 'deliver', [job, own, [], s.runs[0]!.outputs]));
  });

  apart('a claim older than the turn, that stood while nobody knew its input, is not taken', async (s) => {
    const { jobs, dispute, chain, parties, runs } = s;
    const lie = await claimRun(parties.cheat, runs[0]!, true);
    chain.advance(WINDOW);
    await must(dispute.send(parties.cheat, 'settle', [lie]));
    const job = await openJob();
    await must(jobs.send(parties.cheat, 'take', [job], DEPOSIT));
    const outputs = [toHex(new Uint8Array(runs[0]!.lies[0]!.tensor(1).data))];
    expect((await jobs.send(parties.cheat, 'deliver', [job, lie, [], outputs])).error).toBe('BadClaim');
  });

  apart('a run that stood before a score was contested is not taken against it', async (s) => {
    const { accuracy, chain, parties, runs, evaluation } = s;
    const id = idOf(await must(accuracy.send(parties.Author, 'claim', scoreArgs(s.key, evaluation), BOND)), 'id');
    const lie = await claimRun(parties.cheat, runs[0]!, true);
    chain.advance(WINDOW / 2n + 1n);
    const outputs = [toHex(new Uint8Array(runs[0]!.lies[0]!.tensor(1).data))];
    const sent = await accuracy.send(parties.cheat, 'contest', [id, 0n, evaluation.row(0), lie, outputs]);
    expect(sent.error).toBe('BadRun');
  });
});

describe('price change', () => {
  apart('a price raised in front of a call takes nothing from who set a maximum', async (s) => {
    const { market, parties, runs, key } = s;
    await must(market.send(parties.Author, 'setPrice', [key, 5000n]));
    expect((await market.send(parties.Buyer, 'call', [key, runs[0]!.input, 1000n], 9000n)).error).toBe('PriceMoved');
    expect((await market.call('balances', [parties.Author.address.toString()])).value).toBe(0n);
  });

  apart('a price lowered in front of a call leaves the difference to the caller', async (s) => {
    const { market, parties, runs, key } = s;
    await must(market.send(parties.Author, 'setPrice', [key, 10n]));
    await must(market.send(parties.Buyer, 'call', [key, runs[0]!.input, 1000n], 1000n));
    expect((await market.call('balances', [parties.Author.address.toString()])).value).toBe(10n);
    expect((await market.call('balances', [parties.Buyer.address.toString()])).value).toBe(990n);
  });
});

describe('double claim', () => {
  apart('one claim pays for one job', async (s) => {
    const { jobs, parties, runs } = s;
    const [first, second] = [await openJob(), await openJob()];
    for (const job of [first, second]) await must(jobs.send(parties.Worker, 'take', [job], DEPOSIT));
    const id = await claimRun(parties.Worker, runs[0]!);
    const deliver = (job: bigint): Promise<Sent> =>
      jobs.send(parties.Worker, 'deliver', [job, id, [], runs[0]!.outputs]);
    await must(deliver(first));
    expect((await deliver(second)).error).toBe('BadClaim');
  });

  apart('a refuted worker has neither fee nor deposit, and the next one is paid', async (s) => {
    const { jobs, dispute, chain, parties, runs } = s;
    const job = await openJob();
    await must(jobs.send(parties.cheat, 'take', [job], DEPOSIT));
    const lie = await claimRun(parties.cheat, runs[0]!, true);
    const outputs = [toHex(new Uint8Array(runs[0]!.lies[0]!.tensor(1).data))];
    await must(jobs.send(parties.cheat, 'deliver', [job, lie, [], outputs]));
    const game = idOf(await must(dispute.send(parties.Watcher, 'challenge', [lie], BOND)), 'game');
    chain.advance(MOVE + 1n);
    await must(dispute.send(parties.Watcher, 'timeout', [game]));
    await must(jobs.send(parties.stranger, 'finish', [job]));
    expect((await jobs.call('balances', [parties.cheat.address.toString()])).value).toBe(0n);
    expect((await jobs.call('balances', [parties.Buyer.address.toString()])).value).toBe(DEPOSIT);
    expect((await dispute.call('balances', [parties.Watcher.address.toString()])).value).toBe(BOND + BOND / 2n);
    await must(jobs.send(parties.Worker, 'take', [job], DEPOSIT));
    const right = await claimRun(parties.Worker, runs[0]!);
    await must(jobs.send(parties.Worker, 'deliver', [job, right, [], runs[0]!.outputs]));
    chain.advance(WINDOW);
    await must(jobs.send(parties.stranger, 'finish', [job]));
    expect((await jobs.call('balances', [parties.Worker.address.toString()])).value).toBe(DEPOSIT + 77n);
  });

  apart('a turn as long as the window in which claims are challenged is refused', async (s) => {
    await expect(s.chain.deploy(s.parties.stranger, artifacts.Jobs, [s.dispute.address, 1n, WINDOW])).rejects.toThrow();
  });
});

describe('scores', () => {
  const outputsOf = (i: number): readonly Hex[] => stall.runs[i]!.outputs;
  const claim = async (by: Party, wrong?: number): Promise<bigint> =>
    idOf(
      await must(stall.accuracy.send(by, 'claim', scoreArgs(stall.key, evaluationOf(stall.runs, wrong)), BOND)),
      'id',
    );
  const balance = async (of: Party): Promise<unknown> =>
    (await stall.accuracy.call('balances', [of.address.toString()])).value;

  for (const wrong of [0, 1, 2]) {
    apart(`a score that is false in row ${wrong} falls by that row, and by no other`, async (s) => {
      const { accuracy, chain, parties, runs } = s;
      const id = await claim(parties.cheat, wrong);
      const e = evaluationOf(runs, wrong);
      for (let i = 0; i < 3; i++) {
        const run = await claimRun(parties.Watcher, runs[i]!);
        const sent = await accuracy.send(parties.Watcher, 'contest', [id, BigInt(i), e.row(i), run, outputsOf(i)]);
        expect(sent.error).toBe(i === wrong ? undefined : 'NoFault');
      }
      expect((await accuracy.send(parties.stranger, 'conclude', [1n])).error).toBeDefined();
      chain.advance(WINDOW);
      await must(accuracy.send(parties.stranger, 'conclude', [1n]));
      expect((await accuracy.send(parties.stranger, 'conclude', [1n])).error).toBe('NotOpen');
      chain.advance(PERIOD);
      expect((await accuracy.send(parties.cheat, 'settle', [id])).error).toBe('NotOpen');
      expect([await balance(parties.Watcher), await balance(parties.cheat)]).toEqual([BOND / 2n, 0n]);
    });
  }

  apart('an author who shows what is asked has the fee, and his bond in the end', async (s) => {
    const { accuracy, chain, parties, runs, evaluation } = s;
    const id = await claim(parties.Author);
    const question = idOf(await must(accuracy.send(parties.griefer, 'ask', [id, 2n], FEE)), 'question');
    chain.advance(PERIOD);
    expect((await accuracy.send(parties.Author, 'settle', [id])).error).toBe('NotOpen');
    chain.advance(-PERIOD);
    const show = (row: number, input: number): Promise<Sent> =>
      accuracy.send(parties.Author, 'show', [question, evaluation.row(row), [runs[input]!.input]]);
    expect((await show(1, 1)).error).toBe('BadRow');
    expect((await show(2, 1)).error).toBe('BadRow');
    await must(show(2, 2));
    expect((await show(2, 2)).error).toBe('NotOpen');
    expect((await accuracy.send(parties.griefer, 'timeout', [question])).error).toBe('NotOpen');
    expect((await accuracy.send(parties.Author, 'settle', [id])).error).toBe('NotOpen');
    chain.advance(PERIOD);
    await must(accuracy.send(parties.stranger, 'settle', [id]));
    expect((await accuracy.send(parties.stranger, 'settle', [id])).error).toBe('NotOpen');
    expect(await balance(parties.Author)).toBe(BOND + FEE);
  });

  apart('an author who is silent loses by time', async (s) => {
    const { accuracy, chain, parties } = s;
    const id = await claim(parties.cheat);
    const question = idOf(await must(accuracy.send(parties.Watcher, 'ask', [id, 0n], FEE)), 'question');
    expect((await accuracy.send(parties.Watcher, 'timeout', [question])).error).toBe('NotOpen');
    chain.advance(MOVE + 1n);
    await must(accuracy.send(parties.stranger, 'timeout', [question]));
    expect((await accuracy.send(parties.Watcher, 'ask', [id, 1n], FEE)).error).toBe('NotOpen');
    expect(await balance(parties.Watcher)).toBe(FEE + BOND / 2n);
  });

  apart('sums that wrap around hide no row: the last is the score, each step is what its row adds', async (s) => {
    const { accuracy, parties, runs } = s;
    const e = new Evaluation(s.evaluation.rows, [2n ** 256n - 1n, 1n, 1n]);
    expect(e.score).toBe(1n);
    const id = idOf(await must(accuracy.send(parties.cheat, 'claim', scoreArgs(s.key, e), BOND)), 'id');
    const contest = async (i: number): Promise<Sent> => {
      const run = await claimRun(parties.Watcher, runs[i]!);
      return accuracy.send(parties.Watcher, 'contest', [id, BigInt(i), e.row(i), run, outputsOf(i)]);
    };
    expect((await contest(0)).error).toBeUndefined();
    expect((await contest(1)).error).toBe('NoFault');
    expect((await contest(2)).error).toBeUndefined();
  });
});
