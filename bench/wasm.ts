/**
 * Speed of the wasm backend on a MobileNetV2-sized model: medians of load, prepare and run on one thread.
 * Usage: npx tsx bench/wasm.ts [runs] [--layers]
 * @module
 */
import { wasm } from '../src/backends/wasm/index.ts';
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createPlan } from '../src/runtime/plan.ts';
import { integers, mobileNetV2 } from './models.ts';

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const runs = Number(process.argv[2] ?? 30);
const bytes = encodeModel(mobileNetV2());
const t0 = performance.now();
const model = loadModel(bytes);
const t1 = performance.now();
const plan = createPlan({ model, dims: [] });
const prepares: number[] = [];
let executable = await wasm.prepare(plan, { mode: 'run' });
for (let i = 0; i < 5; i++) {
  const t = performance.now();
  executable = await wasm.prepare(plan, { mode: 'run' });
  prepares.push(performance.now() - t);
}
const random = integers(7);
const image = Int8Array.from({ length: 224 * 224 * 3 }, () => random(-128, 127));
const into = [new Int16Array(1000)];
const times: number[] = [];
for (let i = 0; i < runs + 20; i++) {
  const t = performance.now();
  executable.runSync!([image], { into });
  if (i >= 20) times.push(performance.now() - t);
}
console.log(
  `file ${(bytes.length / 1e6).toFixed(2)} MB, load ${(t1 - t0).toFixed(1)} ms, prepare ${median(prepares).toFixed(1)} ms (first ${prepares[0]!.toFixed(1)})`,
);
console.log(`run: median ${median(times).toFixed(2)} ms, least ${Math.min(...times).toFixed(2)} ms`);
console.log(executable.memory, 'logits', into[0]!.slice(0, 8).join(' '), 'distinct', new Set(into[0]).size);
