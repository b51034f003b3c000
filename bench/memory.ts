/**
 * Memory a wasm session takes against what `info` states: resident bytes after 20 runs, less those after loading.
 * Usage: node --expose-gc --import tsx bench/memory.ts
 * @module
 */
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession } from '../src/runtime/session.ts';
import { denseStack, mobileNetV2 } from './models.ts';

function resident(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

interface Measured {
  readonly stated: number;
  readonly measured: number;
}

/** Prepares a session, runs it 20 times, and takes the resident bytes it added. */
async function measure(bytes: Uint8Array): Promise<Measured> {
  const model = loadModel(bytes);
  const input = model.inputs[0]!;
  const count = (input.shape as readonly number[]).reduce((n, d) => n * d, 1);
  const x = (input.u8 ? new Uint8Array(count) : new Int8Array(count)).fill(3);
  const into = {
    [model.outputs[0]!.name]: (await (await createSession(model)).run({ [input.name]: x })).outputs[
      model.outputs[0]!.name
    ]!.data,
  };
  const before = resident();
  const session = await createSession(model, { backend: 'wasm' });
  for (let i = 0; i < 20; i++) session.runSync({ [input.name]: x }, { into });
  const measured = resident() - before;
  const stated = session.explain().memory.total;
  session.dispose();
  return { stated, measured };
}

for (const [name, graph] of [
  ['MobileNetV2-sized', mobileNetV2()],
  ['dense 8 × 2048²', denseStack()],
] as const) {
  const { stated, measured } = await measure(encodeModel(graph));
  const mb = (n: number): string => (n / 1e6).toFixed(2);
  console.log(`${name}: stated ${mb(stated)} MB, measured ${mb(measured)} MB, ratio ${(measured / stated).toFixed(3)}`);
}
