/**
 * What the index reads of a chain: events by blocks. Through viem, which the user installs beside samebit, or anything else
 * that tells the same.
 * @module
 */
import type { Abi } from 'viem';
import * as artifacts from '../evm/artifacts.gen.ts';
import type { Hex } from '../evm/proof.ts';
import { MarketError } from './errors.ts';
import { loadViem } from './viem.ts';

/** Contracts of a market. */
export interface MarketAddresses {
  readonly market: Hex;
  readonly registry: Hex;
  /** Where claims of accuracy are; left out where there are none. */
  readonly accuracy?: Hex | undefined;
}

/** An event of one of the contracts. */
export interface MarketEvent {
  readonly from: keyof MarketAddresses;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly block: bigint;
  /** Place among the events of the block. */
  readonly place: number;
}

/** A chain, as the index asks it. */
export interface ChainReader {
  readonly addresses: MarketAddresses;
  /** The chain's number (EIP-155). */
  chainId(): Promise<number>;
  /** The latest block. */
  head(): Promise<bigint>;
  /** Hash of a block. */
  hash(block: bigint): Promise<Hex>;
  /** Events of the blocks `first` … `last`, in order. */
  events(first: bigint, last: bigint): Promise<readonly MarketEvent[]>;
}

const ABIS: Readonly<Record<keyof MarketAddresses, Abi>> = {
  market: artifacts.Market.abi as unknown as Abi,
  registry: artifacts.ModelRegistry.abi as unknown as Abi,
  accuracy: artifacts.Accuracy.abi as unknown as Abi,
};

/** What a node answers, or the error that it does not. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (e) {
    const { shortMessage, message } = e as { readonly shortMessage?: string; readonly message: string };
    throw new MarketError('NoNode', `the node does not answer as it should: ${shortMessage ?? message}`);
  }
}

/**
 * Reads the contracts of a market over JSON-RPC.
 * @param contracts the registry is asked of the market
 * @throws MarketError NoClient, NoNode, WrongChain where an address is none or there is no market; its functions NoNode
 */
export async function readChain(rpc: string, contracts: Omit<MarketAddresses, 'registry'>): Promise<ChainReader> {
  const { viem } = await loadViem();
  for (const [name, address] of Object.entries(contracts))
    if (address !== undefined && !viem.isAddress(address))
      throw new MarketError('WrongChain', `${name}: ${String(address)} is no address`);
  const client = viem.createPublicClient({ transport: viem.http(rpc, { retryCount: 3 }) });
  if ((await asked(client.getCode({ address: contracts.market }))) === undefined)
    throw new MarketError('WrongChain', `there is no contract at ${contracts.market}`);
  const view = { address: contracts.market, abi: ABIS.market, functionName: 'REGISTRY' } as const;
  const addresses: MarketAddresses = { ...contracts, registry: (await asked(client.readContract(view))) as Hex };
  const names = (Object.keys(ABIS) as (keyof MarketAddresses)[]).filter((n) => addresses[n] !== undefined);
  return {
    addresses,
    chainId: () => asked(client.getChainId()),
    head: () => asked(client.getBlockNumber({ cacheTime: 0 })),
    hash: async (blockNumber) => (await asked(client.getBlock({ blockNumber }))).hash,
    async events(fromBlock, toBlock) {
      const found = await Promise.all(
        names.map(async (from) => {
          const query = { address: addresses[from]!, abi: ABIS[from], fromBlock, toBlock, strict: true } as const;
          const logs = await asked(client.getContractEvents(query));
          return logs.map(
            (log): MarketEvent => ({
              from,
              name: log.eventName!,
              args: (log as { readonly args?: object }).args as Record<string, unknown>,
              block: log.blockNumber,
              place: log.logIndex,
            }),
          );
        }),
      );
      return found.flat().sort((a, b) => Number(a.block - b.block) || a.place - b.place);
    },
  };
}
