/**
 * Memory a wasm session takes against what `info` states: resident bytes after 20 runs, less those after loading.
 * Usage: npx tsx bench/memory.ts
 * @module
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { allocate, elementCount } from '../src/core/tensor.ts';
import { encodeModel } from '../src/format/encode.ts';
import { loadModel } from '../src/runtime/load.ts';
import { createSession, type Session } from '../src/runtime/session.ts';
import { type ImageNetwork, mobileNetV2 } from './networks.ts';
import { graphOf } from './prepare.ts';

/** Resident bytes when what was collected has been given back, which happens on other threads. */
async function resident(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await setTimeout(300);
  }
  return process.memoryUsage().rss;
}

interface Measured {
  readonly stated: number;
  readonly measured: number;
}

/** Prepares a session, runs it 20 times, and takes the resident bytes it added. */
async function measure(bytes: Uint8Array): Promise<Measured> {
  const model = loadModel(bytes);
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  const count = elementCount(input.shape as readonly number[]);
  const x = (input.u8 ? new Uint8Array(count) : new Int8Array(count)).fill(3);
  const { dtype, shape } = model.tensors[output.tensor]!;
  const into = { [output.name]: allocate(dtype, elementCount(shape as readonly number[])) };
  const start = async (): Promise<Session> => {
    const session = await createSession(model, { backend: 'wasm' });
    for (let i = 0; i < 20; i++) session.runSync({ [input.name]: x }, { into });
    return session;
  };
  const first = await start(); // takes what is no session's: compiled code; and lives on, so that nothing is taken from it
  const before = await resident();
  const second = await start();
  const measured = (await resident()) - before;
  first.dispose();
  return { stated: second.explain().memory.total, measured };
}

/** Dense layers on one row: a model that is nothing but weights. */
const denseStack: ImageNetwork = (net, x) => Array.from({ length: 8 }).reduce<typeof x>((y) => net.dense(y, 2048), x);

/** Each model in a process of its own, where making it has left no memory behind. */
function measureAll(): void {
  const file = join(tmpdir(), `samebit-memory-${process.pid}.sbm`);
  for (const [name, shape, network] of [
    ['MobileNetV2', [1, 224, 224, 3], mobileNetV2],
    ['dense 8 × 2048²', [1, 2048], denseStack],
  ] as const) {
    writeFileSync(file, encodeModel(graphOf({ shape, network })));
    const args = [...process.execArgv, '--expose-gc', import.meta.filename, file, name];
    execFileSync(process.execPath, args, { stdio: 'inherit' });
  }
  rmSync(file);
}

const [file, name] = process.argv.slice(2);
if (file === undefined) measureAll();
else {
  const { stated, measured } = await measure(readFileSync(file));
  const mb = (n: number): string => (n / 1e6).toFixed(2);
  console.log(`${name}: stated ${mb(stated)} MB, measured ${mb(measured)} MB, ratio ${(measured / stated).toFixed(3)}`);
}
