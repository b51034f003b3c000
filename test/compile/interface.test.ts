/** The interface of a compiled model: lengths, intervals, steps, snapshots, and what stands in memory after an error. */
import { describe, expect, it } from 'vitest';
import { type Profile, toWasm } from '../../src/compile/wasm.ts';
import { gasAt, SCHEDULE_1 } from '../../src/core/cost.ts';
import { InputError, ModelError } from '../../src/core/errors.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { type Compiled, instanceOf, spoilInputs } from '../support/compiled.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';

const OUTPUT = { dtype: 'i8', zp: 0, lo: -128, hi: 127 } as const;
const bounded = loadModel(
  encodeModel({
    symbols: [],
    inputs: [
      { name: 'a', dtype: 'i8', shape: [70], zp: 0, lo: -100, hi: 90 },
      { name: 'b', dtype: 'i16', shape: [70], zp: 0, lo: -32768, hi: 32767 },
      { name: 'c', dtype: 'bool', shape: [70], zp: 0, lo: 0, hi: 1 },
      { name: 'd', dtype: 'i32', shape: [70], zp: 0, lo: -5, hi: 5 },
    ],
    constants: [],
    nodes: [
      { op: 'linear2', inputs: [0, 1], attrs: { ma: 1, mb: 1, s: 3, output: OUTPUT } },
      { op: 'where', inputs: [2, 4, 0], attrs: {} },
      { op: 'linear2', inputs: [5, 3], attrs: { ma: 3, mb: 5, s: 1, output: OUTPUT } },
    ],
    outputs: [{ name: 'y', tensor: 6 }],
    states: [],
  } as unknown as Graph),
);

/** All of the memory. */
function image(m: Compiled): Uint8Array {
  return new Uint8Array(m.memory.buffer).slice();
}

describe.each(['mvp', 'simd128'] as const satisfies readonly Profile[])('%s', (profile) => {
  const bytes = toWasm(bounded, { profile });

  it('exports the interface and imports nothing', () => {
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    expect(WebAssembly.Module.exports(module).map((e) => `${e.kind} ${e.name}`)).toEqual([
      'memory memory',
      ...['input_count', 'input_ptr', 'input_len', 'output_count', 'output_ptr', 'output_len'].map(
        (f) => `function ${f}`,
      ),
      ...['check', 'infer', 'step', 'gas'].map((f) => `function ${f}`),
    ]);
    const m = instanceOf(bytes);
    expect(m.gas()).toBe(gasAt(bounded.cost, SCHEDULE_1, []));
    expect([0, 1, 2, 3, 4, -1].map((i) => m.input_len(i))).toEqual([70, 140, 70, 280, 0, 0]);
    expect([m.input_ptr(4), m.output_ptr(1), m.output_len(1), m.output_len(0)]).toEqual([0, 0, 0, 70]);
    expect(() => m.memory.grow(1)).toThrow(RangeError);
  });

  it('checks lengths and intervals, and an error leaves memory as it was', () => {
    const m = instanceOf(bytes);
    expect(m.infer()).toBe(0);
    const set = (i: number, at: number, v: number): void => {
      const view = new DataView(m.memory.buffer, m.input_ptr(i));
      if (i === 1) view.setInt16(at * 2, v, true);
      else if (i === 3) view.setInt32(at * 4, v, true);
      else view.setInt8(at, v);
    };
    for (const i of [0, 1, 2, 3]) {
      expect(m.check(i, m.input_len(i))).toBe(0);
      for (const n of [0, m.input_len(i) - 1, m.input_len(i) + 1, -1]) expect(m.check(i, n)).toBe(-1);
    }
    for (const i of [4, -1, 2 ** 30]) expect(m.check(i, 0)).toBe(-3);
    const wrong = [
      [0, -101],
      [0, 91],
      [0, -128],
      [2, 2],
      [2, -1],
      [3, 6],
      [3, -6],
      [3, -(2 ** 31)],
      [3, 2 ** 31 - 1],
    ] as const;
    for (const [i, v] of wrong) {
      for (const at of [0, 33, 69]) {
        set(i, at, v);
        const before = image(m);
        expect([m.check(i, m.input_len(i)), m.infer(), m.step(1n), m.step(0n)]).toEqual([-2, -2, -2, -2]);
        expect(Buffer.compare(image(m), before)).toBe(0);
        set(i, at, 0);
      }
    }
    for (const [i, v] of [
      [0, -100],
      [0, 90],
      [1, -32768],
      [1, 32767],
      [2, 1],
      [3, 5],
      [3, -5],
    ] as const) {
      set(i, 69, v);
      expect(m.infer()).toBe(0);
    }
  });

  it('an error in the middle of a run leaves the run where it was', () => {
    const [m, other] = [instanceOf(bytes), instanceOf(bytes)];
    expect(m.step(0n)).toBe(1);
    new Int8Array(m.memory.buffer)[m.input_ptr(2)] = 7; // read before, so that the run may end
    expect(m.infer()).toBe(-2);
    new Int8Array(m.memory.buffer)[m.input_ptr(2)] = 0;
    while (m.step(0n) === 1);
    expect(other.infer()).toBe(0);
    expect(image(m).subarray(m.output_ptr(0), m.output_ptr(0) + 70)).toEqual(
      image(other).subarray(m.output_ptr(0), m.output_ptr(0) + 70),
    );
  });

  it('inputs stay, so that a run can be made again; a copy of the memory goes on in another instance', () => {
    const mnist = MODELS.find((g) => g.name.startsWith('a classifier of images'))!;
    const module = toWasm(loadModel(fileOf(mnist)), { profile });
    const [a, b] = [instanceOf(module), instanceOf(module)];
    const inputs = new Int8Array(a.memory.buffer, a.input_ptr(0), a.input_len(0)).map((_, i) => (i * 37) % 90);
    new Int8Array(a.memory.buffer).set(inputs, a.input_ptr(0));
    const out = (m: Compiled): Uint8Array => image(m).slice(m.output_ptr(0), m.output_ptr(0) + m.output_len(0));
    expect(a.infer()).toBe(0);
    const first = out(a);
    expect(a.infer()).toBe(0);
    expect(out(a)).toEqual(first);
    let steps = 0;
    while (a.step(1n) === 1) {
      if (++steps === 3) new Uint8Array(b.memory.buffer).set(new Uint8Array(a.memory.buffer));
    }
    expect(steps).toBeGreaterThan(3);
    while (b.step(5n) === 1);
    expect(out(b)).toEqual(first);
    expect(a.step(2n ** 63n - 1n)).toBe(0);
    expect(a.step(-(2n ** 63n))).toBe(1);
  });

  it('indices that are written while steps are under way change neither that run nor the module', () => {
    const model = loadModel(
      encodeModel({
        symbols: [],
        inputs: [
          { name: 'a', dtype: 'i8', shape: [64], zp: 0, lo: -128, hi: 127 },
          { name: 'row', dtype: 'i8', shape: [1], zp: 0, lo: -128, hi: 127 },
          { name: 'at', dtype: 'i32', shape: [1], zp: 0, lo: 0, hi: 63 },
        ],
        constants: [{ dtype: 'i8', zp: 0, shape: [64], data: new Int8Array(64).fill(5) }],
        nodes: [
          { op: 'linear2', inputs: [0, 3], attrs: { ma: 1, mb: 1, s: 0, output: OUTPUT } },
          { op: 'update', inputs: [4, 1, 2], attrs: { axis: 0 } },
        ],
        outputs: [{ name: 'y', tensor: 5 }],
        states: [],
      } as unknown as Graph),
    );
    const m = instanceOf(toWasm(model, { profile }));
    const view = new DataView(m.memory.buffer);
    const set = (row: number, at: number): void => {
      view.setInt8(m.input_ptr(1), row);
      view.setInt32(m.input_ptr(2), at, true);
    };
    const out = (): number[] => [...new Int8Array(m.memory.buffer, m.output_ptr(0), 64)];
    for (let at = -400; at < 400; at += 3) {
      const index = (at + 400) % 64;
      set(100, index);
      expect(m.step(0n)).toBe(1);
      set(77, at);
      while (m.step(0n) === 1);
      expect(out()).toEqual(Array.from({ length: 64 }, (_, i) => (i === index ? 100 : 5)));
    }
    set(100, 64);
    expect(m.infer()).toBe(-2);
  });

  it('a budget below 0 is one unit, and an output that is an input has an area of its own', () => {
    const same = { dtype: 'i8', shape: [4096], zp: 0, lo: -128, hi: 127 } as const;
    const model = loadModel(
      encodeModel({
        symbols: [],
        inputs: [{ name: 'x', ...same }],
        constants: [],
        nodes: Array.from({ length: 4 }, (_, i) => ({
          op: 'linear2',
          inputs: [0, i],
          attrs: { ma: 1, mb: i === 0 ? 1 : -1, s: 0, output: OUTPUT },
        })),
        outputs: [
          { name: 'same', tensor: 0 },
          { name: 'y', tensor: 4 },
        ],
        states: [],
      } as unknown as Graph),
    );
    const m = instanceOf(toWasm(model, { profile }));
    expect(m.output_ptr(0)).not.toBe(m.input_ptr(0));
    const y = -9; // 9 + 9, 9 − 18, 9 + 9, 9 − 18
    const counts = [0n, -1n, -5n, -(2n ** 61n), -(2n ** 61n) - 1n, -(2n ** 63n)].map((budget) => {
      new Uint8Array(m.memory.buffer).fill(9, m.input_ptr(0), m.input_ptr(0) + 4096);
      let steps = 1;
      for (; m.step(budget) === 1; steps++) spoilInputs(m, steps);
      const outputs = new Int8Array(m.memory.buffer, m.output_ptr(0), 4096);
      expect(outputs.every((v) => v === 9)).toBe(true);
      expect(new Int8Array(m.memory.buffer, m.output_ptr(1), 4096).every((v) => v === y)).toBe(true);
      return steps;
    });
    expect(counts[0]).toBeGreaterThan(3);
    expect(new Set(counts).size).toBe(1);
  });

  it('refuses dims that are missing or out of range', () => {
    const g = MODELS.find((m) => loadModel(fileOf(m)).symbols.length > 0)!;
    expect(() => toWasm(loadModel(fileOf(g)), { profile })).toThrow(InputError);
    expect(() => loadModel(new Uint8Array(3))).toThrow(ModelError);
  });
});
