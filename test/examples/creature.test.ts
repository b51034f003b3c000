/** The example `creature`: the bound of genes, replays on three engines and on the chain, and what a life does to behaviour. */
import { keccak256, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { type Creature, care, fight, newborn } from '../../examples/creature/game.ts';
import { faceModel, founders, MOST, mindModel } from '../../examples/creature/models.ts';
import { picture } from '../../examples/creature/page.ts';
import { actions, distance, life, permutationTest } from '../../examples/creature/study.ts';
import { enginesOf } from '../../examples/host.ts';

const mind = mindModel();
const engines = await enginesOf(mind);
const wasm = engines.find((e) => e.name === 'wasm')!;
const genomes = [...founders().values()];

describe('creature', () => {
  it('proves its accumulators for genes within the bound, and refuses others', async () => {
    const bounds = mind.nodes.flatMap((n, i) => (n.op === 'matmul' ? [mind.info[i]!.facts['bound']] : []));
    expect(bounds).toEqual([16 * 128 * MOST, 16 * 127 * MOST]);
    const { genes1, genes2 } = genomes[0]!;
    const rest = { senses: new Int8Array(8), state: new Int8Array(8), genes2 };
    for (const wrong of [MOST + 1, -MOST - 1, -128]) {
      const genes = genes1.slice();
      genes[255] = wrong;
      await expect(wasm.run({ ...rest, genes1: genes })).rejects.toThrow(/genes1/);
    }
    await expect(wasm.run({ ...rest, genes1: genes1.map((_, i) => (i % 2 ? MOST : -MOST)) })).resolves.toBeDefined();
  });

  it('replays matches and care to the same states on three engines', async () => {
    const lives = await Promise.all(
      engines.map(async (engine) => {
        const all: Creature[] = genomes.map(newborn);
        const digests: string[] = [];
        for (let m = 0; m < 60; m++) {
          const [a, b] = [m % 3, (m + 1) % 3];
          digests.push((await fight(engine, [a, b], [all[a]!, all[b]!], keccak256(toHex(m)))).digest);
          digests.push(String(await care(engine, all[(m + 2) % 3]!, m % 4)));
        }
        return [...digests, ...all.map((c) => [...c.state, c.hunger, c.energy, c.mood, c.wins].join())].join('\n');
      }),
    );
    expect(engines.length).toBeGreaterThanOrEqual(3);
    expect(new Set(lives).size).toBe(1);
  });

  it('a life of 100 interactions changes what a creature does', async () => {
    const before = await actions(wasm, newborn(genomes[0]!), 200);
    const c = newborn(genomes[0]!);
    await life(wasm, c, 100, 100);
    const after = await actions(wasm, c, 200);
    expect(distance(before, before)).toBe(0);
    expect(permutationTest(before, before, 200)).toBe(1);
    expect(distance(before, after)).toBeGreaterThan(0.1);
    expect(permutationTest(before, after, 1000)).toBeLessThan(0.01);
  });

  it('faces have one picture on every engine', async () => {
    const face = faceModel();
    const pictures = await Promise.all((await enginesOf(face)).map((e) => picture(face, e, genomes[1]!.looks)));
    expect(new Set(pictures.map((p) => p.join())).size).toBe(1);
    expect(pictures[0]).toHaveLength(24 * 24);
  });
});
