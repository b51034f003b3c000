/**
 * A validator: an EVM whose inference precompile runs on an engine of its own. It proposes blocks and checks those of others.
 * @module
 */
import { type Block, createBlock, createBlockFromRLP } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import type { TypedTransaction } from '@ethereumjs/tx';
import { Account, type Address, createAddressFromString } from '@ethereumjs/util';
import { buildBlock, createVM, runBlock, type VM } from '@ethereumjs/vm';
import type { Header } from '../../src/consensus.ts';
import { createPrecompile, toHex } from '../../src/evm.ts';
import { HostError, type Session } from '../../src/index.ts';

/** Where the precompile is. */
export const PRECOMPILE = '0x0000000000000000000000000000000000005a17';
const GAS_LIMIT = 30_000_000n;

/** The chain's rules. */
export const common: Common = new Common({ chain: Mainnet, hardfork: Hardfork.Shanghai });

/** Headers that the chain has registered, by hash: the same on every validator. */
export type Registered = ReadonlyMap<string, Uint8Array>;

/** The models of a validator: a session by model id, or a failure. */
export type Engine = (header: Header) => Promise<Session>;

/** What became of a block on a validator. */
export type Verdict = 'agreed' | 'disagreed' | 'halted';

/** The first block. */
export function genesis(): Block {
  const header = { number: 0n, gasLimit: GAS_LIMIT, baseFeePerGas: 7n };
  return createBlock({ header }, { common, skipConsensusFormatValidation: true });
}

/** One validator. */
export class Validator {
  readonly name: string;
  readonly #vm: VM;
  /** The last block it holds; behind the chain's while it is halted. */
  head: Block = genesis();
  /** Why it halted. */
  halted: string | undefined;

  private constructor(name: string, vm: VM) {
    this.name = name;
    this.#vm = vm;
  }

  /** A validator with money for some accounts. */
  static async create(
    name: string,
    registered: Registered,
    engine: Engine,
    rich: readonly Address[],
  ): Promise<Validator> {
    const precompile = createPrecompile({
      store: { header: (hash) => registered.get(toHex(hash)), session: engine },
    });
    const customPrecompiles = [{ address: createAddressFromString(PRECOMPILE), function: precompile as never }];
    const vm = await createVM({ common, setHardfork: false, evmOpts: { customPrecompiles } });
    for (const a of rich) await vm.stateManager.putAccount(a, new Account(0n, 10n ** 24n));
    return new Validator(name, vm);
  }

  /** Builds a block; undefined where the machine fails: the validator halts and holds what it held. */
  async propose(txs: readonly TypedTransaction[]): Promise<Uint8Array | undefined> {
    const number = this.head.header.number + 1n;
    const builder = await buildBlock(this.#vm, {
      parentBlock: this.head,
      headerData: { number, timestamp: number * 12n, gasLimit: GAS_LIMIT, baseFeePerGas: 7n },
      blockOpts: { putBlockIntoBlockchain: false, skipConsensusFormatValidation: true },
    });
    try {
      for (const tx of txs) {
        const { execResult } = await builder.addTransaction(tx);
        const error = execResult.exceptionError?.error;
        if (error !== undefined) throw new Error(`a transaction failed: ${error}`); // to agree on failure would be no proof
      }
      const { block } = await builder.build();
      this.head = block;
      return block.serialize();
    } catch (e) {
      await builder.revert();
      this.#halt(e);
      return undefined;
    }
  }

  /** Runs a block of another; what it disagrees with, or cannot run, it does not keep. */
  async receive(wire: Uint8Array): Promise<Verdict> {
    const block = createBlockFromRLP(wire, { common, setHardfork: false, skipConsensusFormatValidation: true });
    const before = await this.#vm.stateManager.getStateRoot();
    try {
      await runBlock(this.#vm, { block, skipBlockValidation: true, skipHeaderValidation: true });
      this.head = block;
      this.halted = undefined;
      return 'agreed';
    } catch (e) {
      await this.#vm.stateManager.setStateRoot(before, true);
      if (e instanceof HostError) {
        this.#halt(e);
        return 'halted';
      }
      if (!/invalid (receiptTrie|stateRoot|gasUsed|bloom)/i.test(String(e))) throw e;
      return 'disagreed';
    }
  }

  /** Its state root. */
  async root(): Promise<string> {
    return toHex(await this.#vm.stateManager.getStateRoot());
  }

  #halt(e: unknown): void {
    if (!(e instanceof HostError)) throw e;
    this.halted = `${e.code}: ${e.message}`;
  }
}
