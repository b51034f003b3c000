/** The example `recommend`: engines agree, nothing that was played is suggested, and the metrics stay by those of the floats. */
import { describe, expect, it } from 'vitest';
import { enginesOf } from '../../examples/host.ts';
import { listeners, ndcg, readModel, recall, TOP, TRACKS } from '../../examples/recommend/model.ts';

describe('recommend', async () => {
  const model = readModel();
  const engines = await enginesOf(model);

  it('suggests the same unplayed tracks on three engines, as well as the floats do', async () => {
    const people = listeners().slice(0, 300);
    const sums = [0, 0, 0, 0];
    for (const { seen, rest, float } of people) {
      const lists = await Promise.all(engines.map(async (e) => [...(await e.run({ played: seen }))['tracks']!]));
      expect(new Set(lists.map((l) => l.join())).size).toBe(1);
      const [top] = lists;
      expect(new Set(top).size).toBe(TOP);
      expect(top!.some((t) => seen[t] === 1)).toBe(false);
      [recall(float, rest), recall(top!, rest), ndcg(float, rest), ndcg(top!, rest)].forEach((v, i) => (sums[i]! += v));
    }
    expect(Math.abs(sums[1]! / sums[0]! - 1)).toBeLessThan(0.01);
    expect(Math.abs(sums[3]! / sums[2]! - 1)).toBeLessThan(0.01);
  });

  it('takes histories of 0 and 1 only, of none and of nearly all tracks', async () => {
    const run = async (played: Int8Array): Promise<number[]> => [...(await engines[0]!.run({ played }))['tracks']!];
    expect(new Set(await run(new Int8Array(TRACKS))).size).toBe(TOP);
    const most = new Int8Array(TRACKS).fill(1, TOP);
    expect((await run(most)).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await expect(run(new Int8Array(TRACKS).fill(2))).rejects.toThrow(/played/);
  });

  it('counts hits by place', () => {
    const rest = Int8Array.of(1, 0, 1, 0);
    expect(recall([0, 1], rest)).toBe(0.5);
    expect(ndcg([0, 2], rest)).toBeCloseTo(1);
    expect(ndcg([1, 0], rest)).toBeLessThan(ndcg([0, 1], rest));
  });
});
