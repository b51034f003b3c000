/** Contracts run by @ethereumjs/evm: calls of `infer(bytes)`, their gas and what they return. */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createAddressFromString } from '@ethereumjs/util';
import { createVM, type VM } from '@ethereumjs/vm';
import { toBytes } from '../../src/core/tensor.ts';
import type { Model } from '../../src/graph/ir.ts';
import { createSession } from '../../src/runtime/session.ts';
import type { randomInputs } from './differential.ts';

/** A virtual machine of the fork that generated code needs. */
export function createEvm(): Promise<VM> {
  return createVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Shanghai }) });
}

/** What a call gave. */
export interface CallResult {
  readonly gas: bigint;
  readonly output: Uint8Array;
  readonly error: string | undefined;
}

const MAIN = createAddressFromString(`0x${'5a'.repeat(20)}`);

/** Address of data contract i. */
export function dataAddress(i: number): `0x${string}` {
  return `0x${(0xda7a00 + i).toString(16).padStart(40, '0')}`;
}

/** Puts runtime code at the address that `call` calls. */
export async function install(vm: VM, code: Uint8Array, data: readonly Uint8Array[] = []): Promise<void> {
  await vm.stateManager.putCode(MAIN, code);
  for (const [i, d] of data.entries()) await vm.stateManager.putCode(createAddressFromString(dataAddress(i)), d);
}

/** Calls the installed contract. */
export async function call(vm: VM, data: Uint8Array): Promise<CallResult> {
  vm.evm.journal.cleanJournal();
  const { execResult } = await vm.evm.runCall({ to: MAIN, data, gasLimit: 10n ** 12n, isStatic: true });
  return {
    gas: execResult.executionGasUsed,
    output: execResult.returnValue,
    error: execResult.exceptionError?.error,
  };
}

/** The bytes in what `infer` returned. */
export function returned(output: Uint8Array): Uint8Array {
  const length = new DataView(output.buffer, output.byteOffset).getUint32(60);
  return output.slice(64, 64 + length);
}

/** The canonical bytes of a model's inputs, and of its outputs by the reference. */
export async function reference(
  model: Model,
  inputs: ReturnType<typeof randomInputs>,
): Promise<{ data: Uint8Array; expected: Uint8Array }> {
  const session = await createSession(model, { backend: 'reference' });
  const { outputs } = await session.run(inputs);
  const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  return {
    data: join(model.inputs.map((d) => toBytes(inputs[d.name]!.data))),
    expected: join(model.outputs.map((o) => toBytes(outputs[o.name]!.data))),
  };
}
