/** The wasm backend on threads: bits, workers that come and go, what the calling thread does meanwhile. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as workers from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { mobileNetV2 } from '../../bench/networks.ts';
import { graphOf } from '../../bench/prepare.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createPlan } from '../../src/runtime/plan.ts';
import { createSession, type Session } from '../../src/runtime/session.ts';
import { threaded } from '../backends.ts';
import { randomDims, randomInputs } from '../support/differential.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { Random } from './wasm-harness.ts';

const mobileNet = (size: number): Uint8Array =>
  encodeModel(graphOf({ shape: [1, size, size, 3], network: mobileNetV2 }));
const model = loadModel(mobileNet(64));
const large = loadModel(mobileNet(224));
const image = (size: number): { x: Uint8Array } => ({
  x: Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 37) ^ (i >> 5)),
});
const x = image(64);

/** Workers started since the test began. */
let started: workers.Worker[] = [];
let exits: Promise<unknown>[] = [];

beforeEach(() => {
  started = [];
  exits = [];
  class Watched extends workers.Worker {
    constructor(...args: ConstructorParameters<typeof workers.Worker>) {
      super(...args);
      started.push(this);
      exits.push(new Promise((done) => this.once('exit', done)));
    }
  }
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
    name === 'node:worker_threads' ? { ...workers, Worker: Watched } : undefined) as typeof process.getBuiltinModule);
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function digestOf(backend: Backend): Promise<string> {
  const session = await createSession(model, { backend });
  const { digest } = await session.run(x);
  session.dispose();
  return digest;
}

describe('bits', () => {
  test('random graphs at 2 and 3 threads, waited for and not', async () => {
    const keeper = await createSession(model, { threads: 3 }); // the pool lives as long as one session
    let shared = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const graph = loadModel(encodeModel(randomGraph(seed)));
      const r = new Prng(seed);
      const lanes = await Promise.all(
        [reference, threaded(2), threaded(3)].map((backend) => createSession(graph, { backend, threads: 2 })),
      );
      for (let run = 0; run < 2; run++) {
        const inputs = randomInputs(graph, r, randomDims(graph, r));
        const [expected, ...digests] = await Promise.all(lanes.map(async (s) => (await s.run(inputs)).digest));
        expect(digests, `seed ${seed}`).toEqual([expected, expected]);
        shared += lanes.filter((s) => s.explain().threads > 1).length;
        if (graph.states.length > 0) continue;
        for (const s of lanes) expect(s.runSync(inputs).digest, `seed ${seed}`).toBe(expected);
      }
      for (const s of lanes) s.dispose();
    }
    expect(shared).toBeGreaterThan(600);
    keeper.dispose();
  });

  test('a MobileNetV2 from one to five threads, every tensor', async () => {
    const plan = createPlan({ model, dims: [] });
    const bytes = Int8Array.from(x.x, (v) => v - 128);
    const oracle = await wasm.prepare(plan, { mode: 'trace' });
    await oracle.run([bytes], {});
    const expected = [...oracle.trace!()].map(([, data]) => toBytes(data));
    for (const threads of [2, 3, 5]) {
      const e = await wasm.prepare(plan, { mode: 'trace', threads });
      const same = (): boolean =>
        [...e.trace!()].every(([id, data]) => Buffer.compare(toBytes(data), expected[id]!) === 0);
      expect(e.threads).toBe(threads);
      await e.run([bytes], {});
      expect(same()).toBe(true);
      e.runSync!([bytes.map((v) => ~v)], {});
      expect(same()).toBe(false);
      e.runSync!([bytes], {});
      expect(same()).toBe(true);
      e.dispose();
    }
  });

  test('many runs, waited for and not, in any order', async () => {
    const [one, two] = [await createSession(model), await createSession(model, { threads: 2 })];
    const inputs = Array.from({ length: 6 }, (_, i) => ({ x: x.x.map((v) => v ^ (i * 37)) }));
    const expected: string[] = [];
    for (const v of inputs) expected.push((await one.run(v)).digest);
    const r = new Random(9);
    for (let i = 0; i < 120; i++) {
      const k = r.int(0, 5);
      const { digest } = r.int(0, 1) ? two.runSync(inputs[k]!) : await two.run(inputs[k]!);
      expect(digest).toBe(expected[k]);
    }
    two.dispose();
  });
});

describe('the pool', () => {
  test('sessions share it, and the last ends it', async () => {
    const a = await createSession(model, { threads: 2 });
    const b = await createSession(model, { threads: 3 });
    expect(started.length).toBe(3);
    const results = await Promise.all([a.run(x), b.run(x), a.run(x), b.run(x)]);
    expect(new Set(results.map((r) => r.digest)).size).toBe(1);
    a.dispose();
    expect((await b.run(x)).digest).toBe(results[0]!.digest);
    b.dispose();
    await Promise.all(exits);
    const c = await createSession(model, { threads: 2 });
    expect(started.length).toBe(5);
    c.dispose();
    await Promise.all(exits);
  });

  test('a run that is under way when its session is disposed of ends', async () => {
    const session = await createSession(model, { threads: 2 });
    const { digest } = await session.run(x);
    const run = session.run(x);
    await new Promise(setImmediate);
    session.dispose();
    expect((await run).digest).toBe(digest);
    await Promise.all(exits);
  });

  test('a worker that dies is a HostError, and the next run starts others', async () => {
    const expected = await digestOf(wasm);
    const session = await createSession(large, { threads: 2 });
    const whole = await session.run(image(224));
    const run = session.run(image(224));
    const failed = expect(run).rejects.toMatchObject({ family: 'HostError', code: 'LostWorker' });
    await new Promise(setImmediate);
    started[1]!.terminate();
    await failed;
    expect((await session.run(image(224))).digest).toBe(whole.digest);
    expect(started.length).toBe(4);
    started[3]!.terminate(); // while nothing runs
    await exits[3];
    expect(() => session.runSync(image(224))).toThrow(expect.objectContaining({ code: 'LostWorker' }));
    await session.prepare();
    expect(session.runSync(image(224)).digest).toBe(whole.digest);
    session.dispose();
    expect(await digestOf(wasm)).toBe(expected);
    await Promise.all(exits);
  });

  test('a list of backends goes on to the next when a worker dies', async () => {
    const session = await createSession(large, { backend: ['wasm', 'reference'], threads: 2 });
    const run = session.run(image(224), { signal: AbortSignal.timeout(1) });
    await new Promise(setImmediate);
    started[0]!.terminate();
    await expect(run).rejects.toThrow();
    session.dispose();
    await Promise.all(exits);
  });

  test('without workers to start it runs on one thread', async () => {
    const none = {
      Worker: class {
        constructor() {
          throw new Error('no workers here');
        }
      },
    };
    vi.mocked(process.getBuiltinModule).mockImplementation(((name: string) =>
      name === 'node:worker_threads' ? none : undefined) as never);
    const session = await createSession(model, { threads: 2 });
    expect(session.explain().threads).toBe(1);
    expect((await session.run(x)).digest).toBe(await digestOf(wasm));
    session.dispose();
  });
});

describe('one thread where memory is not shared', () => {
  async function threadsOf(): Promise<number> {
    const session: Session = await createSession(model, { threads: 2 });
    const { threads } = session.explain();
    await session.run(x);
    session.runSync(x);
    session.dispose();
    return threads;
  }

  test('no SharedArrayBuffer', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(await threadsOf()).toBe(1);
    vi.unstubAllGlobals();
    expect(await threadsOf()).toBe(2);
  });

  test('a page that is not isolated', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(await threadsOf()).toBe(1);
    vi.stubGlobal('crossOriginIsolated', true);
    expect(await threadsOf()).toBe(2);
    vi.unstubAllGlobals();
  });

  test('a thread that may not sleep runs runSync alone', async () => {
    const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    });
    const session = await createSession(model, { threads: 2 });
    const { digest } = session.runSync(x);
    expect((await session.run(x)).digest).toBe(digest);
    expect(wait).toHaveBeenCalledOnce();
    session.dispose();
  });

  test('the number of threads is checked', async () => {
    for (const threads of [0, -1, 1.5, 33, Number.NaN, '2' as never])
      await expect(createSession(model, { threads })).rejects.toThrow(RangeError);
  });
});

describe('the calling thread', () => {
  test('lives on while workers run', async () => {
    const session = await createSession(large, { threads: 2 });
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    const run = session.run(image(224));
    setImmediate(turn);
    await run;
    running = false;
    expect(turns).toBeGreaterThan(1);
    session.dispose();
  });

  test('a signal ends a run between layers, and the next is whole', async () => {
    const session = await createSession(large, { threads: 2 });
    const { digest } = await session.run(image(224));
    const control = new AbortController();
    const run = session.run(image(224), { signal: control.signal });
    setImmediate(() => setImmediate(() => control.abort(new Error('enough'))));
    await expect(run).rejects.toThrow('enough');
    expect((await session.run(image(224))).digest).toBe(digest);
    await expect(session.run(image(224), { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow('never');
    session.dispose();
  });

  test.each([
    ['one thread', 1, 16],
    ['two', 2, 1024], // a message to a worker that is late
  ])('runSync with into allocates nothing on %s', async (_, threads, most) => {
    const plan = createPlan({ model, dims: [] });
    const e = await wasm.prepare(plan, { mode: 'run', threads });
    const inputs = [new Int8Array(64 * 64 * 3)];
    const options = { into: [new Int16Array(1000)] };
    const grown = (runs: number): number => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < runs; i++) e.runSync!(inputs, options);
      return process.memoryUsage().heapUsed - before;
    };
    grown(200);
    const least = Math.min(...Array.from({ length: 5 }, () => Math.max(0, grown(200))));
    expect(least).toBeLessThan(200 * most + 16384);
    e.dispose();
  });
});

describe('a process', () => {
  const root = join(import.meta.dirname, '../..');
  const run = (body: string): string =>
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', PREFIX + body], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
  const PREFIX = `
    import { mobileNetV2 } from './bench/networks.ts';
    import { graphOf } from './bench/prepare.ts';
    import { encodeModel } from './src/format/encode.ts';
    import { createSession, loadModel } from './src/index.ts';
    const session = await createSession(loadModel(encodeModel(graphOf({ shape: [1, 64, 64, 3], network: mobileNetV2 }))), { threads: 2 });
    const x = new Uint8Array(64 * 64 * 3);
  `;

  test('ends though no session was disposed of', () => {
    expect(run('console.log((await session.run({ x })).digest === session.runSync({ x }).digest);')).toBe('true\n');
  });

  test('does not end before a run that it waits for', () => {
    expect(run('session.run({ x }).then((r) => console.log(r.digest.length));')).toBe('64\n');
  });
});
