/**
 * `npm run example:recommend`: listening without a platform. A contract suggests ten tracks by a factorisation network over a listener's
 * history, and pays artists per play; recall and NDCG of the integers beside those of the floats.
 * @module
 */
import { createAddressFromString } from '@ethereumjs/util';
import Table from 'cli-table3';
import pc from 'picocolors';
import * as artifacts from '../artifacts.gen.ts';
import { createHost, enginesOf, PRECOMPILE } from '../host.ts';
import { listeners, ndcg, readModel, recall, TOP } from './model.ts';

/** Gas that a transaction with a suggestion may take. */
const BUDGET = 500_000n;
const PRICE = 10n ** 13n;
const PLAYS = 6;

function assert(ok: boolean, what: string): void {
  if (!ok) throw new Error(what);
}

const model = readModel();
const engines = await enginesOf(model);
const people = listeners();

// metrics, and the same suggestions on every engine
const sums = { recall: [0, 0], ndcg: [0, 0] };
for (const { seen, rest, float } of people) {
  const lists: number[][] = [];
  for (const engine of engines) {
    const { tracks, scores } = await engine.run({ played: seen });
    lists.push([...tracks!, ...scores!]);
  }
  assert(new Set(lists.map((l) => l.join())).size === 1, 'engines suggest different tracks');
  const top = lists[0]!.slice(0, TOP);
  assert(
    top.every((t) => seen[t] === 0),
    'a track that was played is suggested again',
  );
  for (const [i, list] of [float, top].entries()) {
    sums.recall[i]! += recall(list, rest) / people.length;
    sums.ndcg[i]! += ndcg(list, rest) / people.length;
  }
}
const table = new Table({ head: ['metric', 'float', 'integers', 'change'], style: { head: [], border: [] } });
for (const [name, [float, own]] of Object.entries(sums)) {
  const change = own! / float! - 1;
  table.push([`${name}@10`, float!.toFixed(4), own!.toFixed(4), `${(100 * change).toFixed(2)} %`]);
  assert(Math.abs(change) <= 0.01, `${name} is more than 1 % away from that of the floats`);
}
console.log(pc.bold('Listening without a platform\n'));
console.log(
  `${people.length} listeners: half of what each played is held out. ${engines.map((e) => e.name).join(', ')} agree.`,
);
console.log(table.toString());

// the contract
const { chain, keys } = await createHost([model]);
const owner = await chain.party('owner');
const makers = await Promise.all(Array.from({ length: 32 }, (_, i) => chain.party(`artist ${i}`)));
const args = [PRECOMPILE, keys[0]!, makers.map((m) => m.address.toString()), PRICE];
const radio = await chain.deploy(owner, artifacts.Radio, args);
const listener = await chain.party('listener');
const must = async (from: typeof owner, name: string, list: readonly unknown[], value = 0n) => {
  const sent = await radio.send(from, name, list, value);
  if (sent.error !== undefined) throw new Error(`${name}: ${sent.error}`);
  return sent;
};
assert((await radio.send(listener, 'play', [3])).error === 'NoPayment', 'a play without money went through');
const person = people[0]!;
const played = Array.from(person.seen.keys()).filter((t) => person.seen[t] === 1);
const deposit = PRICE * BigInt(played.length + PLAYS);
await must(listener, 'deposit', [], deposit);
for (const track of played) await must(listener, 'play', [track]);
console.log(`\nA listener played ${played.join(', ')}`);

const history = person.seen.slice();
let most = 0n;
for (let i = 0; i < PLAYS; i++) {
  const { tracks } = await engines[0]!.run({ played: history });
  const place = i % 3;
  const sent = await must(listener, 'playSuggested', [place]);
  const { track, artist } = sent.events[0]!.args as { track: number; artist: string };
  assert(track === tracks![place], 'the contract suggests something else than the reference');
  history[track] = 1;
  if (sent.gas > most) most = sent.gas;
  const held = person.rest[track] === 1 ? pc.green('one that was held out') : '';
  console.log(
    `  suggestion ${place + 1}: track ${String(track).padStart(3)}, pays artist ${artist.slice(0, 8)}… ${held}`,
  );
}
assert(most <= BUDGET, `a suggestion took ${most} gas`);
assert((await radio.send(listener, 'play', [3])).error === 'NoPayment', 'a play beyond the deposit went through');
assert(
  (await radio.send(listener, 'playSuggested', [TOP])).error === 'NoTrack',
  'a suggestion that is none was played',
);

// money
let paid = 0n;
for (const maker of makers) {
  const due = (await radio.call('balances', [maker.address.toString()])).value as bigint;
  paid += due;
  if (due === 0n) continue;
  await must(maker, 'withdraw', []);
  assert((await radio.send(maker, 'withdraw', [])).error === 'NoPayment', 'an artist was paid twice');
}
const left = await chain.balance(createAddressFromString(radio.address));
assert(paid === deposit && left === 0n, 'money was lost or made');
console.log(`${played.length + PLAYS} plays of ${PRICE} wei: the artists withdrew all ${paid} wei`);
console.log(
  `Gas of a transaction that suggests and plays: at most ${most.toLocaleString('en')} (budget ${BUDGET.toLocaleString('en')})`,
);
