/** Every op vector and golden model on the webgpu backend. */
import { describe, expect, it } from 'vitest';
import { createWebGpu } from '../../src/webgpu.ts';
import { wholeModels } from '../ops/vectors.ts';
import { checkRuns, MODELS } from '../support/golden-models.ts';
import { adapterName, GPU_API } from './dawn.ts';

const backend = createWebGpu({ gpu: GPU_API });

it('there is an adapter', async () => {
  const name = await adapterName();
  console.log(`adapter: ${name}`);
  expect(name).not.toMatch(/null/i); // Dawn's null backend computes nothing
});

wholeModels(backend);

describe('golden models', () => {
  it.each(MODELS.map((g) => [g.name, g] as const))('%s', (_, g) => checkRuns(g, backend));
});
