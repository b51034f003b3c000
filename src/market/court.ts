/**
 * Both sides of a dispute as loops over what stands on the chain (spec/40-consensus.md §6): they keep nothing.
 * @module
 */
import { type Header, headerHash } from '../consensus/header.ts';
import type { Trace } from '../consensus/trace.ts';
import { asserterMove, challengerMove, type Game, type GameEvent, type Hex, type Move, PHASES, toHex } from '../evm.ts';
import { fromHex } from './blobs.ts';
import { type Contract, type Party, same } from './client.ts';

/** A claim as `getClaim` gives it. */
export interface Claim {
  readonly asserter: Hex;
  readonly finalAt: bigint;
  readonly open: number;
  readonly defeated: boolean;
  readonly settled: boolean;
  readonly header: Hex;
  readonly inputRoot: Hex;
  readonly outputRoot: Hex;
  readonly traceRoot: Hex;
}

/** A run as a party knows it. */
export interface KnownRun {
  readonly header: Header;
  readonly trace: Trace;
}

/** Makes a move, or ends a game whose other side is late; says what it did. */
async function play(
  party: Party,
  dispute: Contract,
  game: bigint,
  move: Move | undefined,
  deadline: bigint,
): Promise<void> {
  if (move !== undefined) {
    await dispute.send(move.name, move.args);
    party.say({ event: 'move', game, move: move.name }, `game ${game}: ${move.name}`);
  } else if ((await party.now()) > deadline) {
    await dispute.send('timeout', [game]);
    party.say({ event: 'timeout', game }, `game ${game}: the other side is late, timeout`);
  }
}

/** Claims a run of one's own, with the bond; the number of the claim. */
export async function assertRun(dispute: Contract, { header, trace }: KnownRun): Promise<bigint> {
  const roots = [headerHash(header), trace.inputRoot, trace.outputRoot, trace.root].map(toHex);
  const bond = await dispute.read<bigint>('BOND');
  const events = await dispute.send('assertRun', [...roots, trace.plan.dims.map(BigInt)], bond);
  return events.find((e) => e.name === 'Claimed')!.args['claim'] as bigint;
}

/**
 * The number of a claim of a run: one that this account made and did not use, since it was interrupted, or a new one.
 * @param least when the claim is final, at the earliest
 */
export async function claimRun(
  party: Party,
  dispute: Contract,
  run: KnownRun,
  least: bigint,
  isUsed: (claim: bigint) => Promise<boolean>,
): Promise<bigint> {
  const { header, trace } = run;
  const made = await dispute.events(['Claimed'], { header: toHex(headerHash(header)), asserter: party.account });
  for (const { args } of made) {
    const id = args['claim'] as bigint;
    if ((args['finalAt'] as bigint) < least || (await isUsed(id))) continue;
    const c = await dispute.read<Claim>('getClaim', [id]);
    const fits = [
      [c.inputRoot, trace.inputRoot],
      [c.outputRoot, trace.outputRoot],
      [c.traceRoot, trace.root],
    ].every(([claimed, own]) => same(claimed as Hex, toHex(own as Uint8Array)));
    if (fits && !c.defeated) return id;
  }
  return assertRun(dispute, run);
}

/** Answers every challenge of a claim of one's own once. `trace`: what was claimed. */
export async function defend(
  party: Party,
  dispute: Contract,
  claim: bigint,
  { header, trace }: KnownRun,
): Promise<void> {
  const known = { header, trace, traceRoot: trace.root };
  for (const e of await dispute.events(['Challenged'], { claim })) {
    const game = e.args['game'] as bigint;
    const state = await dispute.read<Game>('getGame', [game]);
    if (PHASES[state.phase] !== 'done')
      await play(party, dispute, game, asserterMove(game, state, known), state.deadline);
  }
}

/** What the asserter revealed in a game, and what was chosen. */
function history(dispute: Contract, game: bigint): Promise<readonly GameEvent[]> {
  return dispute.events(['Revealed', 'Chosen', 'Opened', 'Again', 'Summed'], { game });
}

/** Whether this account plays against a claim, and its undecided games. */
async function gamesOf(
  party: Party,
  dispute: Contract,
  claim: bigint,
): Promise<{ readonly all: number; readonly open: readonly (readonly [game: bigint, state: Game])[] }> {
  const made = await dispute.events(['Challenged'], { claim, challenger: party.account });
  const open: [bigint, Game][] = [];
  for (const e of made) {
    const game = e.args['game'] as bigint;
    const state = await dispute.read<Game>('getGame', [game]);
    if (PHASES[state.phase] !== 'done') open.push([game, state]);
  }
  return { all: made.length, open };
}

/** Looks at one claim of a run that is known: challenges it where it is false, plays where it is challenged. */
export async function oppose(party: Party, dispute: Contract, id: bigint, { header, trace }: KnownRun): Promise<void> {
  const claim = await dispute.read<Claim>('getClaim', [id]);
  const about = same(claim.header, toHex(headerHash(header))) && same(claim.inputRoot, toHex(trace.inputRoot));
  if (claim.settled || !about) return;
  const right = same(claim.traceRoot, toHex(trace.root)) && same(claim.outputRoot, toHex(trace.outputRoot));
  if (right || same(claim.asserter, party.account)) return;
  const { all, open } = await gamesOf(party, dispute, id);
  const known = { header, trace, traceRoot: fromHex(claim.traceRoot) };
  for (const [game, state] of open) {
    const move = challengerMove(game, state, await history(dispute, game), known);
    await play(party, dispute, game, move, state.deadline);
  }
  if (open.length > 0 || claim.defeated || (await party.now()) >= claim.finalAt) {
    if (claim.defeated && claim.open === 0) await dispute.send('settle', [id]);
    return;
  }
  const bond = await dispute.read<bigint>('BOND');
  if (!same(claim.traceRoot, toHex(trace.root))) {
    await dispute.send('challenge', [id], bond);
    party.say({ event: 'challenge', claim: id }, `claim ${id}: the trace is another, challenged`);
  } else if (all < header.outputs) {
    await dispute.send('challengeOutput', [id, BigInt(all)], bond);
    const text = `claim ${id}: the outputs are others, challenged output ${all}`;
    party.say({ event: 'challenge', claim: id, output: all }, text);
  }
}
