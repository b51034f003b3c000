/** The rules of Creature.sol over an engine: care and matches, replayed off the chain. */
import { concat, encodePacked, type Hex, hexToBytes, keccak256, pad, toHex } from 'viem';
import type { Engine } from '../host.ts';
import type { Genome } from './models.ts';

/** Names of the actions in order. */
export const ACTIONS = ['rest', 'eat', 'play', 'strike', 'guard', 'dodge'] as const;
const [REST, EAT, PLAY, STRIKE, GUARD, DODGE] = [0, 1, 2, 3, 4, 5];
/** Ways to care in order. */
export const CARES = ['feed', 'pet', 'scold', 'play'] as const;
const ROUNDS = 12;
const UNIT = 127;

/** A creature and what it has become. Needs are 0…127. */
export interface Creature {
  readonly genome: Genome;
  state: Int8Array;
  hunger: number;
  energy: number;
  mood: number;
  wins: number;
  fights: number;
}

/** What ended a match: 0 or 1 for the winner, 2 for a draw; and the digest of every action and both states. */
export interface Outcome {
  readonly winner: number;
  readonly digest: Hex;
}

/** A newborn creature. */
export function newborn(genome: Genome): Creature {
  return { genome, state: new Int8Array(8), hunger: 40, energy: 100, mood: 64, wins: 0, fights: 0 };
}

const up = (v: number, by: number): number => Math.min(v + by, UNIT);
const down = (v: number, by: number): number => Math.max(v - by, 0);

/** What a creature senses of touch, an invitation, its own and the foe's health. */
export function senses(c: Creature, touch = 0, game = 0, own = 0, foe = 0): Int8Array {
  return Int8Array.of(UNIT, c.hunger, c.energy, c.mood, touch, game, own, foe);
}

/** Scores of the actions, and the state after them. */
export async function think(
  engine: Engine,
  c: Creature,
  felt: Int8Array,
): Promise<{ readonly scores: Int16Array; readonly next: Int8Array }> {
  const { genes1, genes2 } = c.genome;
  const { scores, next } = await engine.run({ senses: felt, state: c.state, genes1, genes2 });
  return { scores: scores as Int16Array, next: Int8Array.from(next as Int8Array) };
}

/** The action of the greatest score among the allowed ones, the first of equals. */
export function best(scores: Int16Array, allowed: readonly number[]): number {
  return allowed.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
}

/** Cares for a creature: its action. */
export async function care(engine: Engine, c: Creature, kind: number): Promise<number> {
  const touch = [40, UNIT, -UNIT, 0][kind]!;
  const { scores, next } = await think(engine, c, senses(c, touch, kind === 3 ? UNIT : 0));
  const action = best(scores, [REST, EAT, PLAY, STRIKE, GUARD, DODGE]);
  c.state = next;
  c.hunger = up(c.hunger, 6);
  c.energy = down(c.energy, 5);
  if (action === REST) c.energy = up(c.energy, 24);
  if (action === EAT && kind === 0) c.hunger = down(c.hunger, 60);
  if (action === PLAY) {
    c.mood = up(c.mood, 10);
    c.energy = down(c.energy, 6);
  }
  if (kind === 2) c.mood = down(c.mood, 16);
  else if (kind === 1) c.mood = up(c.mood, 8);
  return action;
}

async function choose(engine: Engine, c: Creature, own: number, foe: number): Promise<number> {
  const { scores, next } = await think(engine, c, senses(c, 0, 0, own, foe));
  c.state = next;
  const action = best(scores, [REST, STRIKE, GUARD, DODGE]);
  c.energy = action === REST ? up(c.energy, 20) : down(c.energy, action === GUARD ? 2 : 7);
  return action;
}

function hit(c: Creature, action: number, foe: number, dice: number): number {
  if (action !== STRIKE) return 0;
  let force = 6 + Math.floor(c.energy / 12) + (dice % 8);
  if (foe === GUARD) force = Math.floor(force / 4);
  if (foe === DODGE && (dice & 0x30) !== 0) force = 0;
  if (foe === REST) force += Math.floor(force / 2);
  return force;
}

function word(v: number): Hex {
  return pad(toHex(BigInt.asUintN(256, BigInt(v))), { size: 32 });
}

/** A match of creatures `a` and `b` (their ids in the contract): both remember it. */
export async function fight(
  engine: Engine,
  [a, b]: readonly [number, number],
  [x, y]: readonly [Creature, Creature],
  salt: Hex,
): Promise<Outcome> {
  let seed = keccak256(
    encodePacked(
      ['bytes32', 'uint256', 'uint256', 'uint32', 'uint32'],
      [salt, BigInt(a), BigInt(b), x.fights, y.fights],
    ),
  );
  const health = [100, 100];
  for (let i = 0; i < ROUNDS && health[0]! > 0 && health[1]! > 0; i++) {
    const [hx, hy] = [health[0]!, health[1]!];
    const p = await choose(engine, x, hx, hy);
    const q = await choose(engine, y, hy, hx);
    const dice = keccak256(concat([seed, word(i)]));
    const [d0, d1] = hexToBytes(dice);
    health[1]! -= hit(x, p, q, d0!);
    health[0]! -= hit(y, q, p, d1!);
    seed = keccak256(concat([dice, toHex(Uint8Array.of(p, q))]));
  }
  const winner = health[0]! > health[1]! ? 0 : health[1]! > health[0]! ? 1 : 2;
  for (const [i, c] of [x, y].entries()) {
    c.hunger = up(c.hunger, 8);
    c.mood = winner === i ? up(c.mood, 12) : down(c.mood, 12);
    c.fights++;
    if (winner === i) c.wins++;
  }
  const bytes = (c: Creature): Hex => toHex(new Uint8Array(c.state.buffer));
  const digest = keccak256(concat([seed, bytes(x), bytes(y), word(health[0]!), word(health[1]!)]));
  return { winner, digest };
}
