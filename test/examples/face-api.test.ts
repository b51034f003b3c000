import { describe, expect, it } from 'vitest';
import * as artifacts from '../../examples/artifacts.gen.ts';
import { serve } from '../../examples/face-api/api.ts';
import {
  cosine,
  crop,
  detect,
  embed,
  errorRates,
  heldOut,
  model,
  scenes,
  stated,
} from '../../examples/face-api/faces.ts';
import { Stall } from '../../examples/stall.ts';
import { createSession } from '../../src/index.ts';

describe('face-api', () => {
  it('errs about as often as the float network', async () => {
    const session = await createSession(model('recogniser'));
    const embeddings: Int16Array[] = [];
    for (const face of heldOut()) embeddings.push((await embed(session, face)).slice());
    session.dispose();
    const { people, errorRate } = stated();
    expect(Math.abs(errorRates(embeddings, people, 0).equal - errorRate)).toBeLessThanOrEqual(0.005);
  });

  it('measures an equal error rate', () => {
    const [a, b] = [Int16Array.of(9, 1), Int16Array.of(1, 9)];
    expect(errorRates([a, a, b, b], [0, 0, 1, 1], 0.9)).toEqual({ equal: 0, falseAccepts: 0, falseRejects: 0 });
    expect(errorRates([a, b, a, b], [0, 0, 1, 1], 0.9).equal).toBeGreaterThan(0.4);
  });

  it('finds faces, and none where there is none', async () => {
    const session = await createSession(model('yunet'));
    const square = await detect(session, scenes()[0]!);
    expect(square?.side).toBeGreaterThan(20);
    expect(await detect(session, new Uint8Array(160 * 120).fill(90))).toBeUndefined();
    session.dispose();
  });

  it('crops by rounded means, beyond the edge too', () => {
    const flat = new Uint8Array(160 * 120).fill(7);
    expect(new Set(crop(flat, { x: -20, y: 90, side: 61 }))).toEqual(new Set([7]));
    const one = flat.slice();
    one[0] = 255;
    expect(crop(one, { x: 0, y: 0, side: 96 })[0]).toBe(Math.floor((255 + 21 + 2) / 4));
    expect(crop(one, { x: 0, y: 0, side: 24 }).subarray(0, 3)).toEqual(Uint8Array.of(255, 255, 7));
  });

  it('opens the door for who is enrolled, pays for each call, and refuses what is not paid or not his', async () => {
    const recogniser = model('recogniser');
    const stall = await Stall.open();
    const [author, wallet, other] = await Promise.all(['author', 'wallet', 'other'].map((n) => stall.chain.party(n)));
    await stall.publish(author!, recogniser, 'embed a face', 5n);
    const least = BigInt(Math.round(1e4 * stated().threshold));
    const door = await stall.chain.deploy(wallet!, artifacts.Door, [
      stall.market.address,
      stall.find('embed a face').header,
      least,
    ]);
    const [a, b] = [heldOut()[0]!, heldOut().at(-1)!];
    const { server, url } = await serve(door, wallet!, 5n);
    const post = async (path: string, body: Uint8Array) => {
      const response = await fetch(`${url}/${path}`, { method: 'POST', body: Buffer.from(body) });
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect(await post('verify/a', a)).toEqual({ status: 404, error: 'NotEnrolled' });
    expect(await post('enrol/a', a)).toMatchObject({ status: 200, paid: '5' });
    expect(await post('verify/a', a)).toMatchObject({ status: 200, accepted: true });
    const session = await createSession(recogniser);
    const [ea, eb] = [(await embed(session, a)).slice(), (await embed(session, b)).slice()];
    session.dispose();
    const expected = Math.max(0, Math.floor(1e4 * cosine(ea, eb))) / 1e4;
    expect(await post('verify/a', b)).toMatchObject({ accepted: false, similarity: expected, paid: '5' });
    expect((await post('enrol/a', a.subarray(1))).status).toBe(400);
    expect((await post('enrol/a', new Uint8Array(5000))).status).toBe(400);
    expect((await post('open/a', a)).status).toBe(404);
    server.close();
    const name = `0x61${'00'.repeat(31)}`;
    const face = `0x${Buffer.from(a).toString('hex')}`;
    expect((await door.send(other!, 'enrol', [name, face], 5n)).error).toBe('Taken');
    expect((await door.send(wallet!, 'enrol', [name, face], 4n)).error).toBe('WrongPayment');
    expect((await stall.market.call('balances', [author!.address.toString()])).value).toBe(15n);
  });
});
