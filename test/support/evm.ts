/** Contracts run by @ethereumjs/evm: calls of `infer(bytes)`, their gas and what they return. */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createAddressFromString } from '@ethereumjs/util';
import { createVM, type VM } from '@ethereumjs/vm';
import { expect } from 'vitest';
import { type EvmOptions, toEvm } from '../../src/compile/evm.ts';
import { toBytes } from '../../src/core/tensor.ts';
import type { Model } from '../../src/graph/ir.ts';
import { createSession } from '../../src/runtime/session.ts';
import { randomInputs } from './differential.ts';
import { Prng } from './prng.ts';

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

/** Compiles, installs and calls a model on several inputs; a difference from the reference or from the gas predicted is an error. */
export async function agreeOn(vm: VM, model: Model, options: EvmOptions, seed: number, calls = 2): Promise<void> {
  const p = toEvm(model, options);
  const limit = options.codeBudget ?? 24576;
  const main = p.main(p.data.map((_, i) => dataAddress(i)));
  for (const c of [...p.data, main]) expect(c.runtime.length).toBeLessThanOrEqual(limit);
  await install(
    vm,
    main.runtime,
    p.data.map((d) => d.runtime),
  );
  const r = new Prng(seed);
  for (let k = 0; k < calls; k++) {
    const inputs = randomInputs(model, r, []);
    const { expected } = await reference(model, inputs);
    const result = await call(vm, p.encode(inputs));
    expect(result.error).toBeUndefined();
    expect(result.gas).toBe(p.gas);
    expect(returned(result.output)).toEqual(expected);
    expect(result.output.length % 32).toBe(0);
    const decoded = p.decode(result.output);
    expect(Buffer.concat(model.outputs.map((o) => toBytes(decoded[o.name]!.data)))).toEqual(Buffer.from(expected));
  }
}
