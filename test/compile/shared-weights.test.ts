/** Weights that several nodes share: one copy of each layout, and the bits of the reference. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/compile/inspect.ts';
import { type Profile, toWasm, toWasmChunks } from '../../src/compile/wasm.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { compiled } from '../support/compiled.ts';
import { compareBackends } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { twice } from '../support/small.ts';

const SEED = Number(process.env['SAMEBIT_SEED'] ?? 20_000_000) + 9_000_000;
const GRAPHS = 150;
const PROFILES: readonly Profile[] = ['simd128', 'mvp'];

const [ROWS, K] = [48, 64];

/** x i8 [N,64] → dense with weights [48,64] → y i8 [N,48]. */
function layer(rows: number): Graph {
  const weights = new Int8Array(ROWS * K);
  new Prng(3).fill(weights, -128, 127);
  return {
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [rows, K], zp: 3, lo: -128, hi: 127 }],
    constants: [
      { dtype: 'i8', shape: [ROWS, K], zp: 0, data: weights },
      { dtype: 'i32', shape: [ROWS], zp: 0, data: new Int32Array(ROWS).map((_, i) => i * i) },
    ],
    nodes: [
      {
        op: 'dense',
        inputs: [0, 1, 2],
        attrs: { block: 0, stage: { m: Int32Array.of(1 << 30), l: 6, dtype: 'i8', zp: 0, lo: -128, hi: 127 } },
      },
    ],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
  };
}

const modelOf = (graph: Graph): ReturnType<typeof loadModel> => loadModel(encodeModel(graph));

describe.each(PROFILES)('%s', (profile) => {
  it.each([1, 2, 5])('two dense layers of %i rows have one copy of their weights', (rows) => {
    const once = inspect(toWasm(modelOf(layer(rows)), { profile })).dataBytes;
    const both = inspect(toWasm(modelOf(twice(layer(rows))), { profile })).dataBytes;
    expect(once).toBeGreaterThan(ROWS * K);
    expect(both - once).toBeLessThan(400); // records of calls
    const { chunks } = toWasmChunks(modelOf(twice(layer(rows))), { profile, chunkBytes: 1 << 20 });
    expect(chunks[0]!.length).toBeLessThan(1.5 * ROWS * K);
  });

  it('weights that only look alike have copies of their own', () => {
    const graph = twice(layer(2));
    const other = (graph.constants[0]!.data as Int8Array).slice();
    other[other.length - 1]! ^= 1;
    const model = modelOf({
      ...graph,
      constants: [...graph.constants, { ...graph.constants[0]!, data: other }],
      nodes: [graph.nodes[0]!, { ...graph.nodes[1]!, inputs: [0, 3, 2] }],
      outputs: graph.outputs.map((o) => ({ ...o, tensor: o.tensor + 1 })),
    });
    expect(inspect(toWasm(model, { profile })).dataBytes).toBeGreaterThan(2 * ROWS * K);
  });

  it(`${GRAPHS} random graphs, each beside its copy, seed ${SEED}`, async () => {
    const r = new Prng(SEED);
    for (let i = 0; i < GRAPHS; i++) {
      const model = modelOf(twice(randomGraph(SEED + i)));
      const chunked = compiled(profile, () => BigInt(r.below(1000)), 1024 + r.below(5000));
      expect(
        await compareBackends(model, SEED + i, ['reference', compiled(profile), chunked], 2),
        `seed ${SEED + i}`,
      ).toBeNull();
    }
  });

  it('the translator of the examples is a module of at most 1.6 bytes a byte of its file', () => {
    const file = readFileSync(new URL('../../examples/translate/model.sbm', import.meta.url));
    expect(toWasm(loadModel(file), { profile }).length).toBeLessThan(1.6 * file.length);
  });
});
