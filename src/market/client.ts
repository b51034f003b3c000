/**
 * What the parties of a market need of a chain: contracts to read, to write to and to hear from. The parties talk to
 * no node themselves; the command line brings viem.
 * @module
 */
import type { GameEvent, Hex } from '../evm.ts';

/** A contract under one account. */
export interface Contract {
  readonly address: Hex;
  /** Result of a view. */
  read<T>(name: string, args?: readonly unknown[]): Promise<T>;
  /** Result of a call that is not sent, by this account with this payment. */
  simulate<T>(name: string, args: readonly unknown[], value?: bigint): Promise<T>;
  /** Sends a transaction and waits for it; the events of this contract in it. */
  send(name: string, args: readonly unknown[], value?: bigint): Promise<readonly GameEvent[]>;
  /** Events of these names whose indexed arguments fit, in order. */
  events(names: readonly string[], args: Readonly<Record<string, unknown>>): Promise<readonly GameEvent[]>;
}

/** One account on one chain, and whom it tells what it did. */
export interface Party {
  readonly account: Hex;
  /** Seconds of the chain. */
  now(): Promise<bigint>;
  /** `facts` for machines, `text` for people. */
  say(facts: Readonly<Record<string, unknown>> & { readonly event: string }, text: string): void;
}

/** True if two addresses or hashes are the same, whatever the case of their digits. */
export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Takes what a contract owes this account. */
export async function collect(party: Party, contract: Contract, from: string): Promise<void> {
  const due = await contract.read<bigint>('balances', [party.account]);
  if (due === 0n) return;
  await contract.send('withdraw', []);
  party.say({ event: 'withdrawal', from, wei: due }, `withdrew ${due} wei from ${from}`);
}

/** Does something; where it fails, since another was faster or the node does not answer, says so and goes on. */
export async function attempt(party: Party, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (e) {
    const message = (e as Error).message.split('\n')[0]!;
    party.say({ event: 'failed', what, message }, `${what}: ${message}; looked at again`);
  }
}
