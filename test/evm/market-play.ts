/** Sequences of random actions on a market. */
import { Prng } from '../support/prng.ts';
import type { Stall } from './market-stall.ts';
import { Violation, World } from './market-world.ts';

/** Plays sequences, each from the same state; returns how often each action went through. */
export async function playSequences(stall: Stall, from: number, count: number): Promise<Map<string, number>> {
  const total = new Map<string, number>();
  const { chain } = stall;
  const time = chain.time;
  for (let seed = from; seed < from + count; seed++) {
    await chain.vm.stateManager.checkpoint();
    const prng = new Prng(seed);
    const world = new World(stall, prng);
    try {
      await world.begin();
      const steps = prng.int(5, 30);
      for (let i = 0; i < steps; i++) await world.step();
      await world.end();
    } catch (e) {
      throw e instanceof Violation ? new Violation(`sequence ${seed}: ${e.message}`) : e;
    } finally {
      await chain.vm.stateManager.revert();
      chain.time = time;
    }
    for (const [k, n] of world.done) total.set(k, (total.get(k) ?? 0) + n);
  }
  return total;
}
