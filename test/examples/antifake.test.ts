import { encode } from 'fast-png';
import { keccak256, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { auc, detector, luma, score, shipped, squares, threshold } from '../../examples/antifake/detector.ts';
import * as artifacts from '../../examples/artifacts.gen.ts';
import { Chain } from '../../examples/chain.ts';
import { PRECOMPILE, Store } from '../../examples/stall.ts';
import { createPrecompile } from '../../src/evm.ts';
import { createSession } from '../../src/index.ts';

const { pictures, stated } = shipped();
const NO_RECEIPT = `0x${'00'.repeat(32)}`;

describe('antifake', () => {
  it('tells forgeries from authentic pictures, about as well as the float network', async () => {
    const session = await createSession(detector());
    const scores: number[] = [];
    for (const p of pictures) scores.push(await score(session, p));
    session.dispose();
    const integer = auc(scores.slice(0, 60), scores.slice(60));
    expect(integer).toBeGreaterThanOrEqual(0.85);
    expect(auc(stated.authentic, stated.forged) - integer).toBeLessThanOrEqual(0.01);
    expect(auc(stated.errorLevel.authentic, stated.errorLevel.forged)).toBeLessThan(integer);
  });

  it('decodes grey and coloured files to pinned integers', () => {
    const image = { width: 2, height: 1, depth: 8 } as const;
    const grey = encode({ ...image, channels: 1, data: Uint8Array.of(7, 255) });
    expect([...luma(grey).data]).toEqual([7, 255]);
    const colour = encode({ ...image, channels: 3, data: Uint8Array.of(255, 0, 0, 1, 2, 3) });
    expect([...luma(colour).data]).toEqual([77, 2]);
    expect(() => luma(encode({ ...image, depth: 16, channels: 1, data: Uint16Array.of(7, 8) }))).toThrow(RangeError);
    expect(() => luma(Uint8Array.of(1, 2, 3))).toThrow();
    const spoilt = grey.slice();
    spoilt[spoilt.length - 20]! ^= 1;
    expect(() => luma(spoilt)).toThrow();
  });

  it('cuts squares at multiples of 128', () => {
    const data = Uint8Array.from({ length: 300 * 130 }, (_, i) => i % 251);
    const cut = squares({ width: 300, height: 130, data });
    expect(cut).toHaveLength(2);
    expect(cut[1]![128]).toBe(data[300 + 128]);
    expect(squares({ width: 127, height: 500, data: new Uint8Array(127 * 500) })).toEqual([]);
  });

  it('stores verdicts once, and sequences of judged frames only', async () => {
    const model = detector();
    const store = new Store();
    const key = await store.add(model);
    const chain = await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }], {
      gasLimit: 60_000_000n,
    });
    const by = await chain.party('reporter');
    const least = threshold(model, stated);
    const registry = await chain.deploy(by, artifacts.Antifake, [PRECOMPILE, key, BigInt(least)]);
    const [a, f] = [pictures[0]!, pictures[64]!];
    const session = await createSession(model);
    const scores = [await score(session, a), await score(session, f)];
    session.dispose();
    for (const [i, p] of [a, f].entries()) {
      const sent = await registry.send(by, 'judge', [toHex(p), NO_RECEIPT]);
      expect(sent.events[0]!.args).toMatchObject({ score: BigInt(scores[i]!), forged: scores[i]! >= least });
    }
    const [ha, hf] = [keccak256(a), keccak256(f)];
    expect((await registry.send(by, 'judge', [toHex(a), NO_RECEIPT])).error).toBe('Judged');
    expect((await registry.send(by, 'judge', [toHex(a.subarray(1)), NO_RECEIPT])).error).toBeDefined();
    expect((await registry.send(by, 'judgeSequence', [[]])).error).toBe('NotJudged');
    expect((await registry.send(by, 'judgeSequence', [[ha, keccak256(pictures[1]!)]])).error).toBe('NotJudged');
    const { events } = await registry.send(by, 'judgeSequence', [[ha, hf]]);
    expect(events[0]!.args['score']).toBe(BigInt(Math.trunc((scores[0]! + scores[1]!) / 2)));
    expect((await registry.send(by, 'judgeSequence', [[ha, hf]])).error).toBe('Judged');
    expect((await registry.send(by, 'judgeSequence', [[hf, ha]])).error).toBeUndefined();
  });
});
