/**
 * What the four validators go through. Everything that is said is asserted.
 * @module
 */
import { deepStrictEqual, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from './application.ts';
import { type Audited, audit, blockTimes } from './audit.ts';
import { type Fuzzed, fuzz } from './fuzz.ts';
import { type Links, linksOf } from './links.ts';
import { questions, transaction, type World, writeModels } from './models.ts';
import { networkOf, until, type Validator } from './network.ts';

/** How a run is set. */
export interface Settings {
  readonly txs: number;
  readonly fuzz: number;
  readonly seed: number;
  readonly links: string | undefined;
  readonly keep: boolean;
}

/** The first load: questions that wait in the mempool, and how they went. */
export interface Load {
  readonly txs: number;
  readonly blocks: number;
  readonly seconds: number;
  readonly blockMs: { readonly mean: number; readonly least: number; readonly most: number };
}

/** A validator with a wrong bit: the app hash after a height as it and as the chain has it, and what its log says. */
export interface Fallen {
  readonly kind: string;
  readonly height: number;
  readonly own: string;
  readonly chain: string;
  readonly said: string;
}

/** A validator that was killed: blocks behind at its start, seconds until it had them, blocks given to the application anew. */
export interface Crashed {
  readonly kind: string;
  readonly lost: 'nothing' | 'the application’s state';
  readonly behind: number;
  readonly seconds: number;
  readonly replayed: number;
}

/** Two validators apart from two. */
export interface Parted {
  readonly links: Links['kind'];
  /** Without a block. */
  readonly seconds: number;
  /** Seconds until all had answered what was asked meanwhile. */
  readonly healed: number;
}

/** What a run shows. */
export interface Figures {
  readonly fuzzed: Fuzzed;
  readonly load: Load;
  readonly fallen: readonly Fallen[];
  readonly crashed: readonly Crashed[];
  readonly parted: Parted;
  readonly audited: Audited;
  readonly seconds: number;
}

type Say = (line: string) => void;

const seconds = (since: number): number => Number(((performance.now() - since) / 1000).toFixed(1));

/** Offers transactions to validators in turn; each has to be taken. */
async function offer(validators: readonly Validator[], txs: readonly Uint8Array[]): Promise<void> {
  await Promise.all(
    validators.map(async (v, k) => {
      for (let i = k; i < txs.length; i += validators.length) strictEqual(await v.send(txs[i]!), Code.Answered, v.name);
    }),
  );
}

/** Waits until the applications of all have given so many answers. */
async function answered(validators: readonly Validator[], count: number): Promise<void> {
  const all = async (): Promise<boolean> =>
    (await Promise.all(validators.map((v) => v.answers()))).every((n) => n >= count);
  await until(`${count} answers of ${validators.map((v) => v.name).join(', ')}`, 90, all);
}

async function grown(v: Validator, blocks: number): Promise<void> {
  const from = await v.height();
  await until(`${blocks} blocks more`, 60, async () => (await v.height()) >= from + blocks);
}

async function caughtUp(v: Validator, other: Validator): Promise<number> {
  const from = performance.now();
  await until(`${v.name} catches up`, 90, async () => (await v.height()) >= (await other.height()) - 1);
  return seconds(from);
}

class Story {
  readonly #world: World;
  readonly #validators: readonly Validator[];
  readonly #links: Links;
  readonly #say: Say;
  /** Questions that the chain has taken. */
  #asked = 0;

  constructor(world: World, validators: readonly Validator[], links: Links, say: Say) {
    [this.#world, this.#validators, this.#links, this.#say] = [world, validators, links, say];
  }

  #others(v: Validator): Validator[] {
    return this.#validators.filter((o) => o !== v);
  }

  async #ask(count: number, to: readonly Validator[]): Promise<void> {
    await offer(to, questions(this.#world, count));
    this.#asked += count;
  }

  async load(txs: number): Promise<Load> {
    const all = this.#validators;
    const from = performance.now();
    const first = (await all[0]!.height()) + 1;
    await this.#ask(txs, all);
    await answered(all, this.#asked);
    const took = seconds(from);
    const metas = (await all[0]!.metas(first, await all[0]!.height())).filter((m) => m.txs > 0);
    const load = { txs, blocks: metas.length, seconds: took, blockMs: blockTimes(metas) };
    this.#say(
      `${txs} questions in ${load.blocks} blocks, ${(txs / took).toFixed(0)} a second, block time ${load.blockMs.mean} ms`,
    );
    return load;
  }

  /** Every validator refuses what it has to, alike. */
  async refusals(): Promise<void> {
    const [digits, score] = this.#world.models as [World['models'][0], World['models'][0]];
    const [image, row] = [digits.questions[0]!, score.questions[0]!];
    const unknown = transaction(digits, image);
    unknown[1]! ^= 1;
    const beyond = Uint8Array.from(row);
    beyond.set([0xff, 0x7f]); // 32767
    const cases: readonly (readonly [number, Uint8Array])[] = [
      [Code.Malformed, Uint8Array.of(1, 2, 3)],
      [Code.UnknownModel, unknown],
      [Code.LimitTooHigh, transaction(digits, image, this.#world.genesis.blockGas + 1)],
      [Code.OutOfGas, transaction(digits, image, digits.reference.gas - 1)],
      [Code.WrongLength, transaction(digits, image.subarray(1))],
      [Code.OutOfRange, transaction(score, beyond)],
    ];
    for (const v of this.#validators) for (const [code, tx] of cases) strictEqual(await v.send(tx), code, v.name);
    this.#say(`${cases.length} bad transactions refused by every validator with the same codes`);
  }

  /** A validator whose application flips a bit of some answers falls out; the others go on; set right it comes back. */
  async wrongBit(v: Validator): Promise<Fallen> {
    const others = this.#others(v);
    await v.stop('SIGTERM');
    await v.start('--wrong-bit');
    await caughtUp(v, others[0]!);
    await this.#ask(40, others);
    await answered(others, this.#asked);
    const failed = (): Readonly<Record<string, string>> | undefined =>
      v.log().find((l) => l['_msg']?.startsWith('CONSENSUS FAILURE'));
    await until(`${v.name} falls out`, 60, () => failed() !== undefined);
    const last = await v.height();
    await grown(others[0]!, 5);
    strictEqual(await v.height(), last, 'a fallen validator makes no block');
    const [own, chain] = [await v.results(last), await others[0]!.results(last)];
    notStrictEqual(own.appHash, chain.appHash);
    const said = `${failed()!['_msg']} ${failed()!['err']}`;
    ok(said.includes(`wrong Block.Header.AppHash.  Expected ${own.appHash}, got ${chain.appHash}`), said);
    this.#say(`${v.name}, wrong bit: fell out after block ${last}, the others went on; its log:\n  ${said}`);
    await v.stop('SIGKILL');
    v.forget('all');
    await v.start();
    await caughtUp(v, others[0]!);
    await answered([v], this.#asked);
    return { kind: v.kind.name, height: last, own: own.appHash, chain: chain.appHash, said };
  }

  /** A validator and its application are killed under load, and started again; `lose`: the application's state is lost, too. */
  async crash(v: Validator, lose: boolean): Promise<Crashed> {
    const others = this.#others(v);
    const load = this.#ask(60, others);
    await sleep(300);
    await v.stop('SIGKILL');
    await load;
    await answered(others, this.#asked);
    await grown(others[0]!, 5);
    if (lose) v.forget('app');
    const top = await others[0]!.height();
    const from = performance.now();
    await v.start();
    const info = v.log().find((l) => l['_msg'] === 'ABCI Handshake App Info');
    const kept = Number(info?.['height'] ?? Number.NaN);
    strictEqual(lose ? kept === 0 : kept > 0, true, `the application says height ${kept}`);
    await caughtUp(v, others[0]!);
    const took = seconds(from);
    await answered([v], this.#asked);
    const replayed = v.log().filter((l) => l['_msg'] === 'Applying block').length;
    const lost = lose ? ('the application’s state' as const) : ('nothing' as const);
    this.#say(`${v.name}, killed, ${lost} lost: application at ${kept} of ${top}, with the others after ${took} s`);
    return { kind: v.kind.name, lost, behind: top - kept, seconds: took, replayed };
  }

  /** Halves with one validator of each kind: no block; afterwards what was asked meanwhile is answered. */
  async partition(): Promise<Parted> {
    const all = this.#validators;
    const heights = (): Promise<number[]> => Promise.all(all.map((v) => v.height()));
    this.#links.cut([2, 3]);
    await sleep(2000); // a block that was under way
    const before = await heights();
    const from = performance.now();
    await this.#ask(8, [all[0]!, all[3]!]);
    await sleep(8000);
    deepStrictEqual(await heights(), before, 'two of four make no block');
    const apart = seconds(from);
    this.#links.heal();
    const healing = performance.now();
    await answered(all, this.#asked);
    await grown(all[3]!, 3);
    const healed = seconds(healing);
    this.#say(
      `two apart from two (${this.#links.kind}): no block for ${apart} s; healed, all questions answered after ${healed} s`,
    );
    return { links: this.#links.kind, seconds: apart, healed };
  }

  async audit(): Promise<Audited> {
    const [first] = this.#validators as [Validator];
    await grown(first, 2);
    const to = await first.height();
    await until('all validators are at one height', 30, async () =>
      (await Promise.all(this.#validators.map((v) => v.height()))).every((h) => h >= to),
    );
    const audited = await audit(this.#validators, this.#world, to);
    strictEqual(audited.answers, this.#asked);
    this.#say(
      `${audited.heights} heights, ${audited.answers} answers: one app hash each on all validators and on the reference`,
    );
    return audited;
  }
}

/** Runs it all. @throws at the first thing that is not as it has to be; processes end with this one */
export async function story(settings: Settings, say: Say): Promise<Figures> {
  const from = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'samebit-'));
  const models = join(folder, 'models');
  let links: Links | undefined;
  process.on('exit', () => {
    links?.close();
    if (!settings.keep) rmSync(folder, { recursive: true, maxRetries: 5 });
  });
  const validators: Validator[] = [];
  try {
    const world = await writeModels(models);
    const fuzzed = await fuzz(world, folder, models, settings.fuzz, settings.seed);
    say(
      `${fuzzed.txs} random transactions: the same answers of both applications, codes ${JSON.stringify(fuzzed.codes)}`,
    );
    links = await linksOf(4, settings.links);
    validators.push(...networkOf(4, folder, models, world.genesis, links));
    await Promise.all(validators.map((v) => v.start()));
    const told = new Story(world, validators, links, say);
    const load = await told.load(settings.txs);
    await told.refusals();
    const fallen = [await told.wrongBit(validators[2]!), await told.wrongBit(validators[3]!)];
    const crashed = [
      await told.crash(validators[1]!, false),
      await told.crash(validators[2]!, false),
      await told.crash(validators[0]!, true),
    ];
    const parted = await told.partition();
    const audited = await told.audit();
    return { fuzzed, load, fallen, crashed, parted, audited, seconds: seconds(from) };
  } catch (e) {
    for (const v of validators) say(`${v.name}: …${v.tail()}`);
    throw e;
  } finally {
    await Promise.all(validators.map((v) => v.stop('SIGKILL')));
    links?.close();
    if (settings.keep) say(`files: ${folder}`);
  }
}
