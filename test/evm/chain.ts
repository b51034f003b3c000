/** A chain of one process for tests: contracts deployed and called on @ethereumjs/evm. */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createEVM, type EVM } from '@ethereumjs/evm';
import { type Address, createAddressFromString } from '@ethereumjs/util';
import {
  type Abi,
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  hexToBytes,
} from 'viem';

/** A compiled contract. */
export interface Artifact {
  readonly abi: Abi | readonly unknown[];
  readonly bytecode: string;
}

/** What a call did. `gas` is that of the execution, without the transaction's own. */
export interface Called {
  readonly value: unknown;
  readonly gas: bigint;
  readonly error?: string | undefined;
  readonly data: Uint8Array;
}

/** A deployed contract. */
export interface Deployed {
  readonly address: string;
  call(name: string, args: readonly unknown[]): Promise<Called>;
}

const CALLER: Address = createAddressFromString('0x00000000000000000000000000000000000000aa');

/** A fresh EVM. */
export function createChain(): Promise<EVM> {
  return createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Cancun }) });
}

/** Deploys a contract. */
export async function deploy(evm: EVM, artifact: Artifact, args: readonly unknown[] = []): Promise<Deployed> {
  const abi = artifact.abi as Abi;
  const data = encodeDeployData({ abi, bytecode: artifact.bytecode as Hex, args: args as never });
  const made = await evm.runCall({ caller: CALLER, data: hexToBytes(data), gasLimit: 50_000_000n });
  if (made.execResult.exceptionError !== undefined) throw new Error(made.execResult.exceptionError.error);
  const to = made.createdAddress!;
  return {
    address: to.toString(),
    async call(name, args) {
      const input = encodeFunctionData({ abi, functionName: name, args: args as never });
      const { execResult } = await evm.runCall({ caller: CALLER, to, data: hexToBytes(input), gasLimit: 100_000_000n });
      const raw = `0x${Buffer.from(execResult.returnValue).toString('hex')}` as Hex;
      const gas = execResult.executionGasUsed;
      const bytes = hexToBytes(input);
      if (execResult.exceptionError !== undefined)
        return { value: undefined, gas, error: reason(abi, raw, execResult.exceptionError.error), data: bytes };
      return { value: decodeFunctionResult({ abi, functionName: name, data: raw } as never), gas, data: bytes };
    },
  };
}

function reason(abi: Abi, data: Hex, fallback: string): string {
  try {
    return decodeErrorResult({ abi, data }).errorName;
  } catch {
    return fallback;
  }
}
