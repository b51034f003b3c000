/** The wasm backend as a whole: memory, traces, slices, signals, refusals, and the module itself. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { mobileNetV2 } from '../../bench/networks.ts';
import { graphOf } from '../../bench/prepare.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import * as kernels from '../../src/backends/wasm/kernels.gen.ts';
import { moduleBytes } from '../../src/backends/wasm/module.ts';
import * as more from '../../src/backends/wasm/more/kernels.gen.ts';
import { HostError } from '../../src/core/errors.ts';
import { type TypedArray, toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createPlan } from '../../src/runtime/plan.ts';
import { planOf, Random } from './wasm-harness.ts';

const model = loadModel(encodeModel(graphOf({ shape: [1, 32, 32, 3], network: mobileNetV2 })));
const plan = createPlan({ model, dims: [] });
/** A plan that nobody else has prepared. */
const alone = (): typeof plan => ({ ...plan });
const image = new Random(5).fill(new Int8Array(32 * 32 * 3), -128, 127);

test.each([
  ['kernels', kernels],
  ['more', more],
])('the module %s imports its memory only and is the one that was hashed', (_, { LENGTH, SHA256, TEXT }) => {
  const bytes = moduleBytes(TEXT, LENGTH);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(SHA256);
  expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([
    { module: 'env', name: 'memory', kind: 'memory' },
  ]);
});

test('every tensor of a MobileNetV2 equals the reference', async () => {
  const oracle = await reference.prepare(plan, { mode: 'trace' });
  const traced = await wasm.prepare(plan, { mode: 'trace' });
  await oracle.run([image], {});
  await traced.run([image], {});
  const [expected, actual] = [oracle.trace!(), traced.trace!()];
  expect(actual.size).toBe(expected.size);
  for (const [id, data] of expected)
    expect(Buffer.compare(toBytes(actual.get(id)!), toBytes(data)), `tensor ${id}`).toBe(0);
  const fast = await wasm.prepare(plan, { mode: 'run' });
  expect(await fast.run([image], {})).toEqual([expected.get(plan.outputs[0]!)]);
  expect(fast.memory.activations).toBeLessThan(traced.memory.activations);
  expect(new Set(fast.explain().map((k) => k.kernel))).toContain('conv1x1_gemm_i8');
});

test('results are owned, and into is filled', async () => {
  const e = await wasm.prepare(plan, { mode: 'run' });
  const first = e.runSync!([image], {})[0]!;
  const kept = first.slice();
  const into = [new Int16Array(1000)];
  expect(e.runSync!([image.map((v) => -1 - v)], { into })).toBe(into);
  expect(first).toEqual(kept);
  expect(into[0]).not.toEqual(kept);
  e.runSync!([image], { into });
  expect(into[0]).toEqual(kept);
});

test('the memory figure covers every allocation', async () => {
  const sizes: number[] = [];
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(d: WebAssembly.MemoryDescriptor) {
      super(d);
      expect(d.maximum).toBe(d.initial);
      sizes.push(d.initial * 65536);
    }
  };
  try {
    await wasm.prepare(plan, { mode: 'run' }); // compiles and probes, if it is the first
    sizes.length = 0;
    const { memory } = await wasm.prepare(alone(), { mode: 'run' });
    const code = kernels.LENGTH + more.LENGTH;
    const measured = sizes.reduce((a, b) => a + b, 0) + code;
    expect(measured).toBe(memory.total);
    expect(memory.constants + memory.activations + memory.scratch).toBeLessThanOrEqual(memory.total);
    expect(memory.total - memory.constants - memory.activations - memory.scratch).toBeLessThan(65536 + code + 2048);
  } finally {
    WebAssembly.Memory = Memory;
  }
});

test('a run in slices gives the same bits, also from a snapshot', async () => {
  const e = await wasm.prepare(plan, { mode: 'run' });
  const whole = e.runSync!([image], {});
  const stepper = await e.begin!([image]);
  let calls = 0;
  let half = stepper.snapshot();
  while (!stepper.step(1000n)) if (++calls === 20) half = stepper.snapshot();
  expect(calls).toBe(plan.nodes.length - 1);
  expect(stepper.outputs()).toEqual(whole);
  expect(half.next).toBe(20);
  const last = plan.nodes[half.next - 1]!.outputs[0]!;
  const other = await (await wasm.prepare(plan, { mode: 'run' })).begin!([image], half);
  expect(other.read(last)).toEqual(half.tensors.get(last));
  expect(other.read(plan.outputs[0]!)).toBeUndefined();
  expect(other.step(10n ** 18n)).toBe(true);
  expect(other.outputs()).toEqual(whole);
});

test('an aborted signal ends a run between ops', async () => {
  const e = await wasm.prepare(plan, { mode: 'run' });
  await expect(e.run([image], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  const late = new AbortController();
  const running = e.run([image], { signal: late.signal });
  late.abort(new Error('late'));
  await expect(running).rejects.toThrow('late');
});

test('executables share memory, and nothing that shows', async () => {
  const [a, b] = [await wasm.prepare(plan, { mode: 'run' }), await wasm.prepare(plan, { mode: 'run' })];
  const expected: readonly TypedArray[] = a.runSync!([image], {});
  b.runSync!([new Int8Array(image.length)], {});
  a.dispose();
  expect(b.runSync!([image], {})).toEqual(expected);
  expect(() => a.runSync!([image], {})).toThrow('disposed');
});

test('a plan beyond the address space is a HostError', async () => {
  const small = planOf('reshape', [new Random(1).tensor('i8', [4])], { shape: [4] });
  const tensors = small.tensors.map((t) => ({ ...t, bytes: 3 * 2 ** 30 }));
  await expect(wasm.prepare({ ...small, tensors }, { mode: 'run' })).rejects.toThrow(HostError);
});

test('an unwilling engine is a HostError', async () => {
  const { Memory } = WebAssembly;
  await wasm.prepare(plan, { mode: 'run' });
  WebAssembly.Memory = class extends Memory {
    constructor() {
      super({ initial: 70000 });
    }
  };
  try {
    await expect(wasm.prepare(alone(), { mode: 'run' })).rejects.toMatchObject({
      family: 'HostError',
      code: 'NoMemory',
    });
  } finally {
    WebAssembly.Memory = Memory;
  }
});
