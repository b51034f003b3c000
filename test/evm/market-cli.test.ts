/** What samebit publish, hold, buy, serve-job and challenge do with --once --json, against a chain in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Party } from '../../examples/chain.ts';
import { openPlace, type Place, TERMS } from '../../examples/market/place.ts';
import { addBuy } from '../../src/cli/buy.ts';
import { addPublish } from '../../src/cli/publish.ts';
import { addWork } from '../../src/cli/work.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { headerHash, headerOf } from '../../src/consensus/header.ts';
import { toHex } from '../../src/evm/proof.ts';
import type { Model } from '../../src/graph/ir.ts';
import { Evaluation, WIDTHS } from '../../src/market/accuracy.ts';
import { outputsOf } from '../../src/market/jobs.ts';
import { hold, namedRun, Shelf } from '../../src/market/runs.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { Liar } from './liar.ts';

const MODEL = new URL('../golden/models/mnist-cnn.sbm', import.meta.url).pathname;
const MNIST = new URL('../../examples/mnist/', import.meta.url).pathname;
const IMAGE = ['--input', join(MNIST, 'test.npy'), '--index', '3'];
const ROWS = 6;
const DATA = ['--data', join(MNIST, 'test.npy'), '--labels', join(MNIST, 'labels.npy'), '--rows', String(ROWS)];

let place: Place;
let folder: string;
let model: Model;
let images: Uint8Array;

beforeAll(async () => {
  model = loadModel(new Uint8Array(readFileSync(MODEL)));
  place = await openPlace([model]);
  folder = mkdtempSync(join(tmpdir(), 'samebit-market-'));
  const file = readFileSync(join(MNIST, 'test.npy'));
  images = new Uint8Array(file.subarray(10 + file.readUInt16LE(8)));
});

afterAll(() => {
  place.node.close();
  rmSync(folder, { recursive: true, force: true });
});

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});

type Line = Record<string, unknown>;

/** One look of a command at the chain; the lines that it prints. */
async function look(command: string, name: string, ...more: string[]): Promise<Line[]> {
  const who = await party(name);
  const key = join(folder, `${who.address.toString()}.txt`);
  writeFileSync(key, toHex(who.key));
  const program = new Command().exitOverride();
  for (const add of [addPublish, addBuy, addWork]) add(program);
  printed.length = 0;
  const flags = ['--rpc', place.node.url, '--key', key, '--json', ...(command === 'hold' ? [] : ['--once']), ...more];
  await program.parseAsync([command, MODEL, ...flags], { from: 'user' });
  return printed
    .join('')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

const parties = new Map<string, Party>();
async function party(name: string): Promise<Party> {
  let p = parties.get(name) ?? place.validators.find((_, i) => name === `validator ${i}`);
  if (p === undefined) parties.set(name, (p = await place.chain.party(name)));
  return p;
}

const eventsOf = (lines: readonly Line[]): unknown[] => lines.map((l) => l['event']);
const image = (i: number): Uint8Array => images.slice(784 * i, 784 * (i + 1));

it('publish: committed, listed once the commitment is old, held, mature, called, paid', {
  timeout: 300_000,
}, async () => {
  const { market } = place.contracts;
  const publish = (price: string): Promise<Line[]> =>
    look('publish', 'author', '--market', market.address, '--price', price, '--task', 'digits');
  const buy = (...more: string[]): Promise<Line[]> =>
    look('buy', 'buyer', '--market', market.address, ...IMAGE, ...more);
  expect(eventsOf(await publish('1000'))).toEqual(['commit', 'wait']);
  expect(eventsOf(await publish('1000'))).toEqual(['wait']);
  place.chain.advance(600n);
  expect(eventsOf(await publish('1000'))).toEqual(['register', 'list', 'listed']);
  await expect(look('publish', 'thief', '--market', market.address, '--price', '1')).rejects.toMatchObject({
    code: 'Taken',
  });
  for (const i of [0, 1])
    expect(eventsOf(await look('hold', `validator ${i}`, '--market', market.address))).toEqual(['hold']);
  expect(eventsOf(await look('hold', 'validator 1', '--market', market.address))).toEqual(['held']);
  await expect(look('hold', 'thief', '--market', market.address)).rejects.toMatchObject({ family: 'ChainError' });
  await expect(buy()).rejects.toMatchObject({ code: 'NotLive' });
  place.chain.advance(TERMS.delay);

  const session = await createSession(model);
  const { outputs } = await session.run({ [model.inputs[0]!.name]: image(3) });
  const [called, ...rest] = await buy('--max-price', '0.000000000000005ether');
  expect(called).toMatchObject({ event: 'called', price: 1000 });
  const [output] = called!['outputs'] as [{ data: number[] }];
  expect(output.data).toEqual([...outputs[model.outputs[0]!.name]!.data]);
  expect(rest).toMatchObject([{ event: 'withdrawal', wei: 4000 }]);
  expect(await publish('2000')).toMatchObject([
    { event: 'price', price: 2000 },
    { event: 'listed', live: true, held: 2 },
    { event: 'release', wei: String(TERMS.bond) },
    { event: 'withdrawal', from: 'the registry' },
    { event: 'withdrawal', from: 'the market', wei: 1000 },
  ]);
  await expect(buy('--max-price', '1999')).rejects.toMatchObject({ code: 'PriceMoved' });
});

it('a job: opened, taken, delivered, stands, paid', { timeout: 300_000 }, async () => {
  const jobs = ['--jobs', place.contracts.jobs.address];
  const [opened] = await look('buy', 'buyer', '--job', ...jobs, ...IMAGE, '--fee', '5000');
  const id = String(opened!['job']);
  expect(eventsOf(await look('serve-job', 'worker', ...jobs, '--min-fee', '5001'))).toEqual(['serving']);
  expect(eventsOf(await look('serve-job', 'worker', ...jobs))).toEqual(['serving', 'take']);
  expect(eventsOf(await look('serve-job', 'late worker', ...jobs))).toEqual(['serving']);
  expect(eventsOf(await look('serve-job', 'worker', ...jobs))).toEqual(['serving', 'deliver']);
  const again = ['--job', ...jobs, ...IMAGE, '--id', id];
  const [delivered] = await look('buy', 'buyer', ...again);
  const session = await createSession(model);
  const { outputs } = await session.run({ [model.inputs[0]!.name]: image(3) });
  const [output] = delivered!['outputs'] as [{ data: number[] }];
  expect(output.data).toEqual([...outputs[model.outputs[0]!.name]!.data]);
  place.chain.advance(TERMS.window);
  expect(eventsOf(await look('serve-job', 'worker', ...jobs))).toEqual([
    'serving',
    'finish',
    'withdrawal',
    'withdrawal',
  ]);
  expect((await look('buy', 'buyer', ...again)).at(-1)).toMatchObject({ event: 'end', job: Number(id) });
});

it('a job that nobody does: the fee comes back', async () => {
  const jobs = ['--jobs', place.contracts.jobs.address];
  const [opened] = await look('buy', 'buyer', '--job', ...jobs, ...IMAGE, '--fee', '5', '--within', '60');
  place.chain.advance(60n);
  const again = ['--job', ...jobs, ...IMAGE, '--id', String(opened!['job'])];
  expect(eventsOf(await look('buy', 'buyer', ...again))).toEqual(['withdrawal']);
  await expect(look('buy', 'buyer', ...again)).rejects.toMatchObject({ code: 'JobFailed' });
});

it('a false answer: challenged, refuted, the job opened again', { timeout: 300_000 }, async () => {
  const { jobs, dispute } = place.contracts;
  const cheat = await party('cheat');
  const held = hold(model);
  const shelf = new Shelf([model]);
  const { trace } = (await shelf.run(held.key, image(3)))!;
  const last = held.commitment.traceIndex.get(model.outputs[0]!.tensor)!;
  const t = trace.tensor(last);
  const lie = new Liar(trace, new Map([[last, { shape: t.shape, data: t.data.map((v) => -1 - v) as typeof t.data }]]));
  const [opened] = await look('buy', 'buyer', '--job', '--jobs', jobs.address, ...IMAGE, '--fee', '5000');
  const job = BigInt(opened!['job'] as number);
  await jobs.send(cheat, 'take', [job], TERMS.deposit);
  const { inputRoot } = namedRun(held, image(3));
  const roots = [held.key, inputRoot, toHex(lie.outputRoot), toHex(lie.root), []];
  const sent = await dispute.send(cheat, 'assertRun', roots, TERMS.bond);
  const claim = sent.events[0]!.args['claim'];
  expect((await jobs.send(cheat, 'deliver', [job, claim, [], outputsOf(lie)])).error).toBeUndefined();
  const lines = await look('challenge', 'watcher', '--jobs', jobs.address);
  expect(eventsOf(lines)).toEqual(['watching', 'challenge']);
  place.chain.advance(TERMS.move + 1n); // the cheat is silent
  const ended = await look('challenge', 'watcher', '--jobs', jobs.address);
  expect(eventsOf(ended)).toEqual(['watching', 'timeout', 'finish', 'withdrawal']);
  expect(ended[2]).toMatchObject({ event: 'finish', paid: false });
  expect(String(ended[2]!['worker']).toLowerCase()).toBe(cheat.address.toString());
  expect(ended[3]).toMatchObject({ wei: String((TERMS.bond * 3n) / 2n) });
});

it('a score: claimed, shown where asked, settled', { timeout: 300_000 }, async () => {
  const { market, accuracy } = place.contracts;
  const flags = ['--market', market.address, '--price', '2000', '--accuracy', accuracy.address, ...DATA, '--defend'];
  const lines = await look('publish', 'author', ...flags);
  expect(eventsOf(lines)).toEqual(['listed', 'score']);
  const id = BigInt(lines[1]!['id'] as number);
  await accuracy.send(await party('asker'), 'ask', [id, 4n], TERMS.fee);
  expect((await look('publish', 'author', ...flags))[1]).toMatchObject({ event: 'show', row: 4 });
  const watching = await look('challenge', 'watcher', '--accuracy', accuracy.address, ...DATA);
  expect(eventsOf(watching)).toEqual(['watching']);
  place.chain.advance(TERMS.period);
  await look('publish', 'author', ...flags);
  expect((await look('publish', 'author', ...flags))[1]).toMatchObject({ event: 'scored', stands: true });
});

it('a false score: its row found by halves, run, contested, refuted', { timeout: 300_000 }, async () => {
  const { accuracy } = place.contracts;
  const cheat = await party('cheat');
  const shelf = new Shelf([model]);
  const { key } = hold(model);
  const label = readFileSync(join(MNIST, 'labels.npy'));
  const labels = label.subarray(10 + label.readUInt16LE(8));
  const each = labels.length / (images.length / 784);
  const rows = [];
  for (let i = 0; i < ROWS; i++) {
    const { trace } = (await shelf.run(key, image(i)))!;
    rows.push({
      inputRoot: trace.inputRoot,
      label: BigInt(labels[each * i]!),
      input: toHex(new Uint8Array(traceBytesOf(trace))),
    });
  }
  const values = [1n, 1n, 1n, 7n, 1n, 1n];
  const e = new Evaluation(rows, values);
  const width = WIDTHS[model.tensors[model.outputs[0]!.tensor]!.dtype]!;
  const args = [key, e.dataRoot, e.scoresRoot, 0, width, BigInt(ROWS), e.score, e.path, ''];
  const id = (await accuracy.send(cheat, 'claim', args, TERMS.bond)).events[0]!.args['id'] as bigint;
  const names: unknown[] = [];
  for (let i = 0; i < 12; i++) {
    const lines = await look('challenge', 'watcher', '--accuracy', accuracy.address, ...DATA);
    names.push(...eventsOf(lines).filter((n) => n !== 'watching'));
    const asked = lines.find((l) => l['event'] === 'ask');
    const question = (await accuracy.call('questionCount', [])).value as bigint;
    const row = asked?.['row'] as number | undefined;
    if (row !== undefined) {
      const shown = await accuracy.send(cheat, 'show', [question, e.row(row), [rows[row]!.input]]);
      expect(shown.error).toBeUndefined();
    } else if (names.at(-1) === 'contest') place.chain.advance(TERMS.window);
    if (names.includes('conclude')) break;
  }
  expect(names).toEqual(['ask', 'ask', 'contest', 'conclude', 'withdrawal', 'withdrawal']);
  expect((await accuracy.call('getScore', [id])).value).toMatchObject({ defeated: true });
});

/** Raw bytes of the input of a run. */
function traceBytesOf(trace: { tensor(i: number): { readonly data: ArrayLike<number> } }): number[] {
  return Array.from(trace.tensor(0).data, (v) => v & 255);
}

it('an offer that was closed stays closed', async () => {
  const { market } = place.contracts;
  await market.send(await party('author'), 'close', [toHex(headerHash(headerOf(commit(model))))]);
  await expect(look('publish', 'author', '--market', market.address, '--price', '2000')).rejects.toMatchObject({
    code: 'Closed',
  });
});
