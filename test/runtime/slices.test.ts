/** Sliced runs: random budgets, snapshots that move between backends and processes, one digest. `npm run slices` at length. */
import { afterAll, describe, expect, it } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from '../../src/consensus/snapshot.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { elsewhere, here, inputsOf, slicedRun } from './lanes.ts';

const other = elsewhere();
afterAll(other.end);

describe('random budgets', () => {
  it('every golden model ends in the digest of one run', async () => {
    let moves = 0;
    for (const [i, golden] of MODELS.entries()) {
      const bytes = fileOf(golden);
      const model = loadModel(bytes);
      const session = await createSession(model, { backend: 'wasm' });
      const { digest } = await session.run(inputsOf(model, i));
      session.dispose();
      const sliced = await slicedRun(model, Buffer.from(bytes).toString('base64'), i, [here, here, here, other.lane]);
      expect(sliced.digest, golden.name).toBe(digest);
      moves += sliced.moves;
    }
    expect(moves).toBeGreaterThan(MODELS.length);
  });
});

describe('bytes of a snapshot', () => {
  it('are the same on every backend and come back', async () => {
    const golden = MODELS.find((m) => m.ops.length > 8)!;
    const model = loadModel(fileOf(golden));
    const found: Uint8Array[] = [];
    for (const backend of ['reference', 'wasm'] as const) {
      const run = await (await createSession(model, { backend })).begin(inputsOf(model, 1));
      for (let i = 0; i < 3; i++) run.step(0n);
      expect(() => run.finish()).toThrow(TypeError);
      found.push(encodeSnapshot(run.snapshot()));
    }
    expect(found[1]).toEqual(found[0]);
    expect(encodeSnapshot(decodeSnapshot(found[0]!))).toEqual(found[0]);
  });

  it('of a stranger are refused, by a RangeError or where the run begins', async () => {
    const golden = MODELS.find((m) => m.ops.length > 8)!;
    const session = await createSession(loadModel(fileOf(golden)), { backend: 'reference' });
    const inputs = inputsOf(session.model, 1);
    const run = await session.begin(inputs);
    run.step(0n);
    const good = encodeSnapshot(run.snapshot());
    const r = new Prng(9);
    for (let i = 0; i < 300; i++) {
      const bytes = good.slice(0, r.once(3) ? r.below(good.length) : good.length);
      if (bytes.length > 0) bytes[r.below(bytes.length)]! ^= 1 << r.below(8);
      try {
        await session.begin(inputs, { from: decodeSnapshot(bytes) });
      } catch (e) {
        expect(e instanceof RangeError || e instanceof TypeError, String(e)).toBe(true);
      }
    }
  });
});
