/** Random graphs through encode → decode → validate → every backend, and fuzzed files; small counts of scripts/fuzz.ts. */
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../src/format/decode.ts';
import { encodeModel } from '../src/format/encode.ts';
import { OPS, type OpName } from '../src/ops/index.ts';
import { loadModel } from '../src/runtime/load.ts';
import { compareBackends } from './support/differential.ts';
import { fuzzCase, isCheap } from './support/fuzz.ts';
import { randomGraph } from './support/recipes.ts';

const SEED = Number(process.env['SAMEBIT_SEED'] ?? 20_000_000);
const GRAPHS = 1200;
const CASES = 6000;

describe(`random graphs, seed ${SEED}`, () => {
  it(`${GRAPHS} graphs have the same bits on every backend, inside their proved intervals`, async () => {
    const seen = new Set<OpName>();
    for (let i = 0; i < GRAPHS; i++) {
      const graph = randomGraph(SEED + i);
      for (const n of graph.nodes) seen.add(n.op);
      const bytes = encodeModel(graph);
      expect(encodeModel(decodeModel(bytes)), `seed ${SEED + i}`).toEqual(bytes);
      expect(
        await compareBackends(loadModel(bytes), SEED + i, ['reference', 'wasm'], 2),
        `seed ${SEED + i}`,
      ).toBeNull();
    }
    expect([...seen].sort()).toEqual(Object.keys(OPS).sort());
  });

  it(`${CASES} fuzzed files neither crash nor hang, and those that load have the same bits`, async () => {
    let [reached, ran] = [0, 0];
    for (let i = 0; i < CASES; i++) {
      const outcome = fuzzCase(SEED + i);
      expect(outcome.kind, `seed ${SEED + i}: ${outcome.code}`).not.toBe('crash');
      expect(outcome.ms, `seed ${SEED + i}`).toBeLessThan(1000);
      if (outcome.reached) reached++;
      if (outcome.kind === 'valid' && isCheap(outcome.model!)) {
        ran++;
        expect(await compareBackends(outcome.model!, i, ['reference', 'wasm'], 1), `seed ${SEED + i}`).toBeNull();
      }
    }
    expect(reached).toBeGreaterThan(0.3 * CASES);
    expect(ran).toBeGreaterThan(0.05 * CASES);
  });
});
