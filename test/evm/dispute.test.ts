/** Disputes over mnist-cnn, played by both bots: lies lose, honest claims stand, money goes where it must. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Party } from '../../examples/chain.ts';
import { type Commitment, commit } from '../../src/consensus/commitment.ts';
import { headerOf } from '../../src/consensus/header.ts';
import { type Trace, traceRun } from '../../src/consensus/trace.ts';
import { asserterMove, type Game } from '../../src/evm/player.ts';
import type { Inputs } from '../../src/runtime/inputs.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { BAD, groups, type Refused, refuse } from './challenges.ts';
import { BOND, beside, type Court, claim, heldBy, MOVE, openCourt, play, publish, type Twist, WINDOW } from './game.ts';
import { LIES, playLie, type Truth } from './lies.ts';

let court: Court;
let third: Party;
let commitment: Commitment;
let inputs: Inputs;
let honest: Trace;

beforeAll(async () => {
  court = await openCourt();
  third = await court.chain.party('third');
  const model = loadModel(new Uint8Array(readFileSync(new URL('../golden/models/mnist-cnn.sbm', import.meta.url))));
  commitment = commit(model);
  inputs = randomInputs(model, new Prng(5), []);
  const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
  honest = (await traceRun(commitment, session, inputs)).trace;
  expect((await publish(court, commitment)).error).toBeUndefined();
});

describe('lies', () => {
  it('one of every kind is settled against the liar', async () => {
    const truth: Truth = { trace: honest, inputs, random: new Prng(11) };
    const before = await beside(court, [third]);
    let played = 0n;
    for (const make of LIES) {
      const lie = await make(truth);
      if (lie === undefined) continue;
      const outcome = await playLie(court, lie, honest);
      expect(outcome.winner, `${lie.kind} at ${lie.where}: ${outcome.by}`).toBe('challenger');
      played++;
    }
    expect(played).toBeGreaterThan(15n);
    expect((await beside(court, [third])) - before).toBe((played * BOND) / 2n);
  });

  it('gas of a game, move by move', async () => {
    const truth: Truth = { trace: honest, inputs, random: new Prng(3) };
    const lines: string[] = [];
    for (const make of [LIES[0]!, LIES[3]!, LIES[10]!]) {
      const lie = (await make(truth))!;
      const { log } = await playLie(court, lie, honest);
      lines.push(`${lie.kind}, ${lie.op} ${lie.where}`, ...log.map(([name, gas]) => `  ${name} ${gas}`));
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('gas.snap.txt');
  });

  it('an asserter who falls silent loses, in each phase that is his', async () => {
    const truth: Truth = { trace: honest, inputs, random: new Prng(21) };
    const lie = (await LIES[3]!(truth))!;
    for (const silent of ['reveal', 'revealRoot', 'revealChunk', 'postSums']) {
      const twist: Twist = (side, _, move) => (side === 'asserter' && move?.name === silent ? null : undefined);
      const { id } = await claim(court, lie.claimed);
      const outcome = await play(court, id, lie.claimed, honest, { twist });
      expect([outcome.winner, outcome.by], silent).toEqual(['challenger', 'timeout after silence']);
    }
    const { id } = await claim(court, honest);
    const outcome = await play(court, id, honest, honest, { output: 0, twist: () => null });
    expect(outcome.winner).toBe('challenger');
  });
});

describe('bad challenges of an honest claim', () => {
  it('every kind is refused, and its challenger loses', async () => {
    const before = await beside(court, [third]);
    const refused: Refused[] = [];
    const sets = groups(BAD);
    for (const set of sets) refused.push(...(await refuse(court, honest, third, set)));
    expect(refused.filter((r) => r.winner !== 'asserter')).toEqual([]);
    expect(refused.length).toBeGreaterThanOrEqual(50);
    expect((await beside(court, [third])) - before).toBe(BigInt(sets.length) * BOND);
    const lines = refused.map((r) => `${r.kind}: ${r.error || 'nothing to refuse'}`);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('challenges.snap.txt');
  });

  it('wrong choices at every level end nowhere', async () => {
    const r = new Prng(8);
    for (const pick of [() => 0, (n: number) => n - 1, (n: number) => r.below(n)]) {
      const { id } = await claim(court, honest);
      const twist: Twist = (side, _, move) => {
        if (side === 'asserter') return undefined;
        if (move?.name !== 'choose') return null;
        const children = move.args[1] as readonly unknown[];
        return { ...move, args: move.args.with(2, pick(children.length)) };
      };
      const outcome = await play(court, id, honest, honest, { twist });
      expect(outcome.winner).toBe('asserter');
    }
  });

  it('a right output, an output that is none', async () => {
    const { id } = await claim(court, honest);
    expect((await play(court, id, honest, honest, { output: 0 })).winner).toBe('asserter');
    const sent = await court.dispute.send(court.challenger, 'challengeOutput', [id, 1n], BOND);
    expect(sent.error).toBe('BadIndex');
  });
});

describe('claims', () => {
  it('bonds are what they must be', async () => {
    const { id } = await claim(court, honest);
    for (const value of [0n, BOND - 1n, BOND + 1n, 2n * BOND]) {
      expect((await court.dispute.send(court.challenger, 'challenge', [id], value)).error).toBe('BadBond');
      expect((await court.dispute.send(court.challenger, 'challengeOutput', [id, 0n], value)).error).toBe('BadBond');
    }
    const root = `0x${'11'.repeat(32)}`;
    const unknown = [root, root, root, root, []];
    expect((await court.dispute.send(court.asserter, 'assertRun', unknown, BOND)).error).toBe('NotMature');
  });

  it('a claim is challenged while its window is open and it is not refuted', async () => {
    const { dispute, challenger, asserter, chain } = court;
    expect((await dispute.send(challenger, 'challenge', [9999n], BOND)).error).toBe('NotOpen');
    const { id } = await claim(court, honest);
    expect((await dispute.send(asserter, 'settle', [id])).error).toBe('NotOpen');
    chain.advance(WINDOW);
    expect((await dispute.send(challenger, 'challenge', [id], BOND)).error).toBe('NotOpen');
    expect((await dispute.send(challenger, 'challengeOutput', [id, 0n], BOND)).error).toBe('NotOpen');
    expect((await dispute.send(third, 'settle', [id])).error).toBeUndefined();
    expect((await dispute.call('stands', [id])).value).toBe(true);
    expect((await dispute.send(third, 'settle', [id])).error).toBe('NotOpen');
    expect((await dispute.send(challenger, 'challenge', [id], BOND)).error).toBe('NotOpen');

    const lie = (await LIES[0]!({ trace: honest, inputs, random: new Prng(2) }))!;
    const refuted = await claim(court, lie.claimed);
    await play(court, refuted.id, lie.claimed, honest);
    expect((await dispute.send(challenger, 'challenge', [refuted.id], BOND)).error).toBe('NotOpen');
    expect((await dispute.send(third, 'settle', [refuted.id])).error).toBeUndefined();
    expect((await dispute.call('stands', [refuted.id])).value).toBe(false);
  });

  it('two challengers of a lie: the first gets of the bond, both get their own', async () => {
    const { dispute, challenger, chain } = court;
    const due = async (p: Party): Promise<bigint> =>
      (await dispute.call('balances', [p.address.toString()])).value as bigint;
    const { id } = await claim(court, honest, { root: new Uint8Array(32).fill(7) });
    const games: bigint[] = [];
    for (const who of [challenger, third, third]) {
      const sent = await dispute.send(who, 'challenge', [id], BOND);
      games.push(sent.events[0]!.args['game'] as bigint);
    }
    const before = [await due(challenger), await due(third)];
    chain.advance(MOVE + 1n);
    for (const game of games) expect((await dispute.send(third, 'timeout', [game])).error).toBeUndefined();
    expect(await due(challenger)).toBe(before[0]! + BOND + BOND / 2n);
    expect(await due(third)).toBe(before[1]! + 2n * BOND);
    for (const game of games) expect((await dispute.send(third, 'timeout', [game])).error).toBe('NotOpen');
    expect((await dispute.send(third, 'timeout', [10n ** 9n])).error).toBe('NotOpen');
  });

  it('two challengers of an honest claim both lose, and it stands when both games are over', async () => {
    const { dispute, asserter, chain } = court;
    const { id } = await claim(court, honest);
    chain.advance(WINDOW - 1n);
    const opened = await dispute.send(third, 'challengeOutput', [id, 0n], BOND);
    const other = opened.events[0]!.args['game'] as bigint;
    expect((await play(court, id, honest, honest, { output: 0 })).winner).toBe('asserter');
    chain.advance(1n);
    expect((await dispute.send(asserter, 'settle', [id])).error).toBe('NotOpen');
    const state = (await dispute.call('getGame', [other])).value as Game;
    const known = { header: headerOf(commitment), trace: honest, traceRoot: honest.root };
    const move = asserterMove(other, state, known)!;
    expect((await dispute.send(asserter, move.name, move.args)).error).toBeUndefined();
    expect((await dispute.send(asserter, move.name, move.args)).error).toBe('NotYourMove');
    expect((await dispute.send(asserter, 'settle', [id])).error).toBeUndefined();
    expect((await dispute.call('stands', [id])).value).toBe(true);
  });

  it('what is due is paid once', async () => {
    const { dispute, challenger, asserter } = court;
    for (const who of [challenger, asserter, third]) {
      const due = (await dispute.call('balances', [who.address.toString()])).value as bigint;
      const held = await heldBy(court);
      if (due > 0n) expect((await dispute.send(who, 'withdraw', [])).error).toBeUndefined();
      expect(await heldBy(court)).toBe(held - due);
      expect((await dispute.send(who, 'withdraw', [])).error).toBe('NoPayment');
    }
  });
});
