/** Compiled models against the reference: golden models, conformance cases, random graphs, in one run and in steps. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { validateProfile } from '../../src/compile/validate-profile.ts';
import { type Profile, toWasm } from '../../src/compile/wasm.ts';
import { runConformance } from '../../src/conformance/run.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { compiled, instanceOf } from '../support/compiled.ts';
import { compareBackends } from '../support/differential.ts';
import { checkRuns, fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';

const SEED = Number(process.env['SAMEBIT_SEED'] ?? 20_000_000);
const GRAPHS = 300;
const PROFILES: readonly Profile[] = ['simd128', 'mvp'];

/** A run in steps of random budgets, none among them. */
function inSteps(profile: Profile): Backend {
  const r = new Prng(SEED);
  return compiled(profile, () => BigInt(r.edgy(0, 2 ** r.below(16))));
}

describe.each(PROFILES)('%s', (profile) => {
  it.each(MODELS.map((g) => [g.name, g] as const))('%s', async (_, g) => {
    await checkRuns(g, compiled(profile));
    await checkRuns(g, inSteps(profile));
  });

  it('the conformance suite', async () => {
    const report = await runConformance(compiled(profile));
    expect(report.differences).toEqual([]);
    expect(report.checks).toBeGreaterThan(100);
  });

  it(`${GRAPHS} random graphs, seed ${SEED}`, async () => {
    for (let i = 0; i < GRAPHS; i++) {
      const model = loadModel(encodeModel(randomGraph(SEED + 7_000_000 + i)));
      const lanes = ['reference', compiled(profile), inSteps(profile)] as const;
      expect(await compareBackends(model, SEED + i, lanes, 2), `seed ${SEED + 7_000_000 + i}`).toBeNull();
    }
  });

  it('keeps the rules of its profile, and is the same each time', () => {
    for (const g of MODELS) {
      const model = loadModel(fileOf(g));
      const dims = Object.fromEntries(model.symbols.map((s) => [s.name, s.max]));
      const bytes = toWasm(model, { profile, dims });
      expect(validateProfile(bytes, profile), g.name).toEqual([]);
      if (profile === 'mvp')
        for (const host of ['cosmwasm', 'near', 'soroban'] as const)
          expect(validateProfile(bytes, host), g.name).toEqual([]);
      expect(Buffer.compare(bytes, toWasm(model, { profile, dims })), g.name).toBe(0);
      const m = instanceOf(bytes);
      expect(m.input_count(), g.name).toBe(model.inputs.length);
      expect(m.output_count(), g.name).toBe(model.outputs.length);
    }
  });
});
