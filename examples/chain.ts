/** A chain in one process, for examples and tests: transactions with their whole gas on @ethereumjs/vm, and time that passes when told to. */
import { type Block, createBlock } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet, type StateManagerInterface } from '@ethereumjs/common';
import { createFeeMarket1559Tx } from '@ethereumjs/tx';
import { Account, type Address, createAddressFromPrivateKey, createAddressFromString } from '@ethereumjs/util';
import { createVM, type RunTxResult, runTx, type VM } from '@ethereumjs/vm';
import {
  type Abi,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  keccak256,
  toHex,
} from 'viem';
import type { Artifact } from '../src/evm.ts';

/** An event of a transaction. */
export interface Emitted {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a transaction did. `gas`: all of it, that of its data included. */
export interface Sent {
  readonly gas: bigint;
  readonly error?: string | undefined;
  readonly value?: unknown;
  readonly events: readonly Emitted[];
}

/** A party with a key and money. */
export interface Party {
  readonly address: Address;
  readonly key: Uint8Array;
}

/** A deployed contract. */
export interface Deployed {
  readonly address: string;
  readonly abi: Abi;
  /** A transaction. */
  send(from: Party, name: string, args: readonly unknown[], value?: bigint): Promise<Sent>;
  /** The same without a signature, fees or a nonce: many times faster. */
  poke(from: Party, name: string, args: readonly unknown[], value?: bigint): Promise<Sent>;
  /** A call that changes nothing. */
  call(name: string, args: readonly unknown[]): Promise<Sent>;
}

/** A precompile: where it is, and what it does. */
export interface Precompile {
  readonly address: string;
  readonly function: (input: { readonly data: Uint8Array; readonly gasLimit: bigint }) => Promise<unknown>;
}

type ExecResult = RunTxResult['execResult'];

/** Gas of a transaction, where a chain is told of no other limit. */
const GAS_LIMIT = 30_000_000n;
const CALLER: Address = createAddressFromString('0x00000000000000000000000000000000000000aa');

/** What a chain is made with. */
interface ChainOptions {
  readonly stateManager?: StateManagerInterface;
  readonly gasLimit?: bigint;
}

/** A chain with one validator. */
export class Chain {
  readonly vm: VM;
  readonly #common: Common;
  readonly #gasLimit: bigint;
  #made: Block | undefined;
  time = 1_700_000_000n;

  private constructor(vm: VM, common: Common, gasLimit: bigint) {
    this.vm = vm;
    this.#common = common;
    this.#gasLimit = gasLimit;
  }

  /**
   * An empty chain, maybe with precompiles of its own.
   * @param options `stateManager`: what keeps the state, by default tries, whose gas is exact; `gasLimit`: most gas of a transaction
   */
  static async create(
    precompiles: readonly Precompile[] = [],
    { stateManager, gasLimit = GAS_LIMIT }: ChainOptions = {},
  ): Promise<Chain> {
    const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun });
    const customPrecompiles = precompiles.map(({ address, function: f }) => ({
      address: createAddressFromString(address),
      function: f as never,
    }));
    const vm = await createVM({
      common,
      setHardfork: false,
      evmOpts: { customPrecompiles },
      ...(stateManager === undefined ? {} : { stateManager }),
    });
    return new Chain(vm, common, gasLimit);
  }

  /** A party with 1,000 ether. */
  async party(name: string): Promise<Party> {
    const key = hexToBytes(keccak256(toHex(name)));
    const address = createAddressFromPrivateKey(key);
    await this.vm.stateManager.putAccount(address, new Account(0n, 1000n * 10n ** 18n));
    return { address, key };
  }

  /** Money of an address. */
  async balance(address: Address): Promise<bigint> {
    return (await this.vm.stateManager.getAccount(address))?.balance ?? 0n;
  }

  /** Lets time pass. */
  advance(seconds: bigint): void {
    this.time += seconds;
  }

  #block(): Block {
    if (this.#made?.header.timestamp === this.time) return this.#made;
    const header = { number: 1n, timestamp: this.time, gasLimit: 2n * this.#gasLimit, baseFeePerGas: 7n };
    this.#made = createBlock({ header }, { common: this.#common });
    return this.#made;
  }

  async #transact(from: Party, to: Address | undefined, data: Hex, value: bigint) {
    const nonce = (await this.vm.stateManager.getAccount(from.address))!.nonce;
    const tx = createFeeMarket1559Tx(
      {
        nonce,
        gasLimit: this.#gasLimit,
        maxFeePerGas: 7n,
        maxPriorityFeePerGas: 0n,
        value,
        data,
        ...(to === undefined ? {} : { to }),
      },
      { common: this.#common },
    ).sign(from.key);
    return runTx(this.vm, { tx, block: this.#block(), skipBlockGasLimitValidation: true });
  }

  /** Deploys a contract; returns it with the gas that took. */
  async deploy(from: Party, artifact: Artifact, args: readonly unknown[] = []): Promise<Deployed & { gas: bigint }> {
    const abi = artifact.abi as Abi;
    const data = encodeDeployData({ abi, bytecode: artifact.bytecode as Hex, args: args as never });
    const made = await this.#transact(from, undefined, data, 0n);
    if (made.execResult.exceptionError !== undefined) throw new Error(made.execResult.exceptionError.error);
    return { ...this.at(made.createdAddress!, abi), gas: made.totalGasSpent };
  }

  /** A contract at an address. */
  at(to: Address, abi: Abi): Deployed {
    const encode = (name: string, args: readonly unknown[]): Hex =>
      encodeFunctionData({ abi, functionName: name, args: args as never });
    const sentOf = ({ exceptionError, returnValue, logs }: ExecResult, gas: bigint): Sent => {
      if (exceptionError !== undefined)
        return { gas, error: reason(abi, returnValue, exceptionError.error), events: [] };
      const events = (logs ?? []).flatMap(([address, topics, data]): Emitted[] => {
        if (toHex(address) !== to.toString()) return [];
        const log = decodeEventLog({ abi, topics: topics.map((t) => toHex(t)) as [Hex], data: toHex(data) });
        return [{ name: log.eventName!, args: (log.args ?? {}) as Record<string, unknown> }];
      });
      return { gas, events };
    };
    return {
      address: to.toString(),
      abi,
      send: async (from, name, args, value = 0n) => {
        const done = await this.#transact(from, to, encode(name, args), value);
        return sentOf(done.execResult, done.totalGasSpent);
      },
      poke: async (from, name, args, value = 0n) => {
        const call = {
          caller: from.address,
          to,
          value,
          data: hexToBytes(encode(name, args)),
          gasLimit: this.#gasLimit,
        };
        const { execResult } = await this.vm.evm.runCall({ ...call, block: this.#block() });
        return sentOf(execResult, execResult.executionGasUsed);
      },
      call: async (name, args) => {
        const { execResult } = await this.vm.evm.runCall({
          caller: CALLER,
          to,
          data: hexToBytes(encode(name, args)),
          gasLimit: 10n * this.#gasLimit,
          block: this.#block(),
        });
        const gas = execResult.executionGasUsed;
        if (execResult.exceptionError !== undefined)
          return { gas, error: reason(abi, execResult.returnValue, execResult.exceptionError.error), events: [] };
        const value = decodeFunctionResult({ abi, functionName: name, data: toHex(execResult.returnValue) } as never);
        return { gas, value, events: [] };
      },
    };
  }
}

function reason(abi: Abi, data: Uint8Array, fallback: string): string {
  try {
    return decodeErrorResult({ abi, data: toHex(data) }).errorName;
  } catch {
    return fallback;
  }
}
