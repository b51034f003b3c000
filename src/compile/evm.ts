/**
 * A model as contracts of any EVM of the Shanghai fork or later (docs/evm.md).
 * @module
 */

import { checkOptions, type OptionRule, oneOf } from '../core/options.ts';
import { byteLength, elementCount, fromBytes, type Tensor, toBytes } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';
import type { OpName } from '../ops/index.ts';
import { checkValues, type Inputs, readSignature } from '../runtime/inputs.ts';
import { checkModel, INFER } from './evm/compile.ts';
import { addressBytes, addressFault, creationOf } from './evm/creation.ts';
import { CompileError } from './evm/errors.ts';
import { CODE_LIMIT, type Goal, plan } from './evm/plan.ts';

export { CompileError };

/** How a model is compiled. */
export interface EvmOptions {
  /** `gas` (default): the cheapest call whose code fits the budget. `size`: the fewest bytes of code. */
  readonly goal?: Goal;
  /** Bytes of code that one contract may have, at most 65,535; default 24,576 (EIP-170). */
  readonly codeBudget?: number;
}

const RULES: Readonly<Record<keyof EvmOptions, OptionRule>> = {
  goal: oneOf(['gas', 'size']),
  codeBudget: [
    (v) => Number.isSafeInteger(v) && (v as number) >= 256 && (v as number) <= 65535,
    'a whole number in 256…65535',
  ],
};

/** A contract: what lies at its address, and the code of the transaction that puts it there. */
export interface EvmContract {
  readonly runtime: Uint8Array;
  readonly creation: Uint8Array;
}

/** What one node became. */
export interface EvmLayer {
  readonly node: number;
  readonly op: OpName;
  /** Gas of a call in this node. */
  readonly gas: number;
  /** Bytes of code, and of data behind the code. */
  readonly bytes: number;
  /** Rows of weights in data, and all of them; absent for other ops. */
  readonly dataRows?: number;
  readonly rows?: number;
}

/** A compiled model. */
export interface EvmProgram {
  /** Contracts that hold weights only; often none. They are deployed first. */
  readonly data: readonly EvmContract[];
  /**
   * The contract that is called. Its deployment reverts with `WrongData()` where other code lies at an address than that of the data contract.
   * @param addresses where the data contracts lie, in order
   * @throws TypeError for another number of addresses, for what is no address, for zero, and for one that is given twice
   */
  main(addresses?: readonly string[]): EvmContract;
  readonly abi: typeof ABI;
  /** The interface as Solidity source. */
  readonly solidity: string;
  /** Gas that a call of `infer` runs for, exactly: without call data, transaction and the caller's own costs. */
  readonly gas: bigint;
  /** Bytes of code of all contracts. */
  readonly codeBytes: number;
  readonly layers: readonly EvmLayer[];
  /**
   * Call data of `infer` for these inputs.
   * @throws InputError for inputs that a session refuses, too
   */
  encode(inputs: Inputs): Uint8Array;
  /** The outputs in what `infer` returned. */
  decode(returned: Uint8Array): Record<string, Tensor>;
}

/** The interface of every compiled model. */
export const ABI = [
  {
    type: 'function',
    name: 'infer',
    stateMutability: 'view',
    inputs: [{ name: 'input', type: 'bytes' }],
    outputs: [{ name: 'output', type: 'bytes' }],
  },
  { type: 'error', name: 'BadInput', inputs: [] },
  { type: 'error', name: 'WrongData', inputs: [] },
] as const;

/** A line of a comment that names a tensor. */
function describe(name: string, type: string, shape: readonly unknown[], lo: unknown, hi: unknown): string {
  const safe = name.replace(/[^\w .:/[\]-]/g, '?').replace(/\*\//g, '*?');
  return `    ///      ${safe}: ${type} [${shape.join(', ')}], ${lo} to ${hi}`;
}

function solidityOf(model: Model): string {
  const view = (u8: boolean | undefined, v: unknown): unknown => (u8 ? (v as number) + 128 : v);
  const inputs = model.inputs.map((d) =>
    describe(d.name, d.u8 ? 'u8' : d.dtype, d.shape, view(d.u8, d.lo), view(d.u8, d.hi)),
  );
  const outputs = model.outputs.map((o) => {
    const t = model.tensors[o.tensor]!;
    return describe(o.name, o.u8 ? 'u8' : t.dtype, t.shape, view(o.u8, t.lo), view(o.u8, t.hi));
  });
  return `// SPDX-License-Identifier: CC0-1.0
pragma solidity ^0.8.0;

/// @notice A model compiled by samebit.
interface IModel {
    /// The input does not have its length, an element lies outside its interval, or ether came with the call.
    error BadInput();

    /// @notice Runs the model.
    /// @dev Tensors in order, elements little-endian without padding. Input:
${inputs.join('\n')}
    ///      Output:
${outputs.join('\n')}
    function infer(bytes calldata input) external view returns (bytes memory output);
}
`;
}

function encodeCall(model: Model, inputs: Inputs): Uint8Array {
  const values = checkValues(readSignature(model, inputs), []);
  const parts = model.inputs.map((d, i) => {
    const bytes = toBytes(values[i]!);
    return d.u8 ? bytes.map((v) => v ^ 128) : bytes;
  });
  const length = parts.reduce((n, p) => n + p.length, 0);
  const out = new Uint8Array(68 + 32 * ((length + 31) >> 5));
  const view = new DataView(out.buffer);
  view.setUint32(0, INFER);
  view.setUint32(32, 32);
  view.setUint32(64, length);
  let offset = 68;
  for (const p of parts) {
    out.set(p, offset);
    offset += p.length;
  }
  return out;
}

function decodeReturn(model: Model, returned: Uint8Array): Record<string, Tensor> {
  let offset = 64;
  return Object.fromEntries(
    model.outputs.map((o) => {
      const { dtype, shape } = model.tensors[o.tensor]! as { dtype: 'i8'; shape: readonly number[] };
      const bytes = byteLength(dtype, elementCount(shape));
      const own = returned.slice(offset, offset + bytes);
      if (own.length !== bytes) throw new TypeError(`${returned.length} bytes are too few for the outputs`);
      offset += bytes;
      return [o.name, o.u8 ? { dtype: 'u8', shape, data: own } : { dtype, shape, data: fromBytes(dtype, own) }];
    }),
  );
}

/**
 * Compiles a model to EVM bytecode. Control flow does not depend on the input, so every call costs the same gas, known here.
 * @throws CompileError if the model has symbols or states, an op without an EVM form, or does not fit
 * @throws TypeError for an option that is none, or a value that it cannot have
 */
export function toEvm(model: Model, options: EvmOptions = {}): EvmProgram {
  checkOptions(options, RULES);
  const { goal = 'gas', codeBudget = CODE_LIMIT } = options;
  checkModel(model);
  const p = plan(model, goal, codeBudget);
  return {
    data: p.data.map((runtime) => ({ runtime, creation: creationOf(runtime) })),
    main(addresses = []) {
      if (addresses.length !== p.data.length) throw new TypeError(`the model has ${p.data.length} data contracts`);
      const fault = addressFault(addresses);
      if (fault !== undefined) throw new TypeError(fault);
      const runtime = p.code.slice();
      for (const s of p.sites) runtime.set(addressBytes(addresses[s.contract]!), s.at);
      return { runtime, creation: creationOf(runtime, addresses, p.data) };
    },
    abi: ABI,
    solidity: solidityOf(model),
    gas: BigInt(p.gas),
    codeBytes: p.code.length + p.data.reduce((n, d) => n + d.length, 0),
    layers: p.nodes.map(({ gas, bytes }, node) => {
      const { op, inputs } = model.nodes[node]!;
      if (op !== 'dense' && op !== 'conv2d') return { node, op, gas, bytes };
      const rows = model.tensors[inputs[1]!]!.shape[0] as number;
      return { node, op, gas, bytes, dataRows: p.choices[node]?.dataRows ?? 0, rows };
    }),
    encode: (inputs) => encodeCall(model, inputs),
    decode: (returned) => decodeReturn(model, returned),
  };
}
