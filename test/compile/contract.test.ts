/** A CosmWasm contract under a host of the test's own: messages, answers, errors, bytes at random. */
import { describe, expect, it } from 'vitest';
import { validateProfile } from '../../src/compile/validate-profile.ts';
import { toWasm } from '../../src/compile/wasm.ts';
import { gasAt, SCHEDULE_1 } from '../../src/core/cost.ts';
import { toBytes } from '../../src/core/tensor.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from '../support/differential.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

interface Contract {
  readonly memory: WebAssembly.Memory;
  interface_version_8(): void;
  allocate(size: number): number;
  deallocate(region: number): void;
  instantiate(env: number, info: number, message: number): number;
  query(env: number, message: number): number;
}

const ENV = '{"block":{"height":1}}';
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

class Host {
  readonly contract: Contract;
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.contract = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Contract;
  }

  /** Calls an entry point as hosts do: a region for each argument, the answer read from one. */
  #call(entry: 'instantiate' | 'query', args: readonly Uint8Array[]): { ok?: unknown; error?: string } {
    const { contract } = this;
    const regions = args.map((bytes) => {
      const region = contract.allocate(bytes.length);
      const [at, capacity] = new Uint32Array(contract.memory.buffer.slice(region, region + 8));
      expect(capacity).toBe(bytes.length);
      new Uint8Array(contract.memory.buffer).set(bytes, at!);
      new DataView(contract.memory.buffer).setUint32(region + 8, bytes.length, true);
      return region;
    });
    const region = (contract[entry] as (...r: number[]) => number)(...regions);
    const [at, capacity, length] = new Uint32Array(contract.memory.buffer.slice(region, region + 12));
    expect(length).toBeLessThanOrEqual(capacity!);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      contract.memory.buffer.slice(at!, at! + length!) as ArrayBuffer,
    );
    contract.deallocate(region);
    return JSON.parse(text) as { ok?: unknown; error?: string };
  }

  instantiate(): unknown {
    return this.#call('instantiate', [utf8(ENV), utf8('{}'), utf8('{}')]).ok;
  }

  query(message: string | Uint8Array): { ok?: string; error?: string } {
    const bytes = typeof message === 'string' ? utf8(message) : message;
    return this.#call('query', [utf8(ENV), bytes]) as { ok?: string; error?: string };
  }
}

const ask = (inputs: readonly (Uint8Array | string)[]): string =>
  JSON.stringify({
    infer: { inputs: inputs.map((b) => (typeof b === 'string' ? b : Buffer.from(b).toString('base64'))) },
  });
const contractOf = (file: Uint8Array) => {
  const model = loadModel(file);
  const dims = Object.fromEntries(model.symbols.map((s) => [s.name, s.max]));
  return { model, bytes: toWasm(model, { contract: 'cosmwasm', dims }) };
};

/** The golden models whose every input is the caller's. */
const STATELESS = MODELS.filter((g) => loadModel(fileOf(g)).states.length === 0);

describe('a CosmWasm contract', () => {
  let slashes = 0;
  it.each(STATELESS.map((g) => [g.name, g] as const))('%s: answers as the reference does', async (_, g) => {
    const { model, bytes } = contractOf(fileOf(g));
    expect(validateProfile(bytes, 'cosmwasm')).toEqual([]);
    const host = new Host(bytes);
    expect(host.instantiate()).toEqual({ messages: [], attributes: [], events: [], data: null });
    const session = await createSession(model, { backend: 'reference' });
    const dims = model.symbols.map((s) => s.max);
    for (let seed = 1; seed <= 3; seed++) {
      const inputs = randomInputs(model, new Prng(seed), dims);
      const stored = model.inputs.map((d) => {
        const data = toBytes(inputs[d.name]!.data);
        return d.u8 ? data.map((b) => b ^ 128) : data;
      });
      const { outputs } = await session.run(inputs);
      const said = host.query(ask(stored)).ok!;
      if (ask(stored).includes('/')) slashes++;
      expect(host.query(ask(stored).replaceAll('/', '\\/')).ok).toBe(said); // as JSON may write it
      const answer = JSON.parse(Buffer.from(said, 'base64').toString()) as {
        outputs: readonly string[];
        gas: string;
      };
      expect(answer.gas).toBe(
        String(
          gasAt(
            model.cost,
            SCHEDULE_1,
            dims.map((d, i) => d - model.symbols[i]!.min),
          ),
        ),
      );
      model.outputs.forEach((o, i) => {
        const data = toBytes(outputs[o.name]!.data);
        const expected = Buffer.from(o.u8 ? data.map((b) => b ^ 128) : data).toString('base64');
        expect(answer.outputs[i], `${o.name}, seed ${seed}`).toBe(expected);
      });
    }
  });

  const { model, bytes } = contractOf(fileOf(MODELS.find((g) => loadModel(fileOf(g)).inputs.length === 1)!));
  const size = new Host(toWasm(model, {})).contract as unknown as { input_len(i: number): number };
  const good = ask([new Uint8Array(size.input_len(0))]);

  it('takes a message with blanks between its words', () => {
    const host = new Host(bytes);
    const plain = host.query(good);
    expect(plain.ok).toBeDefined();
    expect(host.query(` ${good.replaceAll(/([:{}[\],])/g, '\t$1\n ')}\r\n`)).toEqual(plain);
  });

  it('answers what is no message by an error', () => {
    const host = new Host(bytes);
    const text = Buffer.alloc(size.input_len(0)).toString('base64');
    for (const bad of ['', '{', '{}', 'null', '{"infer":{}}', '{"infer":{"inputs":[]}}', `${good}x`, good.slice(0, -1)])
      expect(host.query(bad).error, bad).toContain('the message is not {"infer"');
    for (const b of [
      '',
      text.slice(4),
      `${text}AAAA`,
      text.replace(/A/, '.'),
      text.replace(/A/, '-'),
      text.replace(/A/, '='),
    ])
      expect(host.query(ask([b])).error, b).toContain('another length, or is no base64');
    expect(host.query(good).ok).toBeDefined();
  });

  it('takes no escape but the slash', () => {
    expect(slashes).toBeGreaterThan(10); // messages above that have one
    const host = new Host(bytes);
    for (const wrong of ['\\A', '\\\\', '\\u002f', '\\'])
      expect(host.query(good.replace(/(inputs":\[")/, `$1${wrong}`)).error, wrong).toBeDefined();
    expect(host.query(good).ok).toBeDefined();
  });

  it('base64 has one form: bits that are left over are 0', () => {
    const rest = size.input_len(0) % 3;
    const text = Buffer.alloc(size.input_len(0)).toString('base64');
    if (rest === 0) expect(text.endsWith('=')).toBe(false);
    else expect(new Host(bytes).query(ask([text.replace(/A(=+)$/, 'B$1')])).error).toContain('no base64');
  });

  it('no bytes make it trap', () => {
    const host = new Host(bytes);
    const r = new Prng(5);
    const valid = utf8(good);
    for (let i = 0; i < 2000; i++) {
      const message = i % 2 ? valid.slice(0, r.below(valid.length + 1)) : valid.slice();
      for (let k = r.below(4); k > 0 && message.length > 0; k--)
        message[r.below(Math.min(message.length, 40))] = r.below(256);
      const { ok, error } = host.query(message);
      expect([ok, error].filter((v) => v !== undefined).length).toBe(1);
    }
    expect(host.query(good).ok).toBeDefined();
  });

  it('has no memory for a region beyond 4 GiB', () => {
    expect(new Host(bytes).contract.allocate(2 ** 32 - 1)).toBe(0);
  });

  it('has profile mvp', () => {
    expect(() => toWasm(model, { profile: 'simd128', contract: 'cosmwasm' })).toThrow(TypeError);
    expect(() => toWasm(model, { contract: 'near' as 'cosmwasm' })).toThrow(/cosmwasm/);
  });
});
