/** Digests with the engine's SHA-256 and without it. */
import { afterEach, expect, test, vi } from 'vitest';
import { digestOf, hex, modelId, runDigest } from '../../src/core/digest.ts';

afterEach(() => vi.unstubAllGlobals());

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
const outputs = [
  { dtype: 'i16' as const, shape: [2, 3], data: Int16Array.of(1, -2, 3, -4, 5, -32768) },
  { dtype: 'u8' as const, shape: [2], data: Uint8Array.of(200, 3) },
];

/** Every digest of some bytes. */
function all(): string[] {
  const sizes = [0, 1, 55, 56, 64, 1000].map((n) => digestOf(bytes.subarray(0, n)));
  return [...sizes, modelId(bytes), runDigest(modelId(bytes), outputs)].map(hex);
}

test('SHA-256 of nothing and of abc', () => {
  expect(hex(digestOf(new Uint8Array(0)))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(hex(digestOf(new TextEncoder().encode('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('the same without an engine that hashes', () => {
  const native = all();
  vi.stubGlobal('process', undefined);
  expect(all()).toEqual(native);
});

test('a digest is a plain array of its own', () => {
  const digest = digestOf(bytes);
  expect(digest.constructor).toBe(Uint8Array);
  expect(digest.buffer.byteLength).toBe(32);
});
