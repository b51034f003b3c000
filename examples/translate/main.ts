/**
 * `npm run example:translate`: a translator from English to German, bought by the phrase on the market. One call is a whole
 * translation: the twenty steps of the decoder are in the graph, each one takes the word that the step before chose.
 * `npm run example:translate -- "Tuesday, March 3, 1987"` translates what it is given.
 * @module
 */
import Table from 'cli-table3';
import pc from 'picocolors';
import { createSession, hex, type Model } from '../../src/index.ts';
import { must, Stall } from '../stall.ts';
import { decode, encode, type HeldOut, heldOut, translate, translator } from './translator.ts';

const PRICE = 2n * 10n ** 14n;
const PHRASES = [
  'Tuesday, March 3, 1987',
  'four thousand seven hundred eleven',
  'Norway, Peru, and Switzerland',
  'Irish, Finnish, or Basque',
  '312 Swiss francs',
  'in 9 weeks',
];

function bytesOf(data: Int32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Held-out phrases that the integer network has right, that the float network has right, and where they agree. */
async function measure(model: Model): Promise<void> {
  const session = await createSession(model);
  const table = new Table({
    head: ['held out', 'phrases', 'float right', 'integer right', 'integer as float'],
    style: { head: [], border: [] },
  });
  const counts = new Map<string, [all: number, float: number, integer: number, same: number]>();
  for (const p of heldOut()) {
    const text = decode(await translate(session, p.english));
    for (const kind of [p.kind, 'all']) {
      const c = counts.get(kind) ?? [0, 0, 0, 0];
      counts.set(kind, c);
      c[0]++;
      c[1] += Number(p.float === p.german);
      c[2] += Number(text === p.german);
      c[3] += Number(text === p.float);
    }
  }
  session.dispose();
  const total = counts.get('all')!;
  counts.delete('all');
  for (const [kind, c] of [...counts, ['all', total] as const]) table.push([kind, ...c]);
  console.log(table.toString());
  if (total[3] < 0.95 * total[0]) throw new Error(`${total[3]} of ${total[0]} are as the float network has them`);
}

/** One phrase of each kind on the reference and on WebAssembly. */
async function engines(model: Model): Promise<void> {
  const list = new Map(heldOut().map((p): [string, HeldOut] => [p.kind, p]));
  const digests = new Set<string>();
  for (const backend of ['reference', 'wasm'] as const) {
    const session = await createSession(model, { backend });
    const ids: number[] = [];
    for (const p of list.values()) ids.push(...(await translate(session, p.english)));
    session.dispose();
    digests.add(ids.join());
  }
  if (digests.size !== 1) throw new Error('two engines translate differently');
  console.log(`\nThe same ${list.size} translations on reference and wasm.`);
}

async function main(): Promise<void> {
  const model = translator();
  console.log(pc.bold('A translator that is paid by the phrase'));
  console.log(`model ${hex(model.id).slice(0, 16)}…\n`);
  const stall = await Stall.open();
  const [author, buyer] = [await stall.chain.party('author'), await stall.chain.party('buyer')];
  await stall.publish(author, model, 'translate en-de', PRICE);
  const offer = stall.find('translate en-de');
  const given = process.argv.slice(2);
  const phrases = given.length > 0 ? given : PHRASES;

  const session = await createSession(model);
  const table = new Table({ head: ['English', 'German, by the chain', 'gas'], style: { head: [], border: [] } });
  for (const phrase of phrases) {
    const mine = await translate(session, phrase);
    const bought = await stall.buy(buyer, offer, bytesOf(encode(phrase)), bytesOf(mine));
    table.push([phrase, decode(mine), String(bought.gas)]);
  }
  session.dispose();
  console.log(table.toString());

  const { value: due } = await stall.market.call('balances', [author.address.toString()]);
  if (due !== PRICE * BigInt(phrases.length)) throw new Error(`the author is due ${due}`);
  must(await stall.market.send(author, 'withdraw', []), 'withdraw');
  console.log(`The author withdraws ${due} wei for ${phrases.length} phrases.\n`);

  await measure(model);
  await engines(model);
}

await main();
