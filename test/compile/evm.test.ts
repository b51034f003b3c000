/** toEvm on @ethereumjs/evm: bytes of the reference backend, gas as predicted, refusals. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VM } from '@ethereumjs/vm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOWERINGS } from '../../src/compile/evm/lowerings.ts';
import { ABI, CompileError, type EvmOptions, toEvm } from '../../src/compile/evm.ts';
import { DTYPE_RANGE, toBytes } from '../../src/core/tensor.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import type { OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { randomInputs } from '../support/differential.ts';
import { call, createEvm, dataAddress, install, reference, returned } from '../support/evm.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { counterGraph, denseGraph, load, symbolicGraph, unary } from '../support/small.ts';

let vm: VM;
beforeAll(async () => {
  vm = await createEvm();
});

/** Compiles, installs and calls a model on several inputs; a difference from the reference or from the gas predicted is an error. */
async function agree(model: Model, options: EvmOptions, seed: number, calls = 2): Promise<void> {
  const p = toEvm(model, options);
  const limit = options.codeBudget ?? 24576;
  const main = p.main(p.data.map((_, i) => dataAddress(i)));
  for (const c of [...p.data, main]) expect(c.runtime.length).toBeLessThanOrEqual(limit);
  await install(
    vm,
    main.runtime,
    p.data.map((d) => d.runtime),
  );
  const r = new Prng(seed);
  for (let k = 0; k < calls; k++) {
    const inputs = randomInputs(model, r, []);
    const { expected } = await reference(model, inputs);
    const result = await call(vm, p.encode(inputs));
    expect(result.error).toBeUndefined();
    expect(result.gas).toBe(p.gas);
    expect(returned(result.output)).toEqual(expected);
    expect(result.output.length % 32).toBe(0);
    const decoded = p.decode(result.output);
    expect(Buffer.concat(model.outputs.map((o) => toBytes(decoded[o.name]!.data)))).toEqual(Buffer.from(expected));
  }
}

/** A dense layer of random weights, the extremes among them. */
function dense(
  k: number,
  o: number,
  x: { dtype: 'i8' | 'i16'; zp?: number; lo?: number; hi?: number },
  rows = 1,
): Model {
  const r = new Prng(k * 1000 + o);
  const w = r.fill(new Int8Array(k * o), -128, 127);
  if (o > 1) w.fill(-128, k, 2 * k);
  if (o > 2) w.fill(0, 2 * k, 3 * k);
  const [lo, hi] = DTYPE_RANGE[x.dtype];
  return load({
    symbols: [],
    inputs: [{ name: 'x', shape: [rows, k], zp: 0, lo, hi, ...x }],
    constants: [
      { dtype: 'i8', shape: [o, k], zp: 0, data: w },
      { dtype: 'i32', shape: [o], zp: 0, data: r.fill(new Int32Array(o), -99999, 99999) },
    ],
    nodes: [
      {
        op: 'dense',
        inputs: [0, 1, 2],
        attrs: {
          block: 0,
          stage: {
            m: Int32Array.from({ length: o }, (_, i) => (i === 3 ? 0 : r.int(1 << 18, 1 << 24))),
            l: 0,
            dtype: 'i8',
            zp: -5,
            lo: -100,
            hi: 101,
          },
        },
      },
    ],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
  });
}

describe('dense', () => {
  it.each([
    [1, 1],
    [7, 3],
    [33, 32],
    [64, 64],
    [65, 33],
    [131, 17],
  ])('%i to %i, both goals and data contracts', async (k, o) => {
    for (const x of [
      { dtype: 'i8' as const, zp: 3 },
      { dtype: 'i16' as const, lo: -3000, hi: 29 },
    ]) {
      await agree(dense(k, o, x), { goal: 'gas' }, k);
      await agree(dense(k, o, x), { goal: 'size' }, o);
      await agree(dense(k, o, x), { codeBudget: 3000 + k * 40 }, k + o);
      await agree(dense(k, o, x, 3), { goal: 'size' }, k + o);
    }
  });
});

const EVM_OPS = Object.keys(LOWERINGS) as OpName[];

/** Random graphs of the ops; how many were compiled, and why others were not. */
async function sweep(from: number, to: number, names: readonly OpName[]): Promise<{ ran: number; why: string[] }> {
  let ran = 0;
  const why = new Set<string>();
  for (let seed = from; seed < to; seed++) {
    const graph = randomGraph(seed, 1 + (seed % 5), names);
    if (graph.nodes.length === 0 || graph.symbols.length > 0) continue;
    const options: EvmOptions = { goal: seed % 2 ? 'gas' : 'size', codeBudget: seed % 7 === 0 ? 2500 : 24576 };
    try {
      await agree(loadModel(encodeModel(graph)), options, seed);
      ran++;
    } catch (e) {
      if (!(e instanceof CompileError)) throw new Error(`seed ${seed}`, { cause: e });
      why.add(e.message.replace(/\d[\d,]*/g, 'N'));
    }
  }
  return { ran, why: [...why].sort() };
}

/** What random graphs are refused for. */
const REFUSALS = [
  'node N: gather has no EVM form for indices that are not constant',
  'node N: softmax has no EVM form with a mask',
  'the code exceeds N bytes with all weights in other contracts',
];

describe('random graphs', () => {
  it.each(EVM_OPS)('%s', async (op) => {
    const first = 1000 * EVM_OPS.indexOf(op);
    const { ran, why } = await sweep(first, first + 6, [op]);
    expect(ran).toBeGreaterThan(0);
    expect(REFUSALS).toEqual(expect.arrayContaining(why));
  });

  it('of all ops with an EVM form', async () => {
    const { ran, why } = await sweep(0, 80, EVM_OPS);
    expect(ran).toBeGreaterThan(50);
    expect(REFUSALS).toEqual(expect.arrayContaining(why));
  });

  it('of layers', async () => {
    const { ran, why } = await sweep(50000, 50080, ['dense', 'conv2d', 'max_pool2d', 'avg_pool2d', 'reshape']);
    expect(ran).toBeGreaterThan(50);
    expect(REFUSALS).toEqual(expect.arrayContaining(why));
  });
});

describe('calls', () => {
  const BAD_INPUT = keccak_256(new TextEncoder().encode('BadInput()')).slice(0, 4);

  it('refuses what is no input, with BadInput and nothing else', async () => {
    const model = dense(5, 3, { dtype: 'i16', lo: -100, hi: 200 });
    const p = toEvm(model);
    await install(vm, p.main().runtime);
    const good = p.encode({ x: { dtype: 'i16', shape: [1, 5], data: Int16Array.of(-100, 200, 0, 1, 2) } });
    expect((await call(vm, good)).error).toBeUndefined();
    const bad: Uint8Array[] = [
      new Uint8Array(),
      good.slice(0, 3),
      good.slice(0, 67),
      good.slice(0, 68 + 9),
      ...[0, 3, 4, 35, 36, 67].map((i) => good.map((b, k) => (k === i ? b ^ 1 : b))),
      p.encode({ x: { dtype: 'i16', shape: [1, 5], data: Int16Array.of(-101, 0, 0, 0, 0) } }),
      p.encode({ x: { dtype: 'i16', shape: [1, 5], data: Int16Array.of(0, 0, 0, 0, 201) } }),
      p.encode({ x: { dtype: 'i16', shape: [1, 5], data: Int16Array.of(0, 0, -32768, 0, 32767) } }),
    ];
    for (const data of bad) {
      const result = await call(vm, data);
      expect(result.error).toBe('revert');
      expect(result.output).toEqual(BAD_INPUT);
    }
    expect((await call(vm, good.slice(0, 78))).error).toBeUndefined(); // unpadded, as abi.encodePacked callers send it
  });

  it('checks the inputs it encodes', () => {
    const p = toEvm(dense(5, 3, { dtype: 'i8' }));
    expect(() => p.encode({})).toThrow(TypeError);
    expect(() => p.encode({ x: { dtype: 'i8', shape: [4], data: new Int8Array(4) } })).toThrow(TypeError);
    expect(() => p.decode(new Uint8Array(64))).toThrow(TypeError);
    expect(() => p.main(['0x00'])).toThrow(TypeError);
  });
});

describe('interface', () => {
  it('has the selectors of its ABI', () => {
    const selector = (text: string) =>
      Buffer.from(keccak_256(new TextEncoder().encode(text)).slice(0, 4)).toString('hex');
    expect(selector('infer(bytes)')).toBe('67e950a8');
    expect(ABI.map((e) => e.name)).toEqual(['infer', 'BadInput']);
    expect(toEvm(load(denseGraph())).solidity).toContain('///      x: i8 [2, 3], -128 to 127');
  });

  it('names what it refuses', () => {
    expect(() => toEvm(load(symbolicGraph()))).toThrow(/one input size/);
    expect(() => toEvm(load(counterGraph()))).toThrow(/leaves no state/);
    const cumsum = unary({ op: 'cumsum', attrs: { axis: 0, exclusive: false, reverse: false } });
    expect(() => toEvm(load(cumsum))).toThrow('node 0: cumsum has no EVM form');
    expect(() => toEvm(dense(2000, 40, { dtype: 'i8' }), { codeBudget: 256 })).toThrow(CompileError);
    const wide = unary({ op: 'reshape', attrs: { shape: [1 << 20] } }, { shape: [1 << 20] });
    expect(() => toEvm(load(wide))).toThrow(/memory of 4 MiB/);
    for (const codeBudget of [0, 1.5, 65536])
      expect(() => toEvm(load(denseGraph()), { codeBudget })).toThrow(RangeError);
    expect(() => toEvm(load(denseGraph()), { goal: 'speed' as never })).toThrow(TypeError);
  });
});

it('runs the convolutional model of the golden files from nine contracts', { timeout: 60_000 }, async () => {
  const path = join(import.meta.dirname, '../golden/models/mnist-cnn.sbm');
  await agree(loadModel(new Uint8Array(readFileSync(path))), {}, 1, 1);
});
