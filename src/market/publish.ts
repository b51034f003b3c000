/**
 * Putting a model on offer (spec/50-market.md §2), one step after the other: each looks at the chain for what is done already.
 * @module
 */
import { encodeHeader } from '../consensus/header.ts';
import { type Hex, toHex } from '../evm.ts';
import { type Contract, type Party, same } from './client.ts';
import { MarketError } from './errors.ts';
import type { Held } from './runs.ts';

/** What an author says of a model. */
export interface Terms {
  /** Wei of a call. */
  readonly price: bigint;
  /** Content root and bytes of the body. */
  readonly content: Hex;
  readonly size: number;
  readonly task: string;
  readonly uri: string;
}

/** Where a model is published. */
export interface Stand {
  readonly market: Contract;
  readonly registry: Contract;
}

/** A model on offer as the contract has it. */
export interface Offer {
  readonly author: Hex;
  readonly calls: bigint;
  readonly held: number;
  readonly closed: boolean;
  readonly price: bigint;
  readonly content: Hex;
}

/** An offer; its author is 0 where there is none. */
export async function readOffer(market: Contract, key: Hex): Promise<Offer> {
  const [author, calls, held, closed, price, content] = await market.read<
    readonly [Hex, bigint, number, boolean, bigint, Hex]
  >('listings', [key]);
  return { author, calls, held, closed, price, content };
}

/** True if an address is not 0. */
export function isSomebody(address: Hex): boolean {
  return /[1-9a-f]/i.test(address.slice(2));
}

/**
 * Does the next step: commit, then register and list once the commitment is old enough; a listed model gets the price that is asked for.
 * @param salt 32 bytes that nobody else knows, the same at every step
 * @returns the time of the chain from which there is something to do, or undefined once the model is on offer
 * @throws MarketError Taken, Closed
 */
export async function publishStep(
  party: Party,
  { market, registry }: Stand,
  { key, header }: Held,
  salt: Hex,
  terms: Terms,
): Promise<bigint | undefined> {
  const offer = await readOffer(market, key);
  if (isSomebody(offer.author)) {
    if (!same(offer.author, party.account)) throw new MarketError('Taken', `${key} is on offer by ${offer.author}`);
    if (offer.closed) throw new MarketError('Closed', `the offer of ${key} is closed`);
    if (offer.price !== terms.price) {
      await market.send('setPrice', [key, terms.price]);
      party.say({ event: 'price', header: key, price: terms.price }, `the price is ${terms.price} wei`);
    }
    const { task, uri } = (await market.events(['Listed'], { header: key }))[0]!.args as Record<'task' | 'uri', string>;
    if ((terms.task !== '' && terms.task !== task) || (terms.uri !== '' && terms.uri !== uri))
      party.say(
        { event: 'kept', header: key, task, uri },
        `task and uri stay as they were listed: "${task}", "${uri}"`,
      );
    return undefined;
  }
  const commitment = await market.read<Hex>('commitmentOf', [party.account, key, salt]);
  const since = await market.read<bigint>('committedAt', [commitment]);
  if (since === 0n) {
    await market.send('commit', [commitment]);
    party.say({ event: 'commit', header: key }, `committed to ${key}; nobody can see what it is`);
    return (await party.now()) + (await market.read<bigint>('COMMIT_AGE'));
  }
  const ready = since + (await market.read<bigint>('COMMIT_AGE'));
  if ((await party.now()) < ready) return ready;
  if (!(await isRegistered(registry, key))) {
    await registry.send('register', [toHex(encodeHeader(header))], await registry.read<bigint>('BOND'));
    party.say({ event: 'register', header: key }, 'registered the header');
  }
  const { price, content, size, task, uri } = terms;
  await market.send('list', [key, salt, price, content, BigInt(size), task, uri]);
  party.say({ event: 'list', header: key, price }, `on offer for ${price} wei a call`);
  return undefined;
}

/** True if the registry knows a header, whoever registered it. */
async function isRegistered(registry: Contract, key: Hex): Promise<boolean> {
  return (
    (await registry.events(['Registered'], { headerHash: key })).length >
    (await registry.events(['Refuted'], { headerHash: key })).length
  );
}

/** Takes back the bond of a header of one's own once nobody can refute it. */
export async function releaseBond(party: Party, registry: Contract, key: Hex): Promise<void> {
  if (!(await registry.read<boolean>('isMature', [key]))) return;
  const { publisher, bond } = await registry.read<{ readonly publisher: Hex; readonly bond: bigint }>('get', [key]);
  if (bond === 0n || !same(publisher, party.account)) return;
  await registry.send('release', [key]);
  party.say({ event: 'release', header: key, wei: bond }, `the header is mature, its bond of ${bond} wei is back`);
}
