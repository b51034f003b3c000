/**
 * `npm run example:face-api`: a face recogniser from its author to a door. It is published and found on the market, called through an
 * HTTP API, and paid for call by call: faces are found in scenes on the client, enrolled and verified by a contract.
 * @module
 */
import Table from 'cli-table3';
import pc from 'picocolors';
import { createSession, hex, type Session } from '../../src/index.ts';
import * as artifacts from '../artifacts.gen.ts';
import { must, Stall } from '../stall.ts';
import { type Answer, serve } from './api.ts';
import { crop, detect, embed, errorRates, heldOut, model, scenes, stated } from './faces.ts';

const PRICE = 10n ** 14n;
const NAMES = ['ada', 'ben', 'cleo', 'dora', 'emil', 'finn'];
const PICTURES = 3;

/** The face of every scene, found by the detector on this machine. */
async function findFaces(): Promise<Uint8Array[]> {
  const session = await createSession(model('yunet'));
  const faces: Uint8Array[] = [];
  for (const scene of scenes()) {
    const square = await detect(session, scene);
    if (square === undefined) throw new Error(`no face in scene ${faces.length}`);
    faces.push(crop(scene, square));
  }
  session.dispose();
  return faces;
}

async function post(url: string, face: Uint8Array): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: Buffer.from(face) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** Enrols the first picture of everybody; has the others verified under the right name and under the next one. Returns the calls made. */
async function story(url: string, faces: readonly Uint8Array[]): Promise<number> {
  const table = new Table({
    head: ['at the door', 'says to be', 'cosine', 'answer', 'gas'],
    style: { head: [], border: [] },
  });
  for (const [i, name] of NAMES.entries()) await post(`${url}/enrol/${name}`, faces[i * PICTURES]!);
  let [calls, refused, strangers] = [NAMES.length, 0, 0];
  for (const [i, name] of NAMES.entries())
    for (let n = 1; n < PICTURES; n++)
      for (const claimed of [name, NAMES[(i + n) % NAMES.length]!]) {
        const { accepted, similarity, gas } = await post(`${url}/verify/${claimed}`, faces[i * PICTURES + n]!);
        calls++;
        const right = accepted === (claimed === name);
        if (!right && claimed === name) refused++;
        else if (!right) strangers++;
        const answer = accepted ? 'open' : 'closed';
        table.push([name, claimed, similarity!.toFixed(4), right ? pc.green(answer) : pc.red(`${answer}: wrong`), gas]);
      }
  console.log(table.toString());
  console.log(
    `${calls - NAMES.length} answers: ${refused} people refused as themselves, ${strangers} strangers let in`,
  );
  if (strangers > 0 || refused > 2) throw new Error('the door errs more often than it did');
  const unknown = await fetch(`${url}/verify/nobody`, { method: 'POST', body: Buffer.from(faces[0]!) });
  if (unknown.status !== 404) throw new Error('a name that nobody enrolled was verified');
  return calls;
}

/** Error rates over all pairs of the held-out faces. */
async function measure(session: Session): Promise<void> {
  const { people, detected, errorRate, threshold } = stated();
  const embeddings: Int16Array[] = [];
  for (const face of heldOut()) embeddings.push((await embed(session, face)).slice());
  const { equal: rate, falseAccepts, falseRejects } = errorRates(embeddings, people, threshold);
  const percent = (r: number): string => `${(100 * r).toFixed(2)} %`;
  console.log(
    `\nHeld out: ${new Set(people).size} people, ${people.length} faces (detected in ${detected[0]} of ${detected[1]} scenes).`,
  );
  console.log(`Equal error rate: float ${percent(errorRate)}, integer ${percent(rate)}`);
  console.log(
    `At a cosine of ${threshold.toFixed(4)}: ${percent(falseAccepts)} of strangers let in, ${percent(falseRejects)} of people refused as themselves`,
  );
  if (Math.abs(rate - errorRate) > 0.005) throw new Error('the integer network is more than half a point from float');
}

/** Faces and embeddings of the first scenes on the reference and on WebAssembly. */
async function engines(): Promise<void> {
  const found = new Set<string>();
  const scene = scenes()[0]!;
  for (const backend of ['reference', 'wasm'] as const) {
    const [eye, mind] = [
      await createSession(model('yunet'), { backend }),
      await createSession(model('recogniser'), { backend }),
    ];
    const square = (await detect(eye, scene))!;
    found.add(`${square.x},${square.y},${square.side}: ${(await embed(mind, crop(scene, square))).slice(0, 6).join()}`);
    eye.dispose();
    mind.dispose();
  }
  if (found.size !== 1) throw new Error('two engines see different faces');
  console.log(`Square and embedding of the first scene, the same on reference and wasm: ${[...found][0]}…`);
}

async function main(): Promise<void> {
  const recogniser = model('recogniser');
  console.log(pc.bold('A face recogniser, from its author to a door'));
  console.log(`detector ${hex(model('yunet').id).slice(0, 16)}…  recogniser ${hex(recogniser.id).slice(0, 16)}…\n`);
  const stall = await Stall.open();
  const [author, wallet] = [await stall.chain.party('author'), await stall.chain.party('gateway')];
  await stall.publish(author, recogniser, 'embed a face', PRICE);
  const offer = stall.find('embed a face');
  const least = BigInt(Math.round(1e4 * stated().threshold));
  const door = await stall.chain.deploy(wallet, artifacts.Door, [stall.market.address, offer.header, least]);
  const { server, url } = await serve(door, wallet, offer.price);
  console.log(
    `found on the market at ${offer.price} wei a call; door ${door.address}, opens from a cosine of ${Number(least) / 1e4} on; API ${url}\n`,
  );

  const calls = await story(url, await findFaces());
  server.close();
  const { value: due } = await stall.market.call('balances', [author.address.toString()]);
  if (due !== offer.price * BigInt(calls)) throw new Error(`the author is due ${due} for ${calls} calls`);
  must(await stall.market.send(author, 'withdraw', []), 'withdraw');
  console.log(`The author withdraws ${due} wei for ${calls} calls.`);

  const session = await createSession(recogniser);
  await measure(session);
  session.dispose();
  await engines();
}

await main();
