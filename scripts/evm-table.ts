/**
 * The table of docs/evm.md: gas and bytes of one dense layer by size and goal, predicted and measured on @ethereumjs/evm.
 * @module
 */
import { toEvm } from '../src/compile.ts';
import { randomInputs } from '../test/support/differential.ts';
import { call, createEvm, dataAddress, install, reference, returned } from '../test/support/evm.ts';
import { Prng } from '../test/support/prng.ts';
import { load } from '../test/support/small.ts';

/** A dense layer i8 → i8 of random weights. */
function dense(k: number, o: number): ReturnType<typeof load> {
  const r = new Prng(k * 7 + o);
  const m = Int32Array.from({ length: o }, () => r.int(1 << 21, 1 << 23));
  return load({
    symbols: [],
    inputs: [{ name: 'x', dtype: 'i8', shape: [1, k], zp: 3, lo: -128, hi: 127 }],
    constants: [
      { dtype: 'i8', shape: [o, k], zp: 0, data: r.fill(new Int8Array(k * o), -127, 127) },
      { dtype: 'i32', shape: [o], zp: 0, data: r.fill(new Int32Array(o), -9999, 9999) },
    ],
    nodes: [
      {
        op: 'dense',
        inputs: [0, 1, 2],
        attrs: { block: 0, stage: { m, l: 0, dtype: 'i8', zp: -5, lo: -128, hi: 100 } },
      },
    ],
    outputs: [{ name: 'y', tensor: 3 }],
    states: [],
  });
}

const vm = await createEvm();
console.log('| layer | goal | gas of a call | a MAC | in the layer, a MAC | bytes of code | a weight |');
console.log('|---|---|---|---|---|---|---|');
for (const [k, o] of [
  [32, 16],
  [64, 64],
  [128, 64],
  [256, 32],
  [500, 16],
] as const) {
  for (const goal of ['gas', 'size'] as const) {
    const model = dense(k, o);
    const p = toEvm(model, { goal });
    const data = p.data.map((d) => d.runtime);
    await install(vm, p.main(p.data.map((_, i) => dataAddress(i))).runtime, data);
    const r = new Prng(k);
    for (let i = 0; i < 5; i++) {
      const inputs = randomInputs(model, r, []);
      const { expected } = await reference(model, inputs);
      const { gas, output } = await call(vm, p.encode(inputs));
      if (gas !== p.gas) throw new Error(`${k}x${o}: ${gas} gas, predicted ${p.gas}`);
      if (Buffer.compare(returned(output), expected) !== 0) throw new Error(`${k}x${o} differs from the reference`);
    }
    const each = (n: number) => (n / (k * o)).toFixed(2);
    console.log(
      `| ${k}×${o} | ${goal} | ${p.gas.toLocaleString('en')} | ${each(Number(p.gas))} | ${each(p.layers[0]!.gas)} | ${p.codeBytes.toLocaleString('en')} | ${each(p.codeBytes)} |`,
    );
  }
}
