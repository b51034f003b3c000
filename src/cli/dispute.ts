/**
 * `samebit assert` and `samebit watch`: the bots of a dispute (spec/40-consensus.md §6). They keep nothing: killed and started again, they go on
 * from what stands on the chain.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { commit } from '../consensus/commitment.ts';
import { type Header, headerHash, headerOf } from '../consensus/header.ts';
import { type Trace, traceRun } from '../consensus/trace.ts';
import { asserterMove, challengerMove, type Hex, type Knowledge, type Move, toHex } from '../evm.ts';
import { createSession } from '../runtime/session.ts';
import { type ChainFlags, type Claim, Court, chainOptions, checkFlags } from './chain.ts';
import { UsageError } from './errors.ts';
import { readModel } from './files.ts';
import { readInputs } from './inputs.ts';
import { collect, whole } from './options.ts';
import { print, toJson } from './output.ts';

interface Flags extends ChainFlags {
  readonly input?: readonly string[];
  readonly index?: number;
  readonly claim?: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** One line of what a bot did: a sentence, or with --json its facts. */
type Say = (facts: Readonly<Record<string, unknown>> & { readonly event: string }, text: string) => void;

/** The honest trace of a run on this machine. */
async function ownTrace(path: string, flags: Flags): Promise<{ readonly header: Header; readonly trace: Trace }> {
  const model = readModel(path);
  const commitment = commit(model, 'keccak256');
  const inputs = readInputs(model, flags.input, flags.index);
  const session = await createSession(model, { mode: 'trace' });
  const values = Object.fromEntries([...inputs].map(([name, i]) => [name, i.tensor]));
  const { trace } = await traceRun(commitment, session, values);
  session.dispose();
  return { header: headerOf(commitment), trace };
}

function bytesOf(h: Hex): Uint8Array {
  return new Uint8Array(Buffer.from(h.slice(2), 'hex'));
}

function voice({ json }: Flags): Say {
  return (facts, text) => {
    const time = new Date().toISOString();
    print(json ? toJson({ time, ...facts }) : `${time}  ${text}`);
  };
}

/** All that a command needs: its arguments are checked, the run is made, and only then the chain is asked. */
async function ready(path: string, flags: Flags): Promise<{ court: Court; header: Header; trace: Trace; say: Say }> {
  await checkFlags(flags);
  const own = await ownTrace(path, flags);
  return { ...own, court: await Court.connect(flags), say: voice(flags) };
}

/** Makes a move, or ends a game whose other side is late; says what it did. */
async function play(
  { court, say }: { readonly court: Court; readonly say: Say },
  game: bigint,
  move: Move | undefined,
  deadline: bigint,
): Promise<void> {
  if (move !== undefined) {
    await court.send(move.name, move.args);
    say({ event: 'move', game, move: move.name }, `game ${game}: ${move.name}`);
  } else if ((await court.now()) > deadline) {
    await court.send('timeout', [game]);
    say({ event: 'timeout', game }, `game ${game}: the other side is late, timeout`);
  }
}

async function withdraw(court: Court, say: Say): Promise<void> {
  const due = await court.read<bigint>('balances', [court.account.address]);
  if (due === 0n) return;
  await court.send('withdraw', []);
  say({ event: 'withdrawal', wei: due }, `withdrew ${due} wei`);
}

/** Claims a run, answers every challenge, settles the claim. */
async function assertClaim(path: string, flags: Flags): Promise<void> {
  const bot = await ready(path, flags);
  const { court, header, trace, say } = bot;
  let id = flags.claim === undefined ? undefined : BigInt(flags.claim);
  if (id === undefined) {
    const roots = [headerHash(header), trace.inputRoot, trace.outputRoot, trace.root].map(toHex);
    const events = await court.send(
      'assertRun',
      [...roots, trace.plan.dims.map(BigInt)],
      await court.read<bigint>('BOND'),
    );
    id = events.find((e) => e.name === 'Claimed')!.args['claim'] as bigint;
    say({ event: 'claim', claim: id }, `claim ${id}: to go on after an interruption, --claim ${id}`);
  }
  const known: Knowledge = { header, trace, traceRoot: trace.root };
  for (;;) {
    const claim = await court.read<Claim>('getClaim', [id]);
    if (claim.asserter.toLowerCase() !== court.account.address.toLowerCase())
      throw new UsageError('NotOurs', `claim ${id} is not of this account`, 'Pass the key that made the claim.');
    for (const e of await court.events(['Challenged'], { claim: id })) {
      const game = e.args['game'] as bigint;
      const { game: state, phase } = await court.game(game);
      if (phase !== 'done') await play(bot, game, asserterMove(game, state, known), state.deadline);
    }
    if (claim.settled || claim.defeated) {
      const stands = !claim.defeated;
      say({ event: 'end', claim: id, stands }, `claim ${id} ${stands ? 'stands' : 'was refuted'}`);
      return withdraw(court, say);
    }
    if (claim.open === 0 && (await court.now()) >= claim.finalAt) await court.send('settle', [id]);
    else if (flags.once) return;
    else await pause(1000 * flags.interval);
  }
}

/** Whether this account plays against a claim, and its undecided games. */
async function gamesOf(court: Court, claim: bigint): Promise<{ readonly all: number; readonly open: bigint[] }> {
  const made = await court.events(['Challenged'], { claim, challenger: court.account.address });
  const open: bigint[] = [];
  for (const e of made) {
    const game = e.args['game'] as bigint;
    if ((await court.game(game)).phase !== 'done') open.push(game);
  }
  return { all: made.length, open };
}

/** Looks at one claim: challenges it where it is false, plays where it is challenged. */
async function look(bot: Awaited<ReturnType<typeof ready>>, id: bigint): Promise<void> {
  const { court, header, trace, say } = bot;
  const claim = await court.read<Claim>('getClaim', [id]);
  if (claim.settled || claim.header !== toHex(headerHash(header)) || claim.inputRoot !== toHex(trace.inputRoot)) return;
  const { all, open } = await gamesOf(court, id);
  const known: Knowledge = { header, trace, traceRoot: bytesOf(claim.traceRoot) };
  for (const game of open) {
    const { game: state } = await court.game(game);
    const move = challengerMove(game, state, await court.history(game), known);
    await play(bot, game, move, state.deadline);
  }
  if (open.length > 0 || claim.defeated || (await court.now()) >= claim.finalAt) {
    if (claim.defeated && claim.open === 0) await court.send('settle', [id]);
    return;
  }
  const bond = await court.read<bigint>('BOND');
  if (claim.traceRoot !== toHex(trace.root)) {
    await court.send('challenge', [id], bond);
    say({ event: 'challenge', claim: id }, `claim ${id}: the trace is another, challenged`);
  } else if (claim.outputRoot !== toHex(trace.outputRoot) && all < header.outputs) {
    await court.send('challengeOutput', [id, BigInt(all)], bond);
    const text = `claim ${id}: the outputs are others, challenged output ${all}`;
    say({ event: 'challenge', claim: id, output: all }, text);
  }
}

/** Watches the claims of a model on one input. */
async function watch(path: string, flags: Flags): Promise<void> {
  const bot = await ready(path, flags);
  const { court, header, trace, say } = bot;
  const [model, input] = [headerHash(header), trace.inputRoot].map(toHex) as [Hex, Hex];
  say(
    { event: 'watching', header: model, inputRoot: input },
    `watching claims of ${model.slice(0, 18)}… on input ${input.slice(0, 18)}…`,
  );
  for (;;) {
    await withdraw(court, say);
    for (const e of await court.events(['Claimed'], { header: model })) await look(bot, e.args['claim'] as bigint);
    if (flags.once) return;
    await pause(1000 * flags.interval);
  }
}

/** Adds both commands. */
export function addDispute(program: Command): void {
  const shared = (command: Command): Command =>
    chainOptions(command)
      .option('--input <[NAME=]FILE>', 'an input as .npy; once for each input', collect)
      .option('--index <N>', 'sample of the array', whole(0, 2 ** 31 - 1))
      .option('--once', 'look at the chain once, then end')
      .option('--json', 'one JSON object a line');
  shared(program.command('assert <MODEL.sbm>'))
    .description('claim what a model gives on an input, and defend the claim (contracts/Dispute.sol)')
    .option('--claim <ID>', 'go on with a claim of this account', whole(1, 2 ** 52))
    .action(assertClaim);
  shared(program.command('watch <MODEL.sbm>'))
    .description('challenge false claims about a model on an input (contracts/Dispute.sol)')
    .action(watch);
}
