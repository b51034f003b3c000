/** JSON-RPC over HTTP in front of a chain in this process: as much of a node as the command line asks for. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBlock } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createTxFromRLP } from '@ethereumjs/tx';
import { createAddressFromString } from '@ethereumjs/util';
import { type AfterTxEvent, runTx } from '@ethereumjs/vm';
import { type Hex, hexToBytes, keccak256, numberToHex, toHex } from 'viem';
import type { Chain } from './chain.ts';

const COMMON = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun });
const GAS_LIMIT = 60_000_000n;

interface Log {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly logIndex: Hex;
  readonly transactionHash: Hex;
}

interface Call {
  readonly from?: Hex;
  readonly to: Hex;
  readonly data: Hex;
  readonly value?: Hex;
}

interface Filter {
  readonly address: Hex;
  readonly topics?: readonly (Hex | readonly Hex[] | null)[];
  readonly fromBlock?: Hex;
  readonly toBlock?: Hex;
}

/** A block as a filter names it. */
function numberOf(block: string): bigint {
  return block === 'earliest' ? 0n : block.startsWith('0x') ? BigInt(block) : 2n ** 62n;
}

/** A call that was reverted, as nodes say it. */
class Reverted extends Error {
  readonly body: { readonly code: number; readonly message: string; readonly data: Hex };
  constructor(data: Hex) {
    super('execution reverted');
    this.body = { code: 3, message: this.message, data };
  }
}

/** A node that makes a block of every transaction. */
export class RpcNode {
  readonly #chain: Chain;
  readonly #server: Server;
  readonly #logs: Log[] = [];
  readonly #receipts = new Map<string, unknown>();
  #blocks = 1n;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(chain: Chain) {
    this.#chain = chain;
    chain.vm.events.on('afterTx', (event, resolve) => {
      this.#record(event);
      resolve?.();
    });
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (b: Buffer) => parts.push(b));
      request.on('end', () => {
        const { id, method, params } = JSON.parse(Buffer.concat(parts).toString()) as {
          id: number;
          method: string;
          params: readonly unknown[];
        };
        const answer = (body: object): void => {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
        };
        this.alone(() => this.#answer(method, params ?? [])).then(
          (result) => answer({ result }),
          (e: unknown) => answer({ error: e instanceof Reverted ? e.body : { code: -32601, message: String(e) } }),
        );
      });
    });
  }

  /** Listens on a port of this machine. */
  static async open(chain: Chain): Promise<RpcNode> {
    const node = new RpcNode(chain);
    await new Promise<void>((done) => node.#server.listen(0, '127.0.0.1', done));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Blocks so far. */
  get blocks(): bigint {
    return this.#blocks;
  }

  /** Does something with the chain while no request does: a call works on its state, and puts it back. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(method: string, params: readonly unknown[]): Promise<unknown> {
    const { vm } = this.#chain;
    const address = (i: number) => createAddressFromString(params[i] as string);
    switch (method) {
      case 'eth_chainId':
        return '0x1';
      case 'eth_blockNumber':
        return numberToHex(this.#blocks);
      case 'eth_maxPriorityFeePerGas':
        return '0x0';
      case 'eth_estimateGas':
        return numberToHex(GAS_LIMIT / 2n);
      case 'eth_getCode':
        return toHex(await vm.stateManager.getCode(address(0)));
      case 'eth_getTransactionCount':
        return numberToHex((await vm.stateManager.getAccount(address(0)))?.nonce ?? 0n);
      case 'eth_getBlockByNumber':
        return {
          number: numberToHex(this.#blocks),
          hash: keccak256(
            `0x${String(params[0]).startsWith('0x') ? String(params[0]).slice(2).padStart(64, '0') : '00'}`,
          ),
          timestamp: numberToHex(this.#chain.time),
          baseFeePerGas: '0x7',
          gasLimit: numberToHex(GAS_LIMIT),
          transactions: [],
        };
      case 'eth_call':
        return this.#call(params[0] as Call);
      case 'evm_increaseTime': // as anvil has it, for examples whose time passes when told to
        this.#chain.advance(BigInt(params[0] as number));
        return numberToHex(this.#chain.time);
      case 'eth_getBalance':
        return numberToHex(await this.#chain.balance(address(0)));
      case 'eth_sendRawTransaction':
        return this.#send(params[0] as Hex);
      case 'eth_getTransactionReceipt':
        return this.#receipts.get(params[0] as string) ?? null;
      case 'eth_getLogs':
        return this.#find(params[0] as Filter);
      default:
        throw new Error(`no method ${method}`);
    }
  }

  #block() {
    const header = { number: this.#blocks, timestamp: this.#chain.time, gasLimit: GAS_LIMIT, baseFeePerGas: 7n };
    return createBlock({ header }, { common: COMMON });
  }

  async #call({ from, to, data, value }: Call): Promise<Hex> {
    const { vm } = this.#chain;
    await vm.stateManager.checkpoint();
    const { execResult } = await vm.evm.runCall({
      ...(from === undefined ? {} : { caller: createAddressFromString(from) }),
      to: createAddressFromString(to),
      data: hexToBytes(data),
      value: BigInt(value ?? 0),
      gasLimit: GAS_LIMIT,
      block: this.#block(),
    });
    await vm.stateManager.revert();
    if (execResult.exceptionError !== undefined) throw new Reverted(toHex(execResult.returnValue));
    return toHex(execResult.returnValue);
  }

  async #send(raw: Hex): Promise<Hex> {
    const tx = createTxFromRLP(hexToBytes(raw), { common: COMMON });
    await runTx(this.#chain.vm, { tx, block: this.#block(), skipBlockGasLimitValidation: true });
    return toHex(tx.hash());
  }

  /** Takes note of a transaction, whoever sent it. */
  #record({ transaction, execResult }: AfterTxEvent): void {
    const transactionHash = toHex(transaction.hash());
    const blockNumber = numberToHex(++this.#blocks);
    const logs = (execResult.logs ?? []).map(([from, topics, data], i): Log => {
      const place = { blockNumber, logIndex: numberToHex(i), transactionHash };
      return { address: toHex(from), topics: topics.map((t) => toHex(t)), data: toHex(data), ...place };
    });
    this.#logs.push(...logs);
    const status = execResult.exceptionError === undefined ? '0x1' : '0x0';
    this.#receipts.set(transactionHash, { transactionHash, blockNumber, status, logs, type: '0x2' });
  }

  #find({ address, topics = [], fromBlock = '0x0', toBlock = '0xffffffff' }: Filter): Log[] {
    return this.#logs.filter(
      (log) =>
        log.address === address.toLowerCase() &&
        BigInt(log.blockNumber) >= numberOf(fromBlock) &&
        BigInt(log.blockNumber) <= numberOf(toBlock) &&
        topics.every((t, i) => t === null || (typeof t === 'string' ? [t] : t).includes(log.topics[i]!)),
    );
  }
}
