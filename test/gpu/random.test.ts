/** Random graphs on the webgpu backend against the wasm one, which other tests hold against the reference. */
import { expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { compareBackends } from '../support/differential.ts';
import { randomGraph } from '../support/recipes.ts';
import { GPU_API } from './dawn.ts';

const SEED = Number(process.env['SAMEBIT_SEED'] ?? 30_000_000);
const GRAPHS = Number(process.env['SAMEBIT_GRAPHS'] ?? 400);

/** Kernels as they are, with the portable product of bytes, and with dispatches cut into small parts. */
const VARIANTS = {
  plain: {},
  'without packed dots': { dot4: false },
  'in small parts': { dispatchWork: 256 },
} as const;

it.each(Object.entries(VARIANTS))(`${GRAPHS} graphs, seed ${SEED}: %s`, async (_, options) => {
  const backend = createWebGpu({ gpu: GPU_API, ...options });
  const seen = new Set<OpName>();
  for (let i = 0; i < GRAPHS; i++) {
    const graph = randomGraph(SEED + i);
    for (const n of graph.nodes) seen.add(n.op);
    const model = loadModel(encodeModel(graph));
    expect(await compareBackends(model, SEED + i, ['wasm', backend], 2), `seed ${SEED + i}`).toBeNull();
  }
  expect([...seen].sort()).toEqual(Object.keys(OPS).sort());
});
