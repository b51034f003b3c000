/** The built entry points together: one class of each error, whatever was imported; backends by name and by object. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { example } from '../cli/samebit.ts';
import { format, onnx, quant, reference, samebit, wasm } from './library.ts';

const graph = {
  symbols: [],
  constants: [],
  states: [],
  inputs: [{ name: 'x', dtype: 'i8', shape: [4], zp: 0, lo: -128, hi: 127 }],
  nodes: [{ op: 'reshape', inputs: [0], attrs: { shape: [2, 2] } }],
  outputs: [{ name: 'y', tensor: 1 }],
} as const;

it('a graph runs on backends by name and by object', async () => {
  const model = samebit.loadModel(format.encodeModel(graph));
  const digests = new Set<string>();
  for (const backend of ['wasm', 'reference', wasm.wasm, reference.reference, ['wasm', 'reference']] as const) {
    const session = await samebit.createSession(model, { backend });
    digests.add((await session.run({ x: Int8Array.of(1, 2, 3, 4) })).digest);
  }
  expect(digests.size).toBe(1);
});

it('loads a model from the Buffer of a file, at any offset', () => {
  const bytes = format.encodeModel(graph);
  for (const shift of [0, 1, 2, 3]) {
    const buffer = Buffer.alloc(bytes.length + shift);
    buffer.set(bytes, shift);
    expect(samebit.loadModel(buffer.subarray(shift)).id).toEqual(samebit.loadModel(bytes).id);
  }
  const { graph: credit } = quant.convertOnnx(readFileSync(example('german-credit/model.onnx')), {
    samples: { dtype: 'f32', shape: [2, 61], data: new Float32Array(122).fill(0.5) },
  });
  const file = format.encodeModel(credit);
  for (const shift of [0, 1, 2, 3]) {
    const buffer = Buffer.concat([Buffer.alloc(shift), file]).subarray(shift);
    expect(samebit.loadModel(buffer).id).toEqual(samebit.loadModel(file).id);
  }
});

it('errors are of one class across entry points', () => {
  for (const [f, type] of [
    [() => format.decodeModel(new Uint8Array(3)), samebit.ModelError],
    [() => onnx.parseOnnx(new Uint8Array(3)), onnx.ImportError],
    [() => quant.convertOnnx(new Uint8Array(0)), onnx.ImportError],
    [() => onnx.parseOnnx(new Uint8Array(0)), samebit.SamebitError],
  ] as const)
    expect(f).toThrow(type as never);
});
