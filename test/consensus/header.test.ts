/** Headers and receipts: bytes and back, hashes of known answer, gas from the header alone. */
import { describe, expect, it } from 'vitest';
import { commit } from '../../src/consensus/commitment.ts';
import {
  costAt,
  decodeHeader,
  decodeReceipt,
  encodeHeader,
  encodeReceipt,
  headerGas,
  headerHash,
  headerOf,
  provesHeader,
  receiptHash,
} from '../../src/consensus/header.ts';
import { decodeLeaf, encodeLeaf } from '../../src/consensus/leaf.ts';
import {
  depthOf,
  emptyRoot,
  leafHash,
  openLeaves,
  rootOf,
  treeOfChunks,
  treeOver,
} from '../../src/consensus/merkle.ts';
import { gasAt, SCHEDULE_1 } from '../../src/core/cost.ts';
import { hex } from '../../src/core/digest.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { fileOf, MODELS } from '../support/golden-models.ts';
import { Prng } from '../support/prng.ts';

describe('headers, leaves and receipts of the golden models', () => {
  it.each(MODELS.map((g) => [g.name, g] as const))('%s', (_, g) => {
    const c = commit(loadModel(fileOf(g)));
    const header = headerOf(c);
    const bytes = encodeHeader(header);
    expect(encodeHeader(decodeHeader(bytes))).toEqual(bytes);
    expect(headerHash(decodeHeader(bytes))).toEqual(headerHash(header));
    expect(provesHeader(bytes, c)).toBe(true);
    bytes[bytes.length - 1]! ^= 1;
    expect(provesHeader(bytes, c)).toBe(false);
    for (const leaf of c.leaves) expect(encodeLeaf(decodeLeaf(leaf))).toEqual(leaf);
    for (const { dims } of g.runs) {
      const t = dims.map((d, i) => d - header.symbols[i]!.min);
      expect(headerGas(header, SCHEDULE_1, dims)).toBe(gasAt(c.model.cost, SCHEDULE_1, t));
      const root = (n: number): Uint8Array => new Uint8Array(32).fill(n);
      const receipt = {
        headerHash: headerHash(header),
        dims,
        inputRoot: root(1),
        outputRoot: root(2),
        traceRoot: root(3),
        cost: costAt(header, dims),
      };
      expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt);
      expect(receiptHash('sha256', receipt)).not.toEqual(receiptHash('keccak256', receipt));
    }
  });

  it('bytes of a stranger are refused with a RangeError', () => {
    const c = commit(loadModel(fileOf(MODELS[0]!)));
    const bytes = encodeHeader(headerOf(c));
    const r = new Prng(1);
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const bad = bytes.slice(0, i % 3 === 0 ? 32 * r.below(bytes.length / 32) : bytes.length);
      if (bad.length > 0) bad[r.below(bad.length)] = r.below(256);
      for (const decode of [decodeHeader, decodeReceipt, decodeLeaf])
        try {
          decode(bad);
        } catch (e) {
          expect(e).toBeInstanceOf(RangeError);
          refused++;
        }
    }
    expect(refused).toBeGreaterThan(900);
    expect(() => headerGas(headerOf(c), SCHEDULE_1, [1])).toThrow(RangeError);
  });
});

describe('trees', () => {
  it('known answers', () => {
    expect(hex(leafHash('keccak256', new Uint8Array()))).toBe(
      'bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a', // keccak256 of one zero byte
    );
    expect(hex(leafHash('sha256', new Uint8Array()))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', // sha256 of one zero byte
    );
    expect(treeOver('keccak256', []).root).toEqual(new Uint8Array(32));
  });

  it('openings of any leaves lead to the root, and no other does', () => {
    const r = new Prng(7);
    for (let n = 1; n <= 40; n++) {
      const tree = treeOfChunks(
        n % 2 === 0 ? 'keccak256' : 'sha256',
        Uint8Array.from({ length: 32 * n - 5 }, () => r.below(256)),
      );
      const depth = depthOf(n);
      expect(2 ** depth).toBeGreaterThanOrEqual(n);
      const wanted = Array.from({ length: 1 + r.below(n) }, () => r.below(n));
      const opening = openLeaves(tree, wanted);
      const leaves = opening.indices.map((i) => tree.levels[0]!.slice(32 * i, 32 * i + 32));
      expect(rootOf(tree.hash, depth, opening, leaves)).toEqual(tree.root);
      expect(rootOf(tree.hash, depth, opening, leaves.slice(1))).toBeUndefined();
      const { indices, siblings } = opening;
      expect(rootOf(tree.hash, depth, { indices, siblings: [...siblings, leaves[0]!] }, leaves)).toBeUndefined();
      if (siblings.length > 0)
        expect(rootOf(tree.hash, depth, { indices, siblings: siblings.slice(1) }, leaves)).toBeUndefined();
      const shifted = { indices: indices.map((i) => i + 1), siblings };
      expect(rootOf(tree.hash, depth, shifted, leaves)).not.toEqual(tree.root);
      expect(rootOf(tree.hash, depth, { indices: [2 ** depth], siblings }, leaves.slice(0, 1))).toBeUndefined();
    }
    expect(emptyRoot('sha256', 3)).toHaveLength(32);
  });
});
