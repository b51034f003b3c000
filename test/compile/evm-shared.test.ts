/** toEvm: weights that several nodes share stand once; an empty batch. */
import type { VM } from '@ethereumjs/vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompileError, type EvmOptions, toEvm } from '../../src/compile/evm.ts';
import type { Graph, Model } from '../../src/graph/ir.ts';
import { agreeOn, createEvm, dataAddress } from '../support/evm.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';
import { load, twice } from '../support/small.ts';

let vm: VM;
beforeAll(async () => {
  vm = await createEvm();
});

/** x i8 [1,64] → dense → y i8 [1,48]. */
const layer: Graph = {
  symbols: [],
  inputs: [{ name: 'x', dtype: 'i8', shape: [1, 64], zp: 0, lo: -128, hi: 127 }],
  constants: [
    { dtype: 'i8', shape: [48, 64], zp: 0, data: new Prng(9).fill(new Int8Array(48 * 64), -128, 127) },
    { dtype: 'i32', shape: [48], zp: 0, data: new Int32Array(48) },
  ],
  nodes: [
    {
      op: 'dense',
      inputs: [0, 1, 2],
      attrs: { block: 0, stage: { m: Int32Array.of(1 << 22), l: 0, dtype: 'i8', zp: -5, lo: -100, hi: 101 } },
    },
  ],
  outputs: [{ name: 'y', tensor: 3 }],
  states: [],
};

it('a convolution of an empty batch', async () => {
  const w = new Int8Array(12).fill(3);
  const model = load({
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i16', shape: [0, 2, 19, 1], zp: 0, lo: -9, hi: 9 }],
    constants: [
      { dtype: 'i8', shape: [3, 2, 2, 1], zp: 0, data: w },
      { dtype: 'i32', shape: [3], zp: 0, data: new Int32Array(3) },
    ],
    nodes: [
      {
        op: 'conv2d',
        inputs: [0, 1, 2],
        attrs: {
          strides: [1, 1],
          pads: [0, 2, 1, 2],
          dilations: [1, 1],
          groups: 1,
          stage: { m: Int32Array.of(1 << 22), l: 0, dtype: 'i8', zp: 0, lo: -100, hi: 100 },
        },
      },
    ],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
  });
  for (const goal of ['gas', 'size'] as const) await agreeOn(vm, model, { goal }, 1);
});

describe('weights that several nodes share', () => {
  const [once, both] = [load(layer), load(twice(layer))];
  const sizes = (model: Model, options: EvmOptions): [main: number, data: number] => {
    const p = toEvm(model, options);
    const main = p.main(p.data.map((_, i) => dataAddress(i)));
    return [main.runtime.length, p.data.reduce((n, d) => n + d.runtime.length, 0)];
  };

  it('stand behind the code once', async () => {
    const options: EvmOptions = { goal: 'size' };
    const [one, two] = [sizes(once, options)[0], sizes(both, options)[0]];
    expect(one).toBeGreaterThan(64 * 48);
    expect(two - one).toBeLessThan(1500); // code
    await agreeOn(vm, both, options, 1);
  });

  it('stand in data contracts once', async () => {
    const options: EvmOptions = { goal: 'size', codeBudget: 5000 };
    const [[, one], [, two]] = [sizes(once, options), sizes(both, options)];
    expect(one).toBeGreaterThan(64 * 48);
    expect(two).toBe(one);
    await agreeOn(vm, both, options, 2);
  });

  it('random graphs, each beside its copy', async () => {
    let ran = 0;
    for (let seed = 70000; seed < 70060; seed++) {
      const graph = randomGraph(seed, 1 + (seed % 5), ['dense', 'conv2d', 'max_pool2d', 'lut8', 'reshape']);
      if (graph.nodes.length === 0 || graph.symbols.length > 0) continue;
      const options: EvmOptions = { goal: seed % 2 ? 'gas' : 'size', codeBudget: seed % 7 === 0 ? 2500 : 24576 };
      try {
        await agreeOn(vm, load(twice(graph)), options, seed);
        ran++;
      } catch (e) {
        if (!(e instanceof CompileError)) throw new Error(`seed ${seed}`, { cause: e });
        expect(e.message).toMatch(/the code exceeds 2,?500 bytes/);
      }
    }
    expect(ran).toBeGreaterThan(30);
  });
});
