/** Every code of InputError, OutOfGas and HostError that needs no broken device is raised by a case below. */
import { describe, expect, it } from 'vitest';
import { GAS_ERRORS, HOST_ERRORS, INPUT_ERRORS, SamebitError } from '../../src/core/errors.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { LIMITS } from '../../src/format/limits.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { counterGraph, denseGraph, load } from '../support/small.ts';

describe('InputError, OutOfGas, HostError', () => {
  const x = Int8Array.of(1, 2, 3, 4, 5, 6);
  const cases: [string, string, object, { gasLimit?: bigint }][] = [
    ['InputError.MissingInput', 'none', {}, {}],
    ['InputError.UnknownInput', 'a name of the prototype', { x, constructor: x }, {}],
    ['InputError.WrongDType', 'i16', { x: new Int16Array(6) }, {}],
    ['InputError.WrongDType', 'a plain array', { x: [1, 2, 3, 4, 5, 6] }, {}],
    ['InputError.WrongShape', 'five', { x: new Int8Array(5) }, {}],
    ['InputError.WrongShape', 'transposed', { x: { dtype: 'i8', shape: [3, 2], data: x } }, {}],
    ['OutOfGas.GasLimit', 'one too low', { x }, { gasLimit: -1n }],
  ];
  it.each(cases)('%s: %s', async (code, _, inputs, options) => {
    const model = load(denseGraph());
    const session = await createSession(model, { backend: 'reference' });
    const { gasUsed } = await session.run({ x });
    await expect(session.run({ x }, { gasLimit: gasUsed })).resolves.toBeDefined();
    const limit = options.gasLimit === undefined ? {} : { gasLimit: gasUsed + options.gasLimit };
    const error = await session.run(inputs as never, limit).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SamebitError);
    expect(`${(error as SamebitError).family}.${(error as SamebitError).code}`).toBe(code);
  });

  it('OutOfRange: a value outside the declared interval', async () => {
    const session = await createSession(load(counterGraph()), { backend: 'reference' });
    await expect(session.run({ x: Int16Array.of(0, 11) })).rejects.toMatchObject({
      family: 'InputError',
      code: 'OutOfRange',
    });
  });

  it('OutOfRange: a bool that is neither 0 nor 1, on every backend', async () => {
    const input = (name: string, dtype: 'bool' | 'i8', lo: number, hi: number) => ({
      ...{ name, dtype, shape: [8], zp: 0, lo, hi },
    });
    const file = encodeModel({
      symbols: [],
      inputs: [input('c', 'bool', 0, 1), input('a', 'i8', -128, 127), input('b', 'i8', -128, 127)],
      constants: [],
      nodes: [{ op: 'where', inputs: [0, 1, 2], attrs: {} }],
      outputs: [{ name: 'y', tensor: 3 }],
      states: [],
    });
    for (const backend of ['reference', 'wasm'] as const) {
      const session = await createSession(loadModel(file), { backend });
      for (const c of [new Uint8Array(8).fill(200), new Uint8Array(8).fill(2), new Int8Array(8).fill(-1)]) {
        await expect(session.run({ c, a: new Int8Array(8), b: new Int8Array(8) })).rejects.toMatchObject({
          family: 'InputError',
          code: 'OutOfRange',
        });
      }
    }
  });

  it('LocalLimit: tighter limits of the caller', () => {
    const file = encodeModel(denseGraph());
    for (const limits of [{ fileBytes: file.length - 1 }, { nodes: 0 }, { memoryBytes: 100 }, { gas: 10n }]) {
      expect(() => loadModel(file, { limits })).toThrow(
        expect.objectContaining({ family: 'HostError', code: 'LocalLimit' }),
      );
    }
    expect(loadModel(file, { limits: { fileBytes: file.length, nodes: 1 } }).nodes.length).toBe(1);
  });

  it('every code of the four families is known', () => {
    expect(Object.keys({ ...INPUT_ERRORS, ...GAS_ERRORS, ...HOST_ERRORS }).length).toBe(13);
    expect(LIMITS.nodes).toBe(65536);
  });
});
