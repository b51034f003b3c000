/**
 * Cases of the conformance suite from models and inputs. It needs nothing of Node.
 * @module
 */
import type { ConformanceCase } from '../../src/conformance.ts';
import { type Tensor, toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomDims, randomInputs } from './differential.ts';
import { Prng } from './prng.ts';
import { randomGraph } from './recipes.ts';

/** Runs of a random graph. */
const RUNS = 2;

/** Bytes as the cases hold them. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/** Inputs as the cases hold them. */
export function written(inputs: Readonly<Record<string, Tensor>>): ConformanceCase['runs'][number]['inputs'] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => [name, [t.dtype, t.shape, base64(toBytes(t.data))] as const]),
  );
}

/** The random graph of a seed with random inputs, and the digests that the reference of this engine gives. */
export async function randomCase(seed: number): Promise<ConformanceCase> {
  const bytes = encodeModel(randomGraph(seed));
  const model = loadModel(bytes);
  const session = await createSession(model, { backend: 'reference' });
  const r = new Prng(seed);
  const runs: ConformanceCase['runs'][number][] = [];
  for (let i = 0; i < RUNS; i++) {
    const inputs = randomInputs(model, r, randomDims(model, r));
    runs.push({ inputs: written(inputs), digest: (await session.run(inputs)).digest });
  }
  session.dispose();
  return { name: `random graph ${seed}`, sbm: base64(bytes), runs };
}
