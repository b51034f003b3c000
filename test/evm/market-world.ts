/**
 * A market with honest and dishonest parties, for sequences of actions chosen at random: who does what, and what must hold of
 * everybody's money whatever they do.
 */
import { createAddressFromString } from '@ethereumjs/util';
import type { Deployed, Sent } from '../../examples/chain.ts';
import type { Trace } from '../../src/consensus/trace.ts';
import type { GameEvent } from '../../src/evm/claimed.ts';
import { asserterMove, challengerMove, type Game, type Move } from '../../src/evm/player.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import type { Prng } from '../support/prng.ts';
import { BOND, MOVE, WINDOW } from './game.ts';
import { Scores } from './market-scores.ts';
import { bytesOf, DEPOSIT, NAMES, type Name, type Run, type Stall, TURN } from './market-stall.ts';

/** A job as its parties know it. */
interface KnownJob {
  readonly id: bigint;
  readonly run: Run;
  readonly fee: bigint;
  readonly honestBuyer: boolean;
}

/** A claim, and the trace that its asserter plays with; none where he has nothing to play. */
interface KnownClaim {
  readonly id: bigint;
  readonly run: Run;
  readonly by: Name;
  readonly trace: Trace;
  readonly right: boolean;
  /** Set where the lie is in the output alone. */
  readonly output: boolean;
  /** Set once it is refuted. */
  fell: boolean;
}

interface KnownGame {
  readonly id: bigint;
  readonly claim: KnownClaim;
  readonly by: Name;
  readonly history: GameEvent[];
  done: boolean;
}

/** What must not be. */
export class Violation extends Error {}

function check(right: boolean, words: string): void {
  if (!right) throw new Violation(words);
}

const ZERO = new Uint8Array(32);

/** One sequence of actions on a market, and its end. */
export class World {
  readonly #s: Stall;
  readonly #prng: Prng;
  readonly #jobs: KnownJob[] = [];
  readonly #claims: KnownClaim[] = [];
  readonly #games: KnownGame[] = [];
  /** What honest parties are due beside what they have, by what the contracts said happened. */
  readonly #due: Record<string, bigint> = { Author: 0n, Buyer: 0n, Worker: 0n, Watcher: 0n };
  #price = 1000n;
  #closed = false;
  /** Actions that went through, by name. */
  readonly done: Map<string, number> = new Map();

  readonly #scores: Scores;

  constructor(stall: Stall, prng: Prng) {
    this.#s = stall;
    this.#prng = prng;
    this.#scores = new Scores({
      stall,
      prng,
      check,
      due: this.#due,
      try: (by, name, args, value) => this.#do(by, 'accuracy', name, args, value),
      claim: (by, run, right) => this.#claim(by, stall.runs[run]!, right ? 0 : 1),
    });
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.#prng.int(0, list.length - 1)];
  }

  async #do(
    by: Name,
    contract: 'market' | 'jobs' | 'dispute' | 'accuracy',
    name: string,
    args: readonly unknown[],
    value = 0n,
  ) {
    const sent = await this.#s[contract].poke(this.#s.parties[by], name, args, value);
    if (sent.error === undefined) this.done.set(`${by} ${name}`, (this.done.get(`${by} ${name}`) ?? 0) + 1);
    return sent;
  }

  /** What an honest party does must go through. */
  async #must(
    by: Name,
    contract: 'market' | 'jobs' | 'dispute' | 'accuracy',
    name: string,
    args: readonly unknown[],
    value = 0n,
  ) {
    const sent = await this.#do(by, contract, name, args, value);
    check(sent.error === undefined, `${by} ${name}: ${sent.error}`);
    return sent;
  }

  async #job(id: bigint): Promise<{ stage: number; worker: string; until: bigint; takenUntil: bigint; claim: bigint }> {
    const [, until, stage, worker, takenUntil, , claim] = (await this.#s.jobs.call('jobs', [id])).value as [
      string,
      bigint,
      number,
      string,
      bigint,
      bigint,
      bigint,
      Hex,
    ];
    return { stage, worker: worker.toLowerCase(), until, takenUntil, claim };
  }

  // ---- actions

  async open(by: 'Buyer' | 'buyer'): Promise<void> {
    const run = this.#pick(this.#s.runs)!;
    const fee = BigInt(this.#prng.int(1, 1_000_000));
    const until = this.#s.chain.time + BigInt(this.#prng.int(1, 200_000));
    const args = [this.#s.key, toHex(run.honest.inputRoot), [], until, run.input];
    const sent = await this.#must(by as Name, 'jobs', 'open', args, fee);
    this.#jobs.push({ id: sent.events[0]!.args['job'] as bigint, run, fee, honestBuyer: by === 'Buyer' });
  }

  /** Claims a run: honestly (0), with a lie in the trace (1), in the output alone (2), or with a root that nobody can open (3). */
  async #claim(by: Name, run: Run, lie: number): Promise<bigint> {
    const trace = lie === 1 ? run.lies[0]! : run.honest;
    const outputRoot = lie === 0 ? run.honest.outputRoot : run.lies[0]!.outputRoot;
    const traceRoot = lie === 3 ? ZERO.map(() => this.#prng.int(0, 255)) : trace.root;
    const roots = [this.#s.key, toHex(run.honest.inputRoot), toHex(outputRoot), toHex(traceRoot), []];
    const claimed = await this.#must(by, 'dispute', 'assertRun', roots, BOND);
    const id = claimed.events[0]!.args['claim'] as bigint;
    this.#claims.push({ id, run, by, trace, right: lie === 0, output: lie === 2, fell: false });
    return id;
  }

  /** Takes a job and delivers it at once: honestly, or with one of three lies. */
  async work(by: 'Worker' | 'cheat'): Promise<void> {
    const job = this.#pick(this.#jobs);
    if (job === undefined) return;
    const taken = await this.#do(by, 'jobs', 'take', [job.id], DEPOSIT);
    if (taken.error !== undefined) return;
    const lie = by === 'Worker' ? 0 : this.#prng.int(1, 3);
    const { run } = job;
    const id = await this.#claim(by, run, lie);
    const outputs = lie === 0 ? run.outputs : [bytesOf(run.lies[0]!, run.honest.length - 1)];
    if (by === 'cheat' && this.#prng.int(0, 3) === 0) {
      // What is somebody else's, or not what was claimed, is not taken.
      const other = this.#pick(this.#claims)!;
      const wrong = await this.#do(by, 'jobs', 'deliver', [job.id, other.by === by ? 0n : other.id, [], outputs]);
      check(wrong.error !== undefined, 'a foreign claim was delivered');
      const odd = await this.#do(by, 'jobs', 'deliver', [job.id, id, [], [...outputs, '0x']]);
      check(odd.error !== undefined, 'other outputs than those claimed were delivered');
    }
    await this.#must(by, 'jobs', 'deliver', [job.id, id, [], outputs]);
    const again = await this.#do(by, 'jobs', 'deliver', [job.id, id, [], outputs]);
    check(again.error !== undefined, 'a claim was delivered twice');
  }

  async idle(): Promise<void> {
    const job = this.#pick(this.#jobs);
    if (job !== undefined) await this.#do('idler', 'jobs', 'take', [job.id], DEPOSIT);
  }

  /** Challenges a claim: rightly, or out of spite. */
  async #challenge(by: 'Watcher' | 'griefer', claim: KnownClaim): Promise<void> {
    const sent = claim.output
      ? await this.#do(by, 'dispute', 'challengeOutput', [claim.id, 0n], BOND)
      : await this.#do(by, 'dispute', 'challenge', [claim.id], BOND);
    if (sent.error !== undefined) return;
    const id = sent.events[0]!.args['game'] as bigint;
    this.#games.push({ id, claim, by, history: [], done: false });
  }

  async grieve(): Promise<void> {
    const claim = this.#pick(this.#claims);
    if (claim !== undefined) await this.#challenge('griefer', claim);
  }

  /** A move of each game: of the honest always, of the others by chance. True if something moved. */
  async #move(chance: boolean): Promise<boolean> {
    let moved = false;
    for (const g of this.#games) {
      if (g.done) continue;
      const state = (await this.#s.dispute.call('getGame', [g.id])).value as Game;
      const { claim } = g;
      const traceRoot = claim.trace.root;
      const knows = { header: this.#s.header, traceRoot };
      let side: Name = claim.by;
      let move: Move | undefined = asserterMove(g.id, state, { ...knows, trace: claim.trace });
      if (move === undefined) {
        side = g.by;
        const own = side === 'Watcher' ? claim.run.honest : claim.run.lies[0]!;
        move = challengerMove(g.id, state, g.history, { ...knows, trace: own });
      }
      if (move === undefined || (chance && side === side.toLowerCase() && this.#prng.int(0, 1) === 0)) continue;
      const sent = await this.#do(side, 'dispute', move.name, move.args);
      if (side !== side.toLowerCase()) check(sent.error === undefined, `${side} ${move.name}: ${sent.error}`);
      if (sent.error !== undefined) continue;
      moved = true;
      await this.#follow(g, sent);
    }
    return moved;
  }

  async #follow(g: KnownGame, sent: Sent): Promise<void> {
    for (const e of sent.events) {
      g.history.push(e);
      if (e.name === 'Decided') {
        g.done = true;
        const winner = String(e.args['winner']).toLowerCase();
        const should = g.claim.right ? g.claim.by : g.by;
        const won = winner === this.#s.parties[should].address.toString();
        check(won || should === should.toLowerCase(), `${should} lost game ${g.id}`);
        // An asserter who wins has the challenger's bond; of his own, half goes to the first who refutes him, maybe himself.
        const { claim } = g;
        const before = claim.fell;
        const { defeated } = (await this.#s.dispute.call('getClaim', [claim.id])).value as {
          readonly defeated: boolean;
        };
        claim.fell = defeated;
        if (claim.right && won) this.#due[claim.by] = (this.#due[claim.by] ?? 0n) + BOND;
        if (!claim.right && !before && defeated) this.#due[g.by] = (this.#due[g.by] ?? 0n) + BOND / 2n;
      }
    }
  }

  /** Honest parties do what they have to do before time passes. */
  async duties(): Promise<void> {
    for (const c of this.#claims) {
      if (c.right || this.#games.some((g) => g.claim === c && g.by === 'Watcher')) continue;
      await this.#challenge('Watcher', c);
    }
    await this.#scores.duties();
    while (await this.#move(true));
  }

  async pass(): Promise<void> {
    await this.duties();
    const steps = [1n, TURN / 2n, TURN + 1n, MOVE + 1n, WINDOW];
    this.#s.chain.advance(this.#pick(steps)!);
    await this.late();
  }

  /** Anyone ends what is overdue. */
  async late(): Promise<void> {
    for (const g of this.#games) {
      if (g.done) continue;
      const sent = await this.#do('stranger', 'dispute', 'timeout', [g.id]);
      if (sent.error === undefined) await this.#follow(g, sent);
    }
    await this.#scores.late();
  }

  async trade(): Promise<void> {
    const [market, { key }] = ['market' as const, this.#s];
    const which = this.#prng.int(0, 5);
    if (which === 0) {
      this.#price = BigInt(this.#prng.int(0, 5000));
      const sent = await this.#do('Author', market, 'setPrice', [key, this.#price]);
      check((sent.error === undefined) === !this.#closed, `setPrice: ${sent.error}`);
    } else if (which === 1 && this.#prng.int(0, 9) === 0) {
      const sent = await this.#do('Author', market, 'close', [key]);
      check((sent.error === undefined) === !this.#closed, `close: ${sent.error}`);
      this.#closed = true;
    } else {
      const by = this.#prng.int(0, 1) === 0 ? 'Buyer' : 'buyer';
      const most = BigInt(this.#prng.int(0, 6000));
      const value = BigInt(this.#prng.int(0, 6000));
      const run = this.#pick(this.#s.runs)!;
      const sent = await this.#do(by, market, 'call', [key, run.input, most], value);
      const fits = !this.#closed && this.#price <= most && this.#price <= value;
      check((sent.error === undefined) === fits, `call at ${this.#price} of ${value}: ${sent.error}`);
      if (fits) {
        this.#due['Author']! += this.#price;
        if (by === 'Buyer') this.#due['Buyer']! -= this.#price;
      }
    }
  }

  /** Anyone tries anything on anything. */
  async meddle(): Promise<void> {
    const id = BigInt(this.#prng.int(0, this.#jobs.length + 1));
    const by = this.#pick(['stranger', 'cheat', 'idler', 'buyer', 'griefer'] as const)!;
    const tries: readonly (() => Promise<Sent>)[] = [
      () => this.#do(by, 'jobs', 'expire', [id]),
      () => this.#do(by, 'jobs', 'evict', [id]),
      () => this.#do(by, 'jobs', 'finish', [id]),
      () => this.#do(by, 'jobs', 'withdraw', []),
      () => this.#do(by, 'market', 'withdraw', []),
      () => this.#do(by, 'dispute', 'settle', [id]),
      () => this.#do(by, 'dispute', 'withdraw', []),
      () => this.#do(by, 'market', 'setPrice', [this.#s.key, 0n]),
      () => this.#do(by, 'market', 'hold', [this.#s.key]),
      () => this.#do(by, 'jobs', 'take', [id], 1n),
    ];
    const which = this.#prng.int(0, tries.length - 1);
    const sent = await tries[which]!();
    check(which < 7 || sent.error !== undefined, 'a stranger did what only others may');
  }

  async cancel(): Promise<void> {
    const job = this.#pick(this.#jobs);
    if (job !== undefined) await this.#do(job.honestBuyer ? 'Buyer' : 'buyer', 'jobs', 'expire', [job.id]);
  }

  /** One action. */
  async step(): Promise<void> {
    const which = this.#prng.int(0, 19);
    if (which < 3) return this.open(this.#prng.int(0, 1) === 0 ? 'Buyer' : 'buyer');
    if (which < 5) return this.work('Worker');
    if (which < 7) return this.work('cheat');
    if (which === 7) return this.idle();
    if (which === 8) return this.grieve();
    if (which === 9) return this.cancel();
    if (which < 12) return this.trade();
    if (which < 14) return this.meddle();
    if (which === 14) return this.#scores.claim('Author');
    if (which === 15) return this.#scores.claim('cheat');
    if (which === 16) return this.#scores.grieve();
    if (which === 17) return this.#scores.meddle(this.#pick(['stranger', 'cheat', 'idler', 'griefer'] as const)!);
    return this.pass();
  }

  // ---- ends and money

  /** Lets everything run out, by strangers alone; then everybody takes what is his. */
  async end(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.duties();
      this.#s.chain.advance(MOVE + 1n);
      await this.late();
    }
    for (const g of this.#games) check(g.done, 'a game does not end');
    this.#s.chain.advance(WINDOW + 200_001n);
    for (const c of this.#claims) {
      const sent = await this.#do('stranger', 'dispute', 'settle', [c.id]);
      const stands = (await this.#s.dispute.call('stands', [c.id])).value as boolean;
      check(stands === c.right, `claim ${c.id} of ${c.by} ${stands ? 'stands' : 'fell'}: ${sent.error ?? 'settled'}`);
    }
    for (const j of this.#jobs) {
      for (let round = 0; round < 3; round++) {
        for (const name of ['finish', 'evict', 'expire']) await this.#do('stranger', 'jobs', name, [j.id]);
      }
      const { stage, worker } = await this.#job(j.id);
      check(stage === 4, `job ${j.id} ends in stage ${stage}`);
      const done = worker !== `0x${'0'.repeat(40)}`;
      check(!done || worker === this.#s.parties.Worker.address.toString(), `job ${j.id} paid a cheat`);
      if (done) this.#due['Worker']! += j.fee;
      if (done && j.honestBuyer) this.#due['Buyer']! -= j.fee;
    }
    const burned = await this.#scores.end();
    for (const name of NAMES)
      for (const contract of ['market', 'jobs', 'dispute', 'accuracy'] as const)
        await this.#do(name, contract, 'withdraw', []);
    await this.#settled(burned);
  }

  /** @param fallen halves of bonds of scores */
  async #settled(fallen: bigint): Promise<void> {
    const { chain, market, jobs, accuracy, dispute, parties } = this.#s;
    const held = (c: Deployed): Promise<bigint> => chain.balance(createAddressFromString(c.address));
    check((await held(market)) === 0n, `the market keeps ${await held(market)}`);
    check((await held(jobs)) === 0n, `jobs keep ${await held(jobs)}`);
    const burned = BigInt(this.#claims.filter((c) => !c.right).length) * (BOND / 2n);
    check((await held(dispute)) === burned, `disputes keep ${await held(dispute)}, not the burned ${burned}`);
    check((await held(accuracy)) === fallen, `scores keep ${await held(accuracy)}, not the burned ${fallen}`);
    let sum = burned + fallen;
    const gains = {} as Record<Name, bigint>;
    for (const name of NAMES) {
      const now = await chain.balance(parties[name].address);
      gains[name] = now - this.start[name]!;
      sum += gains[name];
    }
    check(sum === 0n, `money came or went: ${sum}`);
    check(gains.Author === this.#due['Author'], `the author gained ${gains.Author}, not ${this.#due['Author']}`);
    check(gains.Worker === this.#due['Worker'], `the worker gained ${gains.Worker}, not ${this.#due['Worker']}`);
    check(gains.Buyer >= this.#due['Buyer']!, `the buyer lost ${-gains.Buyer}, not ${-this.#due['Buyer']!}`);
    check(gains.Watcher === this.#due['Watcher'], `the watcher gained ${gains.Watcher}, not ${this.#due['Watcher']}`);
  }

  readonly start: Partial<Record<Name, bigint>> = {};

  /** Notes what everybody has. */
  async begin(): Promise<void> {
    for (const name of NAMES) this.start[name] = await this.#s.chain.balance(this.#s.parties[name].address);
  }
}
