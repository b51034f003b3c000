/** A dispute played to its end between two traces of one run, by the bots of src/evm/player.ts. */

import type { StateManagerInterface } from '@ethereumjs/common';
import { createAddressFromString } from '@ethereumjs/util';
import { Chain, type Deployed, type Party, type Precompile, type Sent } from '../../examples/chain.ts';
import type { Commitment } from '../../src/consensus/commitment.ts';
import { encodeHeader, headerHash, headerOf } from '../../src/consensus/header.ts';
import type { Trace } from '../../src/consensus/trace.ts';
import type { GameEvent } from '../../src/evm/claimed.ts';
import { deployCourt } from '../../src/evm/deploy.ts';
import { asserterMove, challengerMove, type Game, type Move } from '../../src/evm/player.ts';
import { toHex } from '../../src/evm/proof.ts';

export const BOND: bigint = 10n ** 17n;
export const WINDOW: bigint = 86_400n;
export const MOVE: bigint = 3_600n;
export const DELAY: bigint = 604_800n;

/** Contracts and parties of a chain on which runs are disputed. */
export interface Court {
  readonly chain: Chain;
  readonly registry: Deployed;
  readonly dispute: Deployed;
  readonly arbiter: Deployed;
  readonly asserter: Party;
  readonly challenger: Party;
}

/** Deploys everything. */
export async function openCourt(
  precompiles: readonly Precompile[] = [],
  state?: StateManagerInterface,
): Promise<Court> {
  const chain = await Chain.create(precompiles, { ...(state && { stateManager: state }) });
  const deployer = await chain.party('deployer');
  const terms = { bond: BOND, delay: DELAY, window: WINDOW, move: MOVE };
  const { registry, dispute, arbiter } = await deployCourt((code, args) => chain.deploy(deployer, code, args), terms);
  const [asserter, challenger] = [await chain.party('asserter'), await chain.party('challenger')];
  return { chain, registry, dispute, arbiter, asserter, challenger };
}

/** Money of the dispute contract. */
export function heldBy({ chain, dispute }: Court): Promise<bigint> {
  return chain.balance(createAddressFromString(dispute.address));
}

/** What the dispute contract holds beside what it owes: bonds in play, and the halves that nobody gets. */
export async function beside(court: Court, others: readonly Party[]): Promise<bigint> {
  let rest = await heldBy(court);
  for (const { address } of [court.asserter, court.challenger, ...others])
    rest -= (await court.dispute.call('balances', [address.toString()])).value as bigint;
  return rest;
}

/** Registers a model and lets it mature. */
export async function publish(court: Court, commitment: Commitment): Promise<Sent> {
  const header = toHex(encodeHeader(headerOf(commitment)));
  const sent = await court.registry.send(court.asserter, 'register', [header], BOND);
  court.chain.advance(DELAY);
  return sent;
}

/** Claims what a trace says, or other roots. */
export async function claim(
  court: Court,
  trace: Trace,
  roots: Partial<Record<'inputRoot' | 'outputRoot' | 'root', Uint8Array>> = {},
): Promise<{ id: bigint; gas: bigint }> {
  const header = headerHash(headerOf(trace.commitment));
  const r = { inputRoot: trace.inputRoot, outputRoot: trace.outputRoot, root: trace.root, ...roots };
  const args = [toHex(header), toHex(r.inputRoot), toHex(r.outputRoot), toHex(r.root), trace.plan.dims.map(BigInt)];
  const sent = await court.dispute.send(court.asserter, 'assertRun', args, BOND);
  if (sent.error !== undefined) throw new Error(sent.error);
  return { id: sent.events[0]!.args['claim'] as bigint, gas: sent.gas };
}

/** How a game ended and what it cost each side. `last`: gas of the last proof. */
export interface Outcome {
  readonly winner: 'asserter' | 'challenger';
  readonly by: string;
  readonly asserterGas: bigint;
  readonly challengerGas: bigint;
  readonly last: bigint;
  readonly moves: number;
  /** Gas of every call in order, with its name. */
  readonly log: readonly (readonly [name: string, gas: bigint])[];
}

/** What a party does instead of what its bot would; undefined: as the bot; null: nothing. */
export type Twist = (side: 'asserter' | 'challenger', game: Game, move: Move | undefined) => Move | null | undefined;

/**
 * Plays a challenge to its end.
 * @param claimed the asserter's trace
 * @param own the challenger's
 */
export async function play(
  court: Court,
  id: bigint,
  claimed: Trace,
  own: Trace,
  options: { readonly output?: number; readonly twist?: Twist; readonly traceRoot?: Uint8Array } = {},
): Promise<Outcome> {
  const { dispute, chain } = court;
  const header = headerOf(claimed.commitment);
  const traceRoot = options.traceRoot ?? claimed.root;
  const opened =
    options.output === undefined
      ? await dispute.send(court.challenger, 'challenge', [id], BOND)
      : await dispute.send(court.challenger, 'challengeOutput', [id, BigInt(options.output)], BOND);
  if (opened.error !== undefined) throw new Error(opened.error);
  const game = opened.events[0]!.args['game'] as bigint;
  const history: GameEvent[] = [];
  const gas = { asserter: 0n, challenger: opened.gas };
  const log: [string, bigint][] = [[options.output === undefined ? 'challenge' : 'challengeOutput', opened.gas]];
  for (let moves = 1; moves < 400; moves++) {
    const state = (await dispute.call('getGame', [game])).value as Game;
    const bots = {
      asserter: asserterMove(game, state, { header, trace: claimed, traceRoot }),
      challenger: challengerMove(game, state, history, { header, trace: own, traceRoot }),
    };
    const side = bots.asserter === undefined ? 'challenger' : 'asserter';
    const twisted = options.twist?.(side, state, bots[side]);
    const move = twisted === null ? undefined : (twisted ?? bots[side]);
    let sent: Sent | undefined;
    if (move !== undefined) {
      sent = await dispute.send(court[side], move.name, move.args);
      gas[side] += sent.gas;
      log.push([move.name, sent.gas]);
    }
    if (sent === undefined || sent.error !== undefined) {
      chain.advance(MOVE + 1n);
      const ended = await dispute.send(court.challenger, 'timeout', [game]);
      gas.challenger += ended.gas;
      log.push(['timeout', ended.gas]);
      return done(ended, `timeout after ${sent?.error ?? 'silence'}`, moves, 0n);
    }
    history.push(...sent.events);
    if (sent.events.some((e) => e.name === 'Decided')) return done(sent, move!.name, moves, sent.gas);
  }
  throw new Error('the game does not end');

  function done(sent: Sent, by: string, moves: number, last: bigint): Outcome {
    const decided = sent.events.find((e) => e.name === 'Decided');
    if (decided === undefined) throw new Error(`no end: ${sent.error}`);
    const address = String(decided.args['winner']).toLowerCase();
    const winner = address === court.asserter.address.toString() ? 'asserter' : 'challenger';
    return { winner, by, asserterGas: gas.asserter, challengerGas: gas.challenger, last, moves, log };
  }
}
