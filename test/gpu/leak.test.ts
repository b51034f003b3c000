/**
 * Nothing is left behind: buffers and pipelines are counted on a wrapped device, memory by the process. The long figures come
 * from SAMEBIT_RUNS=1000 SAMEBIT_CYCLES=100 (npm run gpu), which are the defaults.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { fileOf, inputsOf, MODELS } from '../support/golden-models.ts';
import { randomGraph } from '../support/recipes.ts';
import { GPU_API } from './dawn.ts';
import { faulty } from './faulty.ts';

const RUNS = Number(process.env['SAMEBIT_RUNS'] ?? 1000);
const CYCLES = Number(process.env['SAMEBIT_CYCLES'] ?? 100);
/** Growth of the process that is no leak: heaps breathe. */
const BREATH = 64 * 2 ** 20;

/** Buffers and bytes that are alive, and pipelines that were compiled. */
const counted = { buffers: 0, bytes: 0, pipelines: 0 };

const gpu = faulty(GPU_API, {
  device: (device) => ({
    createBuffer(d: GPUBufferDescriptor): GPUBuffer {
      const buffer = device.createBuffer(d);
      const destroy = buffer.destroy.bind(buffer);
      counted.buffers++;
      counted.bytes += d.size;
      buffer.destroy = () => {
        counted.buffers--;
        counted.bytes -= d.size;
        destroy();
      };
      return buffer;
    },
    createComputePipelineAsync(d: GPUComputePipelineDescriptor): Promise<GPUComputePipeline> {
      counted.pipelines++;
      return device.createComputePipelineAsync(d);
    },
  }),
});
const backend = createWebGpu({ gpu });
/** Golden models of many nodes, and one that runs once. */
const wanted = [...MODELS].sort((a, b) => b.sbm.length - a.sbm.length).slice(0, 4);
const single = MODELS.find((m) => m.runs.length === 1 && m.ops.length > 1)!;

/** Bytes of the process once garbage is collected; Dawn lets go of its objects with ours. */
async function resident(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((done) => setTimeout(done, 20));
  }
  return process.memoryUsage().rss;
}

describe('leaks', () => {
  it(`${RUNS} runs leave buffers and memory flat`, async () => {
    const g = single;
    const model = loadModel(fileOf(g));
    const inputs = inputsOf(model, g.runs[0]!);
    const session = await createSession(model, { backend });
    for (let i = 0; i < 500; i++) await session.run(inputs);
    const [before, memory] = [{ ...counted }, await resident()];
    for (let i = 0; i < RUNS; i++) expect((await session.run(inputs)).digest).toBe(g.runs[0]!.digest);
    const grown = (await resident()) - memory;
    console.log(`${RUNS} runs: ${counted.buffers} buffers, ${counted.bytes} bytes, process ${grown} bytes more`);
    expect(counted).toEqual(before);
    expect(grown).toBeLessThan(BREATH);
    session.dispose();
  });

  it(`${CYCLES} sessions made and disposed leave nothing`, async () => {
    const cycle = async (i: number): Promise<void> => {
      const g = wanted[i % wanted.length]!;
      const model = loadModel(fileOf(g));
      const session = await createSession(model, { backend });
      expect((await session.run(inputsOf(model, g.runs[0]!))).digest).toBe(g.runs[0]!.digest);
      session.dispose();
    };
    for (let i = 0; i < 20; i++) await cycle(i);
    const [before, memory] = [{ ...counted }, await resident()];
    for (let i = 0; i < CYCLES; i++) await cycle(i);
    const grown = (await resident()) - memory;
    console.log(`${CYCLES} cycles: ${counted.buffers} buffers, ${counted.bytes} bytes, process ${grown} bytes more`);
    expect(counted).toEqual(before);
    expect(counted.buffers).toBe(0);
    expect(grown).toBeLessThan(BREATH);
  });

  it('pipelines are those of the kernels, whatever the shapes: their number has an end', async () => {
    const prepare = async (from: number): Promise<number> => {
      for (let i = 0; i < 300; i++) {
        const model = loadModel(encodeModel(randomGraph(from + i)));
        if (model.symbols.length > 0) continue;
        (await createSession(model, { backend })).dispose();
      }
      return counted.pipelines;
    };
    const first = await prepare(60_000_000);
    const second = await prepare(61_000_000);
    console.log(`pipelines: ${first} after 300 graphs, ${second} after 600`);
    expect(second).toBeLessThan(200);
    expect(second - first).toBeLessThan(first / 4);
    expect(counted.buffers).toBe(0);
  });
});

it('sessions run side by side on one device', async () => {
  const lanes = await Promise.all(
    wanted.map(async (g) => {
      const model = loadModel(fileOf(g));
      return { g, model, session: await createSession(model, { backend }) };
    }),
  );
  const stateless = lanes.filter(({ model }) => model.states.length === 0);
  const runs = Array.from({ length: 25 }, () => stateless).flat();
  await Promise.all(
    runs.map(async ({ g, model, session }) => {
      const run = g.runs[0]!;
      expect((await session.run(inputsOf(model, run))).digest).toBe(run.digest);
    }),
  );
  for (const { session } of lanes) session.dispose();
  expect(counted.buffers).toBe(0);
});

it('has no slices of its own: a session takes the next backend that has, or says so by name', async () => {
  const g = single;
  const model = loadModel(fileOf(g));
  const inputs = inputsOf(model, g.runs[0]!);
  const alone = await createSession(model, { backend });
  await expect(alone.begin(inputs)).rejects.toThrow(/has sliced runs/);
  expect(() => alone.runSync(inputs)).toThrow(/backend webgpu has no synchronous runs/);
  const both = await createSession(model, { backend: [backend, 'wasm'] });
  const stepper = await both.begin(inputs);
  while (!stepper.step(1_000_000n));
  expect(stepper.outputs().map((o) => [...o])).toEqual(g.runs[0]!.outputs.map((o) => [...o]));
  for (const s of [alone, both]) s.dispose();
});
