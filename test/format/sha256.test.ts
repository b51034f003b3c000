/** SHA-256 against the one of Node, over lengths, splits and views. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { hex } from '../../src/core/digest.ts';
import { sha256 } from '../../src/core/sha256.ts';

function nodes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

it('the vectors of FIPS 180-4', () => {
  const of = (text: string): string => hex(sha256([new TextEncoder().encode(text)]));
  expect(of('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(of('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(of('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
  expect(of('a'.repeat(1_000_000))).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

it('every length up to five blocks, in parts that end anywhere, at any offset of a buffer', () => {
  for (let n = 0; n <= 320; n++) {
    const bytes = Uint8Array.from({ length: n + 3 }, (_, i) => i * 167 + n).subarray(3);
    const [p, q] = [(n * 7) % (n + 1), (n * 13) % (n + 1)].sort((a, b) => a - b) as [number, number];
    expect(hex(sha256([bytes])), String(n)).toBe(nodes(bytes));
    expect(hex(sha256([bytes.subarray(0, p), bytes.subarray(p, q), new Uint8Array(), bytes.subarray(q)]))).toBe(
      nodes(bytes),
    );
  }
});
