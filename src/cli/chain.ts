/**
 * The chain that commands talk to: JSON-RPC through viem, which the user installs beside samebit.
 * @module
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Abi, Account, PublicClient, WalletClient } from 'viem';
import { SamebitError } from '../core/errors.ts';
import { type Artifact, artifacts, type GameEvent, type Hex } from '../evm.ts';
import type { Contract, Party } from '../market/client.ts';
import { UsageError } from './errors.ts';
import { print } from './output.ts';
import { installs } from './package.ts';
import { toJson } from './text.ts';

/** Flags of whatever talks to a chain. */
export interface NodeFlags {
  readonly rpc: string;
  readonly key: string;
  readonly interval: number;
  readonly json?: boolean;
}

/** Name of a contract of samebit. */
export type ContractName = 'dispute' | 'registry' | 'market' | 'jobs' | 'accuracy';

/** The contracts: artifact, a view that no other has, and what people call it. */
const CONTRACTS: Readonly<
  Record<ContractName, { readonly artifact: Artifact; readonly probe: string; readonly name: string }>
> = {
  dispute: { artifact: artifacts.Dispute, probe: 'claimCount', name: 'dispute contract' },
  registry: { artifact: artifacts.ModelRegistry, probe: 'DELAY', name: 'registry of models' },
  market: { artifact: artifacts.Market, probe: 'COMMIT_AGE', name: 'market' },
  jobs: { artifact: artifacts.Jobs, probe: 'jobCount', name: 'contract of jobs' },
  accuracy: { artifact: artifacts.Accuracy, probe: 'scoreCount', name: 'contract of scores' },
};

/** Seconds above 0. */
function seconds(text: string): number {
  const n = Number(text);
  if (!(n > 0 && n <= 3600)) throw new InvalidArgumentError('It must be a number of seconds up to 3600.');
  return n;
}

/** Adds the options of a node and an account. */
export function nodeOptions(command: Command): Command {
  return command
    .requiredOption('--rpc <URL>', 'JSON-RPC of a node')
    .requiredOption('--key <FILE>', 'file with the private key in hexadecimal digits')
    .option('--interval <SECONDS>', 'pause between looks at the chain', seconds, 2)
    .option('--json', 'one JSON object a line');
}

async function load(): Promise<{
  viem: typeof import('viem');
  accounts: typeof import('viem/accounts');
}> {
  try {
    return { viem: await import('viem'), accounts: await import('viem/accounts') };
  } catch {
    throw new UsageError('NoViem', 'commands talk to the chain through viem, which is not installed', installs('viem'));
  }
}

/** The private key in a file. @throws UsageError NoKey */
export function readKey(path: string): Hex {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch {
    throw new UsageError('NoKey', `the key file ${path} cannot be read`, 'Pass a file with 64 hexadecimal digits.');
  }
  const digits = text.replace(/^0x/, '');
  if (!/^[0-9a-fA-F]{64}$/.test(digits))
    throw new UsageError('NoKey', `${path} holds no private key`, 'Pass a file with 64 hexadecimal digits.');
  return `0x${digits}`;
}

function accountOf(accounts: typeof import('viem/accounts'), path: string): Account {
  const key = readKey(path);
  try {
    return accounts.privateKeyToAccount(key);
  } catch {
    throw new UsageError('NoKey', `${path} holds no valid private key`, 'Pass a file with 64 hexadecimal digits.');
  }
}

/**
 * What can be checked without a node: the flags, and addresses of contracts by name. The account of the key.
 * @throws UsageError
 */
export async function checkFlags(
  { rpc, key }: NodeFlags,
  addresses: Partial<Record<ContractName, string>>,
): Promise<Account> {
  const { viem, accounts } = await load();
  if (!/^https?:$/.test(URL.canParse(rpc) ? new URL(rpc).protocol : ''))
    throw new UsageError('NoNode', `${rpc} is no URL of a node`, 'Pass one that begins with http:// or https://.');
  for (const [name, address] of Object.entries(addresses))
    if (address !== undefined && !viem.isAddress(address, { strict: false }))
      throw new UsageError(
        'NoContract',
        `${address} is no address`,
        `Pass the address of the ${CONTRACTS[name as ContractName].name}.`,
      );
  return accountOf(accounts, key);
}

/** The chain, or the node, refuses what was sent. */
class ChainError extends SamebitError {
  readonly family = 'ChainError';
  constructor(message: string) {
    super('Refused', message, 'Look at the state of the contract and at the balance of the account, and run again.');
  }
}

/** What viem says of a refused call, in one line: the error of the contract where it gave one. */
function refused(name: string, e: unknown): ChainError {
  const words = [(e as Error).message, ...((e as { metaMessages?: string[] }).metaMessages ?? [])].join('\n');
  const custom = /^\s*Error: (\w+\(.*\))\s*$/m.exec(words)?.[1] ?? (e as { shortMessage?: string }).shortMessage;
  return new ChainError(`${name}: ${custom ?? words.split('\n')[0]}`);
}

/** A contract over JSON-RPC. */
class RemoteContract implements Contract {
  readonly address: Hex;
  readonly #abi: Abi;
  readonly #account: Account;
  readonly #public: PublicClient;
  readonly #wallet: WalletClient;

  constructor(address: Hex, abi: Abi, account: Account, reader: PublicClient, wallet: WalletClient) {
    this.address = address;
    this.#abi = abi;
    this.#account = account;
    this.#public = reader;
    this.#wallet = wallet;
  }

  read<T>(functionName: string, args: readonly unknown[] = []): Promise<T> {
    return this.#public.readContract({ address: this.address, abi: this.#abi, functionName, args }) as Promise<T>;
  }

  async simulate<T>(functionName: string, args: readonly unknown[], value = 0n): Promise<T> {
    const call = { address: this.address, abi: this.#abi, functionName, args, value, account: this.#account };
    try {
      return (await this.#public.simulateContract(call as never)).result as T;
    } catch (e) {
      throw refused(functionName, e);
    }
  }

  async send(functionName: string, args: readonly unknown[], value = 0n): Promise<readonly GameEvent[]> {
    const call = { address: this.address, abi: this.#abi, functionName, args, value } as const;
    let hash: Hex;
    try {
      hash = await this.#wallet.writeContract({ ...call, chain: null, account: this.#account });
    } catch (e) {
      throw refused(functionName, e);
    }
    const receipt = await this.#public.waitForTransactionReceipt({ hash, pollingInterval: 200 });
    if (receipt.status !== 'success') {
      await this.simulate(functionName, args, value); // says why, where it still would
      throw new ChainError(`${functionName} was reverted in ${hash}`);
    }
    const { viem } = await load();
    const own = receipt.logs.filter((log) => log.address.toLowerCase() === this.address.toLowerCase());
    return viem
      .parseEventLogs({ abi: this.#abi, logs: own })
      .map((e) => ({ name: e.eventName as string, args: (e as { args?: object }).args as Record<string, unknown> }));
  }

  async events(names: readonly string[], args: Readonly<Record<string, unknown>>): Promise<readonly GameEvent[]> {
    const found = await Promise.all(
      names.map((eventName) =>
        this.#public.getContractEvents({
          address: this.address,
          abi: this.#abi,
          eventName,
          args: args as never,
          fromBlock: 0n,
        }),
      ),
    );
    return found
      .flatMap((logs, i) => logs.map((log) => ({ name: names[i]!, log })))
      .sort((p, q) => Number(p.log.blockNumber - q.log.blockNumber) || p.log.logIndex - q.log.logIndex)
      .map(({ name, log }) => ({ name, args: (log as unknown as { args: Record<string, unknown> }).args }));
  }
}

/** A node under one account. */
export class Node implements Party {
  readonly account: Hex;
  readonly #account: Account;
  readonly #public: PublicClient;
  readonly #wallet: WalletClient;
  readonly #flags: NodeFlags;

  private constructor(flags: NodeFlags, account: Account, reader: PublicClient, wallet: WalletClient) {
    this.#flags = flags;
    this.account = account.address;
    this.#account = account;
    this.#public = reader;
    this.#wallet = wallet;
  }

  /**
   * Connects to a node.
   * @throws UsageError where viem, the key or the node is missing
   */
  static async connect(flags: NodeFlags): Promise<Node> {
    const account = await checkFlags(flags, {});
    const { viem } = await load();
    const transport = viem.http(flags.rpc, { retryCount: 3 });
    const reader = viem.createPublicClient({ transport, pollingInterval: 200 });
    const node = new Node(flags, account, reader, viem.createWalletClient({ account, transport }));
    try {
      await reader.getChainId();
    } catch {
      throw new UsageError('NoNode', `no node answers at ${flags.rpc}`, 'Start the node, or pass another --rpc.');
    }
    return node;
  }

  /**
   * A contract of samebit.
   * @throws UsageError where another stands at the address, or none
   */
  async contract(name: ContractName, address: string): Promise<Contract> {
    const { artifact, probe, name: words } = CONTRACTS[name];
    const next = 'Pass its address on this chain.';
    if ((await this.#public.getCode({ address: address as Hex })) === undefined)
      throw new UsageError('NoContract', `there is no contract at ${address}`, next);
    const abi = artifact.abi as unknown as Abi;
    const contract = new RemoteContract(address as Hex, abi, this.#account, this.#public, this.#wallet);
    try {
      await contract.read(probe);
    } catch {
      throw new UsageError('NoContract', `${address} is no ${words}`, next);
    }
    return contract;
  }

  async now(): Promise<bigint> {
    return (await this.#public.getBlock()).timestamp;
  }

  say(facts: Readonly<Record<string, unknown>> & { readonly event: string }, text: string): void {
    const time = new Date().toISOString();
    print(this.#flags.json ? toJson({ time, ...facts }) : `${time}  ${text}`);
  }

  /** Does something again and again, or once. It ends when it returns true. */
  async loop(once: boolean | undefined, look: () => Promise<unknown>): Promise<void> {
    for (;;) {
      if ((await look()) === true || once) return;
      await pause(1000 * this.#flags.interval);
    }
  }
}
