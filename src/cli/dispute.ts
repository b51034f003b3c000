/**
 * `samebit assert` and `samebit watch`: the bots of a dispute (spec/40-consensus.md §6). They keep nothing: killed and started again, they go on
 * from what stands on the chain.
 * @module
 */
import type { Command } from 'commander';
import { commit } from '../consensus/commitment.ts';
import { headerHash, headerOf } from '../consensus/header.ts';
import { traceRun } from '../consensus/trace.ts';
import { toHex } from '../evm.ts';
import { type Contract, collect as collectDue, same } from '../market/client.ts';
import { assertRun, type Claim, defend, type KnownRun, oppose } from '../market/court.ts';
import { createSession } from '../runtime/session.ts';
import { checkFlags, Node, type NodeFlags, nodeOptions } from './chain.ts';
import { UsageError } from './errors.ts';
import { readModel } from './files.ts';
import { readInputs } from './inputs.ts';
import { collect, whole } from './options.ts';

interface Flags extends NodeFlags {
  readonly dispute: string;
  readonly input?: readonly string[];
  readonly index?: number;
  readonly claim?: number;
  readonly once?: boolean;
}

/** The honest run on this machine. */
async function ownRun(path: string, flags: Flags): Promise<KnownRun> {
  const model = readModel(path);
  const commitment = commit(model, 'keccak256');
  const inputs = readInputs(model, flags.input, flags.index);
  const session = await createSession(model, { mode: 'trace' });
  const values = Object.fromEntries([...inputs].map(([name, i]) => [name, i.tensor]));
  const { trace } = await traceRun(commitment, session, values);
  session.dispose();
  return { header: headerOf(commitment), trace };
}

/** All that a command needs: its arguments are checked, the run is made, and only then the chain is asked. */
async function ready(path: string, flags: Flags): Promise<{ node: Node; dispute: Contract; run: KnownRun }> {
  await checkFlags(flags, { dispute: flags.dispute });
  const run = await ownRun(path, flags);
  const node = await Node.connect(flags);
  return { node, dispute: await node.contract('dispute', flags.dispute), run };
}

/** Claims a run, answers every challenge, settles the claim. */
async function assertClaim(path: string, flags: Flags): Promise<void> {
  const { node, dispute, run } = await ready(path, flags);
  const id = flags.claim === undefined ? await assertRun(dispute, run) : BigInt(flags.claim);
  if (flags.claim === undefined)
    node.say({ event: 'claim', claim: id }, `claim ${id}: to go on after an interruption, --claim ${id}`);
  await node.loop(flags.once, async () => {
    const claim = await dispute.read<Claim>('getClaim', [id]);
    if (!same(claim.asserter, node.account))
      throw new UsageError('NotOurs', `claim ${id} is not of this account`, 'Pass the key that made the claim.');
    await defend(node, dispute, id, run);
    if (claim.open === 0 && !claim.settled && !claim.defeated && (await node.now()) >= claim.finalAt) {
      await dispute.send('settle', [id]);
      return ended(true);
    }
    return claim.settled || claim.defeated ? ended(!claim.defeated) : false;
  });

  async function ended(stands: boolean): Promise<true> {
    node.say({ event: 'end', claim: id, stands }, `claim ${id} ${stands ? 'stands' : 'was refuted'}`);
    await collectDue(node, dispute, 'the dispute contract');
    return true;
  }
}

/** Watches the claims of a model on one input. */
async function watch(path: string, flags: Flags): Promise<void> {
  const { node, dispute, run } = await ready(path, flags);
  const [header, inputRoot] = [toHex(headerHash(run.header)), toHex(run.trace.inputRoot)];
  const text = `watching claims of ${header.slice(0, 18)}… on input ${inputRoot.slice(0, 18)}…`;
  node.say({ event: 'watching', header, inputRoot }, text);
  await node.loop(flags.once, async () => {
    await collectDue(node, dispute, 'the dispute contract');
    for (const e of await dispute.events(['Claimed'], { header }))
      await oppose(node, dispute, e.args['claim'] as bigint, run);
  });
}

/** Adds both commands. */
export function addDispute(program: Command): void {
  const shared = (command: Command): Command =>
    nodeOptions(command)
      .requiredOption('--dispute <ADDRESS>', 'the dispute contract')
      .option('--input <[NAME=]FILE>', 'an input as .npy; once for each input', collect)
      .option('--index <N>', 'sample of the array', whole(0, 2 ** 31 - 1))
      .option('--once', 'look at the chain once, then end');
  shared(program.command('assert <MODEL.sbm>'))
    .description('claim what a model gives on an input, and defend the claim (contracts/Dispute.sol)')
    .option('--claim <ID>', 'go on with a claim of this account', whole(1, 2 ** 52))
    .action(assertClaim);
  shared(program.command('watch <MODEL.sbm>'))
    .description('challenge false claims about a model on an input (contracts/Dispute.sol)')
    .action(watch);
}
