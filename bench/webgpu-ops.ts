/**
 * Products of the webgpu backend by shape and variant: median of nine runs with upload and readback, in ms and 10^9 products a
 * second. Usage: bash test/engines/lavapipe.sh .gpu npx tsx bench/webgpu-ops.ts
 * @module
 */
import { create, globals } from 'webgpu';
import type { Backend } from '../src/backends/backend.ts';
import { createWebGpu } from '../src/webgpu.ts';
import { planOf, Random } from '../test/backends/wasm-harness.ts';

Object.assign(globalThis, globals);
const gpu = create([]);
const BACKENDS: readonly Backend[] = [createWebGpu({ gpu }), createWebGpu({ gpu, dot4: false })];
const SHAPES = [
  [256, 512, 256],
  [1, 1280, 1000],
  [3136, 64, 128],
  [49, 960, 320],
  [12544, 32, 16],
  [12544, 24, 32],
] as const;
const RUNS = 9;

const r = new Random(1);
for (const [m, k, o] of SHAPES) {
  const x = r.tensor('i8', [m, k]);
  const weights = r.tensor('i8', [o, k], { constant: true });
  const bias = r.tensor('i32', [o], { lo: 0, hi: 9, constant: true });
  const stage = { dtype: 'i8', zp: 0, lo: -128, hi: 127, l: 0, m: Int32Array.of(1048576) };
  const plan = planOf('dense', [x, weights, bias], { stage });
  for (const backend of BACKENDS) {
    const executable = await backend.prepare(plan, { mode: 'run' });
    const times: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      const t = performance.now();
      await executable.run([x.data], {});
      times.push(performance.now() - t);
    }
    const median = times.sort((a, b) => a - b)[RUNS >> 1]!;
    const rate = ((m * k * o) / median / 1e6).toFixed(2);
    const shape = `${m} x ${k} x ${o}`.padEnd(18);
    console.log(`${shape} ${executable.explain()[0]!.kernel.padEnd(30)} ${median.toFixed(2).padStart(7)} ms ${rate}`);
    executable.dispose();
  }
}
