/** The backend `auto`: it takes the fastest that runs, asks once, and the bits are those of every other. */
import { expect, it } from 'vitest';
import type { Backend, Executable } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { HostError } from '../../src/core/errors.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession, type SessionOptions } from '../../src/runtime/session.ts';
import { fileOf, inputsOf, MODELS } from '../support/golden-models.ts';
import { counterGraph, denseGraph, load, symbolicGraph } from '../support/small.ts';

const x = Int8Array.of(1, 2, 3, 4, 5, 6);

/** A backend that waits before each run; `prepared` counts its executables. */
function waiting(name: string, ms: number, change?: (e: Executable) => Partial<Executable>) {
  const backend = {
    name,
    prepared: 0,
    async prepare(...args: Parameters<Backend['prepare']>): Promise<Executable> {
      backend.prepared++;
      const e = await reference.prepare(...args);
      const run: Executable['run'] = async (...a) => {
        await new Promise((done) => setTimeout(done, ms));
        return e.run(...a);
      };
      return { run, explain: () => e.explain(), memory: e.memory, dispose: () => e.dispose(), ...change?.(e) };
    },
  };
  return backend;
}

const auto = (candidates: SessionOptions['candidates']): SessionOptions => ({
  backend: 'auto',
  candidates: candidates!,
  threads: 1,
});

it('takes the fastest, and measures a model once', async () => {
  const [slow, fast] = [waiting('slow', 30), waiting('fast', 1)];
  const session = await createSession(load(denseGraph()), auto([slow, fast]));
  expect(session.backend).toBe('fast');
  const own = await createSession(load(denseGraph()));
  expect((await session.run({ x })).digest).toBe((await own.run({ x })).digest);
  const before = [slow.prepared, fast.prepared];
  const again = await createSession(load(denseGraph()), auto([slow, fast]));
  expect([again.backend, slow.prepared, fast.prepared]).toEqual(['fast', before[0], before[1]! + 1]);
  expect((await createSession(load(counterGraph()), auto([slow, fast]))).backend).toBe('fast');
  expect(slow.prepared).toBe(before[0]! + 1);
});

it('passes over what this machine has not, and falls back to the next in speed', async () => {
  const absent: Backend = { name: 'absent', prepare: () => Promise.reject(new HostError('NoBackend', 'none')) };
  let broken = false;
  const frail = waiting('frail', 1, (e) => ({
    run: (...a) => (broken ? Promise.reject(new HostError('DeviceFailed', 'gone')) : e.run(...a)),
  }));
  const session = await createSession(load(denseGraph()), auto([absent, waiting('slow', 20), frail]));
  expect(session.backend).toBe('frail');
  broken = true;
  await session.run({ x });
  expect(session.backend).toBe('slow');
  await expect(createSession(load(denseGraph()), auto([absent]))).rejects.toMatchObject({ code: 'NoBackend' });
});

it('refuses a machine whose backends disagree', async () => {
  const wrong = waiting('wrong', 0, (e) => ({
    run: async (...a) => (await e.run(...a)).map((t) => t.map((v) => v ^ 1) as typeof t),
  }));
  const made = createSession(load(denseGraph()), auto([wasm, wrong]));
  await expect(made).rejects.toMatchObject({ code: 'SelfTest', message: expect.stringContaining('wasm and wrong') });
});

it('measures with threads and takes them where they help', async () => {
  const prepared: number[] = [];
  const shared: Backend = {
    name: 'shared',
    prepare: async (plan, { mode, threads = 1 }) => {
      prepared.push(threads);
      return { ...(await waiting('w', threads > 1 ? 1 : 20).prepare(plan, { mode })), threads };
    },
  };
  const session = await createSession(load(denseGraph()), { backend: 'auto', candidates: [shared], threads: 4 });
  expect(session.explain().threads).toBe(4);
  expect(prepared).toEqual([1, 4, 4]);
});

it('auto is no candidate of itself', async () => {
  for (const candidates of [['auto'], 'wasm', []] as never[])
    await expect(createSession(load(denseGraph()), auto(candidates))).rejects.toThrow(TypeError);
});

it('measures models with symbols and with states; a session begins in the initial state', async () => {
  const symbolic = await createSession(load(symbolicGraph()), auto(['wasm']));
  expect(symbolic.backend).toBe('wasm');
  const [counter, own] = await Promise.all([
    createSession(load(counterGraph()), auto(['wasm', reference])),
    createSession(load(counterGraph())),
  ]);
  expect(counter.saveState()).toEqual(own.saveState());
});

it('gives the digests of the golden models', async () => {
  for (const g of MODELS) {
    const model = loadModel(fileOf(g));
    const session = await createSession(model, { backend: 'auto', candidates: [wasm, reference] });
    for (const run of g.runs) expect((await session.run(inputsOf(model, run))).digest, g.name).toBe(run.digest);
    session.dispose();
  }
});

// The default candidates are run by test/cli (npm run gpu has those with a driver): Dawn belongs in a process of its own.
it('is no member of a list', async () => {
  const list = ['auto', 'wasm'] as unknown as readonly Backend[];
  await expect(createSession(load(denseGraph()), { backend: list })).rejects.toThrow(/unknown backend auto/);
});
