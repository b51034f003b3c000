/**
 * viem, which the user installs beside samebit.
 * @module
 */
import { MarketError } from './errors.ts';

/** The modules of viem. @throws MarketError NoClient */
export async function loadViem(): Promise<{
  readonly viem: typeof import('viem');
  readonly accounts: typeof import('viem/accounts');
}> {
  try {
    return { viem: await import('viem'), accounts: await import('viem/accounts') };
  } catch {
    throw new MarketError('NoClient', 'the chain is asked through the package viem, which is not installed');
  }
}
