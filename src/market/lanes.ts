/**
 * The two ways in which a gateway answers a call. On the chain: its validators run the model, the author is paid by the contract, or
 * nothing happens. On this machine: the body is fetched, held against the registered id and run; nobody is paid, and who trusts the
 * answer trusts the gateway, or runs it again.
 * @module
 */
import type { Abi, Account, PublicClient, WalletClient } from 'viem';
import { type Commitment, commit } from '../consensus/commitment.ts';
import { encodeReceipt, headerOf, type Receipt, receiptHash, receiptOf } from '../consensus/header.ts';
import { keccak256 } from '../consensus/keccak.ts';
import { traceRun } from '../consensus/trace.ts';
import { toBytes } from '../core/tensor.ts';
import * as artifacts from '../evm/artifacts.gen.ts';
import { decodeCall, joinBytes } from '../evm/calldata.ts';
import { type Hex, toHex } from '../evm/proof.ts';
import type { Inputs } from '../runtime/inputs.ts';
import { createSession, type Session } from '../runtime/session.ts';
import { fromHex } from './blobs.ts';
import { fetchBody } from './body.ts';
import { MarketError } from './errors.ts';
import type { CallReceipt, Ledger } from './ledger.ts';
import type { Listing } from './listing.ts';
import type { BlobStore } from './store.ts';
import { loadViem } from './viem.ts';

/** One call. */
export interface LaneCall {
  readonly listing: Listing;
  /** Call data behind the header hash. */
  readonly data: Uint8Array;
  /** Wei that the caller pays at most. */
  readonly maxPrice: bigint;
  /** Asks a local run for its receipt with the trace root (spec/40-consensus.md §2). */
  readonly trace: boolean;
}

/** What came of it. */
export interface LaneAnswer {
  readonly output: Uint8Array;
  readonly receipt: CallReceipt;
}

/** A way to answer calls. */
export interface Lane {
  readonly mode: CallReceipt['mode'];
  /** @throws MarketError, InputError, OutOfGas */
  call(call: LaneCall): Promise<LaneAnswer>;
}

const ABI = artifacts.Market.abi as unknown as Abi;
const digest = (bytes: Uint8Array): Hex => toHex(keccak256(bytes));

/** Where calls are paid from. */
export interface ChainLaneOptions {
  readonly rpc: string;
  readonly market: Hex;
  /** Private key. */
  readonly key: Hex;
  readonly ledger: Ledger;
  /** Milliseconds until a transaction has to be in a block; default 120,000. */
  readonly timeout?: number;
}

/** Calls that the chain runs, paid from one account, one after the other. */
export class ChainLane implements Lane {
  readonly mode = 'chain';
  /** Address of the account. */
  readonly account: Hex;
  readonly #account: Account;
  readonly #options: ChainLaneOptions;
  readonly #viem: typeof import('viem');
  readonly #reader: PublicClient;
  readonly #wallet: WalletClient;

  private constructor(options: ChainLaneOptions, viem: typeof import('viem'), account: Account) {
    this.account = account.address;
    this.#account = account;
    this.#options = options;
    this.#viem = viem;
    const transport = viem.http(options.rpc, { retryCount: 3 });
    this.#reader = viem.createPublicClient({ transport });
    this.#wallet = viem.createWalletClient({ account, transport });
  }

  /** @throws MarketError NoClient */
  static async open(options: ChainLaneOptions): Promise<ChainLane> {
    const { viem, accounts } = await loadViem();
    return new ChainLane(options, viem, accounts.privateKeyToAccount(options.key));
  }

  #reason(e: unknown): string {
    const { BaseError, ContractFunctionRevertedError } = this.#viem;
    if (!(e instanceof BaseError)) return (e as Error).message;
    const revert = e.walk((inner) => inner instanceof ContractFunctionRevertedError);
    const name = revert instanceof ContractFunctionRevertedError ? revert.data?.errorName : undefined;
    return name ?? e.shortMessage;
  }

  async call({ listing: { header }, data, maxPrice }: LaneCall): Promise<LaneAnswer> {
    const { market: address, ledger, timeout = 120_000 } = this.#options;
    const input = toHex(data);
    const view = { address, abi: ABI, account: this.#account } as const;
    const [, , , , price] = (await this.#reader
      .readContract({ ...view, functionName: 'listings', args: [header] })
      .catch((e: unknown) => {
        throw new MarketError('NoNode', this.#reason(e));
      })) as [Hex, bigint, number, boolean, bigint, Hex];
    if (price > maxPrice)
      throw new MarketError('OverBudget', `a call costs ${price} wei, more than the ${maxPrice} that are allowed`);
    const request = {
      ...view,
      functionName: 'call',
      args: [header, input, maxPrice],
      value: price,
    } as const;
    const refused = (e: unknown): never => {
      throw new MarketError('PaymentFailed', `the market refuses the call: ${this.#reason(e)}`);
    };
    const { result } = await this.#reader.simulateContract(request).catch(refused);
    const gas = await this.#reader.estimateContractGas(request).catch(refused);
    const { maxFeePerGas } = await this.#reader.estimateFeesPerGas().catch(refused);
    const limit = (gas * 12n) / 10n;
    const call = ledger.reserve(price + limit * maxFeePerGas);
    let hash: Hex;
    try {
      hash = await this.#wallet.writeContract({ ...request, chain: null, gas: limit, maxFeePerGas });
    } catch (e) {
      // The node may have taken it all the same: what was set aside stays so.
      throw new MarketError('PaymentFailed', `the transaction was not sent: ${this.#reason(e)}`);
    }
    const done = await this.#reader
      .waitForTransactionReceipt({ hash, pollingInterval: 200, timeout })
      .catch((e: unknown) => {
        throw new MarketError('PaymentFailed', `${hash} is in no block yet: ${this.#reason(e)}`);
      });
    const fee = (done.gasUsed ?? limit) * (done.effectiveGasPrice ?? maxFeePerGas);
    const output = fromHex(result as Hex);
    const called = this.#viem
      .parseEventLogs({ abi: ABI, eventName: 'Called', logs: done.logs })
      .find((e) => (e as unknown as { readonly args: { readonly output: Hex } }).args.output === digest(output));
    if (done.status !== 'success' || called === undefined) {
      ledger.finish(call, done.status === 'success' ? price + fee : fee);
      throw new MarketError('PaymentFailed', `${hash} was ${done.status === 'success' ? 'another call' : 'reverted'}`);
    }
    const receipt: CallReceipt = {
      call,
      mode: this.mode,
      header,
      input: digest(data),
      output: digest(output),
      price,
      transaction: hash,
      block: done.blockNumber,
      fee,
    };
    ledger.finish(call, price + fee, receipt);
    return { output, receipt };
  }
}

/** How a machine runs models itself. */
export interface LocalLaneOptions {
  readonly store: BlobStore;
  readonly ledger: Ledger;
  /** Peers that are asked beside those of the author. */
  readonly peers?: readonly string[];
  /** Bytes of a body, at most; default 64 MiB. */
  readonly maxBytes?: number;
  /** Gas of schedule 1 that a run may cost; none: no limit. */
  readonly maxGas?: bigint;
  /** Models that stay loaded; default 4. */
  readonly loaded?: number;
}

interface Loaded {
  readonly session: Session;
  readonly commitment: () => Commitment;
}

/** The receipt of a run, whose trace is made for it. */
async function proven(commitment: Commitment, inputs: Inputs): Promise<Receipt> {
  const session = await createSession(commitment.model, { mode: 'trace' });
  try {
    const { trace } = await traceRun(commitment, session, inputs);
    return receiptOf(headerOf(commitment), trace);
  } finally {
    session.dispose();
  }
}

/** Calls that this machine runs. */
export class LocalLane implements Lane {
  readonly mode = 'local';
  readonly #options: LocalLaneOptions;
  /** By header; the first was used least lately. */
  readonly #loaded: Map<Hex, Loaded> = new Map();

  constructor(options: LocalLaneOptions) {
    this.#options = options;
  }

  /** @throws as `fetchBody` */
  async #load(listing: Listing): Promise<Loaded> {
    const { header } = listing;
    const { store, peers = [], maxBytes = 1 << 26, loaded = 4 } = this.#options;
    const known = this.#loaded.get(header);
    if (known !== undefined) {
      this.#loaded.delete(header);
      this.#loaded.set(header, known);
      return known;
    }
    const { model } = await fetchBody(listing, { store, sources: peers, maxBytes });
    const session = await createSession(model);
    let commitment: Commitment | undefined;
    const entry = { session, commitment: () => (commitment ??= commit(model, 'keccak256')) };
    this.#loaded.set(header, entry);
    for (const [oldest, { session: old }] of this.#loaded) {
      if (this.#loaded.size <= loaded) break;
      this.#loaded.delete(oldest);
      old.dispose();
    }
    return entry;
  }

  async call({ listing, data, trace }: LaneCall): Promise<LaneAnswer> {
    const { ledger, maxGas } = this.#options;
    const { session, commitment } = await this.#load(listing);
    const { model } = session;
    const inputs = model.states.length === 0 ? decodeCall(model, model, data)?.inputs : undefined;
    if (inputs === undefined) throw new MarketError('BadRequest', 'the data are not the inputs of this model');
    const limit = maxGas === undefined ? {} : { gasLimit: maxGas };
    const result = await session.run(inputs, limit);
    const words = trace ? await proven(commitment(), inputs) : undefined;
    const output = joinBytes(model.outputs.map((o) => toBytes(result.outputs[o.name]!.data)));
    const call = ledger.reserve(0n);
    const receipt: CallReceipt = {
      call,
      mode: this.mode,
      header: listing.header,
      input: digest(data),
      output: digest(output),
      price: listing.price,
      digest: result.digest,
      gas: result.gasUsed,
      ...(words && { receipt: toHex(receiptHash('keccak256', words)), receiptWords: toHex(encodeReceipt(words)) }),
    };
    ledger.finish(call, 0n, receipt);
    return { output, receipt };
  }
}
