/** Scores in a market of honest and dishonest parties: claimed rightly or not, questioned, contested, settled. */
import type { Sent } from '../../examples/chain.ts';
import { toHex } from '../../src/evm/proof.ts';
import type { Evaluation } from '../../src/market/accuracy.ts';
import type { Prng } from '../support/prng.ts';
import { BOND } from './game.ts';
import { evaluationOf, FEE, type Name, type Stall, scoreArgs } from './market-stall.ts';

/** A score as its parties know it. `secret`: its running scores are known to nobody. */
interface KnownScore {
  readonly id: bigint;
  readonly by: 'Author' | 'cheat';
  readonly evaluation: Evaluation;
  /** Row that is false. */
  readonly wrong: number | undefined;
  readonly secret: boolean;
  fell: boolean;
  /** Set once the watcher has done what he can. */
  opposed: boolean;
}

interface KnownQuestion {
  readonly id: bigint;
  readonly score: KnownScore;
  readonly row: number;
  readonly by: Name;
  done: boolean;
}

/** What a world lends to its scores. */
export interface Hands {
  readonly stall: Stall;
  readonly prng: Prng;
  /** What honest parties are due. */
  readonly due: Record<string, bigint>;
  try(by: Name, name: string, args: readonly unknown[], value?: bigint): Promise<Sent>;
  check(right: boolean, words: string): void;
  /** Claims a run in the dispute contract, with the lie about it where it is false; its number. */
  claim(by: Name, run: number, right: boolean): Promise<bigint>;
}

/** The scores of a world. */
export class Scores {
  readonly #h: Hands;
  readonly #scores: KnownScore[] = [];
  readonly #questions: KnownQuestion[] = [];
  readonly #contests: { readonly id: bigint; readonly score: KnownScore; done: boolean }[] = [];

  constructor(hands: Hands) {
    this.#h = hands;
  }

  async #must(by: Name, name: string, args: readonly unknown[], value = 0n): Promise<Sent> {
    const sent = await this.#h.try(by, name, args, value);
    this.#h.check(sent.error === undefined, `${by} ${name}: ${sent.error}`);
    return sent;
  }

  #follow(sent: Sent): void {
    for (const e of sent.events) {
      const score = this.#scores.find((s) => s.id === e.args['id']);
      if (e.name === 'Refuted') {
        this.#h.check(score!.wrong !== undefined || score!.secret, 'an honest score was refuted');
        score!.fell = true;
        const by = String(e.args['by']).toLowerCase();
        if (by === this.#h.stall.parties.Watcher.address.toString()) this.#h.due['Watcher']! += BOND / 2n;
      }
      if (e.name === 'Shown' && score!.by === 'Author') this.#h.due['Author']! += FEE;
    }
  }

  /** Vouches for a score: rightly, falsely, or with a root that nobody can open beside the last row. */
  async claim(by: 'Author' | 'cheat'): Promise<void> {
    const { stall, prng } = this.#h;
    const wrong = by === 'cheat' ? prng.int(0, 2) : undefined;
    const evaluation = evaluationOf(stall.runs, wrong);
    const sent = await this.#must(by, 'claim', scoreArgs(stall.key, evaluation), BOND);
    const secret = by === 'cheat' && prng.int(0, 1) === 0;
    const id = sent.events[0]!.args['id'] as bigint;
    this.#scores.push({ id, by, evaluation, wrong, secret, fell: false, opposed: false });
    const far = scoreArgs(stall.key, evaluation).with(6, evaluation.score + 1n);
    const other = await this.#h.try(by, 'claim', far, BOND);
    this.#h.check(other.error === 'BadScore', 'a score was taken that its rows do not add up to');
  }

  async #ask(by: Name, score: KnownScore, row: number): Promise<void> {
    const sent = await this.#h.try(by, 'ask', [score.id, BigInt(row)], FEE);
    if (sent.error !== undefined) return;
    if (by === 'Watcher') this.#h.due['Watcher']! -= FEE;
    this.#questions.push({ id: sent.events[0]!.args['question'] as bigint, score, row, by, done: false });
  }

  /** A question out of spite, or a contest of an honest row by a false run. */
  async grieve(): Promise<void> {
    const { stall, prng } = this.#h;
    if (this.#scores.length === 0) return;
    const score = this.#scores[prng.int(0, this.#scores.length - 1)]!;
    const row = prng.int(0, 2);
    if (prng.int(0, 1) === 0) return this.#ask('griefer', score, row);
    if (score.wrong !== undefined) return;
    const run = await this.#h.claim('griefer', row, false);
    const outputs = [toHex(Uint8Array.from(stall.runs[row]!.lies[0]!.tensor(1).data as Int8Array))];
    const args: readonly unknown[] = [score.id, BigInt(row), score.evaluation.row(row), run, outputs];
    const sent = await this.#h.try('griefer', 'contest', args);
    if (sent.error === undefined)
      this.#contests.push({ id: sent.events[0]!.args['contest'] as bigint, score, done: false });
    const twice = await this.#h.try('griefer', 'contest', args);
    this.#h.check(twice.error !== undefined, 'one run contested twice');
    const own = args.with(4, stall.runs[row]!.outputs);
    this.#h.check((await this.#h.try('griefer', 'contest', own)).error !== undefined, 'outputs that were not claimed');
  }

  /** Honest authors answer; the watcher contests what is false, or asks where nothing is known. */
  async duties(): Promise<void> {
    const { stall, prng } = this.#h;
    for (const s of this.#scores) {
      if (s.fell || s.opposed || (s.wrong === undefined && !s.secret)) continue;
      s.opposed = true;
      if (s.secret) await this.#ask('Watcher', s, 1);
      else {
        const run = await this.#h.claim('Watcher', s.wrong!, true);
        const args = [s.id, BigInt(s.wrong!), s.evaluation.row(s.wrong!), run, stall.runs[s.wrong!]!.outputs];
        const sent = await this.#must('Watcher', 'contest', args);
        this.#contests.push({ id: sent.events[0]!.args['contest'] as bigint, score: s, done: false });
      }
    }
    for (const q of this.#questions) {
      const { score } = q;
      if (q.done || score.secret || (score.by === 'cheat' && prng.int(0, 1) === 0)) continue;
      const args = [q.id, score.evaluation.row(q.row), [stall.runs[q.row]!.input]];
      const sent =
        score.by === 'Author' ? await this.#must('Author', 'show', args) : await this.#h.try('cheat', 'show', args);
      if (sent.error === undefined) q.done = true;
      this.#follow(sent);
    }
  }

  /** Strangers end what is overdue. */
  async late(): Promise<void> {
    for (const q of this.#questions) {
      if (q.done) continue;
      const sent = await this.#h.try('stranger', 'timeout', [q.id]);
      if (sent.error !== undefined) continue;
      q.done = true;
      if (q.by === 'Watcher') this.#h.due['Watcher']! += FEE;
      this.#follow(sent);
    }
    for (const c of this.#contests) {
      if (c.done) continue;
      const sent = await this.#h.try('stranger', 'conclude', [c.id]);
      if (sent.error === undefined) c.done = true;
      this.#follow(sent);
    }
    for (const s of this.#scores) await this.#h.try('stranger', 'settle', [s.id]);
  }

  /** Anyone tries anything. */
  async meddle(by: Name): Promise<void> {
    const { prng } = this.#h;
    const id = BigInt(prng.int(0, this.#scores.length + 1));
    const name = ['settle', 'timeout', 'conclude', 'withdraw'][prng.int(0, 3)]!;
    this.#catchUp(name, id, await this.#h.try(by, name, name === 'withdraw' ? [] : [id]));
  }

  #catchUp(name: string, id: bigint, sent: Sent): void {
    if (sent.error !== undefined) return;
    const q = name === 'timeout' ? this.#questions.find((k) => k.id === id) : undefined;
    if (q !== undefined) {
      q.done = true;
      if (q.by === 'Watcher') this.#h.due['Watcher']! += FEE;
    }
    const c = name === 'conclude' ? this.#contests.find((k) => k.id === id) : undefined;
    if (c !== undefined) c.done = true;
    this.#follow(sent);
  }

  /** After all time: every score is settled or fell, as it should. Returns the halves of bonds that nobody has. */
  async end(): Promise<bigint> {
    await this.late();
    let burned = 0n;
    for (const s of this.#scores) {
      const { settled, defeated, open } = (await this.#h.stall.accuracy.call('getScore', [s.id])).value as {
        readonly settled: boolean;
        readonly defeated: boolean;
        readonly open: number;
      };
      const right = s.wrong === undefined && !s.secret;
      this.#h.check(open === 0 && settled !== defeated, `score ${s.id} of ${s.by} has no end`);
      this.#h.check(settled === right, `score ${s.id} of ${s.by} ${settled ? 'stands' : 'fell'}`);
      if (defeated) burned += BOND / 2n;
    }
    return burned;
  }
}
