/** Kernels of the webgpu backend at the edges of their tiles, words and levels, against the reference. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { agree, Random } from '../backends/wasm-harness.ts';
import { GPU_API } from './dawn.ts';
import { edges } from './edges.ts';

const DEVICES: readonly (readonly [string, Backend])[] = [
  ['whole dispatches', createWebGpu({ gpu: GPU_API })],
  ['small parts, no packed dots', createWebGpu({ gpu: GPU_API, dispatchWork: 4096, dot4: false })],
];

describe.each(DEVICES)('%s', (_, backend) => {
  it.each(Object.entries(edges(backend)))('%s', (_, test) => test());

  it('says which kernel it chose', async () => {
    const r = new Random(1);
    const b = r.tensor('i32', [4], { lo: 0, hi: 0, constant: true });
    const w = r.tensor('i8', [4, 8], { constant: true });
    expect(await agree('dense', [r.tensor('i8', [1, 8]), w, b], {}, backend)).toMatch(/^gemv_/);
    expect(await agree('dense', [r.tensor('i8', [9, 8]), w, b], {}, backend)).toMatch(/^gemm64x64_/);
  });
});
