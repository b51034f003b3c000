/**
 * `npm run example:antifake`: a detector of manipulated pictures whose verdicts a registry contract stores. Held-out pictures and
 * sequences of frames, beside a naive baseline; verdicts and receipts on a chain; the same scores on every engine.
 * `npm run example:antifake -- picture.png` scores a file.
 * @module
 */
import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import pc from 'picocolors';
import { concat, type Hex, keccak256, toHex } from 'viem';
import { commit, headerOf, receiptHash, receiptOf, traceRun } from '../../src/consensus.ts';
import { createPrecompile } from '../../src/evm.ts';
import { createSession, hex, type Model } from '../../src/index.ts';
import * as artifacts from '../artifacts.gen.ts';
import { Chain, type Deployed, type Party } from '../chain.ts';
import { must, PRECOMPILE, Store } from '../stall.ts';
import { auc, detector, luma, SIZE, score, shipped, squares, threshold } from './detector.ts';

/** A judgement of one picture takes 45 million gas; a chain that runs detectors has blocks for it. */
const GAS_LIMIT = 60_000_000n;
const FRAMES = 4;
const CASES = ['authentic', 'splice', 'recompression', 'blend', 'generated'] as const;

/** A picture in the terminal, two rows of pixels a line. */
function thumbnail(picture: Uint8Array): string[] {
  const at = (y: number, x: number): number => picture[y * SIZE + x]!;
  const grey = (v: number): string => `${v};${v};${v}`;
  return Array.from({ length: 12 }, (_, row) => {
    const line = Array.from({ length: 24 }, (_, column) => {
      const [y, x] = [Math.floor((row * SIZE) / 12), Math.floor((column * SIZE) / 24)];
      return `\x1b[38;2;${grey(at(y, x))};48;2;${grey(at(y + 5, x))}m▀`;
    });
    return `${line.join('')}\x1b[0m`;
  });
}

/** Hash of the receipt of a run on one picture. */
async function receipt(model: Model, picture: Uint8Array): Promise<Hex> {
  const commitment = commit(model);
  const session = await createSession(model, { mode: 'trace' });
  const { trace } = await traceRun(commitment, session, { picture });
  session.dispose();
  return toHex(receiptHash('keccak256', receiptOf(headerOf(commitment), trace)));
}

/** Scores of the shipped pictures, and the figures that they have to reach. */
async function measure(model: Model): Promise<void> {
  const { pictures, frames, stated } = shipped();
  const session = await createSession(model);
  const scores: number[] = [];
  for (const p of [...pictures, ...frames]) scores.push(await score(session, p));
  session.dispose();
  const half = pictures.length / 2;
  const [authentic, forged] = [scores.slice(0, half), scores.slice(half, pictures.length)];
  const means = (list: readonly number[]): number[] =>
    Array.from({ length: list.length / FRAMES }, (_, i) =>
      list.slice(i * FRAMES, (i + 1) * FRAMES).reduce((sum, s) => sum + s, 0),
    );
  const split = (list: readonly number[]): number => auc(list.slice(0, list.length / 2), list.slice(list.length / 2));
  const [float, integer] = [auc(stated.authentic, stated.forged), auc(authentic, forged)];
  const table = new Table({ head: ['held out', 'number', 'AUC'], style: { head: [], border: [] } });
  table.push(
    [
      'pictures, error level analysis',
      pictures.length,
      auc(stated.errorLevel.authentic, stated.errorLevel.forged).toFixed(4),
    ],
    ['pictures, float network', pictures.length, float.toFixed(4)],
    ['pictures, integer network', pictures.length, integer.toFixed(4)],
    ['sequences, float network', frames.length / FRAMES, split(means(stated.frames)).toFixed(4)],
    ['sequences, integer network', frames.length / FRAMES, split(means(scores.slice(pictures.length))).toFixed(4)],
  );
  console.log(table.toString());
  const least = threshold(model, stated);
  const flagged = (list: readonly number[]): string => `${list.filter((v) => v >= least).length} of ${list.length}`;
  console.log(`Called forged: ${flagged(authentic)} authentic pictures, ${flagged(forged)} forged ones.`);
  if (integer < 0.85) throw new Error(`the AUC is ${integer}`);
  if (float - integer > 0.01) throw new Error(`the integer network loses ${float - integer} of the AUC`);
}

/** Scores of one picture of each kind on the reference and on WebAssembly. */
async function engines(model: Model, pictures: readonly Uint8Array[]): Promise<void> {
  const found = new Set<string>();
  for (const backend of ['reference', 'wasm'] as const) {
    const session = await createSession(model, { backend });
    const scores: number[] = [];
    for (const p of pictures) scores.push(await score(session, p));
    session.dispose();
    found.add(scores.join());
  }
  if (found.size !== 1) throw new Error('two engines score differently');
  console.log(
    `\nScores ${[...found][0]} on reference and wasm; their digest is ${keccak256(toHex([...found][0]!)).slice(0, 18)}…`,
  );
}

/** Judges one picture of each kind, and one that was judged before. */
async function judgements(registry: Deployed, by: Party, model: Model, pictures: readonly Uint8Array[]): Promise<void> {
  const table = new Table({ head: ['picture', 'score', 'verdict', 'receipt', 'gas'], style: { head: [], border: [] } });
  for (const [i, picture] of pictures.entries()) {
    const sent = must(await registry.send(by, 'judge', [toHex(picture), await receipt(model, picture)]), 'judge');
    const {
      score,
      forged,
      receipt: stored,
    } = sent.events[0]!.args as { score: bigint; forged: boolean; receipt: string };
    table.push([
      CASES[i]!,
      String(score),
      forged ? pc.red('forged') : pc.green('authentic'),
      `${stored.slice(0, 18)}…`,
      String(sent.gas),
    ]);
  }
  console.log(table.toString());
  const { value } = await registry.call('entries', [keccak256(pictures[1]!)]);
  if ((value as readonly unknown[])[4] !== (await receipt(model, pictures[1]!)))
    throw new Error('the registry has another receipt');
  const again = await registry.send(by, 'judge', [toHex(pictures[0]!), `0x${'00'.repeat(32)}`]);
  if (again.error !== 'Judged') throw new Error('a verdict was given twice');
}

/** Judges an authentic sequence and a forged one by their frames. */
async function sequences(registry: Deployed, by: Party, frames: readonly Uint8Array[]): Promise<void> {
  for (const [name, first] of [
    ['authentic', 0],
    ['forged', frames.length / 2],
  ] as const) {
    const hashes: Hex[] = [];
    for (const frame of frames.slice(first, first + FRAMES)) {
      hashes.push(keccak256(frame));
      must(await registry.send(by, 'judge', [toHex(frame), `0x${'00'.repeat(32)}`]), 'judge');
    }
    const sent = must(await registry.send(by, 'judgeSequence', [hashes]), 'judgeSequence');
    const { sequence, score, forged } = sent.events[0]!.args as { sequence: string; score: bigint; forged: boolean };
    if (sequence !== keccak256(concat(hashes))) throw new Error('the sequence has another name');
    console.log(
      `Sequence of ${FRAMES} ${name} frames: mean score ${score}, ${forged ? pc.red('forged') : pc.green('authentic')}`,
    );
    if (forged !== (name === 'forged')) throw new Error(`the ${name} sequence is misjudged`);
  }
}

/** The score of every square of a file. */
async function judgeFile(model: Model, path: string): Promise<void> {
  const least = threshold(model, shipped().stated);
  const session = await createSession(model);
  const all = squares(luma(new Uint8Array(readFileSync(path))));
  if (all.length === 0) throw new RangeError(`${path} is smaller than ${SIZE} × ${SIZE} pixels`);
  const scores: number[] = [];
  for (const s of all) scores.push(await score(session, s));
  session.dispose();
  const most = Math.max(...scores);
  console.log(
    `${path}: ${all.length} squares, greatest score ${most}: ${most >= least ? pc.red('forged') : pc.green('authentic')}`,
  );
}

async function main(): Promise<void> {
  const model = detector();
  if (process.argv[2] !== undefined) return judgeFile(model, process.argv[2]);
  const { pictures, frames, stated } = shipped();
  console.log(pc.bold('A registry of pictures that says which were manipulated'));
  const store = new Store();
  const key = await store.add(model);
  const chain = await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }], {
    gasLimit: GAS_LIMIT,
  });
  const deployer = await chain.party('deployer');
  const least = threshold(model, stated);
  const registry = await chain.deploy(deployer, artifacts.Antifake, [PRECOMPILE, key, BigInt(least)]);
  console.log(
    `model ${hex(model.id).slice(0, 16)}…  contract ${registry.address}  forged from a score of ${least} on\n`,
  );

  const half = pictures.length / 2;
  const cases = [pictures[0]!, ...[4, 5, 6, 3].map((i) => pictures[half + i]!)];
  const thumbs = cases.map(thumbnail);
  for (let row = 0; row < thumbs[0]!.length; row++) console.log(thumbs.map((t) => t[row]!).join('  '));
  console.log(CASES.map((c) => c.padEnd(26)).join(''));
  const reporter = await chain.party('reporter');
  await judgements(registry, reporter, model, cases);
  await sequences(registry, reporter, frames);
  console.log();
  await measure(model);
  await engines(model, cases);
}

await main();
