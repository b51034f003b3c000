/** A market on a chain in one process, for examples: its contracts, validators who hold what is listed, and the way of a model into it. */
import { keccak256 } from 'viem';
import { commit, encodeHeader, type Header, headerHash, headerOf } from '../src/consensus.ts';
import { artifacts, createPrecompile, deployCourt, toHex } from '../src/evm.ts';
import { createSession, type Model, type Session } from '../src/index.ts';
import { Chain, type Deployed, type Emitted, type Party, type Sent } from './chain.ts';

/** Where the chain has the inference precompile. */
export const PRECOMPILE = '0x0000000000000000000000000000000000005a17';
const TERMS = { bond: 10n ** 17n, delay: 604_800n, window: 86_400n, move: 3_600n };

/** A model on offer, as a buyer finds it. */
export interface Offer {
  readonly header: string;
  readonly author: string;
  readonly task: string;
  readonly price: bigint;
}

/** What went through, or an error that says what did not. */
export function must(sent: Sent, what: string): Sent {
  if (sent.error !== undefined) throw new Error(`${what}: ${sent.error}`);
  return sent;
}

/** The models that a chain's precompile runs: headers and sessions by header hash. */
export class Store {
  readonly #models: Map<string, { readonly header: Header; readonly session: Session }> = new Map();

  /** Takes a model; returns the hash of its header. */
  async add(model: Model): Promise<string> {
    const header = headerOf(commit(model));
    const key = toHex(headerHash(header));
    this.#models.set(key, { header, session: await createSession(model) });
    return key;
  }

  /** Words of a header that was taken. */
  header(hash: Uint8Array): Uint8Array | undefined {
    const known = this.#models.get(toHex(hash));
    return known && encodeHeader(known.header);
  }

  /** The session of a header that was taken. */
  session(header: Header): Session | undefined {
    return this.#models.get(toHex(headerHash(header)))?.session;
  }
}

/** The deployed market. */
export class Stall {
  /** Listings so far, in their order: what an index of the events holds. */
  readonly offers: Offer[] = [];
  readonly chain: Chain;
  readonly registry: Deployed;
  readonly market: Deployed;
  readonly #store: Store;
  readonly #validators: readonly Party[];

  private constructor(chain: Chain, store: Store, registry: Deployed, market: Deployed, validators: readonly Party[]) {
    [this.chain, this.registry, this.market] = [chain, registry, market];
    [this.#store, this.#validators] = [store, validators];
  }

  /** Deploys registry, dispute rules and market; three validators, two of whom must hold a body. */
  static async open(): Promise<Stall> {
    const store = new Store();
    const chain = await Chain.create([{ address: PRECOMPILE, function: createPrecompile({ store }) }]);
    const deployer = await chain.party('deployer');
    const { registry } = await deployCourt((code, args) => chain.deploy(deployer, code, args), TERMS);
    const validators = await Promise.all([1, 2, 3].map((i) => chain.party(`validator ${i}`)));
    const names = validators.map((v) => v.address.toString());
    const market = await chain.deploy(deployer, artifacts.Market, [registry.address, PRECOMPILE, names, 2n]);
    return new Stall(chain, store, registry, market, validators);
  }

  /** Registers, commits to, lists a model, and has it held: from here on it is called. Returns the hash of its header. */
  async publish(author: Party, model: Model, task: string, price: bigint): Promise<string> {
    const { chain, registry, market } = this;
    const key = await this.#store.add(model);
    const header = headerOf(commit(model));
    const salt = toHex(headerHash(header).map((b) => b ^ 0x5a));
    must(await registry.send(author, 'register', [toHex(encodeHeader(header))], TERMS.bond), 'register');
    const { value } = await market.call('commitmentOf', [author.address.toString(), key, salt]);
    must(await market.send(author, 'commit', [value]), 'commit');
    chain.advance(TERMS.delay);
    const listed = await market.send(author, 'list', [key, salt, price, toHex(model.id), 0n, task, '']);
    this.#note(must(listed, 'list').events);
    for (const v of this.#validators.slice(0, 2)) must(await market.send(v, 'hold', [key]), 'hold');
    return key;
  }

  #note(events: readonly Emitted[]): void {
    for (const { name, args } of events)
      if (name === 'Listed')
        this.offers.push({
          header: args['header'] as string,
          author: args['author'] as string,
          task: args['task'] as string,
          price: args['price'] as bigint,
        });
  }

  /** The cheapest offer of a task. */
  find(task: string): Offer {
    const [offer] = this.offers.filter((o) => o.task === task).sort((a, b) => Number(a.price - b.price));
    if (offer === undefined) throw new Error(`nobody offers ${task}`);
    return offer;
  }

  /** Calls a model and pays its price. The transaction gives an output by its hash alone, which the output of a free call must have. */
  async buy(buyer: Party, offer: Offer, input: Uint8Array, output: Uint8Array): Promise<Sent> {
    const sent = await this.market.send(buyer, 'call', [offer.header, toHex(input), offer.price], offer.price);
    const called = must(sent, 'call').events.find((e) => e.name === 'Called')!;
    if (called.args['output'] !== keccak256(output)) throw new Error('the chain has another output');
    return sent;
  }
}
