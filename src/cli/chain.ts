/**
 * The chain that bots talk to: JSON-RPC through viem, which the user installs beside samebit.
 * @module
 */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { Abi, Account, PublicClient, WalletClient } from 'viem';
import { artifacts, type Game, type GameEvent, type Hex, type History, PHASES } from '../evm.ts';
import { UsageError } from './errors.ts';
import { installs } from './package.ts';

/** Flags of both bots. */
export interface ChainFlags {
  readonly rpc: string;
  readonly dispute: string;
  readonly key: string;
  readonly interval: number;
}

/** Claim as `getClaim` gives it. */
export interface Claim {
  readonly asserter: Hex;
  readonly finalAt: bigint;
  readonly open: number;
  readonly defeated: boolean;
  readonly settled: boolean;
  readonly header: Hex;
  readonly inputRoot: Hex;
  readonly outputRoot: Hex;
  readonly traceRoot: Hex;
}

const ABI = artifacts.Dispute.abi as unknown as Abi;

/** Seconds above 0. */
function seconds(text: string): number {
  const n = Number(text);
  if (!(n > 0 && n <= 3600)) throw new InvalidArgumentError('It must be a number of seconds up to 3600.');
  return n;
}

/** Adds the options of both bots. */
export function chainOptions(command: Command): Command {
  return command
    .requiredOption('--rpc <URL>', 'JSON-RPC of a node')
    .requiredOption('--dispute <ADDRESS>', 'the dispute contract')
    .requiredOption('--key <FILE>', 'file with the private key in hexadecimal digits')
    .option('--interval <SECONDS>', 'pause between looks at the chain', seconds, 2);
}

async function load(): Promise<{
  viem: typeof import('viem');
  accounts: typeof import('viem/accounts');
}> {
  try {
    return { viem: await import('viem'), accounts: await import('viem/accounts') };
  } catch {
    throw new UsageError('NoViem', 'bots talk to the chain through viem, which is not installed', installs('viem'));
  }
}

/** The private key in a file. @throws UsageError */
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
 * What can be checked of the flags without a node; the account of the key.
 * @throws UsageError
 */
export async function checkFlags({ rpc, dispute, key }: ChainFlags): Promise<{ account: Account; dispute: Hex }> {
  const { viem, accounts } = await load();
  if (!/^https?:$/.test(URL.canParse(rpc) ? new URL(rpc).protocol : ''))
    throw new UsageError('NoNode', `${rpc} is no URL of a node`, 'Pass one that begins with http:// or https://.');
  if (!viem.isAddress(dispute))
    throw new UsageError('NoContract', `${dispute} is no address`, 'Pass the address of the dispute contract.');
  return { account: accountOf(accounts, key), dispute };
}

/** The dispute contract over JSON-RPC, under one account. */
export class Court {
  readonly account: Account;
  readonly #public: PublicClient;
  readonly #wallet: WalletClient;
  readonly #address: Hex;

  private constructor(account: Account, reader: PublicClient, wallet: WalletClient, address: Hex) {
    this.account = account;
    this.#public = reader;
    this.#wallet = wallet;
    this.#address = address;
  }

  /**
   * Connects to a node.
   * @throws UsageError where viem, the key, the node or the contract is missing
   */
  static async connect(flags: ChainFlags): Promise<Court> {
    const { account, dispute } = await checkFlags(flags);
    const { viem } = await load();
    const transport = viem.http(flags.rpc, { retryCount: 3 });
    const reader = viem.createPublicClient({ transport });
    const court = new Court(account, reader, viem.createWalletClient({ account, transport }), dispute);
    let code: string | undefined;
    try {
      code = await reader.getCode({ address: dispute });
    } catch {
      throw new UsageError('NoNode', `no node answers at ${flags.rpc}`, 'Start the node, or pass another --rpc.');
    }
    if (code === undefined)
      throw new UsageError('NoContract', `there is no contract at ${flags.dispute}`, 'Pass its address on this chain.');
    try {
      await court.read('BOND');
    } catch {
      throw new UsageError('NoContract', `${flags.dispute} is no dispute contract`, 'Pass its address on this chain.');
    }
    return court;
  }

  /** A view of the contract. */
  read<T>(functionName: string, args: readonly unknown[] = []): Promise<T> {
    return this.#public.readContract({ address: this.#address, abi: ABI, functionName, args }) as Promise<T>;
  }

  /** Sends a transaction and waits for it; its events. */
  async send(functionName: string, args: readonly unknown[], value = 0n): Promise<readonly GameEvent[]> {
    const call = { address: this.#address, abi: ABI, functionName, args, value } as const;
    const hash = await this.#wallet.writeContract({ ...call, chain: null, account: this.account });
    const receipt = await this.#public.waitForTransactionReceipt({ hash, pollingInterval: 200 });
    if (receipt.status !== 'success') throw new Error(`${functionName} was reverted in ${hash}`);
    const { viem } = await load();
    return viem
      .parseEventLogs({ abi: ABI, logs: receipt.logs })
      .map((e) => ({ name: e.eventName as string, args: (e as { args?: object }).args as Record<string, unknown> }));
  }

  /** All events of the contract of these names that fit, in order. */
  async events(names: readonly string[], args: Readonly<Record<string, unknown>>): Promise<readonly GameEvent[]> {
    const found = await Promise.all(
      names.map((eventName) =>
        this.#public.getContractEvents({
          address: this.#address,
          abi: ABI,
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

  /** The chain's time. */
  async now(): Promise<bigint> {
    return (await this.#public.getBlock()).timestamp;
  }

  /** What the asserter revealed in a game, and what was chosen. */
  history(game: bigint): Promise<History> {
    return this.events(['Revealed', 'Chosen', 'Opened', 'Again', 'Summed'], { game });
  }

  /** A game, and its phase by name. */
  async game(id: bigint): Promise<{ readonly game: Game; readonly phase: (typeof PHASES)[number] }> {
    const game = await this.read<Game>('getGame', [id]);
    return { game, phase: PHASES[game.phase]! };
  }
}
