/** The inference precompile on @ethereumjs/vm: what each kind of call gives, and that a failed machine gives nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import * as artifacts from '../../examples/artifacts.gen.ts';
import { Chain, type Deployed, type Party } from '../../examples/chain.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { encodeHeader, type Header, headerGas, headerHash, headerOf } from '../../src/consensus/header.ts';
import { SCHEDULE_1 } from '../../src/core/cost.ts';
import { HostError } from '../../src/core/errors.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { createPrecompile } from '../../src/evm/precompile.ts';
import { toHex } from '../../src/evm/proof.ts';
import type { Model } from '../../src/graph/ir.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession, type Session } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

const ADDRESS = '0x0000000000000000000000000000000000005a17';
const BASE = 2600n;

/** A model of the golden ones by name. */
function golden(name: string): Model {
  return loadModel(fileOf(MODELS.find((g) => g.name === name)!));
}

const plain = golden('a classifier of images, bytes in and bytes out');
const sized = golden('causal attention over n tokens');
const counting = golden('a counter and an average, two states');
let session: (header: Header) => Session | Promise<Session>;
let oracle: Deployed;
let caller: Party;
let run: ReturnType<typeof createPrecompile>;

function keyOf(model: Model): Uint8Array {
  return headerHash(headerOf(commit(model)));
}

/** Call data of a run. */
function data(model: Model, dims: readonly number[], inputs: ReturnType<typeof randomInputs>): Uint8Array {
  const parts = [
    keyOf(model),
    ...dims.map((d) => Uint8Array.from({ length: 32 }, (_, i) => (d >>> (8 * (31 - i))) & (i < 28 ? 0 : 255))),
  ];
  return new Uint8Array(Buffer.concat([...parts, ...Object.values(inputs).map((t) => toBytes(t.data))]));
}

beforeAll(async () => {
  const models = [plain, sized, counting];
  const headers = new Map(models.map((m) => [toHex(keyOf(m)), encodeHeader(headerOf(commit(m)))]));
  const sessions = new Map(await Promise.all(models.map(async (m) => [toHex(m.id), await createSession(m)] as const)));
  session = (header) => sessions.get(toHex(header.modelId))!;
  run = createPrecompile({ store: { header: (h) => headers.get(toHex(h)), session: (h) => session(h) } });
  const chain = await Chain.create([{ address: ADDRESS, function: run }]);
  caller = await chain.party('caller');
  oracle = await chain.deploy(caller, artifacts.Oracle, [ADDRESS]);
});

describe('options', () => {
  it('are checked when it is made, not in the middle of a block', () => {
    const store = { header: () => undefined, session: () => undefined };
    for (const wrong of [{ base: -1n }, { base: 2600 }, { schedule: {} }, { store: {} }])
      expect(() => createPrecompile({ store, ...wrong } as never), Object.keys(wrong)[0]).toThrow(TypeError);
  });
});

describe('results', () => {
  it.each([
    [plain, []],
    [sized, [5]],
  ] as const)('the outputs of a session, at the gas of the header', async (model, dims) => {
    const inputs = randomInputs(model, new Prng(1), dims);
    const gas = BASE + headerGas(headerOf(commit(model)), SCHEDULE_1, dims);
    const made = await run({ data: data(model, dims, inputs), gasLimit: gas });
    const own = await (await createSession(model)).run(inputs);
    const expected = Buffer.concat(model.outputs.map((o) => toBytes(own.outputs[o.name]!.data)));
    expect(Buffer.from(made.returnValue)).toEqual(expected);
    expect(made.exceptionError).toBeUndefined();
    expect(made.executionGasUsed).toBe(gas);
    const less = await run({ data: data(model, dims, inputs), gasLimit: gas - 1n });
    expect([less.exceptionError?.error, less.executionGasUsed, less.returnValue.length]).toEqual([
      'out of gas',
      gas - 1n,
      0,
    ]);
  });

  it('a model with states is refused: a call leaves nothing behind', async () => {
    const made = await run({ data: data(counting, [], randomInputs(counting, new Prng(5), [])), gasLimit: 10n ** 9n });
    expect([made.exceptionError?.error, toHex(made.returnValue)]).toEqual(['revert', '0x2bb9acf7']);
  });

  it('wrong lengths, symbols, values and models revert, and the chain goes on', async () => {
    const inputs = randomInputs(sized, new Prng(2), [5]);
    const good = data(sized, [5], inputs);
    const bad = {
      short: good.slice(0, -1),
      long: new Uint8Array([...good, 0]),
      'no symbol': good.slice(0, 32),
      'symbol out of range': data(sized, [2 ** 20], inputs),
      nothing: new Uint8Array(),
      unknown: new Uint8Array(64).fill(7),
    };
    for (const [name, d] of Object.entries(bad)) {
      const made = await run({ data: d, gasLimit: 10_000_000n });
      expect(made.exceptionError?.error, name).toBe('revert');
      expect(toHex(made.returnValue.slice(0, 4)), name).toBe(name === 'unknown' ? '0xa2dc0625' : '0x2bb9acf7');
    }
    const asked = (d: Uint8Array) => oracle.send(caller, 'ask', [toHex(d.slice(0, 32)), toHex(d.slice(32))]);
    expect((await asked(bad.short)).error).toBe('revert');
    expect((await asked(bad.unknown)).error).toBe('revert');
    const fine = await asked(good);
    expect(fine.error).toBeUndefined();
    expect(fine.events[0]!.name).toBe('Answered');
  });
});

describe('a machine that fails', () => {
  it.each([
    ['no body', () => Promise.reject(new HostError('BadStore', 'no file'))],
    ['another body under the header', () => createSession(sized)],
  ] as const)('%s: nothing is a result, and the same call succeeds later', async (_, failing) => {
    const inputs = randomInputs(plain, new Prng(3), []);
    const whole = session;
    session = failing as typeof session;
    await expect(run({ data: data(plain, [], inputs), gasLimit: 10n ** 9n })).rejects.toThrow(HostError);
    session = whole;
    expect((await run({ data: data(plain, [], inputs), gasLimit: 10n ** 9n })).exceptionError).toBeUndefined();
  });

  it('a device that is lost in the middle runs again on the next backend', async () => {
    const { wasm } = await import('../../src/backends/wasm/index.ts');
    let runs = 0;
    const lost = {
      name: 'lost',
      prepare: async (...args: Parameters<typeof wasm.prepare>) => ({
        ...(await wasm.prepare(...args)),
        memory: { constants: 0, activations: 0, scratch: 0, total: 0 },
        explain: () => [],
        dispose: () => undefined,
        run: () => {
          runs++;
          return Promise.reject(new HostError('DeviceFailed', 'lost'));
        },
      }),
    };
    const inputs = randomInputs(plain, new Prng(4), []);
    const first = await run({ data: data(plain, [], inputs), gasLimit: 10n ** 9n });
    const own = await createSession(plain, { backend: [lost, 'wasm'] });
    const whole = session;
    session = () => own;
    const second = await run({ data: data(plain, [], inputs), gasLimit: 10n ** 9n });
    session = whole;
    expect(runs).toBe(1);
    expect(second).toEqual(first);
  });
});
