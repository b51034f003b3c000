/**
 * Jobs for an escrowed fee (spec/50-market.md §3): the worker, and whoever looks after the workers. Both keep nothing but what they have
 * computed.
 * @module
 */
import { type Trace, traceBytes } from '../consensus/trace.ts';
import { type Hex, toHex } from '../evm.ts';
import { fromHex } from './blobs.ts';
import { attempt, type Contract, collect, type Party, same } from './client.ts';
import { type Claim, claimRun, defend, oppose } from './court.ts';
import { type Held, type Made, namedRun, type Shelf } from './runs.ts';

/** Stages of a job in the order of the contract. */
export const STAGES = ['none', 'open', 'taken', 'delivered', 'done'] as const;

/** A job as the contract has it. */
export interface Job {
  readonly buyer: Hex;
  readonly until: bigint;
  readonly stage: (typeof STAGES)[number];
  readonly worker: Hex;
  readonly takenUntil: bigint;
  readonly fee: bigint;
  readonly claim: bigint;
}

/** A job, and what its buyer published of it. */
export interface Offer extends Job {
  readonly id: bigint;
  readonly header: Hex;
  readonly inputRoot: Hex;
  /** Call data of the run. */
  readonly input: Hex;
}

/** Contracts that a worker talks to. */
export interface Workplace {
  readonly jobs: Contract;
  readonly dispute: Contract;
}

/** One job. */
export async function readJob(jobs: Contract, id: bigint): Promise<Job> {
  const [buyer, until, stage, worker, takenUntil, fee, claim] = await jobs.read<
    readonly [Hex, bigint, number, Hex, bigint, bigint, bigint, Hex]
  >('jobs', [id]);
  return { buyer, until, stage: STAGES[stage]!, worker, takenUntil, fee, claim };
}

/** Canonical bytes of each output of a run, raw, as `deliver` takes them. */
export function outputsOf(trace: Trace): Hex[] {
  const { commitment: c, plan } = trace;
  return plan.outputs.map((t) => toHex(traceBytes(trace.tensor(c.traceIndex.get(t)!))));
}

/**
 * Opens a job; its number.
 * @param input call data of the run
 * @param until second of the chain at which the buyer may take his fee back
 */
export async function openJob(
  jobs: Contract,
  held: Held,
  input: Uint8Array,
  fee: bigint,
  until: bigint,
): Promise<bigint> {
  const { dims, inputRoot } = namedRun(held, input);
  const events = await jobs.send('open', [held.key, inputRoot, dims.map(BigInt), until, toHex(input)], fee);
  return events.find((e) => e.name === 'Opened')!.args['job'] as bigint;
}

/** What a worker does and what it is worth to him. */
export interface Terms {
  /** True where jobs are taken; false for one who only challenges. */
  readonly works: boolean;
  /** True where false answers of others are challenged. */
  readonly challenges: boolean;
  /** Least fee of a job that is taken. */
  readonly minFee: bigint;
}

/** A party that looks at the jobs of the models on its shelf, again and again. */
export class Worker {
  readonly #party: Party;
  readonly #at: Workplace;
  readonly #shelf: Shelf;
  readonly #terms: Terms;
  /** Jobs that are over, and those whose input is not what was promised. */
  readonly #over: Set<bigint> = new Set();

  constructor(party: Party, at: Workplace, shelf: Shelf, terms: Terms) {
    this.#party = party;
    this.#at = at;
    this.#shelf = shelf;
    this.#terms = terms;
  }

  /** One look at every job that is not over; each gets the one thing that is due, and money that is due is withdrawn. */
  async look(): Promise<void> {
    const { jobs, dispute } = this.#at;
    for (const header of this.#shelf.keys)
      for (const { args } of await jobs.events(['Opened'], { header })) {
        const id = args['job'] as bigint;
        if (this.#over.has(id)) continue;
        const job = await readJob(jobs, id);
        const [inputRoot, input] = [args['inputRoot'] as Hex, args['input'] as Hex];
        if (job.stage === 'done') this.#over.add(id);
        else await attempt(this.#party, `job ${id}`, () => this.#attend({ ...job, id, header, inputRoot, input }));
      }
    await attempt(this.#party, 'withdrawal', async () => {
      await collect(this.#party, jobs, 'the contract of jobs');
      await collect(this.#party, dispute, 'the dispute contract');
    });
  }

  async #attend(job: Offer): Promise<void> {
    const run = await this.#shelf.run(job.header, fromHex(job.input));
    if (run === undefined || !same(toHex(run.trace.inputRoot), job.inputRoot)) {
      this.#over.add(job.id);
      this.#party.say({ event: 'skip', job: job.id }, `job ${job.id}: its input is not the one that it names, skipped`);
      return;
    }
    const mine = same(job.worker, this.#party.account);
    if (job.stage === 'open') await this.#take(job);
    else if (job.stage === 'taken') await (mine ? this.#deliver(job, run) : this.#evict(job));
    else await this.#follow(job, run, mine);
  }

  async #take({ id, fee, until }: Offer): Promise<void> {
    const { minFee, works } = this.#terms;
    if (!works || fee < minFee || (await this.#party.now()) >= until) return;
    const { jobs } = this.#at;
    await jobs.send('take', [id], await jobs.read<bigint>('DEPOSIT'));
    this.#party.say({ event: 'take', job: id, fee }, `job ${id}: taken, for ${fee} wei`);
  }

  /** Ends the turn of a worker who is late. */
  async #evict({ id, takenUntil }: Offer): Promise<void> {
    if (!this.#terms.works || (await this.#party.now()) <= takenUntil) return;
    await this.#at.jobs.send('evict', [id]);
    this.#party.say({ event: 'evict', job: id }, `job ${id}: its worker was late, opened again`);
  }

  async #deliver(job: Offer, run: Made): Promise<void> {
    const { jobs, dispute } = this.#at;
    if ((await this.#party.now()) > job.takenUntil) return this.#evict(job);
    const least = job.takenUntil - (await jobs.read<bigint>('TURN')) + (await dispute.read<bigint>('WINDOW'));
    const claim = await claimRun(this.#party, dispute, run, least, (id) => jobs.read<boolean>('isUsed', [id]));
    await jobs.send('deliver', [job.id, claim, run.trace.plan.dims.map(BigInt), outputsOf(run.trace)]);
    this.#party.say({ event: 'deliver', job: job.id, claim }, `job ${job.id}: delivered by claim ${claim}`);
  }

  /** A delivered job: defended where it is ours, challenged where it is false, finished once its claim is over. */
  async #follow({ id, claim, worker }: Offer, run: Made, mine: boolean): Promise<void> {
    const { jobs, dispute } = this.#at;
    if (mine) await defend(this.#party, dispute, claim, run);
    else if (this.#terms.challenges) await oppose(this.#party, dispute, claim, run);
    const c = await dispute.read<Claim>('getClaim', [claim]);
    const over = c.defeated || (c.open === 0 && (await this.#party.now()) >= c.finalAt);
    if (!over || !(mine || c.defeated)) return;
    await jobs.send('finish', [id]);
    const text = c.defeated ? `job ${id}: ${worker} was refuted, opened again` : `job ${id}: paid`;
    this.#party.say({ event: 'finish', job: id, paid: !c.defeated, worker }, text);
  }
}
