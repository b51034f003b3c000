/** The example `fare`: engines price rides alike, as well as the floats do, and the contract punishes who is wrong. */
import { toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import * as artifacts from '../../examples/artifacts.gen.ts';
import { priceOf, readModel, rideOf, trips } from '../../examples/fare/model.ts';
import { createHost, enginesOf, PRECOMPILE } from '../../examples/host.ts';
import { toBytes } from '../../src/core/tensor.ts';

const model = readModel();
const DEPOSIT = 5n * 10n ** 16n;
const MOST = 2n * 10n ** 17n;

describe('fare', () => {
  it('is the same on three engines, and as good as the float network’s', async () => {
    const engines = await enginesOf(model);
    const errors = [0, 0];
    for (const { features, paid, float } of trips()) {
      const ride = rideOf(model, features);
      const raws = await Promise.all(engines.map(async (e) => (await e.run({ ride }))['price']![0]!));
      expect(new Set(raws).size).toBe(1);
      errors[0]! += Math.abs(float - paid);
      errors[1]! += Math.abs(priceOf(model, raws[0]!) - paid);
    }
    expect(Math.abs(errors[1]! / errors[0]! - 1)).toBeLessThan(0.01);
  });

  it('is settled for every pair of claims: nothing is lost, and only the wrong one pays', async () => {
    const { chain, keys } = await createHost([model]);
    const [rider, driver] = [await chain.party('rider'), await chain.party('driver')];
    const fare = await chain.deploy(rider, artifacts.Fare, [PRECOMPILE, keys[0]!, 10n ** 12n]);
    const ride = rideOf(model, trips()[5]!.features);
    const input = toHex(toBytes(ride));
    const raw = (await (await enginesOf(model))[0]!.run({ ride }))['price']![0]!;
    const cost = (await fare.call('fareOf', [raw])).value as bigint;
    const claims = [undefined, raw, raw + 1, -5] as const;
    const owed = [0n, 0n];
    let id = 0;
    for (const a of claims)
      for (const b of claims) {
        expect((await fare.poke(rider, 'open', [input], DEPOSIT + MOST)).error).toBeUndefined();
        expect((await fare.poke(driver, 'accept', [id], DEPOSIT)).error).toBeUndefined();
        if (a !== undefined) expect((await fare.poke(rider, 'claim', [id, a])).error).toBeUndefined();
        if (b !== undefined) expect((await fare.poke(driver, 'claim', [id, b])).error).toBeUndefined();
        if (a === undefined || b === undefined) {
          expect((await fare.poke(rider, 'settle', [id, input])).error).toBe('NotNow');
          chain.advance(3601n);
        }
        const agreed = a !== undefined && a === b;
        expect((await fare.poke(rider, 'settle', [id, input])).error).toBe(agreed ? 'NotNow' : undefined);
        expect((await fare.poke(rider, 'settle', [id, input])).error).toBe('NotNow');
        const price = agreed ? ((await fare.call('fareOf', [a])).value as bigint) : cost;
        const penalty = agreed || (a === raw) === (b === raw) ? 0n : a === raw ? DEPOSIT : -DEPOSIT;
        owed[0]! += DEPOSIT + MOST - price + penalty;
        owed[1]! += DEPOSIT + price - penalty;
        for (const [i, p] of [rider, driver].entries())
          expect((await fare.call('balances', [p.address.toString()])).value).toBe(owed[i]);
        id++;
      }
    expect(owed[0]! + owed[1]!).toBe(BigInt(id) * (2n * DEPOSIT + MOST));
  });

  it('a ride that nobody accepted goes back to its rider, once', async () => {
    const { chain, keys } = await createHost([model]);
    const [rider, other] = [await chain.party('rider'), await chain.party('other')];
    const fare = await chain.deploy(rider, artifacts.Fare, [PRECOMPILE, keys[0]!, 1n]);
    await fare.poke(rider, 'open', ['0x00'], DEPOSIT + MOST);
    expect((await fare.poke(other, 'cancel', [0])).error).toBe('NotNow');
    expect((await fare.poke(rider, 'cancel', [0])).error).toBeUndefined();
    expect((await fare.poke(rider, 'cancel', [0])).error).toBe('NotNow');
    expect((await fare.poke(other, 'accept', [0], DEPOSIT)).error).toBe('NotNow');
  });
});
