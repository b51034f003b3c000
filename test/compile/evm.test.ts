/** toEvm on @ethereumjs/evm: bytes of the reference backend, gas as predicted, refusals. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAccount, createAddressFromString } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOWERINGS } from '../../src/compile/evm/lowerings.ts';
import { ABI, CompileError, type EvmOptions, toEvm } from '../../src/compile/evm.ts';
import { InputError } from '../../src/core/errors.ts';
import { DTYPE_RANGE, toBytes } from '../../src/core/tensor.ts';
import type { Model } from '../../src/graph/ir.ts';
import type { OpName } from '../../src/ops/index.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { agreeOn, call, createEvm, dataAddress, install } from '../support/evm.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { counterGraph, denseGraph, load, symbolicGraph, unary } from '../support/small.ts';

let vm: VM;
beforeAll(async () => {
  vm = await createEvm();
});

const agree = (model: Model, options: EvmOptions, seed: number, calls?: number): Promise<void> =>
  agreeOn(vm, model, options, seed, calls);

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
      await agree(load(graph), options, seed);
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

/** An account with ether. */
const RICH = createAddressFromString(`0x${'11'.repeat(20)}`);

/** Runs creation code; the address and code of what it deploys, or what it reverts with. */
async function deploy(
  data: Uint8Array,
  value = 0n,
): Promise<{ address: string; code: Uint8Array; error: string | undefined; output: Uint8Array }> {
  await vm.stateManager.putAccount(RICH, createAccount({ balance: 10n ** 18n, nonce: nonce++ }));
  const { createdAddress, execResult } = await vm.evm.runCall({ caller: RICH, data, value, gasLimit: 30_000_000n });
  const code = await vm.stateManager.getCode(createdAddress!);
  return {
    address: createdAddress!.toString(),
    code,
    error: execResult.exceptionError?.error,
    output: execResult.returnValue,
  };
}
let nonce = 0n;

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
      ...[
        [-101, 0, 0, 0, 0],
        [0, 0, 0, 0, 201],
        [0, 0, -32768, 0, 32767],
      ].map((values) => {
        const data = good.slice();
        data.set(toBytes(Int16Array.from(values)), 68);
        return data;
      }),
    ];
    for (const data of bad) {
      const result = await call(vm, data);
      expect(result.error).toBe('revert');
      expect(result.output).toEqual(BAD_INPUT);
    }
    expect((await call(vm, good.slice(0, 78))).error).toBeUndefined(); // unpadded, as abi.encodePacked callers send it
  });

  it('takes no ether', async () => {
    const p = toEvm(dense(5, 3, { dtype: 'i8' }));
    const { creation } = p.main();
    expect((await deploy(creation, 1n)).error).toBe('revert');
    const { address, code } = await deploy(creation);
    expect(code).toEqual(p.main().runtime);
    const data = p.encode({ x: new Int8Array(5) });
    const run = (value: bigint) =>
      vm.evm.runCall({ caller: RICH, to: createAddressFromString(address), data, value, gasLimit: 10n ** 9n });
    expect((await run(0n)).execResult.exceptionError).toBeUndefined();
    const { execResult } = await run(1n);
    expect([execResult.exceptionError?.error, execResult.returnValue]).toEqual(['revert', BAD_INPUT]);
  });

  it('checks the inputs it encodes', () => {
    const p = toEvm(dense(5, 3, { dtype: 'i8', lo: -9, hi: 9 }));
    expect(p.encode({ x: new Int8Array(5) })).toEqual(
      p.encode({ x: { dtype: 'i8', shape: [1, 5], data: new Int8Array(5) } }),
    );
    const wrong: Record<string, unknown>[] = [
      {},
      { x: { dtype: 'i8', shape: [4], data: new Int8Array(4) } },
      { x: { dtype: 'i8', shape: [5, 1], data: new Int8Array(5) } },
      { x: { dtype: 'i8', shape: [61, 99], data: new Int8Array(5) } },
      { x: { dtype: 'i8', shape: [1, 5], data: new Int32Array(5) } },
      { x: { dtype: 'i16', shape: [1, 5], data: new Int16Array(5) } },
      { x: new Int8Array(5).fill(10) },
      { x: new Int8Array(5), other: 3 },
    ];
    for (const inputs of wrong) expect(() => p.encode(inputs as never), JSON.stringify(inputs)).toThrow(InputError);
    expect(() => p.decode(new Uint8Array(64))).toThrow(TypeError);
    expect(() => p.main(['0x00'])).toThrow(TypeError);
  });
});

/** Dense layers of random weights, one after the other. */
function layers(widths: readonly number[]): Model {
  const r = new Prng(widths.length);
  const n = widths.length - 1;
  const outputs = widths.slice(1);
  return load({
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [1, widths[0]!], zp: 0, lo: -128, hi: 127 }],
    constants: outputs.flatMap((o, i) => [
      { dtype: 'i8', shape: [o, widths[i]!], zp: 0, data: r.fill(new Int8Array(o * widths[i]!), -128, 127) },
      { dtype: 'i32', shape: [o], zp: 0, data: r.fill(new Int32Array(o), -999, 999) },
    ]),
    nodes: outputs.map((_, i) => ({
      op: 'dense',
      inputs: [i === 0 ? 0 : 2 * n + i, 1 + 2 * i, 2 + 2 * i],
      attrs: { block: 0, stage: { m: Int32Array.of(1 << 22), l: 0, dtype: 'i8', zp: 0, lo: -100, hi: 100 } },
    })),
    outputs: [{ name: 'y', tensor: 3 * n }],
    states: [],
  });
}

describe('data contracts', () => {
  const p = toEvm(layers([64, 48, 48]), { codeBudget: 6000 });
  const WRONG_DATA = keccak_256(new TextEncoder().encode('WrongData()')).slice(0, 4);

  it('the main contract is deployed only where they are what it was compiled for', async () => {
    expect(p.data.length).toBeGreaterThan(1);
    const addresses: string[] = [];
    for (const d of p.data) {
      const { address, code } = await deploy(d.creation);
      expect(code).toEqual(d.runtime);
      expect((await deploy(d.creation, 1n)).error).toBe('revert');
      const run = await vm.evm.runCall({ caller: RICH, to: createAddressFromString(address), gasLimit: 10n ** 6n });
      expect(run.execResult.exceptionError).toBeDefined();
      addresses.push(address);
    }
    const { address, code } = await deploy(p.main(addresses).creation);
    expect(code).toEqual(p.main(addresses).runtime);
    vm.evm.journal.cleanJournal();
    const data = p.encode({ x: new Int8Array(64).fill(7) });
    const { execResult } = await vm.evm.runCall({ to: createAddressFromString(address), data, gasLimit: 10n ** 9n });
    expect(execResult.exceptionError).toBeUndefined();
    expect(execResult.executionGasUsed).toBe(p.gas);
    expect((await deploy(p.main(addresses).creation, 1n)).output).toEqual(new Uint8Array());

    const other = toEvm(layers([64, 47, 48]), { codeBudget: 6000 });
    const foreign = (await deploy(other.data[0]!.creation)).address;
    const missing = `0x${'ee'.repeat(20)}`;
    const swapped = [addresses[1]!, addresses[0]!, ...addresses.slice(2)];
    const wrong = [swapped, ...addresses.flatMap((_, i) => [missing, foreign].map((a) => addresses.with(i, a)))];
    for (const list of wrong) {
      const { error, output } = await deploy(p.main(list).creation);
      expect([error, output], list.join()).toEqual(['revert', WRONG_DATA]);
    }
  });

  it('refuses addresses that cannot be right', () => {
    const good = p.data.map((_, i) => dataAddress(i + 10));
    expect(p.main(good).runtime.length).toBeGreaterThan(0);
    const upper = `0x${good[0]!.slice(2).toUpperCase()}`;
    for (const a of [
      good[0]!,
      upper,
      `0x${'0'.repeat(40)}`,
      '0x12',
      'x',
      `${good[1]}00`,
      5 as never,
      undefined as never,
    ])
      expect(() => p.main(good.with(1, a as never)), String(a)).toThrow(TypeError);
    expect(() => p.main(good.slice(1))).toThrow(TypeError);
  });
});

describe('interface', () => {
  it('has the selectors of its ABI', () => {
    const selector = (text: string) =>
      Buffer.from(keccak_256(new TextEncoder().encode(text)).slice(0, 4)).toString('hex');
    expect(selector('infer(bytes)')).toBe('67e950a8');
    expect(ABI.map((e) => e.name)).toEqual(['infer', 'BadInput', 'WrongData']);
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
    const options = [
      ...[0, 1.5, 65536, '24576'].map((codeBudget) => ({ codeBudget })),
      { goal: 'speed' },
      { budget: 3 },
      null,
    ];
    for (const o of options) expect(() => toEvm(load(denseGraph()), o as never)).toThrow(TypeError);
  });
});

it('runs the convolutional model of the golden files from nine contracts', { timeout: 60_000 }, async () => {
  const path = join(import.meta.dirname, '../golden/models/mnist-cnn.sbm');
  await agree(loadModel(new Uint8Array(readFileSync(path))), {}, 1, 1);
});
