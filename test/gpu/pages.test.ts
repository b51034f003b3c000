/** Plans whose tensors and constants lie in several buffers, and one with more than a portable device binds at once. */
import { expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { calls, pagesOf, stretches, WHOLE } from '../../src/backends/webgpu/pages.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { agree, Random, stageFor } from '../backends/wasm-harness.ts';
import { compareBackends, randomDims, randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { GPU_API } from './dawn.ts';

const SEED = 33_000_000;
const GRAPHS = Number(process.env['SAMEBIT_GRAPHS'] ?? 400) / 40;

it(`${GRAPHS} graphs, seed ${SEED}, in two or three buffers each`, async () => {
  const backends = new Map<number, Backend>();
  for (let i = 0; i < GRAPHS; i++) {
    const model = loadModel(encodeModel(randomGraph(SEED + i)));
    const session = await createSession(model, { backend: createWebGpu({ gpu: GPU_API }) });
    await session.run(randomInputs(model, new Prng(i), randomDims(model, new Prng(i))));
    const bytes = session.explain().memory.total;
    session.dispose();
    const bufferBytes = 2 ** Math.max(8, Math.ceil(Math.log2(bytes / 3)));
    if (!backends.has(bufferBytes)) backends.set(bufferBytes, createWebGpu({ gpu: GPU_API, bufferBytes }));
    const backend = backends.get(bufferBytes)!;
    expect(await compareBackends(model, SEED + i, ['wasm', backend], 2), `seed ${SEED + i}`).toBeNull();
  }
});

it('dense with more bytes of weights than a portable device binds', async () => {
  const r = new Random(5);
  const [k, o] = [4096, 33_000];
  const x = r.tensor('i8', [1, k], { zp: 3 });
  const w = r.tensor('i8', [o, k], { constant: true });
  const b = r.tensor('i32', [o], { lo: -99999, hi: 99999, constant: true });
  const stage = stageFor(r, 'i8', 99999 + k * 128 * 255, o);
  await agree('dense', [x, w, b], { stage }, createWebGpu({ gpu: GPU_API, bufferBytes: 2 ** 27 }));
});

it('reads and stores of a kernel become calls', () => {
  const code = 'arena[p.y + constants[2u * i]] += arena[arena[0]] | 1u; if (arena[i] == 3u) { arena[i] = x; }';
  expect(calls(calls(code, 'arena'), 'constants')).toBe(
    'arena_store(p.y + constants_word(2u * i), arena_word(p.y + constants_word(2u * i)) + (arena_word(arena_word(0)) | 1u)); ' +
      'if (arena_word(i) == 3u) { arena_store(i, x); }',
  );
});

it('pages are whole, or powers of two within the limits', () => {
  const limits = { maxStorageBufferBindingSize: 1000, maxBufferSize: 4000, maxStorageBuffersPerShaderStage: 8 };
  expect(pagesOf({ arena: 250, constants: 0 }, limits, Infinity)).toBe(WHOLE);
  const pages = pagesOf({ arena: 251, constants: 0 }, limits, Infinity);
  expect(pages).toEqual({ shift: 7, arena: 2, constants: 1 });
  expect(pagesOf({ arena: 128 * 4, constants: 128 * 3 }, limits, Infinity)).toEqual({
    shift: 7,
    arena: 4,
    constants: 3,
  });
  expect(() => pagesOf({ arena: 128 * 4 + 1, constants: 128 * 3 }, limits, Infinity)).toThrow(
    /at most 7 buffers of 512 bytes/,
  );
  expect(stretches(pages, 500, 600)).toEqual([
    { page: 0, at: 500, from: 0, bytes: 12 },
    { page: 1, at: 0, from: 12, bytes: 512 },
    { page: 2, at: 0, from: 524, bytes: 76 },
  ]);
});
