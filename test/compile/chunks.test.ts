/** Weights in chunks: the bits of a whole module, and what a host may do wrong. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/compile/inspect.ts';
import { validateProfile } from '../../src/compile/validate-profile.ts';
import { type Profile, toWasm, toWasmChunks } from '../../src/compile/wasm.ts';
import { encodeModel } from '../../src/format/encode.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { type Chunked, compiled, instanceOf, loadChunks } from '../support/compiled.ts';
import { compareBackends } from '../support/differential.ts';
import { checkRuns, fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';
import { randomGraph } from '../support/recipes.ts';

const SEED = Number(process.env['SAMEBIT_SEED'] ?? 20_000_000);
const GRAPHS = Number(process.env['SAMEBIT_GRAPHS'] ?? 60);
const PROFILES: readonly Profile[] = ['simd128', 'mvp'];
const LEAST = 1024;

const mnist = loadModel(fileOf(MODELS.find((g) => g.name.startsWith('a classifier of images'))!));
const chunkedInstance = (bytes: Uint8Array<ArrayBuffer>): Chunked => instanceOf(bytes) as Chunked;
const image = (m: Chunked): Uint8Array => new Uint8Array(m.memory.buffer).slice();
const outputOf = (m: Chunked): Uint8Array => image(m).slice(m.output_ptr(0), m.output_ptr(0) + m.output_len(0));

describe.each(PROFILES)('%s', (profile) => {
  it.each(MODELS.map((g) => [g.name, g] as const))('%s', async (_, g) => {
    await checkRuns(g, compiled(profile, undefined, LEAST));
  });

  it(`${GRAPHS} random graphs, seed ${SEED}`, async () => {
    const r = new Prng(SEED);
    for (let i = 0; i < GRAPHS; i++) {
      const model = loadModel(encodeModel(randomGraph(SEED + 8_000_000 + i)));
      const budget = i % 2 === 0 ? undefined : (): bigint => BigInt(r.below(1000));
      const lanes = ['reference', compiled(profile, budget, LEAST + r.below(5000))] as const;
      expect(await compareBackends(model, SEED + i, lanes, 2), `seed ${SEED + 8_000_000 + i}`).toBeNull();
    }
  });

  it('cuts what a module has beyond its code and tables, and keeps the rules of its profile', () => {
    for (const chunkBytes of [LEAST, LEAST + 1, 20_000, 2 ** 40]) {
      const { module, chunks } = toWasmChunks(mnist, { profile, chunkBytes });
      expect(validateProfile(module, profile)).toEqual([]);
      if (profile === 'mvp') expect(validateProfile(module, 'near')).toEqual([]);
      expect(inspect(module).dataBytes).toBeLessThan(4000 + 32 * chunks.length);
      expect(chunks.slice(0, -1).every((c) => c.length === chunkBytes)).toBe(true);
      expect(Math.max(...chunks.map((c) => c.length))).toBeLessThanOrEqual(chunkBytes);
      const m = chunkedInstance(module);
      expect(m.chunk_count()).toBe(chunks.length);
      chunks.forEach((c, i) => {
        expect(m.chunk_len(i)).toBe(c.length);
        const digest = image(m).slice(m.chunk_digest(i), m.chunk_digest(i) + 32);
        expect(Buffer.from(digest).toString('hex')).toBe(createHash('sha256').update(c).digest('hex'));
      });
      expect(m.gas()).toBe(chunkedInstance(toWasm(mnist, { profile })).gas());
    }
  });

  const { module, chunks } = toWasmChunks(mnist, { profile, chunkBytes: 5000 });

  it('no run before every chunk is there', () => {
    const m = chunkedInstance(module);
    for (const i of chunks.keys()) {
      const before = image(m);
      expect([m.infer(), m.step(5n), m.step(0n)]).toEqual([-4, -4, -4]);
      expect(Buffer.compare(image(m), before)).toBe(0);
      new Uint8Array(m.memory.buffer).set(chunks[i]!, m.chunk_ptr(i));
      expect(m.infer()).toBe(-4);
      expect(m.load_chunk(i, chunks[i]!.length)).toBe(0);
    }
    expect(m.infer()).toBe(0);
    const whole = chunkedInstance(toWasm(mnist, { profile }));
    expect(whole.infer()).toBe(0);
    expect(outputOf(m)).toEqual(outputOf(whole));
  });

  it('a wrong index or length is refused, and the memory stays', () => {
    const m = chunkedInstance(module);
    const n = chunks.length;
    loadChunks(m, chunks);
    const before = image(m);
    for (const i of [n, n + 1, -1, 2 ** 31, 2 ** 30]) {
      expect([m.chunk_ptr(i), m.chunk_len(i), m.chunk_digest(i)]).toEqual([0, 0, 0]);
      expect(m.load_chunk(i, 5000)).toBe(-3);
    }
    for (const [i, c] of chunks.entries())
      for (const bytes of [0, -1, c.length - 1, c.length + 1]) expect(m.load_chunk(i, bytes)).toBe(-1);
    expect(Buffer.compare(image(m), before)).toBe(0);
    expect(m.infer()).toBe(0);
  });

  it('other bytes are refused, also where the right ones were there; the right ones may come again', () => {
    const m = chunkedInstance(module);
    loadChunks(m, chunks);
    expect(m.infer()).toBe(0);
    const expected = outputOf(m);
    const r = new Prng(3);
    for (const [i, c] of chunks.entries()) {
      const memory = new Uint8Array(m.memory.buffer);
      for (const at of [0, c.length - 1, r.below(c.length)]) {
        memory[m.chunk_ptr(i) + at]! ^= 1 << r.below(8);
        expect(m.load_chunk(i, c.length)).toBe(-5);
        expect(m.load_chunk(i, c.length)).toBe(-5);
        expect([m.infer(), m.step(1n)]).toEqual([-4, -4]);
        memory.set(c, m.chunk_ptr(i));
        expect(m.infer()).toBe(-4);
        expect([m.load_chunk(i, c.length), m.load_chunk(i, c.length), m.infer()]).toEqual([0, 0, 0]);
      }
    }
    expect(outputOf(m)).toEqual(expected);
  });

  it('a run under way goes on where a chunk comes again, and stands while one is missing', () => {
    const m = chunkedInstance(module);
    loadChunks(m, chunks);
    const other = chunkedInstance(module);
    loadChunks(other, chunks);
    expect(other.infer()).toBe(0);
    expect(m.step(1n)).toBe(1);
    new Uint8Array(m.memory.buffer)[m.chunk_ptr(0)]! ^= 1;
    expect(m.load_chunk(0, chunks[0]!.length)).toBe(-5);
    expect(m.step(1n)).toBe(-4);
    loadChunks(m, chunks);
    while (m.step(1n) === 1);
    expect(outputOf(m)).toEqual(outputOf(other));
  });
});

it('lengths around the blocks of SHA-256', () => {
  for (let n = 0; n < 70; n++) {
    const weights = Int8Array.from({ length: 1100 + n }, (_, i) => (i * 31 + n) % 120);
    const t = { dtype: 'i8', zp: 0, lo: -128, hi: 127 } as const;
    const model = loadModel(
      encodeModel({
        symbols: [],
        inputs: [{ name: 'x', ...t, shape: [weights.length] }],
        constants: [{ dtype: 'i8', zp: 0, shape: [weights.length], data: weights }],
        nodes: [{ op: 'linear2', inputs: [0, 1], attrs: { ma: 1, mb: 1, s: 1, output: t } }],
        outputs: [{ name: 'y', tensor: 2 }],
        states: [],
      } as never),
    );
    const { module, chunks } = toWasmChunks(model, { chunkBytes: 1024 + n });
    const m = chunkedInstance(module);
    loadChunks(m, chunks);
    expect(m.infer()).toBe(0);
    expect(outputOf(m)).toEqual(
      outputOf(
        (() => {
          const whole = chunkedInstance(toWasm(model));
          whole.infer();
          return whole;
        })(),
      ),
    );
  }
});

it('takes chunks from 1024 bytes, and no contract', () => {
  for (const chunkBytes of [1023, 0, -1, 1.5, Number.NaN, undefined])
    expect(() => toWasmChunks(mnist, { chunkBytes: chunkBytes as number })).toThrow(TypeError);
  expect(() => toWasmChunks(mnist, { chunkBytes: 5000, contract: 'cosmwasm' } as never)).toThrow(/contract/);
  expect(() => toWasm(mnist, { chunkBytes: 5000 } as never)).toThrow(/chunkBytes/);
});
