/** What a life does to behaviour: the actions of a creature in the same situations before and after it. */
import type { Engine } from '../host.ts';
import { best, type Creature, care, senses, think } from './game.ts';

/** A stream of 32-bit integers from a seed (mulberry32); for the study's situations only. */
export function stream(seed: number): (below: number) => number {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Actions of a creature in `count` situations, each from its present state; it learns nothing by being asked. */
export async function actions(engine: Engine, c: Creature, count: number): Promise<Uint8Array> {
  const pick = stream(99);
  const chosen = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const asked: Creature = { ...c, hunger: pick(128), energy: pick(128), mood: pick(128) };
    const inFight = pick(2) === 1;
    const felt = inFight
      ? senses(asked, 0, 0, 10 + pick(91), 10 + pick(91))
      : senses(asked, [0, 40, 127, -127][pick(4)]!, 127 * pick(2));
    const { scores } = await think(engine, asked, felt);
    chosen[i] = best(scores, inFight ? [0, 3, 4, 5] : [0, 1, 2, 3, 4, 5]);
  }
  return chosen;
}

/** Total variation distance of two samples' distributions of actions, 0…1. */
export function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let k = 0; k < 6; k++) sum += Math.abs(a.filter((v) => v === k).length - b.filter((v) => v === k).length);
  return sum / (2 * a.length);
}

/**
 * A paired permutation test: how often the distance is as great where each situation's two answers are swapped by a coin.
 * @returns p, (1 + such swaps)/(1 + `rounds`)
 */
export function permutationTest(a: Uint8Array, b: Uint8Array, rounds: number): number {
  const pick = stream(5);
  const seen = distance(a, b);
  let as = 1;
  for (let r = 0; r < rounds; r++) {
    const [x, y] = [a.slice(), b.slice()];
    for (let i = 0; i < a.length; i++) if (pick(2) === 1) [x[i], y[i]] = [y[i]!, x[i]!];
    if (distance(x, y) >= seen) as++;
  }
  return as / (rounds + 1);
}

/** Cares for a creature `times` times: with `kindness` of 100, petted, fed and invited; else scolded. */
export async function life(engine: Engine, c: Creature, times: number, kindness: number): Promise<void> {
  const pick = stream(times + kindness);
  for (let i = 0; i < times; i++) await care(engine, c, pick(100) < kindness ? [0, 1, 3, 3][pick(4)]! : 2);
}
