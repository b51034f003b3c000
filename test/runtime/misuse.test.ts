/** A caller who changes arrays under a run, mixes slices with runs, aborts late or passes nonsense: bits and families stay. */
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import { createGpuJs } from '../../src/gpujs.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { createWebGl } from '../../src/webgl.ts';
import { createWebGpu } from '../../src/webgpu.ts';
import { LANES } from '../backends.ts';
import { denseGraph, type Editable, load, symbolicGraph, unary } from '../support/small.ts';

/** x i32 [2] in 0…5 → x + 1 → + 2 → + 3, three nodes. */
function additions(): Editable<Graph> {
  const add = (input: number) => ({
    op: 'linear2' as const,
    inputs: [input, 1],
    attrs: { ma: 1, mb: 1, s: 0, output: { dtype: 'i32' as const, zp: 0, lo: -1000, hi: 1000 } },
  });
  return {
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i32', shape: [2], zp: 0, lo: 0, hi: 60 }],
    constants: [{ dtype: 'i8', shape: [1], zp: 0, data: Int8Array.of(1) }],
    nodes: [add(0), add(2), add(3)],
    outputs: [{ name: 'y', tensor: 4 }],
    states: [],
  };
}

describe.each(LANES)('%s', (_, backend) => {
  it('what was checked is what runs: the caller may change his arrays at once', async () => {
    const session = await createSession(load(additions()), { backend });
    const x = Int32Array.of(1, 2);
    const pending = session.run({ x });
    x.fill(1_000_000_000);
    expect((await pending).outputs['y']!.data).toEqual(Int32Array.of(4, 5));
    const stepper = await session.begin({ x: x.fill(7) });
    x.fill(-1);
    while (!stepper.step(0n));
    expect(stepper.outputs()[0]).toEqual(Int32Array.of(10, 10));
  });

  it('slices, other slices and whole runs do not see each other', async () => {
    const session = await createSession(load(additions()), { backend });
    const [a, b] = [await session.begin({ x: Int32Array.of(1, 2) }), await session.begin({ x: Int32Array.of(10, 20) })];
    a.step(0n);
    b.step(0n);
    await session.run({ x: Int32Array.of(50, 60) });
    for (const s of [a, b]) while (!s.step(0n));
    expect([a.outputs()[0], b.outputs()[0]]).toEqual([Int32Array.of(4, 5), Int32Array.of(13, 23)]);
  });

  it('a snapshot of another model, or a changed one, is a TypeError', async () => {
    const session = await createSession(load(additions()), { backend });
    const inputs = { x: Int32Array.of(1, 2) };
    const stepper = await session.begin(inputs);
    stepper.step(0n);
    const good = stepper.snapshot();
    await expect(session.begin(inputs, { from: good })).resolves.toBeDefined();
    const id = [...good.tensors.keys()].find((k) => k > 1)!;
    for (const from of [
      { ...good, next: 99 },
      { ...good, next: -1 },
      { next: 2, tensors: new Map() },
      { ...good, tensors: new Map([...good.tensors, [id, new Int32Array(3)]]) },
      { ...good, tensors: new Map([...good.tensors, [id, Int32Array.of(0, 5000)]]) },
      { ...good, tensors: new Map([...good.tensors, [77, new Int32Array(2)]]) },
    ]) {
      await expect(session.begin(inputs, { from })).rejects.toThrow(TypeError);
    }
  });

  it('a timer may abort a run and those that wait behind it', async () => {
    const g = additions();
    for (let i = 5; i < 600; i++) g.nodes.push({ ...g.nodes[2]!, inputs: [i - 1, 1] });
    g.outputs[0] = { name: 'y', tensor: 1 + g.nodes.length };
    const session = await createSession(load(g), { backend });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    const runs = Array.from({ length: 40 }, () =>
      session.run({ x: Int32Array.of(1, 2) }, { signal: controller.signal }),
    );
    const ended = await Promise.allSettled(runs);
    expect(ended.filter((r) => r.status === 'rejected').length).toBeGreaterThan(30);
    expect((await session.run({ x: Int32Array.of(1, 2) })).outputs['y']!.data).toEqual(
      Int32Array.of(1 + g.nodes.length, 2 + g.nodes.length),
    );
  });

  it('into: no overlap, and a digest is of its own run', async () => {
    const g = additions();
    g.outputs.push({ name: 'z', tensor: 3 });
    const session = await createSession(load(g), { backend });
    const memory = new Int32Array(4);
    const overlapping = { y: memory.subarray(0, 2), z: memory.subarray(1, 3) };
    expect(() => session.runSync({ x: Int32Array.of(1, 2) }, { into: overlapping })).toThrow('overlap');
    const into = { y: new Int32Array(2), z: memory.subarray(2) };
    const first = session.runSync({ x: Int32Array.of(1, 2) }, { into });
    const second = session.runSync({ x: Int32Array.of(3, 4) }, { into });
    expect(() => first.digest).toThrow(TypeError);
    expect(second.digest).toBe((await session.run({ x: Int32Array.of(3, 4) })).digest);
    const x = Int32Array.of(5, 6); // the input's own array as a target
    session.runSync({ x }, { into: { y: x, z: into.z } });
    expect([x, into.z]).toEqual([Int32Array.of(8, 9), Int32Array.of(7, 8)]);
  });

  it('gas comes before the signature, with symbols too', async () => {
    const g = symbolicGraph();
    g.inputs.push({ name: 'z', dtype: 'i16', shape: [2], zp: 0, lo: -5, hi: 5 });
    const session = await createSession(
      load({ ...g, nodes: g.nodes.map((n) => ({ ...n, inputs: [0] })), outputs: [{ name: 'y', tensor: 2 }] }),
      { backend },
    );
    const x = { dtype: 'i16' as const, shape: [2, 2], data: new Int16Array(4) };
    for (const inputs of [
      { x, z: new Int16Array(2), q: x },
      { x },
      { x, z: new Int8Array(5) },
      { x: { ...x, data: new Int16Array(3) } },
    ]) {
      await expect(session.run(inputs as never, { gasLimit: 0 })).rejects.toMatchObject({ family: 'OutOfGas' });
      await expect(session.run(inputs as never)).rejects.toMatchObject({ family: 'InputError' });
    }
    await expect(session.run({ z: new Int16Array(2) } as never, { gasLimit: 0 })).rejects.toMatchObject({
      family: 'InputError',
    });
  });
});

describe('misuse', () => {
  it('is a TypeError or RangeError that says what is wrong', async () => {
    const file = encodeModel(denseGraph());
    const model = loadModel(file);
    await expect(createSession(file as never)).rejects.toThrow('loadModel');
    await expect(createSession(model, { mode: 'fast' as never })).rejects.toThrow('mode');
    for (const [options, message] of [
      ['webgpu', 'options are an object: { backend: … }, not webgpu'],
      [null, 'options are an object'],
      [{ thread: 4 }, 'unknown option thread: did you mean threads?'],
      [{ backends: ['wasm'] }, 'did you mean backend?'],
      [{ gaslimit: 1 }, 'unknown option gaslimit'],
      [{ backend: null }, 'a backend is a name or what a package exports, not null'],
      [{ backend: 3 }, 'not 3'],
      [{ backend: ['wasm', undefined] }, 'not undefined'],
      [{ backend: { name: 'x' } }, 'a backend is a name'],
      [{ backend: 'cuda' }, 'unknown backend cuda'],
    ] as const) {
      const error: unknown = await createSession(model, options as never).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toContain(message);
    }
    const session = await createSession(model, { backend: 'reference' });
    await expect(session.run({}, { gaslimit: 1 } as never)).rejects.toThrow('did you mean gasLimit?');
    for (const gasLimit of ['', true, 1.5, Number.NaN]) {
      await expect(session.run({ x: new Int8Array(6) }, { gasLimit: gasLimit as never })).rejects.toThrow(TypeError);
    }
    for (const limits of [{ memoryBytes: Number.NaN }, { memory: 5 }, { nodes: '3' }]) {
      expect(() => loadModel(file, { limits: limits as never })).toThrow(TypeError);
    }
    const symbolic = await createSession(load(symbolicGraph()), { backend: 'reference' });
    for (const dims of [{}, { n: 0 }, { n: 5 }, { n: 1.5 }])
      await expect(symbolic.prepare(dims)).rejects.toMatchObject({ code: 'WrongShape' });
    await symbolic.prepare({ n: 3 });
  });

  it('options of GPU backends are checked where they are given', () => {
    for (const [make, message] of [
      [() => createWebGpu({ timeuot: 5 } as never), 'did you mean timeout?'],
      [() => createWebGpu({ timeout: -1 }), 'option timeout is a whole number from 1, not -1'],
      [() => createWebGpu({ timeout: Number.NaN }), 'option timeout'],
      [() => createWebGpu({ dot4: 'no' as never }), 'option dot4 is true or false, not no'],
      [() => createWebGpu({ dispatchWork: 0.5 }), 'option dispatchWork'],
      [() => createWebGpu({ bufferBytes: 8 }), 'option bufferBytes is a whole number from 256'],
      [() => createWebGpu({ gpu: 3 as never }), 'option gpu is an object'],
      [() => createWebGpu(null as never), 'options are an object'],
      [() => createWebGl({ context: {} as never }), 'option context is a function'],
      [() => createWebGl({ drawWork: '9' as never }), 'option drawWork'],
      [() => createGpuJs({ mode: 'gpu' as never }), 'option mode is one of cpu, webasm, webgl2, webgpu, not gpu'],
      [() => createGpuJs({ library: null as never }), 'option library is an object'],
    ] as const)
      expect(make).toThrow(message);
    createWebGpu({ timeout: undefined as never });
  });

  it('a graph that the wire cannot hold is refused, not changed', () => {
    const input = (change: object) =>
      encodeModel({ ...denseGraph(), inputs: [{ ...denseGraph().inputs[0]!, ...change }] });
    for (const change of [
      { shape: [2 ** 33 + 2, 3] },
      { lo: 2 ** 40 },
      { lo: 1.5 },
      { zp: Number.NaN },
      { name: '\ud800' },
    ]) {
      expect(() => input(change), JSON.stringify(change)).toThrow(RangeError);
    }
    expect(() =>
      encodeModel(unary({ op: 'argmax', attrs: { axis: 0, select_last: false, selectlast: true } })),
    ).toThrow('selectlast');
    expect(() => encodeModel(unary({ op: 'nothing' as never, attrs: {} }))).toThrow('nothing');
  });

  it('names of strangers are escaped wherever an error shows them', () => {
    const g = symbolicGraph();
    g.symbols[0] = { name: 'n\u001b[31m\u202e', min: 1, max: 4 };
    const session = createSession(load(g), { backend: 'reference' }).then((s) => s.prepare({}));
    return expect(session).rejects.toThrow('n\\u{1b}[31m\\u{202e}');
  });
});
