/**
 * Scores on the chain (spec/50-market.md §4): who claims one, answers for it; who knows better, refutes it. Both keep nothing.
 * @module
 */
import type { Trace } from '../consensus/trace.ts';
import { traceBytes } from '../consensus/trace.ts';
import { type Hex, toHex } from '../evm.ts';
import { Evaluation, METRICS, type Metric, rowValue, type SolidityRow, WIDTHS } from './accuracy.ts';
import { type Contract, type Party, same } from './client.ts';
import { type Claim, claimRun, defend, oppose } from './court.ts';
import { outputsOf } from './jobs.ts';
import type { Held, Made, Shelf } from './runs.ts';

/** A score as the contract has it. */
interface Score {
  readonly author: Hex;
  readonly finalAt: bigint;
  readonly open: number;
  readonly defeated: boolean;
  readonly settled: boolean;
  readonly data: Hex;
  readonly scores: Hex;
  readonly score: bigint;
  readonly rows: bigint;
}

/** Contracts that keep scores. */
export interface Board {
  readonly accuracy: Contract;
  readonly dispute: Contract;
}

/** A model's evaluation on a data set, with what it takes to run each row again. */
export class Measured {
  readonly held: Held;
  readonly metric: Metric;
  readonly evaluation: Evaluation;
  readonly #shelf: Shelf;
  readonly #inputs: readonly Uint8Array[];

  private constructor(held: Held, metric: Metric, evaluation: Evaluation, shelf: Shelf, inputs: readonly Uint8Array[]) {
    this.held = held;
    this.metric = metric;
    this.evaluation = evaluation;
    this.#shelf = shelf;
    this.#inputs = inputs;
  }

  /**
   * Runs every row.
   * @param inputs call data of each row
   * @throws RangeError where a row is none of the model
   */
  static async make(
    shelf: Shelf,
    key: Hex,
    inputs: readonly Uint8Array[],
    labels: readonly bigint[],
    metric: Metric,
  ): Promise<Measured> {
    const rows: { inputRoot: Uint8Array; label: bigint }[] = [];
    const values: bigint[] = [];
    for (const [i, input] of inputs.entries()) {
      const run = await shelf.run(key, input);
      if (run === undefined) throw new RangeError(`row ${i} is no input of the model`);
      const label = labels[i]!;
      rows.push({ inputRoot: run.trace.inputRoot, label });
      values.push(rowValue(metric, firstOutput(run.trace), label));
    }
    return new Measured(shelf.get(key)!, metric, new Evaluation(rows, values), shelf, inputs);
  }

  /** The run of row `index`. */
  async run(index: number): Promise<Made> {
    return (await this.#shelf.run(this.held.key, this.#inputs[index]!))!;
  }

  /** Bytes of an element of output 0. */
  get width(): number {
    const { model } = this.held;
    return WIDTHS[model.tensors[model.outputs[0]!.tensor]!.dtype]!;
  }
}

function firstOutput(trace: Trace): ArrayLike<number> {
  return trace.tensor(trace.commitment.traceIndex.get(trace.plan.outputs[0]!)!).data;
}

/** Canonical bytes of each input of a run, raw. */
function inputsOf(trace: Trace): Hex[] {
  return trace.commitment.model.inputs.map((_, i) => toHex(traceBytes(trace.tensor(i))));
}

/** The number of a claim of this score by this account: an old one, or a new one with its bond. */
export async function claimScore(party: Party, { accuracy }: Board, m: Measured, uri: string): Promise<bigint> {
  const { evaluation: e, held } = m;
  for (const { args } of await accuracy.events(['Scored'], { header: held.key, author: party.account }))
    if (same(args['data'] as Hex, e.dataRoot) && same(args['scores'] as Hex, e.scoresRoot)) return args['id'] as bigint;
  const metric = METRICS.indexOf(m.metric);
  const args = [held.key, e.dataRoot, e.scoresRoot, metric, m.width, BigInt(e.rows.length), e.score, e.path, uri];
  const events = await accuracy.send('claim', args, await accuracy.read<bigint>('BOND'));
  const id = events.find((v) => v.name === 'Scored')!.args['id'] as bigint;
  party.say({ event: 'score', id, score: e.score }, `score ${id}: ${e.score} over ${e.rows.length} rows`);
  return id;
}

/** A question that nobody answered yet. */
async function openQuestions(
  accuracy: Contract,
  id: bigint,
): Promise<readonly { readonly question: bigint; readonly row: number; readonly deadline: bigint }[]> {
  const open: { question: bigint; row: number; deadline: bigint }[] = [];
  for (const { args } of await accuracy.events(['Asked'], { id })) {
    const question = args['question'] as bigint;
    const [, deadline, done, row] = await accuracy.read<readonly [Hex, bigint, boolean, bigint, bigint]>('questions', [
      question,
    ]);
    if (!done) open.push({ question, row: Number(row), deadline });
  }
  return open;
}

/** Answers for a score of one's own once: shows rows, opposes false runs against it, settles it. True once it is over. */
export async function answer(party: Party, { accuracy, dispute }: Board, id: bigint, m: Measured): Promise<boolean> {
  const score = await accuracy.read<Score>('getScore', [id]);
  if (score.settled || score.defeated) {
    party.say({ event: 'scored', id, stands: score.settled }, `score ${id} ${score.settled ? 'stands' : 'fell'}`);
    return true;
  }
  const now = await party.now();
  for (const { question, row, deadline } of await openQuestions(accuracy, id)) {
    if (now > deadline) continue;
    await accuracy.send('show', [question, m.evaluation.row(row), inputsOf((await m.run(row)).trace)]);
    party.say({ event: 'show', id, row }, `score ${id}: showed row ${row}`);
  }
  for (const { args } of await accuracy.events(['Contested'], { id })) {
    const [, run, done] = await contestOf(accuracy, args['contest'] as bigint);
    if (done) continue;
    await oppose(party, dispute, run, await m.run(Number(args['row'] as bigint)));
    await conclude(party, { accuracy, dispute }, args['contest'] as bigint, run);
  }
  if (score.open === 0 && now >= score.finalAt) await accuracy.send('settle', [id]);
  return false;
}

function contestOf(
  accuracy: Contract,
  contest: bigint,
): Promise<readonly [challenger: Hex, run: bigint, done: boolean, id: bigint]> {
  return accuracy.read('contests', [contest]);
}

/** Ends a contest whose run is over. */
async function conclude(party: Party, { accuracy, dispute }: Board, contest: bigint, run: bigint): Promise<void> {
  const c = await dispute.read<Claim>('getClaim', [run]);
  if (!c.defeated && (c.open > 0 || (await party.now()) < c.finalAt)) return;
  await accuracy.send('conclude', [contest]);
  party.say({ event: 'conclude', contest, stands: !c.defeated }, `contest ${contest} is over`);
}

/** True if a score is over the rows of an evaluation. */
export function isOver(score: { readonly data: Hex; readonly rows: bigint }, { evaluation }: Measured): boolean {
  return same(score.data, evaluation.dataRoot) && Number(score.rows) === evaluation.rows.length;
}

/**
 * Refutes a score over a data set that is known, one step at a time: finds the row from which the running scores differ by asking for
 * rows, halving the range; claims the run of that row, and contests it.
 */
export async function refute(party: Party, board: Board, id: bigint, m: Measured): Promise<void> {
  const { accuracy, dispute } = board;
  const score = await accuracy.read<Score>('getScore', [id]);
  const { evaluation: own } = m;
  if (score.settled || score.defeated || !isOver(score, m) || score.score === own.score) return;
  const now = await party.now();
  for (const { args } of await accuracy.events(['Contested'], { id })) {
    const contest = args['contest'] as bigint;
    const [challenger, run, done] = await contestOf(accuracy, contest);
    if (done || !same(challenger, party.account)) continue;
    await defend(party, dispute, run, await m.run(Number(args['row'] as bigint)));
    return conclude(party, board, contest, run);
  }
  const open = await openQuestions(accuracy, id);
  const late = open.find((q) => now > q.deadline);
  if (late !== undefined) {
    await accuracy.send('timeout', [late.question]);
    party.say({ event: 'refuted', id }, `score ${id}: its author did not show row ${late.row}`);
    return;
  }
  if (now >= score.finalAt) return;
  const shown = await shownRows(accuracy, id);
  let [agree, differ] = [-1, own.rows.length - 1];
  while (differ - agree > 1 || !shown.has(differ)) {
    const row = differ - agree > 1 ? (agree + differ) >> 1 : differ;
    const after = shown.get(row)?.afterwards;
    if (after === undefined) {
      if (open.some((q) => q.row === row)) return;
      await accuracy.send('ask', [id, BigInt(row)], await accuracy.read<bigint>('FEE'));
      party.say({ event: 'ask', id, row }, `score ${id}: asked for row ${row}`);
      return;
    }
    if (after === own.sums[row]) agree = row;
    else differ = row;
  }
  const run = await m.run(differ);
  const least = now + (await dispute.read<bigint>('WINDOW')) / 2n + 1n;
  const claim = await claimRun(party, dispute, run, least, (c) => accuracy.read<boolean>('isUsed', [id, c]));
  await accuracy.send('contest', [id, BigInt(differ), shown.get(differ)!, claim, outputsOf(run.trace)]);
  party.say({ event: 'contest', id, row: differ, claim }, `score ${id}: row ${differ} is false, contested`);
}

/** Rows of a score that its author has shown. */
async function shownRows(accuracy: Contract, id: bigint): Promise<Map<number, SolidityRow>> {
  const asked = await accuracy.events(['Asked'], { id });
  const rowOf = new Map(asked.map(({ args }) => [args['question'] as bigint, Number(args['row'] as bigint)]));
  const shown = await accuracy.events(['Shown'], { id });
  return new Map(shown.map(({ args }) => [rowOf.get(args['question'] as bigint)!, args['row'] as SolidityRow]));
}
