/**
 * `samebit serve-job` and `samebit challenge`: who runs models for others, and who looks after them (spec/50-market.md §3, §4).
 * @module
 */
import type { Command } from 'commander';
import type { Hex } from '../evm.ts';
import { attempt, collect as collectDue } from '../market/client.ts';
import { type Terms, Worker } from '../market/jobs.ts';
import { Shelf } from '../market/runs.ts';
import { type Board, isOver, type Measured, refute } from '../market/scores.ts';
import { checkFlags, Node, type NodeFlags, nodeOptions } from './chain.ts';
import { UsageError } from './errors.ts';
import { readModel } from './files.ts';
import { wei } from './options.ts';
import { type DataFlags, dataOptions, measure } from './publish.ts';

interface Flags extends NodeFlags {
  readonly jobs?: string;
  readonly minFee?: bigint;
  readonly challenge?: boolean;
  readonly once?: boolean;
}

async function workerOf(node: Node, address: string, shelf: Shelf, terms: Terms): Promise<Worker> {
  const jobs = await node.contract('jobs', address);
  const dispute = await node.contract('dispute', await jobs.read<Hex>('DISPUTE'));
  return new Worker(node, { jobs, dispute }, shelf, terms);
}

async function serveJob(paths: readonly string[], flags: Flags & { readonly jobs: string }): Promise<void> {
  await checkFlags(flags, { jobs: flags.jobs });
  const shelf = new Shelf(paths.map(readModel));
  const node = await Node.connect(flags);
  const terms = { works: true, challenges: flags.challenge === true, minFee: flags.minFee ?? 0n };
  const worker = await workerOf(node, flags.jobs, shelf, terms);
  node.say({ event: 'serving', headers: shelf.keys }, `looking for jobs of ${shelf.keys.join(', ')}`);
  await node.loop(flags.once, () => worker.look());
}

async function challenge(paths: readonly string[], flags: Flags & DataFlags): Promise<void> {
  const { jobs, accuracy } = flags;
  if (jobs === undefined && accuracy === undefined)
    throw new UsageError(
      'NoContract',
      'there is nothing to challenge',
      'Pass --jobs ADDRESS, --accuracy ADDRESS, or both.',
    );
  await checkFlags(flags, { ...(jobs ? { jobs } : {}), ...(accuracy ? { accuracy } : {}) });
  const shelf = new Shelf(paths.map(readModel));
  const measured: Measured[] = [];
  if (accuracy !== undefined) for (const key of shelf.keys) measured.push(await measure(shelf, key, flags));
  const node = await Node.connect(flags);
  const terms = { works: false, challenges: true, minFee: 0n };
  const worker = jobs === undefined ? undefined : await workerOf(node, jobs, shelf, terms);
  const board = accuracy === undefined ? undefined : await boardOf(node, accuracy);
  node.say({ event: 'watching', headers: shelf.keys }, `watching ${shelf.keys.join(', ')}`);
  const told = new Set<bigint>();
  await node.loop(flags.once, async () => {
    await worker?.look();
    if (board === undefined) return;
    for (const m of measured)
      for (const { args } of await board.accuracy.events(['Scored'], { header: m.held.key })) {
        const id = args['id'] as bigint;
        if (!isOver(args as { readonly data: Hex; readonly rows: bigint }, m)) {
          if (!told.has(id))
            node.say({ event: 'other', id }, `score ${id} is over other rows than --data: not watched`);
          told.add(id);
          continue;
        }
        await attempt(node, `score ${id}`, () => refute(node, board, id, m));
      }
    await attempt(node, 'withdrawal', async () => {
      await collectDue(node, board.accuracy, 'the contract of scores');
      await collectDue(node, board.dispute, 'the dispute contract');
    });
  });
}

async function boardOf(node: Node, address: string): Promise<Board> {
  const accuracy = await node.contract('accuracy', address);
  return { accuracy, dispute: await node.contract('dispute', await accuracy.read<Hex>('DISPUTE')) };
}

/** Adds both commands. */
export function addWork(program: Command): void {
  nodeOptions(program.command('serve-job <MODEL.sbm...>'))
    .description(
      'run models for others: take jobs, claim what comes out, defend it, be paid (contracts/market/Jobs.sol)',
    )
    .requiredOption('--jobs <ADDRESS>', 'the contract of jobs')
    .option('--min-fee <WEI>', 'least fee of a job that is taken', wei)
    .option('--challenge', 'also challenge false answers of other workers')
    .option('--once', 'look at the chain once, then end')
    .action(serveJob);
  dataOptions(nodeOptions(program.command('challenge <MODEL.sbm...>')))
    .description('compute again what workers delivered and authors claimed, and challenge what is false')
    .option('--jobs <ADDRESS>', 'the contract of jobs')
    .option('--once', 'look at the chain once, then end')
    .action(challenge);
}
