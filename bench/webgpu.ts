/**
 * The webgpu backend on a MobileNetV2-sized model: prepare, first run and median run, digests against wasm. Needs a driver:
 * Usage: bash test/engines/lavapipe.sh .gpu npx tsx bench/webgpu.ts [runs]
 * @module
 */
import { create, globals } from 'webgpu';
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { createWebGpu } from '../src/webgpu.ts';
import { mobileNetV2 } from './networks.ts';
import { graphOf } from './prepare.ts';

Object.assign(globalThis, globals);
const gpu = create([]);
const runs = Number(process.argv[2] ?? 10);
const model = loadModel(encodeModel(graphOf({ shape: [1, 224, 224, 3], network: mobileNetV2 })));
const input = model.inputs[0]!;
const pixels = Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => (i * 167 + (i >> 8)) & 255);
const inputs = { [input.name]: input.u8 ? pixels : new Int8Array(pixels.buffer) };
const adapter = await gpu.requestAdapter();
console.log(adapter?.info.description);

async function time<T>(name: string, f: () => Promise<T>): Promise<T> {
  const t = performance.now();
  const v = await f();
  console.log(`${name.padEnd(26)} ${(performance.now() - t).toFixed(1).padStart(9)} ms`);
  return v;
}

const wasm = await createSession(model, { backend: 'wasm' });
const { digest } = await time('wasm, a run', () => wasm.run(inputs));
for (const [name, options] of Object.entries({ webgpu: {}, 'webgpu without dot4': { dot4: false } })) {
  const backend = createWebGpu({ gpu, timeout: 120_000, ...options });
  const session = await time(`${name}: probe, prepare`, () => createSession(model, { backend }));
  const again = await time(`${name}: prepare again`, () => createSession(model, { backend }));
  again.dispose();
  const first = await time(`${name}: first run`, () => session.run(inputs));
  if (first.digest !== digest) throw new Error(`${name} differs from wasm`);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const t = performance.now();
    await session.run(inputs);
    times.push(performance.now() - t);
  }
  const median = times.sort((a, b) => a - b)[runs >> 1]!;
  console.log(`${name}: median ${median.toFixed(1)} ms, least ${times[0]!.toFixed(1)} ms;`, session.explain().memory);
}
