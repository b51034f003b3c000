/** What `samebit assert` and `samebit watch` print with --json, against a chain in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Party } from '../../examples/chain.ts';
import { RpcNode } from '../../examples/rpc.ts';
import { addDispute } from '../../src/cli/dispute.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { headerHash, headerOf } from '../../src/consensus/header.ts';
import { type Trace, traceRun } from '../../src/consensus/trace.ts';
import { asserterMove, type Game, PHASES } from '../../src/evm/player.ts';
import { toHex } from '../../src/evm/proof.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { Prng } from '../support/prng.ts';
import { BOND, type Court, claim, MOVE, openCourt, publish, WINDOW } from './game.ts';
import { element } from './lies.ts';

const MODEL = new URL('../golden/models/mnist-cnn.sbm', import.meta.url).pathname;
const IMAGES = new URL('../../examples/mnist/test.npy', import.meta.url).pathname;

let court: Court;
let node: RpcNode;
let folder: string;
let honest: Trace;

beforeAll(async () => {
  court = await openCourt();
  node = await RpcNode.open(court.chain);
  folder = mkdtempSync(join(tmpdir(), 'samebit-bots-'));
  const model = loadModel(new Uint8Array(readFileSync(MODEL)));
  const file = readFileSync(IMAGES);
  const data = new Uint8Array(file.subarray(10 + file.readUInt16LE(8))).slice(0, 784);
  const session = await createSession(model, { mode: 'trace' });
  honest = (await traceRun(commit(model), session, { [model.inputs[0]!.name]: data })).trace;
  session.dispose();
  await publish(court, honest.commitment);
});

afterAll(() => {
  node.close();
  rmSync(folder, { recursive: true, force: true });
});

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});

/** One look of a bot at the chain; the lines that it prints, each one object with the time first, without it. */
async function look(command: 'assert' | 'watch', who: Party, ...more: string[]): Promise<Record<string, unknown>[]> {
  const key = join(folder, `${who.address.toString()}.txt`);
  writeFileSync(key, toHex(who.key));
  const program = new Command().exitOverride();
  addDispute(program);
  printed.length = 0;
  const where = ['--rpc', node.url, '--dispute', court.dispute.address, '--key', key];
  const flags = ['--input', IMAGES, '--index', '0', '--once', '--json', ...where, ...more];
  await program.parseAsync([command, MODEL, ...flags], { from: 'user' });
  const lines = printed.join('').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => {
    const { time, ...facts } = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(JSON.parse(line) as object)[0]).toBe('time');
    expect(new Date(time as string).toISOString()).toBe(time);
    return facts;
  });
}

it('a claim that is right: made, watched, settled, paid', async () => {
  const made = await look('assert', court.asserter);
  const id = made[0]!['claim'] as number;
  expect(made).toEqual([{ event: 'claim', claim: id }]);
  const watching = {
    event: 'watching',
    header: toHex(headerHash(headerOf(honest.commitment))),
    inputRoot: toHex(honest.inputRoot),
  };
  expect(await look('watch', court.challenger)).toEqual([watching]);
  court.chain.advance(WINDOW);
  expect(await look('assert', court.asserter, '--claim', String(id))).toEqual([
    { event: 'end', claim: id, stands: true },
    // A number that JSON does not hold exactly is a text.
    { event: 'withdrawal', from: 'the dispute contract', wei: String(BOND) },
  ]);
});

it('a claim that is false: challenged, played by one look after another, refuted, paid', async () => {
  const lie = element({ trace: honest, inputs: {}, random: new Prng(4) }, 5).claimed;
  const { id } = await claim(court, lie);
  const [watching, challenge, ...rest] = await look('watch', court.challenger);
  expect([watching!['event'], challenge, rest]).toEqual(['watching', { event: 'challenge', claim: Number(id) }, []]);
  const game = (await court.dispute.call('gameCount', [])).value as bigint;
  const known = { header: headerOf(honest.commitment), trace: lie, traceRoot: lie.root };
  const lines: Record<string, unknown>[] = [];
  for (;;) {
    const state = (await court.dispute.call('getGame', [game])).value as Game;
    if (PHASES[state.phase] === 'done') break;
    const move = asserterMove(game, state, known);
    // In the end the liar's sums do not finish to his claim: he is late.
    const refused = move && (await court.dispute.send(court.asserter, move.name, move.args)).error !== undefined;
    if (refused) court.chain.advance(MOVE + 1n);
    if (refused !== false) lines.push(...(await look('watch', court.challenger)).slice(1));
  }
  const names = ['choose', 'choose', 'choose', 'choose', 'choose', 'contest'];
  expect(lines.filter((l) => l['event'] !== 'withdrawal')).toEqual([
    ...names.map((move) => ({ event: 'move', game: Number(game), move })),
    { event: 'timeout', game: Number(game) },
  ]);
  const ended = await look('watch', court.challenger);
  expect(ended.map((l) => l['event'])).toEqual(['withdrawal', 'watching'].toReversed());
});

it('an asserter who is late: ended by time', async () => {
  const lie = element({ trace: honest, inputs: {}, random: new Prng(9) }, 5).claimed;
  await claim(court, lie);
  await look('watch', court.challenger);
  const game = (await court.dispute.call('gameCount', [])).value as bigint;
  expect((await look('watch', court.challenger)).slice(1)).toEqual([]);
  court.chain.advance(MOVE + 1n);
  expect((await look('watch', court.challenger)).at(-1)).toEqual({ event: 'timeout', game: Number(game) });
});

it('an output that is another: challenged by its number', async () => {
  const { id } = await claim(court, honest, { outputRoot: new Uint8Array(32).fill(3) });
  const lines = await look('watch', court.challenger);
  expect(lines.at(-1)).toEqual({ event: 'challenge', claim: Number(id), output: 0 });
});
