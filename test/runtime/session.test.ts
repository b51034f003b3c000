/** What the session promises, on every backend: ownership, overlap, abort, state, into, dispose, order of checks. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { HostError } from '../../src/core/errors.ts';
import { createSession } from '../../src/runtime/session.ts';
import { LANES } from '../backends.ts';
import { counterGraph, denseGraph, load, symbolicGraph } from '../support/small.ts';

const x = Int8Array.of(1, 2, 3, 4, 5, 6);

describe.each(LANES)('%s', (_, backend) => {
  it('outputs are owned copies', async () => {
    const session = await createSession(load(denseGraph()), { backend });
    const first = await session.run({ x });
    const copy = first.outputs['y']!.data.slice();
    await session.run({ x: Int8Array.of(-1, -2, -3, 9, 9, 9) });
    expect(first.outputs['y']!.data).toEqual(copy);
    first.outputs['y']!.data.fill(0);
    expect((await session.run({ x })).outputs['y']!.data).toEqual(copy);
  });

  it('overlapping runs queue and do not see each other', async () => {
    const session = await createSession(load(denseGraph()), { backend });
    const inputs = Array.from({ length: 8 }, (__, i) => Int8Array.from(x, (v) => v * (i - 4)));
    const one: string[] = [];
    for (const v of inputs) one.push((await session.run({ x: v })).digest);
    const together = await Promise.all(inputs.map((v) => session.run({ x: v })));
    expect(together.map((r) => r.digest)).toEqual(one);
    expect(new Set(one).size).toBeGreaterThan(4);
  });

  it('a call that comes before a run has begun leaves its inputs alone', async () => {
    const session = await createSession(load(denseGraph()), { backend });
    const { digest } = await session.run({ x });
    const pending = session.run({ x });
    await expect(session.run({ x: x.map((v) => -v) }, { gasLimit: 1 })).rejects.toMatchObject({ family: 'OutOfGas' });
    const other = session.run({ x: x.map((v) => -v) });
    expect((await pending).digest).toBe(digest);
    expect((await other).digest).not.toBe(digest);
    const again = session.run({ x });
    try {
      session.runSync({ x: x.map((v) => -v) });
    } catch (e) {
      expect(e).toBeInstanceOf(TypeError); // a backend without synchronous runs
    }
    expect((await again).digest).toBe(digest);
  });

  it('an aborted signal ends a run; the session lives on, its state unchanged', async () => {
    const session = await createSession(load(counterGraph()), { backend });
    await session.run({ x: Int16Array.of(3, 4) });
    await expect(session.run({ x: Int16Array.of(1, 1) }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const late = new AbortController();
    const pending = session.run({ x: Int16Array.of(1, 1) }, { signal: late.signal });
    late.abort(new Error('changed my mind'));
    await expect(pending).rejects.toThrow('changed my mind');
    expect(session.saveState()).toEqual({ s: Int16Array.of(3, 4) });
    expect((await session.run({ x: Int16Array.of(1, 1) })).outputs['y']!.data).toEqual(Int16Array.of(4, 5));
  });

  it('state: reset, save, load with checks, unchanged by refused runs', async () => {
    const session = await createSession(load(counterGraph()), { backend });
    for (let i = 0; i < 3; i++) await session.run({ x: Int16Array.of(10, -10) });
    expect(session.saveState()).toEqual({ s: Int16Array.of(30, -30) });
    await expect(session.run({ x: Int16Array.of(11, 0) })).rejects.toMatchObject({ code: 'OutOfRange' });
    await expect(session.run({ x: Int16Array.of(1, 0) }, { gasLimit: 1 })).rejects.toMatchObject({
      family: 'OutOfGas',
    });
    expect(session.saveState()).toEqual({ s: Int16Array.of(30, -30) });
    expect(() => session.loadState({ s: Int16Array.of(0, 101) })).toThrow(
      expect.objectContaining({ family: 'InputError', code: 'OutOfRange' }),
    );
    session.loadState({ s: Int16Array.of(95, 0) });
    expect((await session.run({ x: Int16Array.of(10, 1) })).outputs['y']!.data).toEqual(Int16Array.of(100, 1));
    session.reset();
    expect(session.saveState()).toEqual({ s: Int16Array.of(0, 0) });
  });

  it('runSync writes into the arrays it is given', async () => {
    const session = await createSession(load(denseGraph()), { backend });
    const { outputs, digest, gasUsed } = await session.run({ x });
    const y = new Int8Array(4);
    const r = session.runSync({ x }, { into: { y } });
    expect(y).toEqual(outputs['y']!.data);
    expect(r.outputs['y']!.data).toBe(y);
    expect([r.digest, r.gasUsed]).toEqual([digest, gasUsed]);
    expect(() => session.runSync({ x }, { into: { y: new Int8Array(3) } })).toThrow(TypeError);
    expect(() => session.runSync({ x }, { into: { y: new Int16Array(4) } })).toThrow(TypeError);
  });

  it('u8 views: bytes in, bytes out', async () => {
    const g = denseGraph();
    g.inputs[0] = { ...g.inputs[0]!, zp: -128, u8: true };
    g.outputs[0] = { ...g.outputs[0]!, u8: true };
    const session = await createSession(load(g), { backend });
    const plain = denseGraph();
    plain.inputs[0] = { ...plain.inputs[0]!, zp: -128 };
    const other = await createSession(load(plain), { backend });
    const bytes = Uint8Array.of(0, 1, 127, 128, 200, 255);
    const a = await session.run({ x: bytes });
    const b = await other.run({ x: Int8Array.from(bytes, (v) => v - 128) });
    expect(a.outputs['y']!.dtype).toBe('u8');
    expect(Array.from(a.outputs['y']!.data, (v) => v - 128)).toEqual(Array.from(b.outputs['y']!.data));
    const into = new Uint8Array(4);
    session.runSync({ x: bytes }, { into: { y: into } });
    expect(into).toEqual(a.outputs['y']!.data);
    await expect(session.run({ x: Int8Array.from(x) })).rejects.toMatchObject({ code: 'WrongDType' });
  });

  it('symbols: dims come from the shapes, gas follows them', async () => {
    const session = await createSession(load(symbolicGraph()), { backend });
    const gas: bigint[] = [];
    for (const n of [1, 2, 3, 4]) {
      const { outputs, gasUsed } = await session.run({
        x: { dtype: 'i16', shape: [n, n], data: new Int16Array(n * n).fill(7) },
      });
      expect(outputs['y']!.shape).toEqual([n, n]);
      expect(outputs['y']!.data[n * n - 1]).toBe(n === 1 ? 32767 : Math.floor(32768 / n + 0.5));
      gas.push(gasUsed);
    }
    expect(gas[0]! < gas[1]! && gas[1]! < gas[2]! && gas[2]! < gas[3]!).toBe(true);
    await expect(session.run({ x: { dtype: 'i16', shape: [5, 5], data: new Int16Array(25) } })).rejects.toMatchObject({
      code: 'WrongShape',
    });
    await expect(session.run({ x: { dtype: 'i16', shape: [2, 3], data: new Int16Array(6) } })).rejects.toMatchObject({
      code: 'WrongShape',
    });
    await expect(session.run({ x: new Int16Array(4) })).rejects.toMatchObject({ code: 'WrongShape' });
  });

  it('trace keeps every tensor; run mode refuses', async () => {
    const session = await createSession(load(denseGraph()), { backend, mode: 'trace' });
    const { outputs } = await session.run({ x });
    expect(session.trace().get(3)).toEqual(outputs['y']!.data);
    expect(session.trace().get(0)).toEqual(x);
    const plain = await createSession(load(denseGraph()), { backend });
    await plain.run({ x });
    expect(() => plain.trace()).toThrow(TypeError);
  });

  it('use after dispose is a TypeError', async () => {
    const session = await createSession(load(denseGraph()), { backend });
    session.dispose();
    await expect(session.run({ x })).rejects.toThrow(TypeError);
    expect(() => session.runSync({ x })).toThrow(TypeError);
    expect(() => session.explain()).toThrow(TypeError);
  });
});

describe('sliced runs on the reference', () => {
  it('a run in slices, stored and resumed, has the bits of a whole one', async () => {
    const g = denseGraph();
    g.nodes.push(
      { op: 'reshape', inputs: [3], attrs: { shape: [4] } },
      { op: 'argmax', inputs: [4], attrs: { axis: 0, select_last: false } },
    );
    g.outputs[0] = { name: 'y', tensor: 5 };
    const session = await createSession(load(g), { backend: 'reference' });
    const whole = await session.run({ x });
    let stepper = await session.begin({ x });
    let steps = 0;
    for (let done = false; !done; steps++) {
      done = stepper.step(0n);
      if (!done) stepper = await session.begin({ x }, { from: stepper.snapshot() });
    }
    expect(steps).toBe(3);
    expect(stepper.outputs()[0]).toEqual(whole.outputs['y']!.data);
    expect(stepper.read(4)!.length).toBe(4);
  });
});

describe('a list of backends', () => {
  const broken: Backend = {
    name: 'broken',
    prepare: async () => {
      throw new HostError('NoBackend', 'no device');
    },
  };
  const lost: Backend = {
    name: 'lost',
    prepare: async (plan, options) => ({
      ...(await reference.prepare(plan, options)),
      memory: { constants: 0, activations: 0, scratch: 0, total: 0 },
      explain: () => [],
      dispose: () => {},
      run: async () => {
        throw new HostError('NoBackend', 'device lost');
      },
    }),
  };

  it('moves on after a HostError, at preparation and at the run', async () => {
    const model = load(denseGraph());
    const { digest } = await (await createSession(model, { backend: 'reference' })).run({ x });
    for (const first of [broken, lost]) {
      const session = await createSession(model, { backend: [first, 'wasm'] });
      expect((await session.run({ x })).digest).toBe(digest);
      expect(session.backend).toBe('wasm');
    }
    await expect(createSession(model, { backend: broken })).rejects.toThrow(HostError);
    await expect(createSession(model, { backend: 'gpu' as never })).rejects.toThrow(TypeError);
  });

  /** The reference, which fails the runs that `fails` says and counts what it has prepared. */
  const frail = (fails: () => boolean): Backend & { prepared: number; disposed: number } => {
    const backend = {
      name: 'frail',
      prepared: 0,
      disposed: 0,
      prepare: async (...args: Parameters<Backend['prepare']>): ReturnType<Backend['prepare']> => {
        const own = await reference.prepare(...args);
        backend.prepared++;
        return {
          memory: own.memory,
          explain: () => own.explain(),
          dispose: () => void backend.disposed++,
          run: async (inputs, o) => {
            if (fails()) throw new HostError('DeviceFailed', 'gone');
            return own.run(inputs, o);
          },
        };
      },
    };
    return backend;
  };

  it('goes back to the first after a run that failed, but not for ever', async () => {
    let broken = true;
    const first = frail(() => broken);
    const session = await createSession(load(denseGraph()), { backend: [first, 'wasm'] });
    await session.run({ x });
    expect(session.backend).toBe('wasm');
    broken = false;
    await session.run({ x });
    expect(session.backend).toBe('frail');
    broken = true;
    for (let i = 0; i < 3; i++) await session.run({ x });
    broken = false;
    const { prepared } = first;
    await session.run({ x });
    expect([session.backend, first.prepared]).toEqual(['wasm', prepared]); // three failures in a row: passed over
  });

  it('dispose during a run lets it end, fails those behind it, and leaves nothing', async () => {
    const first = frail(() => false);
    const session = await createSession(load(symbolicGraph()), { backend: first });
    const input = { x: { dtype: 'i16', shape: [2, 2], data: new Int16Array(4) } } as const;
    await session.run(input);
    const [running, waiting] = [session.run(input), session.run(input)];
    for (let i = 0; i < 3; i++) await undefined;
    session.dispose();
    await running;
    await expect(waiting).rejects.toThrow(/disposed/);
    expect(first.disposed).toBe(first.prepared);
  });

  it('dispose during preparation disposes of what was prepared', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const first = frail(() => false);
      const session = await createSession(load(symbolicGraph()), { backend: first });
      const run = session.run({ x: { dtype: 'i16', shape: [2, 2], data: new Int16Array(4) } }).catch((e) => e);
      for (let i = 0; i < turns; i++) await undefined;
      session.dispose();
      const result: unknown = await run;
      if (result instanceof Error) expect(result).toBeInstanceOf(TypeError);
      await new Promise((done) => setTimeout(done));
      expect(first.disposed, `${turns} turns`).toBe(first.prepared);
    }
  });

  it('outputs of another number, type or length are a failure of the machine', async () => {
    const wrong: readonly ((y: Int8Array) => unknown)[] = [
      () => [],
      (y) => [y, y],
      (y) => [new Uint8Array(y.buffer)],
      (y) => [new Float32Array(y.length)],
      () => [new Int8Array(3)],
      () => undefined,
    ];
    for (const change of wrong) {
      const odd: Backend = {
        name: 'odd',
        prepare: async (plan, options) => {
          const own = await reference.prepare(plan, options);
          const run = async (): Promise<never> => change(new Int8Array(4)) as never;
          return { run, memory: own.memory, explain: () => [], dispose: () => {} };
        },
      };
      const session = await createSession(load(denseGraph()), { backend: odd });
      await expect(session.run({ x })).rejects.toMatchObject({ code: 'DeviceFailed' });
    }
  });
});

describe('memory of the wasm backend', () => {
  it('is one for the sessions of a model, and another for a run that comes between', async () => {
    const model = load(denseGraph());
    const made: WebAssembly.Memory[] = [];
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class extends Memory {
      constructor(d: WebAssembly.MemoryDescriptor) {
        super(d);
        made.push(this);
      }
    };
    try {
      const sessions = await Promise.all(Array.from({ length: 5 }, () => createSession(model)));
      expect(made.length).toBe(1);
      const whole = sessions[0]!.runSync({ x }).digest;
      const { signal } = new AbortController();
      const runs = sessions.map((s) => s.run({ x }, { signal }));
      for (const s of sessions) expect((await s.run({ x: Int8Array.from(x, (v) => -v) })).digest).not.toBe(whole);
      for (const r of runs) expect((await r).digest).toBe(whole);
      const before = made.length;
      for (const s of sessions) expect(s.runSync({ x }).digest).toBe(whole);
      expect(made.length).toBe(before);
      for (const s of sessions) s.dispose();
      await createSession(model);
      expect(made.length).toBe(before + 1); // the last one freed them
    } finally {
      WebAssembly.Memory = Memory;
    }
  });
});
